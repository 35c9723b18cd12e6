/// Wrong Backwards of the affine map.
module DL.Properties.Mutants.Dense

open DL.Properties.Mutants.Hand

let private forward (ps: float[][]) (x: float[][]) =
    x
    |> Array.map (fun row ->
        Array.init row.Length (fun j -> ps[1][j] + Array.sum (Array.mapi (fun k v -> v * ps[0][k * row.Length + j]) row)))

// Square, so that a transposition goes unnoticed by every check of shapes.
let private input (transpose: bool) (ps: float[][]) (dy: float[][]) =
    dy
    |> Array.map (fun d ->
        let n = d.Length
        Array.init n (fun k -> Array.sum (Array.mapi (fun j v -> v * (if transpose then ps[0][k * n + j] else ps[0][j * n + k])) d)))

let private weight (x: float[][]) (dy: float[][]) =
    let n = x[0].Length
    Array.init (n * n) (fun at -> Array.sum (Array.map2 (fun (r: float[]) (d: float[]) -> r[at / n] * d[at % n]) x dy))

let private bias (dy: float[][]) = Array.reduce (Array.map2 (+)) dy
let private scale (c: float) = Array.map (fun v -> c * v)

let private right: Hand =
    { Name = "affine"
      Slots = [ "weight"; "bias" ]
      Sizes = fun n -> struct (n, [ [ n; n ], weights 1 (n * n); [ n ], weights 2 n ])
      Forward = forward
      Backward = fun pass dy -> struct (input true pass.Ps dy, [| weight pass.X dy; bias dy |]) }

let private wrong fault dx dw db = mutant fault right (back (fun pass dy -> struct (dx pass dy, [| dw pass dy; db dy |])))

let private goodInput pass dy = input true pass.Ps dy
let private goodWeight pass dy = weight pass.X dy

/// The mutants of this file.
let mutants: Mutant list =
    [ wrong "missing transpose in dx" (fun pass dy -> input false pass.Ps dy) goodWeight bias
      wrong "operands of dW exchanged" goodInput (fun pass dy -> weight dy pass.X) bias
      wrong "dW from the output instead of the input" goodInput (fun pass dy -> weight pass.Y dy) bias
      wrong
          "dW of the last row only: overwritten instead of added"
          goodInput
          (fun pass dy -> weight [| Array.last pass.X |] [| Array.last dy |])
          bias
      wrong "dW divided by the number of rows" goodInput (fun pass dy -> weight pass.X dy |> scale (1.0 / float dy.Length)) bias
      wrong "bias forgotten" goodInput goodWeight (bias >> scale 0.0)
      wrong "bias gradient averaged" goodInput goodWeight (fun dy -> bias dy |> scale (1.0 / float dy.Length))
      wrong "off by one: the first row left out of db" goodInput goodWeight (fun dy -> if dy.Length > 1 then bias dy[1..] else bias dy)
      wrong "sign of dx" (fun pass dy -> input true pass.Ps dy |> Array.map (scale -1.0)) goodWeight bias
      wrong "bias added to dx" (fun pass dy -> input true pass.Ps dy |> Array.map (Array.map2 (+) pass.Ps[1])) goodWeight bias ]

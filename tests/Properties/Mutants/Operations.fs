/// Wrong Backwards of operations: faults that only kinks, ties or reductions show.
module DL.Properties.Mutants.Operations

open DL.Core
open DL.Core.Losses
open DL.Core.Ops
open DL.Laws

let private find name variant (operations: Operation list) =
    operations |> List.find (fun o -> o.Name = name && (variant = "" || o.Variant = variant))

let private back backward (operation: Operation) = { operation with Backward = backward }

let private numbers (t: Tensor) = t.ToArray<float>()

let private like (t: Tensor) (x: float[]) : Tensor = (Tensor.Of<float>(System.ReadOnlySpan<float> x, t.Shape)).To t.ElementType

let private relu = find "Relu" "" DL.Properties.Ops.Elementwise.operations
let private maximum = find "Max" "of all" DL.Properties.Ops.Reductions.operations
let private mean = find "Mean" "over axis 1" DL.Properties.Ops.Reductions.operations
let private linear = find "Linear" "identity" DL.Properties.Ops.Linear.operations
let private squared = find "MeanSquaredError" "mean" DL.Properties.Losses.Losses.operations
let private pad = find "Pad" "of axis 1" DL.Properties.Ops.Shapes.operations
let private rows = find "Rows" "" DL.Properties.Ops.Shapes.operations

let private scaled factor (operation: Operation) =
    operation
    |> back (fun case x y dy -> operation.Backward case x y dy |> Array.map (fun t -> Scale.Forward(t, factor case)))

/// All maxima take the gradient.
let private every (x: Tensor) (y: Tensor) (dy: Tensor) = like x (numbers x |> Array.map (fun v -> if v = y.At 0 then dy.At 0 else 0.0))

let private lastWins (case: OperationCase) (dy: Tensor) =
    let n = case.Sizes[0]
    let result: Tensor = Tensor.Zeros(dy.ElementType, Shape(System.ReadOnlySpan<int>(List.toArray case.Sizes)))
    let width = result.Count / max 1 n
    let to', from = numbers result, numbers dy

    for i in 0 .. n + 1 do
        Array.blit from (i * width) to' ((i * 5 + 1) % n * width) width

    like result to'

/// What is wrong, the right operation, the wrong one.
let mutants: (string * Operation * Operation) list =
    [ "Relu: derivative 1 at the kink",
      relu,
      relu
      |> back (fun _ x _ dy -> [| like x[0] (Array.map2 (fun v d -> if v >= 0.0 then d else 0.0) (numbers x[0]) (numbers dy[0])) |])
      "Max: every tie takes the gradient", maximum, maximum |> back (fun _ x y dy -> [| every x[0] y[0] dy[0] |])
      "Mean: missing 1/n", mean, mean |> scaled (fun case -> float case.Sizes[1])
      "Linear: missing transpose",
      linear,
      linear
      |> back (fun case x y dy ->
          let g = linear.Backward case x y dy
          [| g[0]; like g[1] (numbers (Transpose.Forward(g[1], 1, 0))); g[2] |])
      "MeanSquaredError: missing 2", squared, squared |> scaled (fun _ -> 0.5)
      "MeanSquaredError: missing 1/n", squared, squared |> scaled (fun case -> float (List.reduce (*) case.Sizes))
      "Pad: off by one",
      pad,
      pad
      |> back (fun case x y dy ->
          let g = pad.Backward case x y dy
          let from = if case.Sizes[3] > 0 then case.Sizes[3] - 1 else case.Sizes[3]
          if case.Sizes[3] > 0 then [| Slice.Forward(dy[0], 1, from, case.Sizes[1]) |] else g)
      "Rows: a row met twice is overwritten instead of added", rows, rows |> back (fun case _ _ dy -> [| lastWins case dy[0] |]) ]

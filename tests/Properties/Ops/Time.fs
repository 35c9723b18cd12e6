/// Operations over the steps of sequences with lengths, under their direct loops: padding is never read.
module DL.Properties.Ops.Time

open System
open DL.Core
open DL.Core.Ops
open DL.Laws
open DL.Properties.Cases

/// An operation over time: forward and backward, and from the valid steps of one channel to what stands for them in the output.
[<NoEquality; NoComparison>]
type private Timed =
    { Title: string
      Ahead: Tensor -> int[] | null -> Tensor
      Back: Tensor -> Tensor -> int[] | null -> Tensor
      Run: int -> Dual[] -> Dual[] }

let private zero = Dual.Constant 0.0
let private first (run: Dual[]) = run |> Array.reduce (fun best x -> if x.Value > best.Value then x else best)
let private orZero (reduce: Dual[] -> Dual) (run: Dual[]) = if run.Length = 0 then [| zero |] else [| reduce run |]

let private timed =
    [ { Title = "MaskTime"
        Ahead = fun x lengths -> MaskTime.Forward(x, lengths)
        Back = fun _ dy lengths -> MaskTime.Backward(dy, lengths)
        Run = fun steps run -> Array.append run (Array.create (steps - run.Length) zero) }
      { Title = "MeanTime"
        Ahead = fun x lengths -> MeanTime.Forward(x, lengths)
        Back = fun x dy lengths -> MeanTime.Backward(dy, x.Shape, lengths)
        Run = fun _ -> orZero Dual.mean }
      { Title = "MaxTime"
        Ahead = fun x lengths -> MaxTime.Forward(x, lengths)
        Back = fun x dy lengths -> MaxTime.Backward(dy, x, lengths)
        Run = fun _ -> orZero first }
      { Title = "LastStep"
        Ahead = fun x lengths -> LastStep.Forward(x, lengths)
        Back = fun x dy lengths -> LastStep.Backward(dy, x.Shape, lengths)
        Run = fun _ -> orZero Array.last } ]

/// A length from 0 to the number of steps for every example.
let private drawn seed (examples: int) steps : int[] =
    let draw = (Draw seed).Branch 8
    Array.init examples (fun _ -> draw.Below(steps + 1))

let private operation variant sizes (lengths: OperationCase -> int[] | null) (timed: Timed) : Operation =
    { Name = timed.Title
      Variant = variant
      Sizes = sizes
      Numbers = Numbers.all
      Inputs = List.singleton
      Domain = fun _ x -> x
      Forward = fun case x -> [| timed.Ahead x[0] (lengths case) |]
      Backward = fun case x _ dy -> [| timed.Back x[0] dy[0] (lengths case) |]
      Formula =
        fun case x ->
            let examples, steps, width = case.Sizes[0], case.Sizes[1], case.Sizes |> List.skip 2 |> List.fold (*) 1

            let valid =
                match lengths case with
                | null -> Array.create examples steps
                | some -> some

            [| [| for n in 0 .. examples - 1 do
                      let run d = Array.init valid[n] (fun t -> x[0][(n * steps + t) * width + d])
                      yield! Array.init width (run >> timed.Run steps) |> Array.transpose |> Array.concat |] |]
      Homogeneous = 0 }

/// The operations of this file.
let operations: Operation list =
    [ for t in timed do
          let examples = OneOf [ 2; 1; 0; 3 ]
          operation "of all steps" [ examples; Free; Free ] (fun _ -> null) t
          operation "with lengths" [ examples; Free; Free ] (fun case -> drawn case.Seed case.Sizes[0] case.Sizes[1]) t
          operation "of numbers, with lengths" [ examples; Free ] (fun case -> drawn case.Seed case.Sizes[0] case.Sizes[1]) t

          operation
              "of many steps, with lengths"
              [ examples; OneOf [ 700 ]; OneOf [ 1; 3; 17 ] ]
              (fun case -> drawn case.Seed case.Sizes[0] 700)
              t ]

let private batch (v: Vector) n examples steps : Tensor = (matrix v n (examples * steps)).Reshape(examples, steps, v.Length)

/// With something else in the padding.
let private padded (lengths: int[]) (value: float) (x: Tensor) =
    let steps, width = x.Shape[1], x.Shape.Last

    like x (numbers x |> Array.mapi (fun i v -> if i / width % steps < lengths[i / width / steps] then v else value))

let private lengthsOf (v: Vector) = let some = drawn v.Seed 3 9 in [| some[0]; 9; some[2] |]

let private upstream (v: Vector) (y: Tensor) : Tensor = (Numbers.tensor Ordinary (v.Seed + 7UL) [ y.Count ]).Reshape y.Shape

let private unread t =
    law t.Title "NaN and infinity in padding change no bit, and get a gradient of exactly 0" Positive [ Ordinary; Ties ] (fun v ->
        let lengths = lengthsOf v
        let x = batch v 0 3 9
        let y = t.Ahead x lengths
        // A gradient that has steps of its own has padding too.
        let spoil value (t: Tensor) = if t.Shape = x.Shape then padded lengths value t else t
        let dy = upstream v y
        let dx = t.Back x dy lengths

        Evidence.worst
            [ for value in [ nan; infinity; -1e300 ] do
                  let worse = padded lengths value x
                  Evidence.exact $"forward beside {value}" ((t.Ahead worse lengths).SameBits y)
                  Evidence.exact $"backward beside {value}" ((t.Back worse (spoil value dy) lengths).SameBits dx)
              Evidence.exact "zeros" ((padded lengths 0.0 dx).SameBits dx) ])

let private shorter t =
    law t.Title "a padded sequence is the sequence without its padding" Positive [ Ordinary; Ties; UnequalRows ] (fun v ->
        let x = batch v 0 3 9
        let lengths = lengthsOf v
        let y = t.Ahead x lengths
        let dx = t.Back x (upstream v y) lengths

        let alone n =
            let cut (t: Tensor) : Tensor =
                let one = Slice.Forward(t, 0, n, 1)
                if t.Shape.Rank = 3 then Slice.Forward(one, 1, 0, lengths[n]) else one

            let short = t.Ahead (cut x) null
            let back = t.Back (cut x) (cut (upstream v y)) null
            (cut y).SameBits short && (cut dx).SameBits back

        Evidence.worst [ for n in 0..2 -> Evidence.exact $"the same bits for length {lengths[n]}" (alone n) ])

let private empty t =
    law t.Title "a sequence of length 0 gives zeros, and zero gradient" Positive [ Ordinary ] (fun v ->
        let x = batch v 0 3 4
        let y = t.Ahead x [| 0; 0; 0 |]
        let zeros (t: Tensor) = numbers t |> Array.forall ((=) 0.0)
        Evidence.exact "zeros" (zeros y && zeros (t.Back x (upstream v y) [| 0; 0; 0 |])))

let private unknown =
    law "MaxTime" "the first NaN among the valid steps is the maximum, and takes the gradient" Positive [ Ordinary ] (fun v ->
        let x = batch v 0 1 5
        let place = int (v.Seed % 5UL)
        let spoilt = like x (numbers x |> Array.mapi (fun i n -> if i % v.Length = 0 && i / v.Length >= place then nan else n))
        let y = MaxTime.Forward spoilt
        let dy = Tensor.Filled(ElementType.Float64, y.Shape, 2.0)

        let column =
            numbers (MaxTime.Backward(dy, spoilt))
            |> Array.indexed
            |> Array.filter (fun (i, _) -> i % v.Length = 0)
            |> Array.map snd

        let others (t: Tensor) = numbers t |> Array.skip 1

        Evidence.worst
            [ Evidence.exact "NaN" (Double.IsNaN(y.At 0))
              Evidence.exact "the other channels" (others y = others (MaxTime.Forward x))
              Evidence.exact "the gradient of the first NaN" (column = Array.init 5 (fun t -> if t = place then 2.0 else 0.0)) ])

let private threads =
    Law.fact "the number of threads changes no bit" "MeanTime, MaxTime, MaskTime and LastStep" (fun () ->
        let v = { Length = 33; Numbers = Ordinary; Seed = 5UL }
        let x = (batch v 0 12 400).To ElementType.Float32
        let lengths = drawn 3UL 12 400

        let run n =
            withThreads n (fun () ->
                [ for t in timed do
                      let y = t.Ahead x lengths
                      y
                      t.Back x ((upstream v y).To ElementType.Float32) lengths ])

        let one = run 1

        Evidence.worst
            [ for n in 2..3 -> Evidence.exact $"the bits of {n} threads" (List.forall2 (fun (a: Tensor) b -> a.SameBits b) one (run n)) ])

let private says (words: string list) (work: unit -> Tensor) =
    try
        work () |> ignore
        Evidence.exact "an exception" false
    with :? DLException as error ->
        Evidence.worst [ for word in words -> Evidence.exact $"'{word}' in: {error.Message}" (error.Message.Contains word) ]

let private refuses t =
    Law.fact "bad lengths and shapes are named" t.Title (fun () ->
        let x: Tensor = Tensor.Zeros(ElementType.Float32, Shape [| 2; 5; 3 |])
        let y = t.Ahead x null

        Evidence.worst
            [ says [ t.Title; "lengths[1]"; "6" ] (fun () -> t.Ahead x [| 0; 6 |])
              says [ t.Title; "lengths[0]"; "-1" ] (fun () -> t.Back x y [| -1; 5 |])
              says [ t.Title; "2 lengths"; "1" ] (fun () -> t.Ahead x [| 5 |])
              says [ t.Title; "[30]" ] (fun () -> t.Ahead (x.Reshape 30) null)
              says [ t.Title; "int32" ] (fun () -> t.Ahead (x.To ElementType.Int32) null)
              if y.Shape <> x.Shape then
                  says [ t.Title; "[2; 3]"; "[2; 5; 3]" ] (fun () -> t.Back x x null) ])

/// The laws of this file.
let laws: Law list =
    [ for t in timed do
          unread t
          shorter t
          empty t
          refuses t
      unknown
      threads ]

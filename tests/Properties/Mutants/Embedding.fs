/// Wrong Backwards of embedding and of what reduces sequences over time.
module DL.Properties.Mutants.Embedding

open DL.Core
open DL.Core.Ops
open DL.Laws
open DL.Properties.Ops

let private numbers (t: Tensor) = t.ToArray<float>()

let private like (t: Tensor) (x: float[]) : Tensor = (Tensor.Of<float>(System.ReadOnlySpan<float> x, t.Shape)).To t.ElementType

/// The right operation, and one whose only gradient is changed: from input, output, the output's gradient and the right gradient.
let private spoilt (operations: Operation list) name variant (change: Tensor -> Tensor -> Tensor -> Tensor -> Tensor) =
    let right = operations |> List.find (fun o -> o.Name = name && o.Variant = variant)

    right,
    { right with
        Backward =
            fun case x y dy ->
                let g = right.Backward case x y dy
                [| change x[0] y[0] dy[0] g[0] |] }

let private embedding = spoilt Embedding.operations "Embedding"
let private time name = spoilt Time.operations name "with lengths"

/// The id at every place, found again by what a table of row numbers gives.
let private idsOf (right: Operation) case (x: Tensor) =
    let width = x.Shape.Last
    let rows = like x (Array.init x.Count (fun i -> float (i / width + 1)))

    (right.Forward case [| rows |])[0]
    |> numbers
    |> Array.chunkBySize (max 1 width)
    |> Array.map (fun row -> int row[0] - 1)

/// What one place does to the table's gradient, with whatever has come before.
let private placewise variant (write: float -> float -> float) (rowOf: int -> int -> int) =
    let right = Embedding.operations |> List.find (fun o -> o.Variant = variant)

    right,
    { right with
        Backward =
            fun case x _ dy ->
                let width = x[0].Shape.Last
                let result: float[] = Array.zeroCreate x[0].Count
                let from = numbers dy[0]

                idsOf right case x[0]
                |> Array.iteri (fun place id ->
                    if id >= 0 then
                        let row = rowOf x[0].Shape[0] id

                        for d in 0 .. width - 1 do
                            result[row * width + d] <- write result[row * width + d] from[place * width + d])

                [| like x[0] result |] }

/// The steps of every channel of every example, each changed by itself: from the gradient of the step, its number and the step count.
let private stepwise change (g: Tensor) =
    let steps, width = g.Shape[1], g.Shape.Last
    like g (numbers g |> Array.mapi (fun i d -> change (i / width % steps) steps d))

/// The upstream gradient of a reduced operation, in every step.
let private everywhere (x: Tensor) (dy: Tensor) =
    let steps, width = x.Shape[1], x.Shape.Last
    let upstream = numbers dy
    like x (Array.init x.Count (fun i -> upstream[i / width / steps * width + i % width]))

/// Every maximum takes the gradient.
let private everyTie (x: Tensor) (y: Tensor) (dy: Tensor) (g: Tensor) =
    let maxima, upstream = numbers (everywhere x y), numbers (everywhere x dy)
    like g (Array.init g.Count (fun i -> if x.At i = maxima[i] then upstream[i] else g.At i))

/// One step later than it should be.
let private late (g: Tensor) =
    let steps, width = g.Shape[1], g.Shape.Last
    like g (Array.init g.Count (fun i -> if i / width % steps = 0 then 0.0 else g.At(i - width)))

/// What is wrong, the right operation, the wrong one.
let mutants: (string * Operation * Operation) list =
    [ "Embedding: a row met twice is overwritten instead of added", placewise "of a list" (fun _ d -> d) (fun _ id -> id)
      "Embedding: a row met 1100 times is overwritten", placewise "of one id met 1100 times" (fun _ d -> d) (fun _ id -> id)
      "Embedding: the row after the id's", placewise "of a list" (+) (fun rows id -> (id + 1) % rows)
      "Embedding: the last row left out", placewise "of sequences" (+) (fun rows id -> min id (max 0 (rows - 2)))
      "Embedding: the mean over places", embedding "of a list" (fun _ _ dy g -> Scale.Forward(g, 1.0 / float (max 2 dy.Shape[0])))
      "Embedding: padding counted, at row 0",
      embedding "with lengths" (fun _ y dy g ->
          let silent = numbers y |> Array.map ((=) 0.0)
          let sum = Array.map2 (fun padding d -> if padding then d else 0.0) silent (numbers dy) |> Array.sum
          like g (numbers g |> Array.mapi (fun i v -> if i = 0 then v + sum else v)))
      "MaskTime: padding passes", time "MaskTime" (fun _ _ dy _ -> dy)
      "MeanTime: missing 1/n",
      time "MeanTime" (fun x _ dy g -> like g (Array.map2 (fun g d -> if g = 0.0 then 0.0 else d) (numbers g) (numbers (everywhere x dy))))
      "MeanTime: padding counted in n",
      time "MeanTime" (fun x _ dy g ->
          let steps = float x.Shape[1]
          like g (Array.map2 (fun g d -> if g = 0.0 then 0.0 else d / steps) (numbers g) (numbers (everywhere x dy))))
      "MeanTime: padding takes its share",
      time "MeanTime" (fun x _ dy g -> like g (Array.map2 (fun g d -> if g = 0.0 then d else g) (numbers g) (numbers (everywhere x dy))))
      "MaxTime: every tie takes the gradient", time "MaxTime" everyTie
      "LastStep: the last step, be it padding",
      time "LastStep" (fun x _ dy _ -> stepwise (fun t steps d -> if t = steps - 1 then d else 0.0) (everywhere x dy))
      "LastStep: one step late", time "LastStep" (fun _ _ _ g -> late g) ]
    |> List.map (fun (fault, (right, wrong)) -> fault, right, wrong)

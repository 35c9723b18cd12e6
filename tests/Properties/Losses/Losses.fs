/// The losses under their formulas: single terms with an upstream gradient each, and the reduced value with its gradient.
module DL.Properties.Losses.Losses

open DL.Core
open DL.Core.Losses
open DL.Laws

let private like (x: Tensor) (numbers: float[]) : Tensor = (Tensor.Of<float>(System.ReadOnlySpan<float> numbers, x.Shape)).To x.ElementType

let private targets (draw: Draw -> float) (case: OperationCase) n =
    let source = (Draw case.Seed).Branch 901
    Array.init n (fun _ -> float (float32 (draw source)))

let private any (draw: Draw) = draw.Normal()

// The ends 0 and 1 as well as soft targets.
let private probability (draw: Draw) =
    match draw.Below 3 with
    | 0 -> 0.0
    | 1 -> 1.0
    | _ -> draw.Uniform()

let private squash (case: OperationCase) (x: float[][]) =
    let draw = (Draw case.Seed).Branch 902
    [| Array.map (fun _ -> 0.02 + 0.96 * draw.Uniform()) x[0] |]

/// One operation for every form of an elementwise loss.
let private pair
    name
    draw
    numbers
    domain
    (evaluate: Tensor -> Tensor -> Reduction -> struct (float * Tensor))
    perElement
    backward
    (formula: Dual -> Dual -> Dual)
    : Operation list =
    let target case (x: Tensor) = like x (targets draw case x.Count)

    let terms case (x: Dual[]) = Array.map2 (fun p t -> formula p (Dual.Constant t)) x (targets draw case x.Length)

    let unary variant sizes forward backward total : Operation =
        { Name = name
          Variant = variant
          Sizes = sizes
          Numbers = numbers
          Inputs = List.singleton
          Domain = domain
          Forward = fun case x -> [| forward x[0] (target case x[0]) |]
          Backward = fun case x _ dy -> [| backward dy[0] x[0] (target case x[0]) |]
          Formula = fun case x -> [| total (terms case x[0]) |]
          Homogeneous = -1 }

    let reduced variant (reduction: Reduction) total =
        unary
            variant
            [ Positive; Positive ]
            (fun x t ->
                let struct (value, _) = evaluate x t reduction
                Tensor.Filled(x.ElementType, Shape.Scalar, value))
            (fun dy x t ->
                let struct (_, gradient) = evaluate x t reduction
                like x (Array.map ((*) (dy.At 0)) (gradient.ToArray<float>())))
            total

    [ unary "per element" [ Free; Free ] perElement backward id
      reduced "mean" Reduction.Mean (fun terms -> [| Dual.mean terms |])
      reduced "sum" Reduction.Sum (fun terms -> [| Dual.sum terms |]) ]

let private squared: Operation list =
    pair
        "MeanSquaredError"
        any
        Numbers.all
        (fun _ x -> x)
        (fun x t r -> MeanSquaredError.Evaluate(x, t, r))
        (fun x t -> MeanSquaredError.PerElement(x, t))
        (fun dy x t -> MeanSquaredError.Backward(dy, x, t))
        (fun p t -> (p - t) * (p - t))

let private logits: Operation list =
    pair
        "BinaryCrossEntropyWithLogits"
        probability
        (Numbers.all |> List.except [ Huge ])
        (fun _ x -> x)
        (fun x t r -> BinaryCrossEntropyWithLogits.Evaluate(x, t, r))
        (fun x t -> BinaryCrossEntropyWithLogits.PerElement(x, t))
        (fun dy x t -> BinaryCrossEntropyWithLogits.Backward(dy, x, t))
        Reference.binaryFromLogit

let private probabilities: Operation list =
    pair
        "BinaryCrossEntropy"
        probability
        [ Ordinary ]
        squash
        (fun x t r -> BinaryCrossEntropy.Evaluate(x, t, r))
        (fun x t -> BinaryCrossEntropy.PerElement(x, t))
        (fun dy x t -> BinaryCrossEntropy.Backward(dy, x, t))
        Reference.binary

/// The elementwise losses.
let operations: Operation list = squared @ logits @ probabilities

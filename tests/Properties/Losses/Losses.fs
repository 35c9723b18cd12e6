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

// Beside ordinary ones multiples of one half, so that kinks are met.
let private halves (draw: Draw) = if draw.Below 2 = 0 then 0.5 * float (draw.Below 13 - 6) else draw.Normal()

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

let private absolute: Operation list =
    pair
        "MeanAbsoluteError"
        halves
        Numbers.all
        (fun _ x -> x)
        (fun x t r -> MeanAbsoluteError.Evaluate(x, t, r))
        (fun x t -> MeanAbsoluteError.PerElement(x, t))
        (fun dy x t -> MeanAbsoluteError.Backward(dy, x, t))
        (fun p t -> abs (p - t))

let private settled setting (operations: Operation list) = operations |> List.map (fun o -> { o with Variant = $"{setting}, {o.Variant}" })

let private huber (delta: float) : Operation list =
    pair
        "Huber"
        halves
        Numbers.all
        (fun _ x -> x)
        (fun x t r -> Huber.Evaluate(x, t, r, delta))
        (fun x t -> Huber.PerElement(x, t, delta))
        (fun dy x t -> Huber.Backward(dy, x, t, delta))
        (fun p t ->
            let e = p - t
            if abs e.Value <= delta then 0.5 * (e * e) else delta * abs e + -0.5 * delta * delta)
    |> settled $"delta {delta}"

let private binaryFocal (gamma: float) (alpha: float option) : Operation list =
    let weight = Option.toNullable alpha
    let positive, negative = alpha |> Option.map (fun a -> a, 1.0 - a) |> Option.defaultValue (1.0, 1.0)

    pair
        "BinaryFocal"
        probability
        (Numbers.all |> List.except [ Huge ])
        (fun _ x -> x)
        (fun x t r -> BinaryFocal.Evaluate(x, t, r, gamma, weight))
        (fun x t -> BinaryFocal.PerElement(x, t, gamma, weight))
        (fun dy x t -> BinaryFocal.Backward(dy, x, t, gamma, weight))
        (fun x t ->
            let missed = Reference.sigmoid x * (1.0 - t) + Reference.sigmoid -x * t
            (positive * t + negative * (1.0 - t)) * Focus.power gamma missed * Reference.binaryFromLogit x t)
    |> settled $"gamma {gamma}, alpha {alpha}"

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

/// The detector's loss: which backgrounds count is told by the values alone.
let private multiBox negatives : Operation =
    let classes = 3

    // Offsets aside: a third of the anchors or so answers for something.
    let target (case: OperationCase) =
        let draw = (Draw case.Seed).Branch 903

        Array.init (case.Sizes[0] * case.Sizes[1]) (fun _ ->
            let label = if draw.Below 3 = 0 then 1 + draw.Below classes else 0
            label, Array.init 4 (fun _ -> float (float32 (draw.Normal()))))

    let targetTensor case (x: Tensor) : Tensor =
        let numbers =
            target case
            |> Array.collect (fun (label, offsets) -> Array.append [| float label |] (if label = 0 then Array.zeroCreate 4 else offsets))

        (Tensor.Of<float>(System.ReadOnlySpan<float> numbers, Shape [| x.Shape[0]; x.Shape[1]; 5 |])).To x.ElementType

    let smooth (e: Dual) = if abs e.Value < 1.0 then 0.5 * (e * e) else abs e + -0.5

    let formula (case: OperationCase) (x: Dual[]) =
        let anchors, width = case.Sizes[1], classes + 5
        let truth = target case
        let scores a = Array.sub x (a * width) (classes + 1)
        let entropy a = Reference.logSumExp (scores a) - (scores a)[fst truth[a]]

        let counted image =
            let here = [ for a in image * anchors .. (image + 1) * anchors - 1 -> a ]
            let matched, background = here |> List.partition (fun a -> fst truth[a] > 0)
            let most = min background.Length (int (negatives * float (max 1 matched.Length)))
            matched, background |> List.sortBy (fun a -> -(entropy a).Value) |> List.take most

        let images = [ 0 .. case.Sizes[0] - 1 ] |> List.map counted
        let matched = images |> List.collect fst
        let entropies = images |> List.collect (fun (m, b) -> m @ b) |> List.map entropy

        let distances =
            [ for a in matched do
                  for k in 0..3 do
                      smooth (x[a * width + classes + 1 + k] - Dual.Constant((snd truth[a])[k])) ]

        [| Dual.sum (Array.ofList (entropies @ distances)) / float (max 1 matched.Length) |]

    { Name = "MultiBox"
      Variant = $"{negatives} backgrounds for each"
      Sizes = [ OneOf [ 1; 2; 3 ]; OneOf [ 1; 2; 9; 20 ] ]
      Numbers = [ Ordinary ]
      Inputs = fun sizes -> [ sizes @ [ classes + 5 ] ]
      Domain = fun _ x -> x
      Forward =
        fun case x ->
            let struct (value, _) = MultiBox.Evaluate(x[0], targetTensor case x[0], negatives)
            [| Tensor.Filled(x[0].ElementType, Shape.Scalar, value) |]
      Backward =
        fun case x _ dy ->
            let struct (_, gradient) = MultiBox.Evaluate(x[0], targetTensor case x[0], negatives)
            [| like x[0] (Array.map ((*) (dy[0].At 0)) (gradient.ToArray<float>())) |]
      Formula = fun case x -> [| formula case x[0] |]
      Homogeneous = -1 }

/// The losses of this file.
let operations: Operation list =
    [ squared
      absolute
      huber 1.0
      huber 0.3
      huber 25.0
      logits
      probabilities
      binaryFocal 2.0 None
      binaryFocal 2.0 (Some 0.25)
      binaryFocal 0.5 None
      binaryFocal 3.5 (Some 0.75)
      [ multiBox 3.0; multiBox 0.5 ] ]
    |> List.concat

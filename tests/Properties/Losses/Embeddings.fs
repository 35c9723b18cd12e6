/// The losses of embeddings and of normal distributions under their formulas.
module DL.Properties.Losses.Embeddings

open DL.Core
open DL.Core.Losses
open DL.Laws

let private draw (case: OperationCase) n = (Draw case.Seed).Branch(940 + n)

/// Whether two of a kind, for every pair.
let private labels (case: OperationCase) =
    let source = draw case 0
    Array.init case.Sizes[0] (fun _ -> source.Below 2)

/// One row in four of each further input lies on the first input's, at distance 0.
let private meeting (case: OperationCase) (x: float[][]) =
    let source = draw case 1
    let width = case.Sizes[1]

    x
    |> Array.mapi (fun input numbers ->
        if input = 0 then
            numbers
        else
            let meets = Array.init case.Sizes[0] (fun _ -> source.Below 4 = 0)
            numbers |> Array.mapi (fun i v -> if meets[i / width] then x[0][i] else v))

let private distance (a: Dual[]) (b: Dual[]) =
    let square = Array.map2 (fun (p: Dual) q -> (p - q) * (p - q)) a b |> Dual.sum
    if square.Value = 0.0 then Dual.Constant 0.0 else sqrt square

/// The forms of a loss over rows, from its inputs: each evaluated, value and gradients.
let private forms
    name
    setting
    inputs
    numbers
    domain
    (evaluate: OperationCase -> Tensor[] -> Reduction -> float * Tensor[])
    (perExample: OperationCase -> Tensor[] -> Tensor)
    (backward: OperationCase -> Tensor -> Tensor[] -> Tensor[])
    (formula: OperationCase -> int -> Dual[][] -> Dual)
    : Operation list =
    let terms (case: OperationCase) (x: Dual[][]) =
        let rows = x |> Array.map (Array.chunkBySize case.Sizes[1])
        Array.init case.Sizes[0] (fun row -> formula case row (rows |> Array.map (fun input -> input[row])))

    let operation variant forward back total : Operation =
        { Name = name
          Variant = $"{setting}{variant}"
          Sizes = [ Positive; Positive ]
          Numbers = numbers
          Inputs = List.replicate inputs
          Domain = domain
          Forward = fun case x -> [| forward case x |]
          Backward = fun case x _ dy -> back case dy[0] x
          Formula = fun case x -> [| total (terms case x) |]
          Homogeneous = -1 }

    let reduced (reduction: Reduction) total =
        operation
            ((string reduction).ToLowerInvariant())
            (fun case x -> Tensor.Filled(x[0].ElementType, Shape.Scalar, fst (evaluate case x reduction)))
            (fun case dy x -> snd (evaluate case x reduction) |> Array.map (fun g -> Ops.Scale.Forward(g, dy.At 0)))
            total

    [ operation "per example" perExample backward id
      reduced Reduction.Mean (fun terms -> [| Dual.mean terms |])
      reduced Reduction.Sum (fun terms -> [| Dual.sum terms |]) ]

let private contrastive (margin: float) : Operation list =
    let labelled case = Tensor.Of<int>(labels case)

    forms
        "Contrastive"
        $"margin {margin}, "
        2
        Numbers.all
        meeting
        (fun case x reduction ->
            let struct (value, da, db) = Contrastive.Evaluate(x[0], x[1], labelled case, reduction, margin)
            value, [| da; db |])
        (fun case x -> Contrastive.PerExample(x[0], x[1], labelled case, margin))
        (fun case dy x ->
            let struct (da, db) = Contrastive.Backward(dy, x[0], x[1], labelled case, margin)
            [| da; db |])
        (fun case row x ->
            let d = distance x[0] x[1]

            if (labels case)[row] = 1 then 0.5 * (d * d)
            elif d.Value >= margin then Dual.Constant 0.0
            else 0.5 * ((margin - d) * (margin - d)))

let private triplet (margin: float) : Operation list =
    forms
        "Triplet"
        $"margin {margin}, "
        3
        Numbers.all
        meeting
        (fun _ x reduction ->
            let struct (value, da, dp, dn) = Triplet.Evaluate(x[0], x[1], x[2], reduction, margin)
            value, [| da; dp; dn |])
        (fun _ x -> Triplet.PerExample(x[0], x[1], x[2], margin))
        (fun _ dy x ->
            let struct (da, dp, dn) = Triplet.Backward(dy, x[0], x[1], x[2], margin)
            [| da; dp; dn |])
        (fun _ _ x ->
            let missing = distance x[0] x[1] - distance x[0] x[2] + margin
            if missing.Value <= 0.0 then Dual.Constant 0.0 else missing)

/// Log variances whose exponential overflows are turned round.
let private bounded (_: OperationCase) (x: float[][]) = [| x[0]; x[1] |> Array.map (fun v -> if v > 80.0 then -v else v) |]

let private unitNormal: Operation list =
    forms
        "UnitNormalDivergence"
        ""
        2
        Numbers.all
        bounded
        (fun _ x reduction ->
            let struct (value, dm, dv) = UnitNormalDivergence.Evaluate(x[0], x[1], reduction)
            value, [| dm; dv |])
        (fun _ x -> UnitNormalDivergence.PerExample(x[0], x[1]))
        (fun _ dy x ->
            let struct (dm, dv) = UnitNormalDivergence.Backward(dy, x[0], x[1])
            [| dm; dv |])
        (fun _ _ x -> 0.5 * (Array.map2 (fun (m: Dual) (v: Dual) -> exp v + m * m - v + -1.0) x[0] x[1] |> Dual.sum))

/// The operations of this file.
let operations: Operation list = List.concat [ contrastive 1.0; contrastive 12.0; triplet 1.0; triplet 0.25; unitNormal ]

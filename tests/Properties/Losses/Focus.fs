/// The focal loss over classes under its formula.
module DL.Properties.Losses.Focus

open DL.Core
open DL.Core.Losses
open DL.Laws

/// m to the gamma, for m of at least 0. Where m squared vanishes, its rounding is told by the slope alone.
let power (gamma: float) (m: Dual) : Dual =
    if gamma = 0.0 then Dual.Constant 1.0
    elif gamma = 2.0 then m * m
    elif m.Value = 0.0 then Dual.Constant 0.0
    elif m.Value < 1e-100 then Dual.Apply(m, m.Value ** gamma, gamma * m.Value ** (gamma - 1.0), 0.0)
    else exp (gamma * log m)

let private draw (case: OperationCase) n = (Draw case.Seed).Branch(930 + n)

let private ids (case: OperationCase) =
    let source = draw case 0
    Array.init case.Sizes[0] (fun _ -> source.Below case.Sizes[1])

let private weights weighted (case: OperationCase) =
    let source = draw case 1
    Array.init case.Sizes[1] (fun _ -> if weighted then float (float32 (source.Uniform())) else 1.0)

let private terms gamma weighted (case: OperationCase) (x: Dual[]) =
    let labels, w = ids case, weights weighted case

    x
    |> Array.chunkBySize case.Sizes[1]
    |> Array.mapi (fun row logits ->
        let id = labels[row]
        let missed = Reference.softmax logits |> Array.indexed |> Array.filter (fun (c, _) -> c <> id) |> Array.map snd |> Dual.sum
        -(w[id] * power gamma missed * (Reference.logSoftmax logits)[id]))

let private focal gamma weighted : Operation list =
    let weight case (like: Tensor) : Tensor | null = if weighted then (Tensor.Of<float>(weights true case)).To like.ElementType else null

    let target case = Tensor.Of<int>(ids case)

    let operation variant forward backward total : Operation =
        { Name = "Focal"
          Variant = $"""gamma {gamma}{if weighted then ", weights" else ""}, {variant}"""
          Sizes = [ Positive; Positive ]
          Numbers = Numbers.all |> List.except [ Huge ]
          Inputs = List.singleton
          Domain = fun _ x -> x
          Forward = fun case x -> [| forward case x[0] |]
          Backward = fun case x _ dy -> [| backward case x[0] dy[0] |]
          Formula = fun case x -> [| total (terms gamma weighted case x[0]) |]
          Homogeneous = -1 }

    let reduced (reduction: Reduction) total =
        let evaluate case (x: Tensor) = Focal.Evaluate(x, target case, reduction, gamma, weight case x)

        operation
            ((string reduction).ToLowerInvariant())
            (fun case x ->
                let struct (value, _) = evaluate case x
                Tensor.Filled(x.ElementType, Shape.Scalar, value))
            (fun case x dy ->
                let struct (_, gradient) = evaluate case x
                Ops.Scale.Forward(gradient, dy.At 0))
            total

    [ operation
          "per example"
          (fun case x -> Focal.PerExample(x, target case, gamma, weight case x))
          (fun case x dy -> Focal.Backward(dy, x, target case, gamma, weight case x))
          id
      reduced Reduction.Mean (fun terms -> [| Dual.mean terms |])
      reduced Reduction.Sum (fun terms -> [| Dual.sum terms |]) ]

/// The operations of this file.
let operations: Operation list =
    List.concat [ focal 2.0 false; focal 2.0 true; focal 0.0 true; focal 0.5 false; focal 5.0 true ]

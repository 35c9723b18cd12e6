/// Cross entropy from logits under its formula, in all its settings.
module DL.Properties.Losses.CrossEntropy

open DL.Core
open DL.Core.Losses
open DL.Laws

type private Form =
    { Name: string
      Ids: bool
      Weighted: bool
      Smoothing: float
      Ignored: int option }

let private draw (case: OperationCase) n = (Draw case.Seed).Branch(910 + n)

let private ids (case: OperationCase) =
    let source = draw case 0
    Array.init case.Sizes[0] (fun _ -> source.Below case.Sizes[1])

let private weights (case: OperationCase) =
    let source = draw case 1
    Array.init case.Sizes[1] (fun _ -> float (float32 (0.5 + source.Uniform())))

/// Distributions by row; some are a single class.
let private distributions (case: OperationCase) =
    let source = draw case 2

    Array.init case.Sizes[0] (fun _ ->
        let raw = Array.init case.Sizes[1] (fun _ -> source.Uniform())
        raw |> Array.map (fun q -> float (float32 (q / Array.sum raw))))

let private target form case (like: Tensor) : Tensor =
    if form.Ids then
        Tensor.Of<int>(ids case)
    else
        (Tensor.Of<float>(Array.concat (distributions case), case.Sizes[0], case.Sizes[1])).To like.ElementType

let private weightTensor form case (like: Tensor) : Tensor | null =
    if form.Weighted then (Tensor.Of<float>(weights case)).To like.ElementType else null

let private ignored form = form.Ignored |> Option.toNullable

let private counts form (case: OperationCase) row =
    let id = (ids case)[row]
    not form.Ids || Some id <> form.Ignored

let private term form (case: OperationCase) row (logits: Dual[]) =
    let classes = logits.Length
    let id = (ids case)[row]
    let w = if form.Weighted then weights case else Array.create classes 1.0

    let q =
        if form.Ids then
            Array.init classes (fun c -> if c = id then 1.0 else 0.0)
        else
            (distributions case)[row]

    let a c = w[c] * ((1.0 - form.Smoothing) * q[c] + form.Smoothing / float classes)

    if counts form case row then
        Reference.logSoftmax logits |> Array.mapi (fun c l -> -(a c * l)) |> Dual.sum
    else
        Dual.Constant 0.0

let private terms form (case: OperationCase) (x: Dual[]) = x |> Array.chunkBySize case.Sizes[1] |> Array.mapi (term form case)

/// What the mean divides by: the weights of the classes met, or the number of examples.
let private total form (case: OperationCase) =
    let weight row = if form.Weighted && form.Ids then (weights case)[(ids case)[row]] else 1.0
    Seq.init case.Sizes[0] id |> Seq.filter (counts form case) |> Seq.sumBy weight

let private operation form variant forward backward formula : Operation =
    { Name = "CrossEntropy"
      Variant = $"{form.Name}, {variant}"
      Sizes = [ Positive; Positive ]
      Numbers = Numbers.all |> List.except [ Huge ]
      Inputs = List.singleton
      Domain = fun _ x -> x
      Forward = fun case x -> [| forward case x[0] |]
      Backward = fun case x _ dy -> [| backward case x[0] dy[0] |]
      Formula = fun case x -> [| formula case x[0] |]
      Homogeneous = -1 }

let private single form reduction =
    let evaluate case (x: Tensor) =
        CrossEntropy.Evaluate(x, target form case x, reduction, weightTensor form case x, form.Smoothing, ignored form)

    operation
        form
        ((string reduction).ToLowerInvariant())
        (fun case x ->
            let struct (value, _) = evaluate case x
            Tensor.Filled(x.ElementType, Shape.Scalar, value))
        (fun case x dy ->
            let struct (_, gradient) = evaluate case x
            Ops.Scale.Forward(gradient, dy.At 0))
        (fun case x ->
            let sum = Dual.sum (terms form case x)

            match reduction, total form case with
            | Reduction.Sum, _ -> [| sum |]
            | _, 0.0 -> [| Dual.Constant 0.0 |]
            | _, n -> [| sum / n |])

let private perExample form =
    operation
        form
        "per example"
        (fun case x -> CrossEntropy.PerExample(x, target form case x, weightTensor form case x, form.Smoothing, ignored form))
        (fun case x dy -> CrossEntropy.Backward(dy, x, target form case x, weightTensor form case x, form.Smoothing, ignored form))
        (terms form)

let private plain =
    { Name = "ids"
      Ids = true
      Weighted = false
      Smoothing = 0.0
      Ignored = None }

let private forms =
    [ plain
      { plain with Name = "distributions"; Ids = false }
      { plain with Name = "weights"; Weighted = true }
      { plain with Name = "smoothing"; Smoothing = 0.1 }
      { plain with Name = "ignored id"; Ignored = Some 0 }
      { plain with
          Name = "weights, smoothing and ignored id"
          Weighted = true
          Smoothing = 0.3
          Ignored = Some 1 }
      { plain with
          Name = "weights and smoothing over distributions"
          Ids = false
          Weighted = true
          Smoothing = 0.2 } ]

/// The operations of this file.
let operations: Operation list =
    [ for form in forms do
          single form Reduction.Mean
          single form Reduction.Sum
          perExample form ]

/// Layer, RMS and batch norm under their formulas.
module DL.Properties.Ops.Normalization

open DL.Core
open DL.Core.Ops
open DL.Laws

let private normalization name variant sizes inputs forward backward formula : Operation =
    { Name = name
      Variant = variant
      Sizes = sizes
      Numbers = Numbers.all
      Inputs = fun sizes -> sizes :: List.replicate (inputs - 1) [ List.last sizes ]
      Domain = fun _ x -> x
      Forward = fun case x -> [| forward case x |]
      Backward = fun case x _ dy -> backward case x dy[0]
      Formula = fun case x -> [| formula case x |]
      Homogeneous = -1 }

let private layerNorm epsilon =
    normalization
        "LayerNorm"
        $"epsilon {epsilon}"
        [ Free; Positive ]
        3
        (fun _ x ->
            let struct (y, _, _) = LayerNorm.Forward(x[0], x[1], x[2], epsilon)
            y)
        (fun _ x dy ->
            let struct (_, mean, rstd) = LayerNorm.Forward(x[0], x[1], x[2], epsilon)
            let struct (dx, dgamma, dbeta) = LayerNorm.Backward(dy, x[0], x[1], x[2], mean, rstd)
            [| dx; dgamma; dbeta |])
        (fun case x -> x[0] |> Reference.rows case.Sizes[1] (Reference.standardize epsilon) |> Reference.affine x[1] x[2])

let private rmsNorm epsilon =
    normalization
        "RmsNorm"
        $"epsilon {epsilon}"
        [ Free; Positive ]
        2
        (fun _ x ->
            let struct (y, _) = RmsNorm.Forward(x[0], x[1], epsilon)
            y)
        (fun _ x dy ->
            let struct (_, rrms) = RmsNorm.Forward(x[0], x[1], epsilon)
            let struct (dx, dgamma) = RmsNorm.Backward(dy, x[0], x[1], rrms)
            [| dx; dgamma |])
        (fun case x ->
            let none = Array.create case.Sizes[1] (Dual.Constant 0.0)
            x[0] |> Reference.rows case.Sizes[1] (Reference.rootMeanSquare epsilon) |> Reference.affine x[1] none)

let private statistics (case: OperationCase) (like: Tensor) : struct (Tensor * Tensor) =
    let n = case.Sizes[1]
    let draw = (Draw case.Seed).Branch 900
    let make f = (Tensor.Of<float>(Array.init n (fun _ -> float (float32 (f ()))), n)).To like.ElementType
    struct (make draw.Normal, make (fun () -> 0.25 + draw.Uniform()))

let private batchNorm epsilon =
    let forward case (x: Tensor[]) =
        let struct (mean, variance) = statistics case x[0]
        BatchNorm.Forward(x[0], x[1], x[2], mean, variance, 0.1, epsilon)

    normalization
        "BatchNorm"
        $"epsilon {epsilon}"
        [ Positive; Positive ]
        3
        (fun case x ->
            let struct (y, _, _, _, _) = forward case x
            y)
        (fun case x dy ->
            let struct (_, mean, variance, _, _) = forward case x
            let struct (dx, dgamma, dbeta) = BatchNorm.Backward(dy, x[0], x[1], x[2], mean, variance, epsilon)
            [| dx; dgamma; dbeta |])
        (fun case x -> x[0] |> Reference.along case.Sizes 0 (Reference.standardize epsilon) |> Reference.affine x[1] x[2])

let private batchNormPredict =
    normalization
        "BatchNorm"
        "predict"
        [ Free; Positive ]
        3
        (fun case x ->
            let struct (mean, variance) = statistics case x[0]
            BatchNorm.Predict(x[0], x[1], x[2], mean, variance, 1e-5))
        (fun case x dy ->
            let struct (mean, variance) = statistics case x[0]
            let struct (dx, dgamma, dbeta) = BatchNorm.PredictBackward(dy, x[0], x[1], x[2], mean, variance, 1e-5)
            [| dx; dgamma; dbeta |])
        (fun case x ->
            let struct (mean, variance) = statistics case (Tensor.Zeros(ElementType.Float64, Shape.Scalar))
            let number (t: Tensor) i = Dual.Constant(t.At i)
            let n = case.Sizes[1]

            x[0]
            |> Reference.rows n (Array.mapi (fun i v -> (v - number mean i) / sqrt (number variance i + 1e-5)))
            |> Reference.affine x[1] x[2])

/// The operations of this file.
let operations: Operation list =
    [ layerNorm 1e-5; layerNorm 1e-2; rmsNorm 1e-6; batchNorm 1e-5; batchNorm 1e-2; batchNormPredict ]

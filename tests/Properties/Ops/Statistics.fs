/// What norms do to means and variances, and what they do not see.
module DL.Properties.Ops.Statistics

open DL.Core
open DL.Core.Ops
open DL.Laws
open DL.Properties.Cases

let private filled (x: Tensor) n value : Tensor = Tensor.Filled(x.ElementType, Shape(System.ReadOnlySpan<int> [| n |]), value)

let private layerNorm (x: Tensor) : Tensor =
    let n = x.Shape.Last
    let struct (y, _, _) = LayerNorm.Forward(x, filled x n 1.0, filled x n 0.0, 1e-5)
    y

let private rmsNorm (x: Tensor) : Tensor =
    let struct (y, _) = RmsNorm.Forward(x, filled x x.Shape.Last 1.0, 1e-6)
    y

let private batch (x: Tensor) (gain: float) (shift: float) =
    let n = x.Shape.Last
    BatchNorm.Forward(x, filled x n gain, filled x n shift, filled x n 0.5, filled x n 2.0, 0.1, 1e-5)

let private batchNorm (x: Tensor) : Tensor =
    let struct (y, _, _, _, _) = batch x 1.0 0.0
    y

let private rows (t: Tensor) = numbers t |> Array.chunkBySize t.Shape.Last
let private variance (r: float[]) = let m = Array.average r in r |> Array.averageBy (fun v -> (v - m) * (v - m))
let private worst (errors: float[]) = Array.fold Evidence.worse 0.0 errors
let private several = Several
let private near = [ Ordinary; UnequalRows; EqualRows ]

let private moments name (lines: Tensor -> float[][]) (normalize: Tensor -> Tensor) count =
    law name "mean 0, variance v / (v + epsilon)" several near (fun v ->
        let x = matrix v 0 count
        let y = lines (normalize x)
        let expected = lines x |> Array.map (fun r -> let s = variance r in s / (s + 1e-5))

        Evidence.worst
            [ Evidence.within "means" 1e-10 (y |> Array.map (Array.average >> abs) |> worst)
              Evidence.within "variances" 1e-8 (Array.map2 (fun r e -> abs (variance r - e)) y expected |> worst) ])

let private columns (t: Tensor) = rows t |> Array.transpose

let private invariant name (normalize: Tensor -> Tensor) shift =
    law name $"x and 4 x + {shift} give the same" several [ Ordinary ] (fun v ->
        let x = matrix v 0 9
        // Spread wide, so that epsilon is nothing beside the variance.
        let wide = like x (numbers x |> Array.map (fun n -> 1e6 * n))
        let moved = like x (numbers wide |> Array.map (fun n -> 4.0 * n + shift))
        close "both" 1e-9 (normalize wide) (normalize moved))

let private orthogonal =
    law "BatchNorm" "dx sums to 0 over the batch and is orthogonal to xhat" several [ Ordinary ] (fun v ->
        let dy = matrix v 1 9
        // Spread wide, so that epsilon is nothing beside the variance.
        let x = Scale.Forward(matrix v 0 9, 1e4)
        let n = v.Length
        let struct (xhat, mean, variance, _, _) = batch x 1.0 0.0
        let struct (dx, _, _) = BatchNorm.Backward(dy, x, filled x n 1.0, filled x n 0.0, mean, variance, 1e-5)
        let sums = columns dx |> Array.map (Array.sum >> abs)
        let products = Array.map2 (fun a b -> abs (Array.sum (Array.map2 (*) a b))) (columns dx) (columns xhat)

        Evidence.worst
            [ Evidence.within "sums of dx" 1e-10 (worst sums)
              Evidence.within "products with xhat" 1e-10 (worst products) ])

let private running =
    law "BatchNorm" "running statistics are the documented formula" Positive [ Ordinary; EqualRows; Large ] (fun v ->
        let count = 1 + int (v.Seed % 9UL)
        let x = matrix v 0 count
        let struct (_, _, _, mean, variance') = batch x 1.0 0.0
        let means = columns x |> Array.map Array.average

        let spread =
            columns x
            |> Array.map (fun c -> if count > 1 then variance c * float count / float (count - 1) else variance c)

        let expectedMean = means |> Array.map (fun m -> 0.9 * 0.5 + 0.1 * m)

        Evidence.worst
            [ close "the running mean" 1e-12 mean (like mean expectedMean)
              Evidence.exact "finite" (numbers variance' |> Array.forall System.Double.IsFinite)
              if count > 1 then
                  close "the running variance" 1e-12 variance' (like variance' (spread |> Array.map (fun s -> 0.9 * 2.0 + 0.1 * s))) ])

let private affine =
    law "BatchNorm" "prediction is a fixed affine map" Positive [ Ordinary; Large ] (fun v ->
        let x, other = matrix v 0 4, matrix v 1 4
        let n = v.Length
        let predict (t: Tensor) = BatchNorm.Predict(t, filled x n 1.5, filled x n 0.25, filled x n 0.5, filled x n 2.0, 1e-5)
        let mix (a: Tensor) (b: Tensor) = like a (Array.map2 (fun p q -> 0.25 * p + 0.75 * q) (numbers a) (numbers b))
        close "the map of a mixture and the mixture of the maps" 1e-12 (predict (mix x other)) (mix (predict x) (predict other)))

let private rmsSeesShifts =
    law "RmsNorm" "scale is lost, a shift is not" several [ Ordinary ] (fun v ->
        let x = matrix v 0 4
        let wide = like x (numbers x |> Array.map (fun n -> 1e4 * n))
        let scaled = like x (numbers wide |> Array.map (fun n -> 8.0 * n))
        let shifted = like x (numbers wide |> Array.map (fun n -> n + 1e4))

        Evidence.worst
            [ close "x and 8 x" 1e-9 (rmsNorm wide) (rmsNorm scaled)
              Evidence.exact "a shift changes the result" (distance (rmsNorm wide) (rmsNorm shifted) > 1e-3) ])

/// A ReLU after batch norm, and before its gradient, in the same pass.
let private withRelu =
    law "BatchNorm" "a ReLU in the same pass is one after it, exactly" several [ Ordinary; Ties; EqualRows; UnequalRows ] (fun v ->
        [ for element in [ ElementType.Float32; ElementType.Float64 ] do
              let x, dy = (matrix v 0 9).To element, (matrix v 1 9).To element
              let n = v.Length
              let gamma, beta, mean, variance = filled x n 1.5, filled x n -0.25, filled x n 0.5, filled x n 2.0
              let struct (z, m, s, _, _) = BatchNorm.Forward(x, gamma, beta, mean, variance, 0.1, 1e-5)
              let struct (y, _, _, _, _) = BatchNorm.Forward(x, gamma, beta, mean, variance, 0.1, 1e-5, Activation.Relu)
              let expected = Relu.Forward z
              let dz = Relu.Backward(dy, expected)
              let struct (a, b, c) = BatchNorm.Backward(dz, x, gamma, beta, m, s, 1e-5)
              let struct (dx, dgamma, dbeta) = BatchNorm.Backward(dy, x, gamma, beta, m, s, 1e-5, Activation.Relu)
              Evidence.exact $"y in {element}" (y.SameBits expected)
              Evidence.exact $"the gradients in {element}" (dx.SameBits a && dgamma.SameBits b && dbeta.SameBits c)
              let fixed' = BatchNorm.Predict(x, gamma, beta, mean, variance)
              let predicted: Tensor = BatchNorm.Predict(x, gamma, beta, mean, variance, 1e-5, Activation.Relu)
              let dz = Relu.Backward(dy, predicted)
              let struct (a, b, c) = BatchNorm.PredictBackward(dz, x, gamma, beta, mean, variance, 1e-5)
              let struct (dx, dgamma, dbeta) = BatchNorm.PredictBackward(dy, x, gamma, beta, mean, variance, 1e-5, Activation.Relu)
              Evidence.exact $"the prediction in {element}" (predicted.SameBits(Relu.Forward fixed'))
              Evidence.exact $"its gradients in {element}" (dx.SameBits a && dgamma.SameBits b && dbeta.SameBits c) ]
        |> Evidence.worst)

/// The laws of this file.
let laws: Law list =
    [ moments "LayerNorm" rows layerNorm 3
      moments "BatchNorm" columns batchNorm 9
      invariant "LayerNorm" layerNorm 3e6
      invariant "BatchNorm" batchNorm 3e6
      orthogonal
      withRelu
      running
      affine
      rmsSeesShifts ]

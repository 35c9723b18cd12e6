namespace DL

open DL.Core
open DL.Core.Ops

/// <summary>Layers that bring the features of an example, or the steps of a sequence, down to fewer numbers.</summary>
[<AutoOpen>]
module ReductionLayers =
    /// Reduces the last axis of a vector to one number.
    let private ofFeatures name (forward: Tensor -> Tensor) (backward: Tensor -> Tensor -> Tensor) : Layer<Vec, Vec> =
        Layer.pure' name (fun _ -> Shape.vec 1) (fun x ->
            let t = Batch.held x
            let y = forward t
            struct (Batch.ofTensor (y.Reshape(t.Shape[0], 1)), Batch.map (fun dy -> backward (dy.Reshape y.Shape) t)))

    /// <summary>The sum of the features.</summary>
    let sumFeatures: Layer<Vec, Vec> =
        ofFeatures "sumFeatures" (fun x -> Sum.Forward(x, -1)) (fun dy x -> Sum.Backward(dy, x.Shape, -1))

    /// <summary>The mean of the features.</summary>
    let meanFeatures: Layer<Vec, Vec> =
        ofFeatures "meanFeatures" (fun x -> Mean.Forward(x, -1)) (fun dy x -> Mean.Backward(dy, x.Shape, -1))

    /// <summary>The largest feature; its first position takes the gradient.</summary>
    let maxFeatures: Layer<Vec, Vec> =
        ofFeatures "maxFeatures" (fun x -> Max.Forward(x, -1)) (fun dy x -> Max.Backward(dy, x, -1))

    /// <summary><c>log(sum of exp x)</c> over the features, shifted by the largest.</summary>
    let logSumExp: Layer<Vec, Vec> =
        ofFeatures "logSumExp" (fun x -> LogSumExp.Forward x) (fun dy x -> LogSumExp.Backward(dy, x, LogSumExp.Forward x))

    /// <summary>The mean over the steps of a sequence.</summary>
    let meanOverTime: Layer<Seq, Vec> =
        Layer.pure' "meanOverTime" (fun s -> let width = (Shape.core s)[1] in Shape.vec width) (fun x ->
            let t = Batch.held x
            struct (Batch.ofTensor (Mean.Forward(t, 1)), Batch.map (fun dy -> Mean.Backward(dy, t.Shape, 1))))

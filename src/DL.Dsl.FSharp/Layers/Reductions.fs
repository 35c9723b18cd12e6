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

    let private ofSteps
        name
        (forward: Tensor -> (int[] | null) -> Tensor)
        (backward: Tensor -> Tensor -> (int[] | null) -> Tensor)
        : Layer<Seq, Vec> =
        Layer.pure' name (fun s -> Shape.vec (Shape.featureExtent s)) (fun x ->
            let t, lengths = Batch.held x, Padded.orNull x
            struct (Batch.ofTensor (forward t lengths), Batch.map (fun dy -> backward dy t lengths)))

    /// <summary>The mean over the steps of a sequence, padding left out; 0 where there is no step.</summary>
    let meanOverTime: Layer<Seq, Vec> =
        ofSteps "meanOverTime" (fun x lengths -> MeanTime.Forward(x, lengths)) (fun dy x lengths -> MeanTime.Backward(dy, x.Shape, lengths))

    /// <summary>The largest number of every feature over the steps of a sequence, padding left out; the first of equals takes the gradient.</summary>
    let maxOverTime: Layer<Seq, Vec> =
        ofSteps "maxOverTime" (fun x lengths -> MaxTime.Forward(x, lengths)) (fun dy x lengths -> MaxTime.Backward(dy, x, lengths))

    /// <summary>The last step of a sequence that is not padding.</summary>
    let lastStep: Layer<Seq, Vec> =
        ofSteps "lastStep" (fun x lengths -> LastStep.Forward(x, lengths)) (fun dy x lengths -> LastStep.Backward(dy, x.Shape, lengths))

    /// <summary>The first step of a sequence; zeros where it is padding.</summary>
    /// <exception cref="T:DL.Core.ShapeException">In Init: the sequence is empty.</exception>
    let firstStep: Layer<Seq, Vec> =
        Layer.pure'
            "firstStep"
            (fun s ->
                let extents = Shape.core s

                if extents[0] < 1 then
                    raise (ShapeException("firstStep", "a sequence of at least one step", $"{s}"))

                Shape.vec extents[1])
            (fun x ->
                let t = Batch.held x
                let counts = Padded.orNull x |> Padded.first 1
                let y = Padded.zeroed counts (Slice.Forward(t, 1, 0, 1))

                let back (dy: Tensor) : Tensor =
                    Slice.Backward(Padded.zeroed counts (dy.Reshape(t.Shape[0], 1, t.Shape[2])), t.Shape, 1, 0)

                struct (Batch.ofTensor (y.Reshape(t.Shape[0], t.Shape[2])), Batch.map back))

namespace DL

open DL.Core
open DL.Core.Data
open DL.Core.Losses

/// <summary>A loss: from predictions and targets to its mean over the batch and the gradient of the predictions, in one pass.</summary>
[<NoEquality; NoComparison>]
type Loss<'y, 't> =
    {
        /// <summary>Its name.</summary>
        Name: string
        /// <summary>Fails unless the targets fit predictions of the given shape; nothing is computed before.</summary>
        Check: Shape<'y> -> Batch<'t> -> unit
        /// <summary>The value and the gradient of the predictions.</summary>
        Evaluate: Batch<'y> -> Batch<'t> -> struct (float * Batch<'y>)
    }

/// <summary>Losses, as means over the batch. Sums, values per example, weights, smoothing and ignored ids: <c>DL.Core.Losses</c>.</summary>
[<RequireQualifiedAccess>]
module Loss =
    let private sameShape name (output: Shape<'y>) (target: Batch<'y>) =
        if Batch.shape target <> output then
            raise (ShapeException($"{name} targets", $"shape {output}, as the predictions", $"{Batch.shape target}"))

    let private between name (target: Batch<'y>) =
        for t in Batch.parts target do
            for i in 0 .. t.Count - 1 do
                let value = t.At i

                if not (value >= 0.0 && value <= 1.0) then
                    raise (InvalidArgumentException($"{name} target {i}", "a number from 0 to 1", $"{value}"))

    let private evaluated (struct (value: float, gradient: Tensor)) : struct (float * Batch<'y>) = struct (value, Batch.ofTensor gradient)

    let private pairwise name check (evaluate: Tensor -> Tensor -> struct (float * Tensor)) : Loss<'y, 'y> =
        { Name = name
          Check =
            fun shape target ->
                sameShape name shape target
                check name target
          Evaluate = fun y t -> evaluated (evaluate (Batch.held y) (Batch.held t)) }

    /// <summary>Cross entropy of softmax(logits) against class ids: <c>-log softmax(logits)[label]</c>, fused and stable.</summary>
    let crossEntropy: Loss<Vec, Label> =
        { Name = "crossEntropy"
          Check = fun shape target -> Labels.Check((Batch.held target).ToArray<int>(), Shape.features shape, "crossEntropy label")
          Evaluate = fun y t -> evaluated (CrossEntropy.Evaluate(Batch.held y, Batch.held t)) }

    /// <summary>Cross entropy of softmax(logits) against distributions: <c>-sum of t log softmax(logits)</c>.</summary>
    let softCrossEntropy: Loss<Vec, Vec> = pairwise "softCrossEntropy" between (fun y t -> CrossEntropy.Evaluate(y, t))

    /// <summary>The mean of <c>(y - t)^2</c> over all elements.</summary>
    let meanSquaredError<'y> : Loss<'y, 'y> =
        pairwise "meanSquaredError" (fun _ _ -> ()) (fun y t -> MeanSquaredError.Evaluate(y, t))

    /// <summary>Binary cross entropy of probabilities, clipped away from 0 and 1: <c>-t log y - (1 - t) log(1 - y)</c>.</summary>
    let binaryCrossEntropy<'y> : Loss<'y, 'y> =
        pairwise "binaryCrossEntropy" between (fun y t -> BinaryCrossEntropy.Evaluate(y, t))

    /// <summary>Binary cross entropy of sigmoid(logits), fused and stable.</summary>
    let binaryCrossEntropyWithLogits<'y> : Loss<'y, 'y> =
        pairwise "binaryCrossEntropyWithLogits" between (fun y t -> BinaryCrossEntropyWithLogits.Evaluate(y, t))

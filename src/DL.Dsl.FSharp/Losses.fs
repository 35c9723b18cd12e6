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
    /// The target of a step that does not count.
    [<Literal>]
    let private ignored = -1

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

    /// <summary>Cross entropy at every pixel, over the channels, with a weight for every class: the weighted mean of <c>-log softmax(logits)[label]</c>.</summary>
    /// <param name="weights">A weight for every class; none for all alike. A light background leaves more of the gradient to what stands before it.</param>
    let pixelCrossEntropyWith (weights: float list) : Loss<Image, Mask> =
        let pixels (t: Tensor) = t.Reshape(t.Shape.Rows, t.Shape.Last)

        let weight (like: Tensor) : Tensor | null =
            if weights.IsEmpty then null else (Tensor.Of<float>(Array.ofList weights)).To like.ElementType

        { Name = "pixelCrossEntropy"
          Check =
            fun output target ->
                let s = Shape.core output
                let expected = Shape.mask (s[1], s[2])

                if Batch.shape target <> expected then
                    raise (ShapeException("pixelCrossEntropy targets", $"a label for each pixel, {expected}", $"{Batch.shape target}"))

                if not weights.IsEmpty && weights.Length <> s[0] then
                    raise (ShapeException("pixelCrossEntropy weights", $"a weight for each of {s[0]} classes", $"{weights.Length}"))

                Labels.Check((Batch.held target).ToArray<int>(), s[0], "pixelCrossEntropy label")
          Evaluate =
            fun y t ->
                let logits, labels = Batch.held y, Batch.held t
                let struct (value, gradient) = CrossEntropy.Evaluate(pixels logits, labels.Reshape labels.Count, weights = weight logits)
                struct (value, Batch.ofTensor (gradient.Reshape logits.Shape)) }

    /// <summary>Cross entropy at every pixel, over the channels: the mean over all pixels of <c>-log softmax(logits)[label]</c>.</summary>
    let pixelCrossEntropy: Loss<Image, Mask> = pixelCrossEntropyWith []

    /// The ids with those of padding left out.
    let private counted (target: Batch<Tokens>) : Tensor =
        let ids = Batch.held target

        match Padded.lengths target with
        | None -> ids
        | Some lengths ->
            let time = ids.Shape[1]
            let left = ids.ToArray<int>() |> Array.mapi (fun i id -> if i % time < lengths[i / time] then id else ignored)
            Tensor.Of<int>(left, ids.Shape[0], time)

    let private checkTokens (output: Shape<Seq>) (target: Batch<Tokens>) =
        let s, ids = Shape.core output, Batch.held target

        if ids.Shape[1] <> s[0] then
            raise (ShapeException("tokenCrossEntropy targets", $"an id for each of {s[0]} steps", $"{ids.Shape[1]} steps"))

        ids.ToArray<int>()
        |> Array.iteri (fun i id ->
            if id < ignored || id >= s[1] then
                let place = $"tokenCrossEntropy target [{i / s[0]}, {i % s[0]}]"
                raise (InvalidArgumentException(place, $"an id from 0 to {s[1] - 1}, or {ignored} where none counts", $"{id}")))

    /// <summary>Cross entropy of the next token at every step: the mean of <c>-log softmax(logits)[id]</c> over the steps that count.</summary>
    /// <remarks>A step counts unless it is padding or its target is -1, as a masked language model sets where nothing was masked.
    /// The exponential of the value is the perplexity.</remarks>
    let tokenCrossEntropy: Loss<Seq, Tokens> =
        { Name = "tokenCrossEntropy"
          Check = checkTokens
          Evaluate =
            fun y t ->
                let logits, labels = Batch.held y, counted t
                let rows = logits.Reshape(logits.Shape.Rows, logits.Shape.Last)
                let struct (value, gradient) = CrossEntropy.Evaluate(rows, labels.Reshape labels.Count, ignored = ignored)
                struct (value, Batch.ofTensor (gradient.Reshape logits.Shape)) }

    /// <summary>The loss of a detector, from its anchors' scores (the background's first) and offsets to classes and offsets: see <c>DL.Core.Losses.MultiBox</c>.</summary>
    /// <remarks>Predictions are sequences of anchors of <c>1 + classes + 4</c> numbers, targets of 5: the class, 0 for background, and four offsets.
    /// Three backgrounds count for every matched anchor. W. Liu et al., SSD, 2016.</remarks>
    let multiBox: Loss<Seq, Seq> =
        { Name = "multiBox"
          Check = fun output target -> MultiBox.Check((Shape.core output).Prepend(Batch.count target), Batch.held target)
          Evaluate = fun y t -> evaluated (MultiBox.Evaluate(Batch.held y, Batch.held t)) }

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

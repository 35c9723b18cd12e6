namespace DL

open DL.Core
open DL.Core.Metrics

/// <summary>A measure of predictions against targets: a pure function.</summary>
[<NoEquality; NoComparison>]
type Metric<'y, 't> =
    {
        /// <summary>Its name.</summary>
        Name: string
        /// <summary>From predictions and targets to a number.</summary>
        Measure: Batch<'y> -> Batch<'t> -> float
    }

/// <summary>Metrics.</summary>
[<RequireQualifiedAccess>]
module Metric =
    /// <summary>The class of the largest score of every row; the first of equals.</summary>
    let classes (scores: Batch<Vec>) : int[] =
        let t = Batch.held scores
        ArgMax.Rows(t.ToArray<float>(), t.Shape.Last)

    let private ids (labels: Batch<Label>) = (Batch.held labels).ToArray<int>()

    /// <summary>The share of examples whose largest score is at the true class.</summary>
    let accuracy: Metric<Vec, Label> =
        { Name = "accuracy"
          Measure = fun scores labels -> Classification.Accuracy(ids labels, classes scores) }

    /// <summary>The share of examples on the right side of a threshold, for one output and targets 0 or 1.</summary>
    /// <param name="threshold">0.5 for probabilities, 0 for logits.</param>
    let binaryAccuracy (threshold: float) : Metric<Vec, Vec> =
        let side limit (b: Batch<Vec>) = (Batch.held b).ToArray<float>() |> Array.map (fun v -> if v > limit then 1 else 0)

        { Name = "accuracy"
          Measure = fun y t -> Classification.Accuracy(side 0.5 t, side threshold y) }

    /// <summary>The confusion matrix: rows are true classes, columns predicted ones.</summary>
    let confusion (scores: Batch<Vec>) (labels: Batch<Label>) : ConfusionMatrix =
        ConfusionMatrix.Of(ids labels, classes scores, (Batch.held scores).Shape.Last)

    /// The label of the largest score at every pixel, and the true one, of every pixel of all images.
    let private overlap (scores: Batch<Image>) (truth: Batch<Mask>) =
        let t = Batch.held scores
        Segmentation.Compare((Batch.held truth).ToArray<int>(), ArgMax.Rows(t.ToArray<float>(), t.Shape.Last), t.Shape.Last)

    /// <summary>Intersection over union of true and predicted pixels, averaged over the classes that occur.</summary>
    let meanIntersectionOverUnion: Metric<Image, Mask> =
        { Name = "mean IoU"
          Measure = fun scores truth -> (overlap scores truth).MeanIntersectionOverUnion }

    /// <summary>The share of pixels whose largest score is at the true class.</summary>
    let pixelAccuracy: Metric<Image, Mask> =
        { Name = "pixel accuracy"
          Measure = fun scores truth -> (overlap scores truth).Accuracy }

    /// The most probable id and the true one, of every step that counts.
    let private steps (scores: Batch<Seq>) (truth: Batch<Tokens>) =
        let t, ids = Batch.held scores, (Batch.held truth).ToArray<int>()
        let time = t.Shape[1]
        let counts = Padded.lengths truth |> Option.map (fun lengths -> fun i -> i % time < lengths[i / time])
        let guesses = ArgMax.Rows(t.ToArray<float>(), t.Shape.Last)

        Array.zip ids guesses
        |> Array.indexed
        |> Array.filter (fun (i, (id, _)) -> id >= 0 && (counts |> Option.forall (fun test -> test i)))
        |> Array.map snd
        |> Array.unzip

    /// <summary>The share of steps whose most probable token is the true one; padding and targets of -1 do not count.</summary>
    let tokenAccuracy: Metric<Seq, Tokens> =
        { Name = "token accuracy"
          Measure =
            fun scores truth ->
                let ids, guesses = steps scores truth
                Classification.Accuracy(ids, guesses) }

    /// <summary>The share of sequences whose every step that counts is right.</summary>
    let exactMatch: Metric<Seq, Tokens> =
        { Name = "exact match"
          Measure =
            fun scores truth ->
                let n = Batch.count truth
                let one i = steps (Batch.take [| i |] scores) (Batch.take [| i |] truth)
                let right = Seq.init n one |> Seq.filter (fun (ids, guesses) -> ids = guesses) |> Seq.length
                if n = 0 then 0.0 else float right / float n }

    /// <summary>Perplexity: the exponential of the mean of <c>-log softmax(logits)[id]</c> over the steps that count.</summary>
    let perplexity: Metric<Seq, Tokens> =
        { Name = "perplexity"
          Measure =
            fun scores truth ->
                let struct (value, _) = Loss.tokenCrossEntropy.Evaluate scores truth
                exp value }

    let private overClasses name (read: ConfusionMatrix -> float) : Metric<Vec, Label> =
        { Name = name
          Measure = fun scores labels -> read (confusion scores labels) }

    /// <summary>Precision, averaged over the classes as asked.</summary>
    let precision (average: Average) = overClasses "precision" (fun m -> m.Precision average)

    /// <summary>Recall, averaged over the classes as asked.</summary>
    let recall (average: Average) = overClasses "recall" (fun m -> m.Recall average)

    /// <summary>F1, averaged over the classes as asked.</summary>
    let f1 (average: Average) = overClasses "f1" (fun m -> m.F1 average)

    let private regression name (measure: float[] -> float[] -> float) : Metric<'y, 'y> =
        let numbers (b: Batch<'y>) = (Batch.held b).ToArray<float>()

        { Name = name; Measure = fun y t -> measure (numbers t) (numbers y) }

    /// <summary>The coefficient of determination <c>1 - sum (y - t)^2 / sum (t - mean t)^2</c>.</summary>
    let r2<'y> : Metric<'y, 'y> = regression "r2" (fun truth y -> Regression.R2(truth, y))

    /// <summary>The mean squared error.</summary>
    let meanSquaredError<'y> : Metric<'y, 'y> = regression "mse" (fun truth y -> Regression.MeanSquaredError(truth, y))

    /// <summary>The mean absolute error.</summary>
    let meanAbsoluteError<'y> : Metric<'y, 'y> = regression "mae" (fun truth y -> Regression.MeanAbsoluteError(truth, y))

namespace DL

open DL.Core
open DL.Core.Metrics

/// <summary>What a metric has counted so far. A value: counting on gives a new one.</summary>
/// <remarks>Counting the parts of a data set in turn, or apart and merged, is counting the whole.</remarks>
[<AbstractClass>]
type Tally<'y, 't>() =
    /// <summary>The tally of these examples too.</summary>
    abstract Add: predictions: Batch<'y> * targets: Batch<'t> -> Tally<'y, 't>
    /// <summary>The tally of the examples of both.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">The other is a tally of another metric.</exception>
    abstract Merge: other: Tally<'y, 't> -> Tally<'y, 't>
    /// <summary>The metric of all examples counted.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">None is counted yet.</exception>
    abstract Value: float

/// How a metric counts: from a batch to something that can be merged and read.
[<NoEquality; NoComparison>]
type private Counting<'s, 'y, 't> =
    { Name: string
      Count: Batch<'y> -> Batch<'t> -> 's
      Merge: 's -> 's -> 's
      Read: 's -> float }

[<Sealed>]
type private TallyOf<'s, 'y, 't>(counting: Counting<'s, 'y, 't>, counted: 's voption) =
    inherit Tally<'y, 't>()

    member private _.With(next: 's) : Tally<'y, 't> =
        let whole =
            match counted with
            | ValueSome before -> counting.Merge before next
            | ValueNone -> next

        TallyOf(counting, ValueSome whole)

    member _.Counting = counting
    member _.Counted = counted

    override this.Add(predictions, targets) =
        let n, given = Batch.count predictions, Batch.count targets

        if given <> n then
            raise (ShapeException($"Metric {counting.Name}", $"a target for each of {n} predictions", $"{given}"))

        this.With(counting.Count predictions targets)

    override this.Merge other =
        match other with
        | :? TallyOf<'s, 'y, 't> as same when same.Counting.Name = counting.Name ->
            match same.Counted with
            | ValueSome next -> this.With next
            | ValueNone -> this
        | _ -> raise (InvalidArgumentException($"Metric {counting.Name}, Merge", "a tally of the same metric", "another"))

    override _.Value =
        match counted with
        | ValueSome all -> counting.Read all
        | ValueNone -> raise (InvalidArgumentException($"Metric {counting.Name}", "at least one batch of examples", "none"))

/// <summary>A measure of predictions against targets: a pure function of all examples, counted batch by batch. Make one by <c>Metric.create</c>.</summary>
[<NoEquality; NoComparison>]
type Metric<'y, 't> =
    internal
        {
            /// Its name.
            Called: string
            /// The tally of no examples.
            Start: Tally<'y, 't>
        }

    /// <summary>Its name.</summary>
    member this.Name = this.Called

    /// <summary>The tally of no examples, to count on from.</summary>
    member this.Empty = this.Start

    /// <summary>From predictions and targets to a number.</summary>
    member this.Measure (predictions: Batch<'y>) (targets: Batch<'t>) : float = (this.Start.Add(predictions, targets)).Value

/// <summary>Metrics.</summary>
[<RequireQualifiedAccess>]
module Metric =
    /// <summary>A metric of your own: counts of batches that can be merged, and read as a number.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="count">From predictions and targets to what is counted of them.</param>
    /// <param name="merge">From the counts of two sets of examples to those of both.</param>
    /// <param name="read">From counts to the number.</param>
    let create (name: string) (count: Batch<'y> -> Batch<'t> -> 's) (merge: 's -> 's -> 's) (read: 's -> float) : Metric<'y, 't> =
        { Called = name
          Start = TallyOf({ Name = name; Count = count; Merge = merge; Read = read }, ValueNone) }

    /// A share: how many of how many, none of none being 0.
    let private share name (count: Batch<'y> -> Batch<'t> -> struct (int64 * int64)) =
        create name count (fun (struct (a, n)) (struct (b, m)) -> struct (a + b, n + m)) (fun (struct (part, whole)) ->
            if whole = 0L then 0.0 else float part / float whole)

    /// A mean: a sum of how many.
    let private mean name (read: float -> float) (count: Batch<'y> -> Batch<'t> -> struct (float * int64)) =
        create name count (fun (struct (a, n)) (struct (b, m)) -> struct (a + b, n + m)) (fun (struct (sum, n)) ->
            if n = 0L then
                raise (InvalidArgumentException($"Metric {name}", "at least one number that counts", "none"))

            read (sum / float n))

    let private hits (truth: int[]) (guesses: int[]) =
        struct (Array.fold2 (fun n t g -> if t = g then n + 1L else n) 0L truth guesses, int64 truth.Length)

    /// <summary>The class of the largest score of every row; the first of equals.</summary>
    let classes (scores: Batch<Vec>) : int[] =
        let t = Batch.held scores
        ArgMax.Rows(t.ToArray<float>(), t.Shape.Last)

    let private ids (labels: Batch<Label>) = (Batch.held labels).ToArray<int>()

    /// The labels of scores, each of which is a class.
    let private known name (scores: Batch<Vec>) (labels: Batch<Label>) : int[] =
        let truth = ids labels
        LossForms.checkIds (fun i -> $"Metric {name}, labels[{i}]") (Batch.held scores).Shape.Last [] truth
        truth

    /// Fails unless predictions and targets are of one shape.
    let private alike name (y: Batch<'y>) (t: Batch<'y>) =
        if Batch.shape y <> Batch.shape t then
            raise (ShapeException($"Metric {name}", $"targets of shape {Batch.shape y}, as the predictions", $"{Batch.shape t}"))

    /// <summary>The share of examples whose largest score is at the true class.</summary>
    let accuracy: Metric<Vec, Label> =
        share "accuracy" (fun scores labels ->
            let guesses = classes scores
            hits (known "accuracy" scores labels) guesses)

    /// <summary>The share of examples whose true class is among the k of the highest scores; of equal scores the lower class comes first.</summary>
    let topK (k: int) : Metric<Vec, Label> =
        share $"top {k}" (fun scores labels ->
            let truth = ids labels

            let found =
                if truth.Length = 0 then
                    0
                else
                    Classification.TopKHits(truth, (Batch.held scores).ToArray<float>(), k)

            struct (int64 found, truth.LongLength))

    /// <summary>The share of examples on the right side of a threshold, for one output and targets 0 or 1.</summary>
    /// <param name="threshold">0.5 for probabilities, 0 for logits.</param>
    let binaryAccuracy (threshold: float) : Metric<Vec, Vec> =
        let side limit (b: Batch<Vec>) = (Batch.held b).ToArray<float>() |> Array.map (fun v -> if v > limit then 1 else 0)

        share "accuracy" (fun y t ->
            alike "accuracy" y t

            // NaN is on no side.
            for i, v in Seq.indexed ((Batch.held y).ToArray<float>()) do
                if System.Double.IsNaN v then
                    raise (InvalidArgumentException($"Metric accuracy, scores[{i}]", "a number", "NaN"))

            hits (side 0.5 t) (side threshold y))

    /// <summary>The confusion matrix: rows are true classes, columns predicted ones.</summary>
    let confusion (scores: Batch<Vec>) (labels: Batch<Label>) : ConfusionMatrix =
        ConfusionMatrix.Of(ids labels, classes scores, (Batch.held scores).Shape.Last)

    /// The label of the largest score at every pixel, and the true one, of every pixel of all images.
    let private overlap (scores: Batch<Image>) (truth: Batch<Mask>) =
        let t = Batch.held scores
        Segmentation.Compare((Batch.held truth).ToArray<int>(), ArgMax.Rows(t.ToArray<float>(), t.Shape.Last), t.Shape.Last)

    let private merged (a: ConfusionMatrix) (b: ConfusionMatrix) = a.Merge b

    /// <summary>Intersection over union of true and predicted pixels, averaged over the classes that occur.</summary>
    let meanIntersectionOverUnion: Metric<Image, Mask> = create "mean IoU" overlap merged _.MeanIntersectionOverUnion

    /// <summary>The share of pixels whose largest score is at the true class.</summary>
    let pixelAccuracy: Metric<Image, Mask> = create "pixel accuracy" overlap merged _.Accuracy

    /// Which steps count: those that are no padding and have a target.
    let private counted (truth: Batch<Tokens>) : bool[] =
        let ids = (Batch.held truth).ToArray<int>()
        let time = (Batch.held truth).Shape[1]

        match Padded.lengths truth with
        | Some lengths -> ids |> Array.mapi (fun i id -> id >= 0 && i % time < lengths[i / time])
        | None -> ids |> Array.map (fun id -> id >= 0)

    /// The true id and the most probable one, of every step that counts.
    let private steps (scores: Batch<Seq>) (truth: Batch<Tokens>) =
        let t = Batch.held scores

        if t.Shape[1] <> (Batch.held truth).Shape[1] then
            raise (ShapeException("Metric, targets", $"an id for each of {t.Shape[1]} steps", $"{(Batch.held truth).Shape[1]} steps"))

        let guesses = ArgMax.Rows(t.ToArray<float>(), t.Shape.Last)

        Array.zip3 (counted truth) ((Batch.held truth).ToArray<int>()) guesses
        |> Array.choose (fun (counts, id, guess) -> if counts then Some(id, guess) else None)
        |> Array.unzip

    /// <summary>The share of steps whose most probable token is the true one; padding and targets of -1 do not count.</summary>
    let tokenAccuracy: Metric<Seq, Tokens> = share "token accuracy" (fun scores truth -> steps scores truth ||> hits)

    /// <summary>The share of sequences whose every step that counts is right.</summary>
    let exactMatch: Metric<Seq, Tokens> =
        share "exact match" (fun scores truth ->
            let n = Batch.count truth
            let one i = steps (Batch.take [| i |] scores) (Batch.take [| i |] truth)
            let right = Seq.init n one |> Seq.filter (fun (ids, guesses) -> ids = guesses) |> Seq.length
            struct (int64 right, int64 n))

    /// <summary>Perplexity: the exponential of the mean of <c>-log softmax(logits)[id]</c> over the steps that count.</summary>
    let perplexity: Metric<Seq, Tokens> =
        mean "perplexity" exp (fun scores truth ->
            let count = counted truth |> Seq.filter id |> Seq.length
            let struct (value, _) = Loss.tokenCrossEntropy.Evaluate scores truth
            struct (value * float count, int64 count))

    /// <summary>BLEU of whole sequences against one reference each, counted over all of them; see <c>DL.Core.Metrics.Bleu</c>.</summary>
    /// <remarks>What lies behind the lengths of a batch, see <c>Padded</c>, is not part of a sequence.</remarks>
    let bleu (smoothing: BleuSmoothing) : Metric<Tokens, Tokens> =
        let rows (batch: Batch<Tokens>) =
            let t = Batch.held batch
            let all, time = t.ToArray<int>(), t.Shape[1]
            let lengths = Padded.lengths batch |> Option.defaultValue (Array.create t.Shape[0] time)
            lengths |> Array.mapi (fun i length -> all[i * time .. i * time + length - 1])

        create
            "BLEU"
            (fun candidates references -> Bleu.Count<int>(rows candidates, rows references |> Array.map Array.singleton))
            (fun a b -> a.Merge b)
            (fun counts -> counts.Score smoothing)

    let private overClasses name (read: ConfusionMatrix -> float) : Metric<Vec, Label> = create name confusion merged read

    /// <summary>Precision, averaged over the classes as asked.</summary>
    let precision (average: Average) = overClasses "precision" (fun m -> m.Precision average)

    /// <summary>Recall, averaged over the classes as asked.</summary>
    let recall (average: Average) = overClasses "recall" (fun m -> m.Recall average)

    /// <summary>F1, averaged over the classes as asked.</summary>
    let f1 (average: Average) = overClasses "f1" (fun m -> m.F1 average)

    let private numbers (b: Batch<'y>) = Batch.parts b |> List.toArray |> Array.collect (fun t -> t.ToArray<float>())

    let private errors name read (error: float -> float) : Metric<'y, 'y> =
        mean name read (fun y t ->
            alike name y t
            let y, t = numbers y, numbers t
            struct (Array.fold2 (fun sum y t -> sum + error (y - t)) 0.0 y t, y.LongLength))

    /// <summary>The coefficient of determination <c>1 - sum (y - t)^2 / sum (t - mean t)^2</c>; for targets that are all equal 1 if all are met, else 0.</summary>
    /// <remarks>All numbers are kept until it is read.</remarks>
    let r2<'y> : Metric<'y, 'y> =
        let pair y t =
            alike "r2" y t
            [ struct (numbers t, numbers y) ]

        create "r2" pair (@) (fun parts ->
            let all pick = parts |> List.toArray |> Array.collect pick
            Regression.R2(all (fun (struct (t, _)) -> t), all (fun (struct (_, y)) -> y)))

    /// <summary>The mean squared error.</summary>
    let meanSquaredError<'y> : Metric<'y, 'y> = errors "mse" id (fun e -> e * e)

    /// <summary>The root of the mean squared error.</summary>
    let rootMeanSquaredError<'y> : Metric<'y, 'y> = errors "rmse" sqrt (fun e -> e * e)

    /// <summary>The mean absolute error.</summary>
    let meanAbsoluteError<'y> : Metric<'y, 'y> = errors "mae" id abs

    /// <summary>The value of a loss on all examples as if they were one batch, whatever its reduction and weights.</summary>
    /// <remarks>Predictions and targets are kept until it is read.</remarks>
    let ofLoss (loss: Loss<'y, 't>) : Metric<'y, 't> =
        // What a network put out may lie in memory that is used again.
        let kept batch = Batch.map (fun (t: Tensor) -> t.To t.ElementType) batch

        create loss.Name (fun y t -> [ struct (kept y, kept t) ]) (@) (fun parts ->
            if parts |> List.forall (fun struct (_, t) -> Batch.count t = 0) then
                raise (InvalidArgumentException($"Metric {loss.Name}", "at least one example", "none"))

            let inParts = loss.InParts(parts |> Seq.map (fun struct (_, t) -> t))
            parts |> List.sumBy (fun struct (y, t) -> let struct (value, _) = inParts y t in value))

    let private curve (truth: bool[]) (scores: float[]) = RocCurve.Of(truth, scores)

    /// <summary>The ROC curve of one score per example against targets 0 and 1: which are above one half, are positive.</summary>
    let roc (scores: Batch<Vec>) (targets: Batch<Vec>) : RocCurve = curve (numbers targets |> Array.map (fun t -> t > 0.5)) (numbers scores)

    /// <summary>The area under the ROC curve of one score per example, probabilities or logits, against targets 0 and 1; ties count one half.</summary>
    let binaryAuc: Metric<Vec, Vec> = create "AUC" roc (fun a b -> a.Merge b) _.Area

    /// <summary>The ROC curve of one class against all others, by the probabilities softmax(logits) of that class.</summary>
    /// <param name="id">The class.</param>
    /// <param name="logits">A score for every class.</param>
    /// <param name="labels">The true classes.</param>
    let rocOf (id: int) (logits: Batch<Vec>) (labels: Batch<Label>) : RocCurve =
        let t = Batch.held logits
        let classes = t.Shape.Last

        if id < 0 || id >= classes then
            raise (InvalidArgumentException("Metric.rocOf", $"a class from 0 to {classes - 1}", $"{id}"))

        let probabilities = (Ops.Softmax.Forward(t.To ElementType.Float64)).ToArray<float>()
        let truth = known "AUC" logits labels
        curve (truth |> Array.map ((=) id)) (Array.init t.Shape[0] (fun i -> probabilities[i * classes + id]))

    /// <summary>The area under the ROC curve by class probabilities softmax(logits): of class 1 for two classes, else the mean over each class against the others.</summary>
    /// <remarks>scikit-learn's <c>roc_auc_score</c> with <c>multi_class="ovr"</c>. Every class must occur.</remarks>
    let auc: Metric<Vec, Label> =
        create
            "AUC"
            (fun logits labels ->
                let classes = (Batch.held logits).Shape.Last

                if classes < 2 then
                    raise (InvalidArgumentException("Metric AUC", "scores of at least two classes", $"of {classes}"))

                let chosen = if classes = 2 then [| 1 |] else [| 0 .. classes - 1 |]
                chosen |> Array.map (fun id -> rocOf id logits labels))
            (Array.map2 (fun (a: RocCurve) b -> a.Merge b))
            (Array.averageBy _.Area)

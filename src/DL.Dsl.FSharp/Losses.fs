namespace DL

open DL.Core
open DL.Core.Losses
open LossForms

/// <summary>Losses. Each is the mean of its terms over the batch, unless <c>Loss.sum</c> makes it their sum.</summary>
[<RequireQualifiedAccess>]
module Loss =
    /// The target of a step that does not count.
    [<Literal>]
    let private ignored = -1

    /// <summary>A loss of one's own, whose mean counts every example alike.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="check">Fails unless the targets fit predictions of the given shape.</param>
    /// <param name="evaluate">The value and the gradient of the predictions, under the mean or the sum of the terms.</param>
    let create
        (name: string)
        (check: Shape<'y> -> Batch<'t> -> unit)
        (evaluate: Reduction -> Batch<'y> -> Batch<'t> -> struct (float * Batch<'y>))
        : Loss<'y, 't> =
        LossForms.create name check evaluate

    /// <summary>A loss of one's own whose mean is its sum divided by the weights of the terms that count, added up: so that a batch may be taken in parts.</summary>
    /// <param name="weight">From targets to the weights of their terms, added up; where that is 0 in all, so are the mean and its gradient.</param>
    /// <param name="name">Its name.</param>
    /// <param name="check">Fails unless the targets fit predictions of the given shape.</param>
    /// <param name="evaluate">The value and the gradient of the predictions, under the weighted mean or the sum of the terms.</param>
    let createWeighted
        (weight: Batch<'t> -> float)
        (name: string)
        (check: Shape<'y> -> Batch<'t> -> unit)
        (evaluate: Reduction -> Batch<'y> -> Batch<'t> -> struct (float * Batch<'y>))
        : Loss<'y, 't> =
        divided (Seq.sumBy weight) name check evaluate

    /// <summary>The mean of <c>(y - t)^2</c> over all elements.</summary>
    let meanSquaredError<'y> : Loss<'y, 'y> =
        pairwise "meanSquaredError" (fun _ _ -> ()) (fun reduction y t -> MeanSquaredError.Evaluate(y, t, reduction))

    /// <summary>The mean of <c>|y - t|</c> over all elements; the slope at 0 is 0.</summary>
    let meanAbsoluteError<'y> : Loss<'y, 'y> =
        pairwise "meanAbsoluteError" (fun _ _ -> ()) (fun reduction y t -> MeanAbsoluteError.Evaluate(y, t, reduction))

    /// <summary>Huber's loss, the mean over all elements of <c>e^2 / 2</c> for <c>|e|</c> up to delta, else <c>delta |e| - delta^2 / 2</c>, with <c>e = y - t</c>:
    /// a square that outliers cannot rule.</summary>
    /// <remarks>torch's smooth L1 of beta is this of delta = beta, divided by beta.</remarks>
    /// <param name="delta">Where the line begins, in units of the targets; above 0.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">delta is not a finite number above 0.</exception>
    let huber (delta: float) : Loss<'y, 'y> =
        above0 "huber delta" delta
        pairwise "huber" (fun _ _ -> ()) (fun reduction y t -> Huber.Evaluate(y, t, reduction, delta))

    /// <summary>Cross entropy of softmax(logits) against class ids, <c>-log softmax(logits)[label]</c>, with weights of classes, label smoothing and an id that
    /// counts nowhere.</summary>
    /// <remarks>The terms are <c>-sum_c a_c log softmax(logits)_c</c>, <c>a_c = w_c ((1 - smoothing) [c = label] + smoothing / C)</c>. The mean divides by the sum
    /// of the weights of the labels that count, as torch's does; with none that counts it is 0, where torch gives NaN.</remarks>
    /// <param name="settings">As <c>{ Entropy.defaults with Smoothing = 0.1 }</c>.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">A weight is negative or not finite, or the smoothing is out of range.</exception>
    let crossEntropyWith (settings: CrossEntropySettings) : Loss<Vec, Label> =
        checkSettings "crossEntropy" settings
        let weights = weightsOf settings.ClassWeights

        divided
            (totalWeight settings.ClassWeights (fun id -> Some id <> settings.Ignored) Batch.held)
            "crossEntropy"
            (fun shape target ->
                let classes = Shape.features shape
                checkCount "crossEntropy" classes settings.ClassWeights

                checkIds
                    (fun i -> $"crossEntropy label[{i}]")
                    classes
                    (Option.toList settings.Ignored)
                    ((Batch.held target).ToArray<int>()))
            (fun reduction y t ->
                let logits = Batch.held y
                let left = Option.toNullable settings.Ignored
                evaluated (CrossEntropy.Evaluate(logits, Batch.held t, reduction, weights logits, settings.Smoothing, left)))

    /// <summary>Cross entropy of softmax(logits) against class ids: <c>-log softmax(logits)[label]</c>, fused and stable.</summary>
    let crossEntropy: Loss<Vec, Label> = crossEntropyWith Entropy.defaults

    /// <summary>Weights that make every class count alike in the whole data: <c>n / (classes * n_c)</c>, as "balanced" of scikit-learn.</summary>
    /// <remarks>For <c>Loss.crossEntropyWith { Entropy.defaults with ClassWeights = Loss.balanced 3 data.Targets }</c>.</remarks>
    /// <param name="classes">The number of classes.</param>
    /// <param name="labels">The classes of all examples.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">A label is no class, or a class has no example.</exception>
    let balanced (classes: int) (labels: Batch<Label>) : float list =
        ClassWeights.Balanced(System.ReadOnlySpan<int>((Batch.held labels).ToArray<int>()), classes) |> List.ofArray

    /// <summary>Cross entropy at every pixel, over the channels, with a weight for every class: the weighted mean of <c>-log softmax(logits)[label]</c>.</summary>
    /// <param name="weights">A weight for every class; none for all alike. A light background leaves more of the gradient to what stands before it.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">A weight is negative or not finite.</exception>
    let pixelCrossEntropyWith (weights: float list) : Loss<Image, Mask> =
        classWeights "pixelCrossEntropy" weights
        let pixels (t: Tensor) = t.Reshape(t.Shape.Rows, t.Shape.Last)
        let weight = weightsOf weights

        divided
            (totalWeight weights (fun _ -> true) Batch.held)
            "pixelCrossEntropy"
            (fun output target ->
                let s = Shape.core output
                let expected = Shape.mask (s[1], s[2])

                if Batch.shape target <> expected then
                    raise (ShapeException("pixelCrossEntropy targets", $"a label for each pixel, {expected}", $"{Batch.shape target}"))

                checkCount "pixelCrossEntropy" s[0] weights
                checkIds (fun i -> $"pixelCrossEntropy label[{i}]") s[0] [] ((Batch.held target).ToArray<int>()))
            (fun reduction y t ->
                let logits, labels = Batch.held y, Batch.held t
                let struct (value, gradient) = CrossEntropy.Evaluate(pixels logits, labels.Reshape labels.Count, reduction, weight logits)
                struct (value, Batch.ofTensor (gradient.Reshape logits.Shape)))

    /// <summary>Cross entropy at every pixel, over the channels: the mean over all pixels of <c>-log softmax(logits)[label]</c>.</summary>
    let pixelCrossEntropy: Loss<Image, Mask> = pixelCrossEntropyWith []

    /// The ids, with -1 where they are padding or the one that is left out.
    let private counted (left: int option) (target: Batch<Tokens>) : Tensor =
        let ids = Batch.held target
        let lengths = Padded.lengths target

        if lengths.IsNone && left.IsNone then
            ids
        else
            let time = ids.Shape[1]
            let counts i = lengths |> Option.forall (fun lengths -> i % time < lengths[i / time])
            let kept = ids.ToArray<int>() |> Array.mapi (fun i id -> if counts i && Some id <> left then id else ignored)
            Tensor.Of<int>(kept, ids.Shape[0], time)

    let private checkTokens (settings: CrossEntropySettings) (output: Shape<Seq>) (target: Batch<Tokens>) =
        let s, ids = Shape.core output, Batch.held target

        if ids.Shape[1] <> s[0] then
            raise (ShapeException("tokenCrossEntropy targets", $"an id for each of {s[0]} steps", $"{ids.Shape[1]} steps"))

        checkCount "tokenCrossEntropy" s[1] settings.ClassWeights
        let left = ignored :: Option.toList settings.Ignored |> List.distinct
        checkIds (fun i -> $"tokenCrossEntropy target [{i / s[0]}, {i % s[0]}]") s[1] left (ids.ToArray<int>())

    /// <summary>Cross entropy of the next token at every step, with weights of ids, label smoothing and an id that counts nowhere.</summary>
    /// <remarks>A step counts unless it is padding, its target is -1, as a masked language model sets where nothing was masked, or the ignored id.
    /// Terms and mean are those of <c>Loss.crossEntropyWith</c>.</remarks>
    /// <param name="settings">As <c>{ Entropy.defaults with Smoothing = 0.1 }</c>.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">A weight is negative or not finite, or the smoothing is out of range.</exception>
    let tokenCrossEntropyWith (settings: CrossEntropySettings) : Loss<Seq, Tokens> =
        checkSettings "tokenCrossEntropy" settings
        let weights = weightsOf settings.ClassWeights

        let weight = totalWeight settings.ClassWeights ((<>) ignored) (counted settings.Ignored)

        divided weight "tokenCrossEntropy" (checkTokens settings) (fun reduction y t ->
            let logits, labels = Batch.held y, counted settings.Ignored t
            let rows = logits.Reshape(logits.Shape.Rows, logits.Shape.Last)

            let struct (value, gradient) =
                CrossEntropy.Evaluate(rows, labels.Reshape labels.Count, reduction, weights logits, settings.Smoothing, ignored)

            struct (value, Batch.ofTensor (gradient.Reshape logits.Shape)))

    /// <summary>Cross entropy of the next token at every step: the mean of <c>-log softmax(logits)[id]</c> over the steps that count.</summary>
    /// <remarks>A step counts unless it is padding or its target is -1, as a masked language model sets where nothing was masked.
    /// The exponential of the value is the perplexity.</remarks>
    let tokenCrossEntropy: Loss<Seq, Tokens> = tokenCrossEntropyWith Entropy.defaults

    /// <summary>Cross entropy of softmax(logits) against distributions: <c>-sum of t log softmax(logits)</c>.</summary>
    let softCrossEntropy: Loss<Vec, Vec> =
        pairwise "softCrossEntropy" between (fun reduction y t -> CrossEntropy.Evaluate(y, t, reduction))

    /// <summary>Binary cross entropy of probabilities, clipped away from 0 and 1: <c>-t log y - (1 - t) log(1 - y)</c>.</summary>
    let binaryCrossEntropy<'y> : Loss<'y, 'y> =
        pairwise "binaryCrossEntropy" between (fun reduction y t -> BinaryCrossEntropy.Evaluate(y, t, reduction))

    /// <summary>Binary cross entropy of sigmoid(logits), fused and stable.</summary>
    let binaryCrossEntropyWithLogits<'y> : Loss<'y, 'y> =
        pairwise "binaryCrossEntropyWithLogits" between (fun reduction y t -> BinaryCrossEntropyWithLogits.Evaluate(y, t, reduction))

    /// <summary>Focal loss of logits against class ids, <c>-alpha_y (1 - p_y)^gamma log p_y</c> with <c>p = softmax(logits)</c>: what is already right counts less.</summary>
    /// <remarks>The mean is over examples, whatever their weights. T.-Y. Lin et al., Focal loss for dense object detection, 2017.</remarks>
    /// <param name="gamma">How much less the easy count; at least 0, where 0 is cross entropy. The source takes 2.</param>
    /// <param name="alpha">A weight for every class; none for all alike. See <c>Loss.balanced</c>.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">gamma or a weight is negative or not finite.</exception>
    let focalWith (gamma: float) (alpha: float list) : Loss<Vec, Label> =
        atLeast0 "focal gamma" gamma
        classWeights "focal" alpha
        let weights = weightsOf alpha

        LossForms.create
            "focal"
            (fun shape target ->
                checkCount "focal" (Shape.features shape) alpha
                checkIds (fun i -> $"focal label[{i}]") (Shape.features shape) [] ((Batch.held target).ToArray<int>()))
            (fun reduction y t ->
                let logits = Batch.held y
                evaluated (Focal.Evaluate(logits, Batch.held t, reduction, gamma, weights logits)))

    /// <summary>Focal loss of logits against class ids: <c>-(1 - p_y)^gamma log p_y</c> with <c>p = softmax(logits)</c>.</summary>
    /// <param name="gamma">How much less the easy count; at least 0. The source takes 2.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">gamma is negative or not finite.</exception>
    let focal (gamma: float) : Loss<Vec, Label> = focalWith gamma []

    let private binaryFocalOf gamma (alpha: System.Nullable<float>) : Loss<'y, 'y> =
        atLeast0 "binaryFocal gamma" gamma
        pairwise "binaryFocal" between (fun reduction y t -> BinaryFocal.Evaluate(y, t, reduction, gamma, alpha))

    /// <summary>Focal loss of logits of one class or of several that do not exclude each other: <c>-alpha_t (1 - p_t)^gamma log p_t</c>, <c>p_t</c> the probability of
    /// what the target says.</summary>
    /// <param name="gamma">How much less the easy count; at least 0. The source takes 2.</param>
    /// <param name="alpha">The weight of targets of 1, from 0 to 1; that of 0 is 1 - alpha. The source takes 0.25.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">gamma or alpha is out of range.</exception>
    let binaryFocalWith (gamma: float) (alpha: float) : Loss<'y, 'y> =
        from0To1 "binaryFocal alpha" alpha
        binaryFocalOf gamma (System.Nullable alpha)

    /// <summary>Focal loss of logits of one class or of several that do not exclude each other: <c>-(1 - p_t)^gamma log p_t</c>.</summary>
    /// <param name="gamma">How much less the easy count; at least 0, where 0 is binary cross entropy. The source takes 2.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">gamma is negative or not finite.</exception>
    let binaryFocal (gamma: float) : Loss<'y, 'y> = binaryFocalOf gamma (System.Nullable())

    /// The number of anchors that answer for something.
    let private matched (target: Tensor) =
        Seq.init (target.Count / target.Shape.Last) (fun i -> target.At(i * target.Shape.Last))
        |> Seq.filter (fun label -> label > 0.0)
        |> Seq.length

    /// <summary>The loss of a detector, from its anchors' scores (the background's first) and offsets to classes and offsets: see <c>DL.Core.Losses.MultiBox</c>.</summary>
    /// <remarks>Predictions are sequences of anchors of <c>1 + classes + 4</c> numbers, targets of 5: the class, 0 for background, and four offsets.
    /// Three backgrounds count for every matched anchor. W. Liu et al., SSD, 2016.</remarks>
    let multiBox: Loss<Seq, Seq> =
        divided
            (fun targets -> targets |> Seq.sumBy (Batch.held >> matched) |> max 1 |> float)
            "multiBox"
            (fun output target -> MultiBox.Check((Shape.core output).Prepend(Batch.count target), Batch.held target))
            (fun reduction y t ->
                let struct (value, gradient) = MultiBox.Evaluate(Batch.held y, Batch.held t)
                let terms = if reduction = Reduction.Sum then float (max 1 (matched (Batch.held t))) else 1.0
                struct (terms * value, scaled terms (Batch.ofTensor gradient)))

    /// <summary>Contrastive loss of pairs of embeddings at distance d: <c>d^2 / 2</c> for label 1, of a kind; <c>max(0, margin - d)^2 / 2</c> for label 0, of two kinds.</summary>
    /// <remarks>R. Hadsell, S. Chopra, Y. LeCun, Dimensionality reduction by learning an invariant mapping, 2006. At d = 0 the gradient is 0.</remarks>
    /// <param name="margin">The distance from which on those of two kinds are far enough; above 0.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">The margin is not a finite number above 0.</exception>
    let contrastive (margin: float) : Loss<Vec * Vec, Label> =
        above0 "contrastive margin" margin

        LossForms.create
            "contrastive"
            (fun shape target ->
                let struct (a, b) = Shape.split shape
                checkAlike "contrastive" a b
                checkIds (fun i -> $"contrastive label[{i}]") 2 [] ((Batch.held target).ToArray<int>()))
            (fun reduction y t ->
                let struct (a, b) = Batch.split y
                let struct (value, da, db) = Contrastive.Evaluate(Batch.held a, Batch.held b, Batch.held t, reduction, margin)
                struct (value, Batch.pair (Batch.ofTensor da) (Batch.ofTensor db)))

    /// <summary>Triplet loss of embeddings, <c>max(0, |a - p| - |a - n| + margin)</c>: of an anchor, and the pair of a positive of its kind and a negative of another.</summary>
    /// <remarks>The predictions say it all, so targets are of any kind and not read: labels of the anchors, or what is at hand.
    /// F. Schroff, D. Kalenichenko, J. Philbin, FaceNet, 2015. At distance 0 the gradient is 0.</remarks>
    /// <param name="margin">By how much the negative is to be farther than the positive; above 0.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">The margin is not a finite number above 0.</exception>
    let triplet (margin: float) : Loss<Vec * (Vec * Vec), 't> =
        above0 "triplet margin" margin

        LossForms.create
            "triplet"
            (fun shape _ ->
                let struct (a, others) = Shape.split shape
                let struct (p, n) = Shape.split others
                checkAlike "triplet" a p
                checkAlike "triplet" a n)
            (fun reduction y _ ->
                let struct (a, others) = Batch.split y
                let struct (p, n) = Batch.split others
                let struct (value, da, dp, dn) = Triplet.Evaluate(Batch.held a, Batch.held p, Batch.held n, reduction, margin)
                struct (value, Batch.pair (Batch.ofTensor da) (Batch.pair (Batch.ofTensor dp) (Batch.ofTensor dn))))

    /// <summary>Kullback-Leibler divergence of normal distributions from the unit one, <c>sum((e^v + m^2 - 1 - v) / 2)</c> over the features: of a pair of means m and
    /// log variances v.</summary>
    /// <remarks>Targets are of any kind and not read. A variational autoencoder that gives <c>(picture, (mean, log variance))</c> has the loss
    /// <c>Loss.weighted [ 1.0, Loss.first Loss.meanSquaredError; 0.01, Loss.second Loss.unitNormal ]</c>.
    /// D. P. Kingma, M. Welling, Auto-encoding variational Bayes, 2014.</remarks>
    let unitNormal<'t> : Loss<Vec * Vec, 't> =
        LossForms.create
            "unitNormal"
            (fun shape _ ->
                let struct (mean, logVariance) = Shape.split shape
                checkAlike "unitNormal" mean logVariance)
            (fun reduction y _ ->
                let struct (mean, logVariance) = Batch.split y
                let struct (value, dm, dv) = UnitNormalDivergence.Evaluate(Batch.held mean, Batch.held logVariance, reduction)
                struct (value, Batch.pair (Batch.ofTensor dm) (Batch.ofTensor dv)))

    /// <summary>A loss between what a frozen network sees in the predictions and in the targets: <c>sum_l lambda_l mean((phi_l(y) - phi_l(t))^2)</c>.</summary>
    /// <remarks>Each mean is over all features of a piece and the batch, so that lambda weighs pieces of any size alike. The network works as in prediction and
    /// stays as it is: gradients reach the predictions alone. Networks that are no pieces of one are joined by <c>Loss.weighted</c>.
    /// J. Johnson, A. Alahi, L. Fei-Fei, Perceptual losses for real-time style transfer and super-resolution, 2016, eq. 2.</remarks>
    /// <param name="parts">A trained network in pieces, from its first layer on, see <c>Model.cut</c>; each takes what the piece before gives, and has the weight
    /// of what it gives, 0 for none.</param>
    /// <exception cref="T:DL.Core.DLException">There is no piece, none has a weight, one is out of range, or the pieces do not follow from each other.</exception>
    let perceptual (parts: (float * Model<'y, 'y>) list) : Loss<'y, 'y> = LossSums.perceptual parts

    /// <summary>The sum of losses on the same predictions and targets, each with its weight: <c>Loss.weighted [ 0.7, a; 0.3, b ]</c>.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no loss, or a weight is negative or not finite.</exception>
    let weighted (parts: (float * Loss<'y, 't>) list) : Loss<'y, 't> = LossSums.weighted parts

    /// <summary>The sum of a loss on the first part of the predictions and targets, and one on the second.</summary>
    let both (first: Loss<'y, 't>) (second: Loss<'z, 'u>) : Loss<'y * 'z, 't * 'u> = LossSums.both first second

    /// <summary>A loss on the first part of the predictions; the second has no gradient.</summary>
    let first (loss: Loss<'y, 't>) : Loss<'y * 'z, 't> = LossSums.first loss

    /// <summary>A loss on the second part of the predictions; the first has no gradient.</summary>
    let second (loss: Loss<'y, 't>) : Loss<'z * 'y, 't> = LossSums.second loss

    /// <summary>The sum of a loss's terms in place of their mean: over all elements for squares and the like, over examples, steps or pixels for entropies,
    /// with their weights.</summary>
    /// <remarks>It grows with the batch, and so do its gradients: a learning rate made for the mean is too large for it.</remarks>
    let sum (loss: Loss<'y, 't>) : Loss<'y, 't> =
        { loss with
            Name = $"sum of {loss.Name}"
            Evaluate = loss.Sum
            InParts = fun _ -> loss.Sum }

    /// <summary>The loss of every example, each as if it were the whole batch: what finds the worst of them.</summary>
    /// <param name="loss">The loss.</param>
    /// <param name="predictions">The predictions.</param>
    /// <param name="targets">Their targets.</param>
    /// <returns>A value for every example.</returns>
    /// <exception cref="T:DL.Core.DLException">The targets do not fit the predictions.</exception>
    let each (loss: Loss<'y, 't>) (predictions: Batch<'y>) (targets: Batch<'t>) : float[] = LossSums.each loss predictions targets

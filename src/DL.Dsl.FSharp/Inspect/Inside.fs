namespace DL

open System
open DL.Core
open DL.Core.Ops

/// <summary>An example and what a model made of it.</summary>
type Sample =
    {
        /// <summary>Its position among the examples.</summary>
        Index: int
        /// <summary>The true class.</summary>
        Label: int
        /// <summary>The class of the largest score; the first of equals.</summary>
        Prediction: int
        /// <summary>The probability of the prediction, by softmax.</summary>
        Probability: float
        /// <summary>The cross entropy, <c>-log softmax(scores)[label]</c>.</summary>
        Loss: float
    }

/// <summary>Looking inside a trained network: what its layers give, what it looks for and where it fails.</summary>
[<RequireQualifiedAccess>]
module Inside =
    let private begins (front: 'a list) (whole: 'a list) = front.Length <= whole.Length && List.truncate front.Length whole = front

    /// The front part of a model, f of <c>f --&gt; g</c>, with its parameters; what comes behind need not be known, as it must for <c>Model.cut</c>.
    let private front where (front: Layer<'x, 'h>) (model: Model<'x, 'y>) : Model<'x, 'h> =
        let whole = model.Layer
        let same = begins front.About.Links whole.About.Links

        if not (same && begins front.Slots whole.Slots && begins front.Cells whole.Cells) then
            raise (InvalidArgumentException(where, $"the first layers of {whole.About.Written}", front.About.Written))

        let made = Model.init model.Precision (Key.ofSeed 0) model.Input front

        { made with
            Params = Array.truncate made.Params.Length model.Params
            State = Array.truncate made.State.Length model.State }

    let private single where (batch: Batch<'x>) =
        if Batch.count batch <> 1 then
            raise (ShapeException(where, "a batch of one example", $"{Batch.count batch} examples"))

    let private extremes (t: Tensor) =
        let values = t.ToArray<float>()
        Array.min values, Array.max values

    /// <summary>What an inner layer gives for an example: a gray picture for every channel, all of one range.</summary>
    /// <param name="layer">The front part of the model, up to the layer to look at.</param>
    /// <param name="model">The model.</param>
    /// <param name="example">A batch of one example.</param>
    /// <exception cref="T:DL.Core.DLException">The model does not begin so, the batch is not of one example, or a number is not finite.</exception>
    let featureMaps (layer: Layer<'x, Image>) (model: Model<'x, 'y>) (example: Batch<'x>) : Picture list =
        single "Inside.featureMaps" example
        let maps = Picture.row 0 (Batch.tensor (Model.predict (front "Inside.featureMaps" layer model) example))
        let low, high = extremes maps
        let range = if low < high then low, high else low, low + 1.0
        [ for channel in 0 .. maps.Shape[0] - 1 -> Picture.ofTensorIn range (Picture.row channel maps) ]

    /// <summary>What every step attends to: the weights of the heads of self attention, [N; heads; T; T]; each row sums to 1, or is zero where nothing is seen.</summary>
    /// <param name="before">The layers before the attention, as the model was made of them.</param>
    /// <param name="options">The settings of the attention.</param>
    /// <param name="heads">Its heads.</param>
    /// <param name="model">A model that begins with these layers and <c>selfAttentionWith options heads</c>.</param>
    /// <param name="input">The examples.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">The model does not begin so.</exception>
    let attention (before: Layer<'x, Seq>) (options: AttendSettings) (heads: int) (model: Model<'x, 'y>) (input: Batch<'x>) : Tensor =
        let front layer = front "Inside.attention" layer model
        let until = front (before --> selfAttentionWith options heads)
        let steps = Model.predict (front before) input
        AttentionLayers.selfWeights options heads until.Params[before.Slots.Length ..] (Padded.like input steps)

    /// <summary>The weights of every head for one example as pictures, query by row and key by column, from black 0 to white 1.</summary>
    /// <param name="example">The number of the example.</param>
    /// <param name="weights">As <c>attention</c> gives them.</param>
    let attentionMaps (example: int) (weights: Tensor) : Picture list =
        let s = weights.Shape
        let size = s[2] * s[3]
        let numbers = weights.ToArray<float>()

        [ for head in 0 .. s[1] - 1 ->
              let from = (example * s[1] + head) * size
              Picture.ofTensorIn (0.0, 1.0) (Tensor.Of<float>(numbers[from .. from + size - 1], s[2], s[3])) ]

    let private parameter where name (model: Model<'x, 'y>) : Tensor =
        match Model.stateDict model |> List.tryFind (fun (known, _) -> known = name) with
        | Some(_, t) -> t
        | None ->
            let names = Model.stateDict model |> List.map fst |> String.concat ", "
            raise (InvalidArgumentException(where, $"a name among {names}", $"'{name}'"))

    /// <summary>The windows of a convolution as pictures of one range, in which middle gray is 0.</summary>
    /// <remarks>With three input channels, a colour picture for every output channel; else a gray one for every pair, the inputs of
    /// the first output first: <c>Picture.grid inputs</c> has a row for every output.</remarks>
    /// <param name="name">The name of the weights, such as <c>0.weight</c>.</param>
    /// <param name="model">The model.</param>
    /// <exception cref="T:DL.Core.DLException">There are no such weights, they are no windows over images, or a number is not finite.</exception>
    let kernels (name: string) (model: Model<'x, 'y>) : Picture list =
        let t = parameter "Inside.kernels" name model

        if t.Shape.Rank <> 4 then
            raise (ShapeException($"Inside.kernels '{name}'", "weights of shape [out; in; height; width]", $"{t.Shape}"))

        let low, high = extremes t
        let most = max (abs low) (abs high)
        let range = if most = 0.0 then -1.0, 1.0 else -most, most
        let outputs, inputs, h, w = t.Shape[0], t.Shape[1], t.Shape[2], t.Shape[3]
        let windows = if inputs = 3 then t else t.Reshape(outputs * inputs, h, w)
        [ for i in 0 .. windows.Shape[0] - 1 -> Picture.ofTensorIn range (Picture.row i windows) ]

    let private backward (model: Model<'x, 'y>) (input: Batch<'x>) (cotangent: Batch<'y> -> Batch<'y>) : Batch<'x> =
        let pass = Model.forward Predict model input
        let struct (dx, _) = pass.Pullback(cotangent pass.Output)
        dx

    let private numbers where (input: Batch<'x>) =
        for t in Batch.parts input do
            if t.ElementType = ElementType.Int32 then
                raise (InvalidArgumentException(where, "inputs of real numbers", "int32 ids, which have no gradient"))

    let private largestOverChannels (g: Tensor) =
        let n, c, h, w = g.Shape[0], g.Shape[1], g.Shape[2], g.Shape[3]
        let values = g.ToArray<float>()
        let at i = seq { for channel in 0 .. c - 1 -> abs values[(i / (h * w) * c + channel) * h * w + i % (h * w)] }
        Tensor.Of<float>(Array.init (n * h * w) (at >> Seq.max), n, h, w) :> Tensor

    /// <summary><c>|d score[class] / d x|</c>, largest over the channels: how much each pixel moves the score of a class.</summary>
    /// <remarks>K. Simonyan, A. Vedaldi, A. Zisserman, Deep inside convolutional networks, 2014.</remarks>
    /// <param name="classes">The class whose score is asked for, one for every example.</param>
    /// <param name="model">A model that gives scores.</param>
    /// <param name="input">The examples.</param>
    /// <returns>float64, <c>[N; height; width]</c> for images; else of the shape of the input.</returns>
    /// <exception cref="T:DL.Core.DLException">A class is out of range, their number is not that of the examples, or the inputs do not fit.</exception>
    let saliency (classes: int[]) (model: Model<'x, Vec>) (input: Batch<'x>) : Tensor =
        numbers "Inside.saliency" input
        let outputs = Shape.features model.Output

        if classes.Length <> Batch.count input then
            raise (ShapeException("Inside.saliency", $"{Batch.count input} classes, one for each example", $"{classes.Length}"))

        DL.Core.Data.Labels.Check(classes, outputs, "Inside.saliency class")

        let chosen (scores: Batch<Vec>) =
            let one i = if classes[i / outputs] = i % outputs then 1.0 else 0.0
            let t = Tensor.Of<float>(Array.init (classes.Length * outputs) one, classes.Length, outputs)
            Batch.vec (t.To (Batch.held scores).ElementType)

        let gradient = Batch.tensor (backward model input chosen)

        if typeof<'x> = typeof<Image> then
            largestOverChannels gradient
        else
            (gradient.To ElementType.Float64).Map(Func<float, float>(abs))

    /// <summary>Adversarial examples by the fast gradient sign: <c>x + epsilon sign(d loss / d x)</c>, clipped to a range.</summary>
    /// <remarks>I. Goodfellow, J. Shlens, C. Szegedy, Explaining and harnessing adversarial examples, 2015.</remarks>
    /// <param name="epsilon">How far each number moves, at least 0.</param>
    /// <param name="low">The smallest number an input may hold.</param>
    /// <param name="high">The largest.</param>
    /// <param name="loss">The loss to raise.</param>
    /// <param name="model">The model.</param>
    /// <param name="examples">The examples and their targets.</param>
    /// <returns>The moved inputs, in the precision of the model; where the gradient is 0 a number stays.</returns>
    /// <exception cref="T:DL.Core.DLException">Epsilon or the range is not in order, an input lies outside the range, or shapes or targets do not fit.</exception>
    let fgsm
        (epsilon: float)
        (low: float, high: float)
        (loss: Loss<'y, 't>)
        (model: Model<'x, 'y>)
        (examples: Examples<'x, 't>)
        : Batch<'x> =
        numbers "Inside.fgsm" examples.Inputs

        if not (Double.IsFinite epsilon && epsilon >= 0.0) then
            raise (InvalidArgumentException("Inside.fgsm", "a finite epsilon of at least 0", $"{epsilon}"))

        if not (low < high) then
            raise (InvalidArgumentException("Inside.fgsm", "a range with low below high", $"{low} to {high}"))

        for t in Batch.parts examples.Inputs do
            match t.ToArray<float>() |> Array.tryFind (fun v -> not (v >= low && v <= high)) with
            | Some value -> raise (InvalidArgumentException("Inside.fgsm", $"inputs from {low} to {high}", $"{value}"))
            | None -> ()

        loss.Check model.Output examples.Targets
        let examples = Examples.convert (Model.elementType model.Precision) examples

        let gradient =
            backward model examples.Inputs (fun scores ->
                let struct (_, dy) = loss.Evaluate scores examples.Targets
                dy)

        let move (x: float) (g: float) =
            if g > 0.0 then min high (x + epsilon)
            elif g < 0.0 then max low (x - epsilon)
            else x

        Batch.map2 (fun x g -> x.Map(g, Func<float, float, float>(move))) examples.Inputs gradient

    let private judge (model: Model<'x, Vec>) (examples: Examples<'x, Label>) (from: int) (size: int) =
        let part = Examples.take (Array.init size (fun i -> from + i)) examples
        let scores = Model.predict model part.Inputs
        let logs = LogSoftmax.Forward((Batch.held scores).To ElementType.Float64).ToArray<float>()
        let labels, predictions = (Batch.held part.Targets).ToArray<int>(), Metric.classes scores
        let classes = Shape.features model.Output

        [ for i in 0 .. size - 1 ->
              { Index = from + i
                Label = labels[i]
                Prediction = predictions[i]
                Probability = exp logs[i * classes + predictions[i]]
                Loss = -logs[i * classes + labels[i]] } ]

    /// <summary>The examples of the highest cross entropy, the worst first; equal ones in their order.</summary>
    /// <param name="count">How many, at least 1; all when there are fewer.</param>
    /// <param name="model">A model that gives scores.</param>
    /// <param name="examples">The examples.</param>
    /// <exception cref="T:DL.Core.DLException">The count is below 1, or inputs or labels do not fit.</exception>
    let worst (count: int) (model: Model<'x, Vec>) (examples: Examples<'x, Label>) : Sample list =
        if count < 1 then
            raise (InvalidArgumentException("Inside.worst", "at least 1", $"{count}"))

        Loss.crossEntropy.Check model.Output examples.Targets
        let n, size = Examples.count examples, 1024

        [ for from in 0..size .. n - 1 do
              yield! judge model examples from (min size (n - from)) ]
        |> List.sortBy (fun sample -> struct (-sample.Loss, sample.Index))
        |> List.truncate count

    /// <summary>All numbers of a parameter.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no parameter of that name.</exception>
    let weights (name: string) (model: Model<'x, 'y>) : float[] = (parameter "Inside.weights" name model).ToArray<float>()

    /// <summary>The distribution of a parameter's numbers in one or more models, over common intervals.</summary>
    /// <param name="bins">The number of intervals.</param>
    /// <param name="models">What each curve is called, the name of the parameter, and the model.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no such parameter, no model or no interval, or a number is not finite.</exception>
    let weightHistogram (bins: int) (models: (string * string * Model<'x, 'y>) list) : Chart =
        Chart.histogram bins "weight" [ for title, name, model in models -> title, weights name model ]

    /// <summary>The losses of a training run, epoch by epoch, and its metrics.</summary>
    /// <returns>A chart of the losses, and one for the metrics if there are any.</returns>
    /// <exception cref="T:DL.Core.InvalidArgumentException">The history is empty, or holds a number that is not finite.</exception>
    let curves (history: Epoch list) : Chart list =
        let points pick = history |> List.choose (fun e -> pick e |> Option.map (fun value -> float e.Number, value))

        let named name pick =
            [ if not (points pick).IsEmpty then
                  name, points pick ]

        let metrics = history |> List.collect (fun e -> List.map fst e.Metrics) |> List.distinct
        let metric name (e: Epoch) = e.Metrics |> List.tryFind (fun (n, _) -> n = name) |> Option.map snd

        [ yield Chart.lines ("epoch", "loss") (named "training loss" (fun e -> Some e.Loss) @ named "validation loss" _.ValidationLoss)
          if not metrics.IsEmpty then
              yield Chart.lines ("epoch", "metric") (metrics |> List.collect (fun name -> named name (metric name))) ]

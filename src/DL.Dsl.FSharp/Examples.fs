namespace DL

open System
open DL.Core
open DL.Core.Data
open DL.Core.Ops

/// <summary>Inputs and their targets, example by example.</summary>
[<NoEquality; NoComparison>]
type Examples<'x, 't> =
    {
        /// <summary>The inputs.</summary>
        Inputs: Batch<'x>
        /// <summary>The targets, as many.</summary>
        Targets: Batch<'t>
    }

/// <summary>Data: reading it, taking rows of it, splitting and scaling it.</summary>
[<RequireQualifiedAccess>]
module Examples =
    /// <summary>Examples from inputs and targets.</summary>
    /// <exception cref="T:DL.Core.ShapeException">Their numbers differ.</exception>
    let create (inputs: Batch<'x>) (targets: Batch<'t>) : Examples<'x, 't> =
        if Batch.count inputs <> Batch.count targets then
            raise (ShapeException("Examples.create", $"{Batch.count inputs} targets, one for each input", $"{Batch.count targets}"))

        { Inputs = inputs; Targets = targets }

    /// <summary>The number of examples.</summary>
    let count (examples: Examples<'x, 't>) : int = Batch.count examples.Inputs

    /// <summary>The examples at the given positions, in their order.</summary>
    /// <exception cref="T:DL.Core.DLException">A position is out of range.</exception>
    let take (rows: int[]) (examples: Examples<'x, 't>) : Examples<'x, 't> =
        { Inputs = Batch.take rows examples.Inputs
          Targets = Batch.take rows examples.Targets }

    /// <summary>Training and held-out examples by a fixed shuffle of the given seed.</summary>
    /// <param name="heldOut">The share held out, between 0 and 1.</param>
    /// <param name="seed">The seed of the shuffle.</param>
    /// <param name="examples">The examples.</param>
    let split (heldOut: float) (seed: int) (examples: Examples<'x, 't>) : struct (Examples<'x, 't> * Examples<'x, 't>) =
        let parts = Split.Shuffled(count examples, heldOut, uint64 seed)
        struct (take parts.Train examples, take parts.Test examples)

    let private ids (examples: Examples<'x, Label>) = (Batch.held examples.Targets).ToArray<int>()

    /// <summary>The examples of some classes, which are numbered anew: the first one given is class 0.</summary>
    /// <param name="classes">The classes, each once.</param>
    /// <param name="examples">The examples.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">A class is given twice, or no example is of it.</exception>
    let ofClasses (classes: int list) (examples: Examples<'x, Label>) : Examples<'x, Label> =
        let labels = ids examples

        for id, count in List.countBy id classes do
            if count > 1 || not (Array.contains id labels) then
                let got = if count > 1 then $"{id} {count} times" else $"{id}, of which there is no example"
                raise (InvalidArgumentException("Examples.ofClasses", "classes that examples are of, each once", got))

        let rows = [| 0 .. labels.Length - 1 |] |> Array.filter (fun i -> List.contains labels[i] classes)
        let kept = take rows examples

        { kept with
            Targets = Batch.labels (rows |> Array.map (fun i -> List.findIndex ((=) labels[i]) classes)) }

    /// <summary>The first n examples of every class, in their order.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">n is negative, or a class has fewer.</exception>
    let firstOfEach (n: int) (examples: Examples<'x, Label>) : Examples<'x, Label> =
        let byClass = ids examples |> Array.indexed |> Array.groupBy snd

        for label, rows in byClass do
            if n < 0 || n > rows.Length then
                let expected = $"a number from 0 to {rows.Length}, the examples of class {label}"
                raise (InvalidArgumentException("Examples.firstOfEach", expected, $"{n}"))

        take (byClass |> Array.collect (fun (_, rows) -> rows |> Array.take n |> Array.map fst) |> Array.sort) examples

    let private vectors (set: Dataset) =
        let numbers = set.Features |> Array.map float32
        Batch.vec (Tensor.Of<float32>(numbers, set.Rows, set.FeatureNames.Count))

    let private labelled (set: Dataset) : Examples<Vec, Label> = create (vectors set) (Batch.labels set.Labels)

    /// <summary>Handwritten digits: 1797 images of 8 x 8 pixels from 0 to 1, ten classes; embedded.</summary>
    /// <remarks>E. Alpaydin, C. Kaynak, Optical recognition of handwritten digits, UCI, 1998; CC BY 4.0.</remarks>
    let digits () : Examples<Vec, Label> =
        let raw = labelled (Datasets.Digits())

        { raw with
            Inputs = Batch.map (fun t -> Scale.Forward(t, 1.0 / 16.0)) raw.Inputs }

    /// <summary>Fisher's iris: 150 flowers, 4 measures in cm, three species; embedded. UCI, CC BY 4.0.</summary>
    let iris () : Examples<Vec, Label> = labelled (Datasets.Iris())

    /// <summary>Wine recognition: 178 wines, 13 measures, three cultivars; embedded. UCI, CC BY 4.0.</summary>
    let wine () : Examples<Vec, Label> = labelled (Datasets.Wine())

    /// <summary>Breast cancer Wisconsin (diagnostic): 569 tumours, 30 measures, malignant 0 or benign 1; embedded. UCI, CC BY 4.0.</summary>
    let breastCancer () : Examples<Vec, Label> = labelled (Datasets.BreastCancer())

    /// <summary>Diabetes progression: 442 patients, 10 measures, the progression after a year; embedded. B. Efron et al., 2004.</summary>
    let diabetes () : Examples<Vec, Vec> =
        let set = Datasets.Diabetes()
        let targets = Tensor.Of<float32>(set.Targets |> Array.map float32, set.Rows, 1)
        create (vectors set) (Batch.vec targets)

    /// <summary>MNIST from two IDX files, gzip or not: images as vectors of 784 pixels from 0 to 1.</summary>
    /// <exception cref="T:DL.Core.DataFormatException">A file is missing, truncated or in another format.</exception>
    let mnist (images: string) (labels: string) : Examples<Vec, Label> =
        let set = Mnist.Read(images, labels)
        create (Batch.vec ((set.ToTensor()).Reshape(set.Count, set.Height * set.Width))) (Batch.labels set.Labels)

    /// <summary>Windows over a text, each with the same tokens one later: what a language model learns from.</summary>
    /// <param name="windows">See <c>DL.Core.Data.TextWindows</c>.</param>
    let ofWindows (windows: TokenBatch) : Examples<Tokens, Tokens> =
        let tokens (ids: int[]) = Batch.tokens (Tensor.Of<int>(ids, windows.Rows, windows.Length))
        create (tokens windows.Inputs) (tokens windows.Targets)

    let private columns (examples: Examples<Vec, 't>) =
        let t = Batch.held examples.Inputs
        struct (t.ToArray<float>(), t.Shape[1])

    let private ofColumns (numbers: float[]) width (like: Batch<Vec>) =
        let element = (Batch.held like).ElementType
        Batch.vec ((Tensor.Of<float>(numbers, numbers.Length / max 1 width, width)).To element)

    /// <summary>Standardizes every feature, <c>(x - mean) / deviation</c>, by the statistics of the first set; the second set follows them.</summary>
    /// <param name="train">The set the statistics come from.</param>
    /// <param name="test">The set that is scaled likewise.</param>
    let standardize (train: Examples<Vec, 't>) (test: Examples<Vec, 't>) : struct (Examples<Vec, 't> * Examples<Vec, 't>) =
        let struct (numbers, width) = columns train
        let scaler = Standardizer.Fit(numbers, width)

        let scaled (examples: Examples<Vec, 't>) =
            let struct (numbers, width) = columns examples

            { examples with
                Inputs = ofColumns (scaler.Apply numbers) width examples.Inputs }

        struct (scaled train, scaled test)

    /// The examples in a number format; ids stay as they are.
    let internal convert (element: ElementType) (examples: Examples<'x, 't>) : Examples<'x, 't> =
        let change (t: Tensor) = if t.ElementType = element || t.ElementType = ElementType.Int32 then t else t.To element

        { Inputs = Batch.map change examples.Inputs
          Targets = Batch.map change examples.Targets }

    /// Fails with the row of the first number that is not finite.
    let internal checkFinite where (batch: Batch<'x>) =
        for t in Batch.parts batch do
            match t.FirstNotFinite() with
            | -1 -> ()
            | i ->
                let width = max 1 (t.Count / max 1 t.Shape[0])
                raise (InvalidArgumentException($"{where}, row {i / width}, element {i % width}", "a finite number", $"{t.At i}"))

namespace DL

open DL.Core
open DL.Core.Augmentation
open DL.Core.Data
open DL.Core.Random

/// <summary>A random change of examples: a pure function of a key for each, whatever else is in the batch. Make one by the parts of <c>Augment</c>.</summary>
[<NoEquality; NoComparison>]
type Augmentation<'x> = internal { Change: Key[] -> Batch<'x> -> Batch<'x> }

/// <summary>Random changes of examples that keep what they show:
/// <c>Augment.all [ Augment.flip 0.5; Augment.crop (32, 32) 4 ] |> Augment.inputs</c> is what <c>Pipeline.batchKeyed</c> takes.</summary>
[<RequireQualifiedAccess>]
module Augment =
    let private images (change: Tensor -> Key[] -> Tensor) : Augmentation<Image> =
        { Change = fun keys batch -> Batch.map (fun t -> change t keys) batch }

    /// <summary>A change of your own, of the keys of examples and the batch of them.</summary>
    /// <param name="change">A pure function. Make draws of <c>keys[i]</c> alone for example i, and it is independent of the batch.</param>
    let ofFunction (change: Key[] -> Batch<'x> -> Batch<'x>) : Augmentation<'x> = { Change = change }

    /// <summary>No change.</summary>
    let none<'x> : Augmentation<'x> = { Change = fun _ batch -> batch }

    /// <summary>Changes one after the other, each with keys of its own.</summary>
    let all (parts: Augmentation<'x> list) : Augmentation<'x> =
        let step keys batch (i, part) = part.Change (keys |> Array.map (fun (key: Key) -> key.At(uint64<int> i))) batch
        { Change = fun keys batch -> List.fold (step keys) batch (List.indexed parts) }

    /// <summary>Changes of one element, a text or a sound, one after the other, each with a key of its own: change i by <c>key.At i</c>.</summary>
    /// <remarks>Elements have sizes of their own, so that they are changed one by one, before they are put into a batch:
    /// <c>Pipeline.mapKeyed key (Augment.inTurn [ AugmentText.delete 0.1; AugmentText.swap 1 ])</c>.</remarks>
    /// <param name="changes">Pure functions of a key and an element, such as those of <c>AugmentText</c> and <c>AugmentSound</c>.</param>
    /// <param name="key">The key of the element.</param>
    /// <param name="element">The element.</param>
    let inTurn (changes: (Key -> 'a -> 'a) list) (key: Key) (element: 'a) : 'a =
        let step element (i, change) = change (key.At(uint64<int> i)) element
        List.fold step element (List.indexed changes)

    /// <summary>Left and right exchanged, in each image with a probability: <c>y[i, j] = x[i, width - 1 - j]</c>.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">When applied: the probability is not in [0, 1].</exception>
    let flip (probability: float) : Augmentation<Image> = images (fun t keys -> Flip.Horizontal(t, keys, probability))

    /// <summary>Top and bottom exchanged, in each image with a probability.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">When applied: the probability is not in [0, 1].</exception>
    let flipVertical (probability: float) : Augmentation<Image> = images (fun t keys -> Flip.Vertical(t, keys, probability))

    /// <summary>A part of each image at a random place, after rows and columns of zeros were put on every side.</summary>
    /// <param name="height">The rows of a part.</param>
    /// <param name="width">The columns of a part.</param>
    /// <param name="padding">The rows and columns put on each side.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">When applied: a part is larger than the padded image, or the padding negative.</exception>
    let crop (height: int, width: int) (padding: int) : Augmentation<Image> =
        images (fun t keys -> Crop.Random(t, keys, height, width, padding))

    /// <summary>The middle of each image; nothing is random, so that it also serves evaluation.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">When applied: a part is larger than the image.</exception>
    let centerCrop (height: int, width: int) : Augmentation<Image> = images (fun t _ -> Crop.Center(t, height, width))

    /// <summary>Each image turned about its middle by an angle uniform in [-degrees, degrees), bilinear, with zeros beside the image.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">When applied: the angle is negative or not finite.</exception>
    let rotate (degrees: float) : Augmentation<Image> = images (fun t keys -> Rotate.Random(t, keys, degrees))

    /// <summary>Random brightness, contrast and saturation of images from 0 to 1; each strength is from 0 to 1, and 0 changes nothing. See <c>DL.Core.Augmentation.ColorJitter</c>.</summary>
    /// <exception cref="T:DL.Core.DLException">When applied: a strength is out of range, or the images have neither 1 channel nor 3.</exception>
    let colorJitter (brightness: float) (contrast: float) (saturation: float) : Augmentation<Image> =
        images (fun t keys -> ColorJitter.Random(t, keys, brightness, contrast, saturation))

    /// <summary>A batch changed: example i by <c>key.At i</c>.</summary>
    /// <exception cref="T:DL.Core.DLException">A setting is out of range, or the examples do not fit.</exception>
    let apply (key: Key) (augmentation: Augmentation<'x>) (batch: Batch<'x>) : Batch<'x> =
        augmentation.Change (Array.init (Batch.count batch) (fun i -> key.At(uint64<int> i))) batch

    /// <summary>The change of the inputs of examples, for <c>Pipeline.batchKeyed</c>; targets stay as they are.</summary>
    let inputs (augmentation: Augmentation<'x>) (keys: Key[]) (examples: Examples<'x, 't>) : Examples<'x, 't> =
        { examples with Inputs = augmentation.Change keys examples.Inputs }

    /// <summary>The inputs of examples changed by one key, example i by <c>key.At i</c>: what <c>Trainer.Augment</c> takes.</summary>
    /// <exception cref="T:DL.Core.DLException">A setting is out of range, or the examples do not fit.</exception>
    let examples (augmentation: Augmentation<'x>) (key: Key) (examples: Examples<'x, 't>) : Examples<'x, 't> =
        { examples with Inputs = apply key augmentation examples.Inputs }

    /// <summary>Labels as vectors: 1 at the class, 0 elsewhere.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">A label is not from 0 to <c>classes - 1</c>.</exception>
    let oneHot (classes: int) (labels: Batch<Label>) : Batch<Vec> = Batch.vec (OneHot.Encode(Batch.tensor labels, classes))

    /// <summary>Each example mixed with another of the batch, and its target likewise: <c>w x_i + (1 - w) x_j</c> with <c>w ~ Beta(alpha, alpha)</c>.</summary>
    /// <remarks>Targets are vectors, of classes by <c>oneHot</c>. H. Zhang et al., mixup, 2018.</remarks>
    /// <param name="alpha">Above 0; 0.2 to 0.4 is usual for images.</param>
    /// <param name="key">The key of this batch, as <c>Pipeline.mapKeyed</c> gives it.</param>
    /// <param name="examples">The examples.</param>
    /// <exception cref="T:DL.Core.DLException">alpha is out of range, or inputs are ids or padded.</exception>
    let mixUp (alpha: float) (key: Key) (examples: Examples<'x, Vec>) : Examples<'x, Vec> =
        Padded.refuse "Augment.mixUp" examples.Inputs
        let mixture = MixUp.Draw(Batch.count examples.Inputs, alpha, key)
        let mix batch = Batch.map (fun t -> MixUp.Apply(t, mixture)) batch

        { Inputs = mix examples.Inputs; Targets = mix examples.Targets }

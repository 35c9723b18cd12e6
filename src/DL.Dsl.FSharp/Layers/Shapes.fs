namespace DL

open DL.Core
open DL.Core.Ops

/// <summary>Layers that move numbers and change none.</summary>
[<AutoOpen>]
module ShapeLayers =
    let private settled settings layer = Layer.withSettings settings layer

    /// A tensor of rows, or of images where they lie channels last, read as a tensor of the other kind.
    let private read (from: Storage) (towards: Storage) (shape: Shape) (t: Tensor) : Tensor =
        let rows = if from = ChannelsLast then Batch.channelsFirst t else t
        let read = rows.Reshape(shape.Prepend t.Shape[0])
        if towards = ChannelsLast then Batch.channelsLast read else read

    /// Reads a batch under another shape of its examples.
    let private reshaped name (target: Shape<'x> -> Shape<'y>) : Layer<'x, 'y> =
        let input, output = Storage<'x>.Of, Storage<'y>.Of

        Layer.pure' name target (fun x ->
            let shape = Batch.shape x
            struct (Batch.map (read input output (Shape.core (target shape))) x, Batch.map (read output input (Shape.core shape))))

    let private reshapedTo name (extents: int list) : Layer<'x, 'y> =
        let target: Shape<'y> = Shape.leaf extents

        let fits (shape: Shape<'x>) =
            let have, want = (Shape.core shape).Count, (Shape.core target).Count

            if have <> want then
                raise (ShapeException(name, $"an input of {want} numbers, to be read as {target}", $"{have} numbers of shape {shape}"))

            target

        reshaped name fits |> settled (extents |> List.map string)

    /// <summary>An image read as a vector, in C, H, W order.</summary>
    let flatten: Layer<Image, Vec> = reshaped "flatten" (fun s -> Shape.vec (Shape.core s).Count)

    /// <summary>A sequence read as a vector, step after step; padding is read as zeros.</summary>
    let flattenSeq: Layer<Seq, Vec> =
        Layer.pure' "flattenSeq" (fun s -> Shape.vec (Shape.core s).Count) (fun x ->
            let t, lengths = Batch.held x, Padded.orNull x
            let y = (Padded.zeroed lengths t).Reshape(t.Shape[0], t.Shape[1] * t.Shape[2])
            struct (Batch.ofTensor y, Batch.map (fun dy -> Padded.zeroed lengths (dy.Reshape t.Shape))))

    /// <summary>The pixels of an image as a sequence, row after row; each gives so many steps, which share its channels out.</summary>
    /// <remarks>An image of <c>C x H x W</c> gives <c>H W steps</c> steps of <c>C / steps</c> numbers.</remarks>
    /// <param name="steps">The steps of every pixel.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no step.</exception>
    /// <exception cref="T:DL.Core.ShapeException">In Init: the steps do not divide the channels.</exception>
    let pixels (steps: int) : Layer<Image, Seq> =
        if steps < 1 then
            raise (InvalidArgumentException("pixels", "at least 1 step for every pixel", $"{steps}"))

        Layer.pure'
            "pixels"
            (fun shape ->
                let s = Shape.core shape
                Kernel.divides "pixels" "channels" s[0] steps
                Shape.seq (s[1] * s[2] * steps, s[0] / steps))
            (fun input ->
                let x = Batch.held input
                let y = x.Reshape(x.Shape[0], x.Shape[1] * x.Shape[2] * steps, x.Shape[3] / steps)
                struct (Batch.ofTensor y, Batch.map (fun dy -> dy.Reshape x.Shape)))
        |> settled [ string steps ]

    /// <summary>A vector read as an image of channels, height and width.</summary>
    /// <exception cref="T:DL.Core.ShapeException">In Init: the counts differ.</exception>
    let toImage (channels: int, height: int, width: int) : Layer<Vec, Image> = reshapedTo "toImage" [ channels; height; width ]

    /// <summary>A vector read as a sequence of <c>time</c> steps of <c>features</c> numbers.</summary>
    /// <exception cref="T:DL.Core.ShapeException">In Init: the counts differ.</exception>
    let toSeq (time: int, features: int) : Layer<Vec, Seq> = reshapedTo "toSeq" [ time; features ]

    /// <summary>Time and features exchanged.</summary>
    let transpose: Layer<Seq, Seq> =
        let exchange (t: Tensor) : Tensor = Transpose.Forward(t, 0, 2, 1)

        Layer.pure'
            "transpose"
            (fun s ->
                let shape = Shape.core s
                Shape.seq (shape[1], shape[0]))
            (fun x ->
                Padded.refuse "transpose" x
                struct (Batch.map exchange x, Batch.map exchange))

    /// The part of the last axis from a position on.
    let private part (from: int) (length: int) (t: Tensor) : Tensor = Slice.Forward(t, -1, from, length)

    /// <summary>A vector cut in two: the first <c>n</c> numbers, and the rest.</summary>
    /// <exception cref="T:DL.Core.ShapeException">In Init: there are fewer than n numbers.</exception>
    let splitAt (n: int) : Layer<Vec, Vec * Vec> =
        Layer.pure'
            "splitAt"
            (fun s ->
                let width = Shape.features s

                if n < 0 || n > width then
                    raise (ShapeException($"splitAt {n}", $"at least {max n 0} features", $"{width}"))

                Shape.pair (Shape.vec n) (Shape.vec (width - n)))
            (fun x ->
                let t = Batch.held x
                let rest = t.Shape.Last - n

                struct (Batch.pair (Batch.ofTensor (part 0 n t)) (Batch.ofTensor (part n rest t)),
                        fun dy ->
                            let struct (a, b) = Batch.split dy
                            Batch.ofTensor (Concat.Forward(-1, Batch.held a, Batch.held b))))
        |> settled [ string n ]

    /// <summary>Zeros put before and after the features of a vector.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">A count is negative.</exception>
    let pad (before: int) (after: int) : Layer<Vec, Vec> =
        if before < 0 || after < 0 then
            raise (InvalidArgumentException("pad", "counts of at least 0", $"{before} and {after}"))

        Layer.pure' "pad" (fun s -> Shape.vec (Shape.features s + before + after)) (fun x ->
            let width = (Batch.held x).Shape.Last
            struct (Batch.map (fun t -> Pad.Forward(t, -1, before, after)) x, Batch.map (part before width)))
        |> settled [ string before; string after ]

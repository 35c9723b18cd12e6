namespace DL

open System
open DL.Core
open DL.Core.Ops

/// <summary>The settings of a region alignment: <c>roiAlignWith { Region.defaults with Samples = 2 } (1.0 / 16.0) (7, 7)</c>.</summary>
type RegionSettings =
    {
        /// <summary>The samples of a bin along each axis, from 1 to 1024; 0 takes one for every pixel begun.</summary>
        Samples: int
        /// <summary>Whether pixels have their centres at halves, so that nothing is moved by half a pixel.</summary>
        Aligned: bool
    }

/// <summary>Settings of region alignments.</summary>
[<RequireQualifiedAccess>]
module Region =
    /// <summary>A sample for every pixel begun; aligned.</summary>
    let defaults = { Samples = 0; Aligned = true }

/// <summary>Poolings over boxes of an image.</summary>
/// <remarks>The boxes of an image are a sequence of steps of four numbers, left, top, right and bottom; what a box holds is a step of the result, so that
/// <c>perToken (dense 64 --&gt; relu --&gt; dense 10)</c> is a head over boxes. Images with fewer boxes than others are padded: see <c>Padded.withLengths</c>.
/// Boxes have no gradient.</remarks>
[<AutoOpen>]
module RegionLayers =
    // Further out the operation takes no corner, since float32 no longer tells every pixel from the next.
    let private furthest = float (1 <<< 24)

    let private check where scale (rows, columns) samples =
        if not (Double.IsFinite scale && scale > 0.0) then
            raise (InvalidArgumentException(where, "a scale above 0", $"{scale}"))

        if min rows columns < 1 then
            raise (InvalidArgumentException(where, "at least one row and one column", $"{rows} x {columns}"))

        if samples < 0 || samples > 1024 then
            raise (InvalidArgumentException(where, "0 to 1024 samples", $"{samples}"))

    let private shapeOf where (rows, columns) (shape: Shape<Image * Seq>) : Shape<Seq> =
        let struct (image, boxes) = Shape.split shape
        let pixels, corners = Shape.core image, Shape.core boxes

        if min pixels[1] pixels[2] < 1 then
            raise (ShapeException(where, "images of at least one pixel", $"{image}"))

        if corners[1] <> 4 then
            raise (ShapeException(where, "boxes of 4 numbers, left, top, right and bottom", $"{boxes}"))

        Shape.seq (corners[0], (Shape [| pixels[0]; rows; columns |]).Count)

    let private checkBox where scale count i (corners: ReadOnlySpan<float>) =
        let mutable fits = corners[0] <= corners[2] && corners[1] <= corners[3]

        for corner in corners do
            // False for what is no number too.
            fits <- fits && abs (scale * corner) <= furthest

        if not fits then
            let shown = String.Join(", ", corners.ToArray())
            let expected = $"left at most right, top at most bottom, and all, scaled, at most {furthest} from 0"
            raise (InvalidArgumentException($"{where}, example {i / count}, box {i % count}", expected, shown))

    /// The regions of all boxes: the image, left, top, right, bottom. Padding is not read, and becomes the corner of the image.
    let private regionsOf where scale (boxes: Batch<Seq>) : Tensor =
        let corners = Padded.zeroed (Padded.orNull boxes) (Batch.held boxes)
        let images, count = corners.Shape[0], corners.Shape[1]
        let numbers = corners.ToArray<float>()
        let regions = Array.zeroCreate<float>(5 * images * count)

        for i in 0 .. images * count - 1 do
            checkBox where scale count i (ReadOnlySpan(numbers, 4 * i, 4))
            regions[5 * i] <- float (i / count)
            Array.blit numbers (4 * i) regions (5 * i + 1) 4

        Tensor.Of<float>(regions, images * count, 5)

    let private pooling name settings (scale: float) (rows, columns) forward (backward: Tensor -> Tensor -> Tensor -> Tensor) =
        let settings = string scale :: $"{rows}x{columns}" :: settings
        let where = string (Layer.about name settings)

        Layer.pure' name (shapeOf where (rows, columns)) (fun (input: Batch<Image * Seq>) ->
            let struct (image, boxes) = Batch.split input
            let x, corners = Batch.held image, Batch.held boxes
            let regions = regionsOf where scale boxes
            let y: Tensor = forward x regions
            let bins, channels = y.Shape, x.Shape[3]
            // A box is read in the order of channels, rows and columns, as flatten reads an image.
            let steps = (Batch.channelsFirst y).Reshape(corners.Shape[0], corners.Shape[1], channels * rows * columns)

            let back (dy: Batch<Seq>) : Batch<Image * Seq> =
                let counted = Padded.zeroed (Padded.orNull boxes) (Batch.held dy)
                let dimage () = backward (Batch.channelsLast (counted.Reshape(bins[0], channels, rows, columns))) x regions
                Batch.pair (Batch.delayed dimage) (Batch.zerosLike corners corners.Shape)

            struct (Batch.ofTensor steps, back))
        |> Layer.withSettings settings
        |> Layer.pointwise

    /// <summary>The largest number of every bin of every box, channel by channel: see <c>DL.Core.Ops.RoiPool</c>.</summary>
    /// <remarks>From an image of C channels and K boxes to K steps of <c>C rows columns</c> numbers. R. Girshick, Fast R-CNN, 2015.</remarks>
    /// <param name="scale">Pixels of the image per unit of the boxes, such as 1/16 behind layers of stride 16.</param>
    /// <param name="rows">The rows of bins.</param>
    /// <param name="columns">The columns of bins.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no row or column, or the scale is not above 0. In a pass: a box has its corners exchanged
    /// or is not finite; the message names it.</exception>
    /// <exception cref="T:DL.Core.ShapeException">In Init: boxes are not of 4 numbers, or images have no pixel.</exception>
    let roiPool (scale: float) (rows: int, columns: int) : Layer<Image * Seq, Seq> =
        check "roiPool" scale (rows, columns) 0

        pooling "roiPool" [] scale (rows, columns) (fun x regions -> RoiPool.Forward(x, regions, rows, columns, scale)) (fun dy x regions ->
            RoiPool.Backward(dy, x, regions, scale))

    /// <summary>The mean of samples in every bin of every box, with settings of your own: see <c>DL.Core.Ops.RoiAlign</c>.</summary>
    /// <param name="options">As <c>{ Region.defaults with Samples = 2 }</c>.</param>
    /// <param name="scale">Pixels of the image per unit of the boxes.</param>
    /// <param name="rows">The rows of bins.</param>
    /// <param name="columns">The columns of bins.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">As <c>roiAlign</c>, or the number of samples is out of range.</exception>
    /// <exception cref="T:DL.Core.ShapeException">In Init: boxes are not of 4 numbers, or images have no pixel.</exception>
    let roiAlignWith (options: RegionSettings) (scale: float) (rows: int, columns: int) : Layer<Image * Seq, Seq> =
        check "roiAlign" scale (rows, columns) options.Samples

        let settings =
            [ if options.Samples > 0 then
                  $"{options.Samples} samples"
              if not options.Aligned then
                  "not aligned" ]

        pooling
            "roiAlign"
            settings
            scale
            (rows, columns)
            (fun x regions -> RoiAlign.Forward(x, regions, rows, columns, scale, options.Samples, options.Aligned))
            (fun dy x regions -> RoiAlign.Backward(dy, x.Shape, regions, scale, options.Samples, options.Aligned))

    /// <summary>The mean of samples between pixels in every bin of every box, channel by channel; nothing is rounded.</summary>
    /// <remarks>From an image of C channels and K boxes to K steps of <c>C rows columns</c> numbers. K. He et al., Mask R-CNN, 2017.</remarks>
    /// <param name="scale">Pixels of the image per unit of the boxes, such as 1/16 behind layers of stride 16.</param>
    /// <param name="rows">The rows of bins.</param>
    /// <param name="columns">The columns of bins.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no row or column, or the scale is not above 0. In a pass: a box has its corners exchanged
    /// or is not finite; the message names it.</exception>
    /// <exception cref="T:DL.Core.ShapeException">In Init: boxes are not of 4 numbers, or images have no pixel.</exception>
    let roiAlign (scale: float) (rows: int, columns: int) : Layer<Image * Seq, Seq> = roiAlignWith Region.defaults scale (rows, columns)

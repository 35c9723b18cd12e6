namespace DL

open DL.Core
open DL.Core.Ops

/// <summary>Layers that make images larger without parameters.</summary>
[<AutoOpen>]
module ResamplingLayers =
    let private check name what number =
        if number < 1 then
            raise (InvalidArgumentException(name, $"{what} of at least 1", $"{number}"))

    let private larger name (rule: Interpolation) factor : Layer<Image, Image> =
        check name "a factor" factor

        Layer.pure'
            name
            (fun shape ->
                let s = Shape.core shape
                Shape.image (s[0], s[1] * factor, s[2] * factor))
            (fun input ->
                let x = Batch.held input
                let y: Tensor = Upsample2d.Forward(x, x.Shape[1] * factor, x.Shape[2] * factor, rule)
                struct (Batch.ofTensor y, Batch.map (fun dy -> Upsample2d.Backward(dy, x.Shape, rule))))
        |> Layer.withSettings [ string factor ]

    /// <summary>Every pixel repeated: an image so many times as high and wide.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">The factor is below 1.</exception>
    let upsampleNearest (factor: int) : Layer<Image, Image> = larger "upsampleNearest" Interpolation.Nearest factor

    /// <summary>An image so many times as high and wide, straight lines between the middles of its pixels.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">The factor is below 1.</exception>
    let upsampleBilinear (factor: int) : Layer<Image, Image> = larger "upsampleBilinear" Interpolation.Bilinear factor

    /// <summary>Channels become pixels: channel <c>c r^2 + i r + j</c> of pixel (h, w) is channel c of pixel (h r + i, w r + j).</summary>
    /// <remarks>W. Shi et al., Real-time single image and video super-resolution, 2016.</remarks>
    /// <exception cref="T:DL.Core.InvalidArgumentException">The factor is below 1.</exception>
    /// <exception cref="T:DL.Core.ShapeException">In Init: the square of the factor does not divide the channels.</exception>
    let pixelShuffle (factor: int) : Layer<Image, Image> =
        check "pixelShuffle" "a factor" factor

        Layer.pure'
            "pixelShuffle"
            (fun shape ->
                let s = Shape.core shape

                if s[0] % (factor * factor) <> 0 then
                    raise (ShapeException($"pixelShuffle {factor}", $"channels that {factor * factor} divides", $"{s[0]}"))

                Shape.image (s[0] / (factor * factor), s[1] * factor, s[2] * factor))
            (fun x ->
                struct (Batch.map (fun t -> PixelShuffle.Forward(t, factor)) x, Batch.map (fun dy -> PixelShuffle.Backward(dy, factor))))
        |> Layer.withSettings [ string factor ]

namespace DL.Models

open DL

/// <summary>U-Net: down by pooling, up by transposed convolutions, and at every size what was there on the way down beside what comes up.</summary>
/// <remarks>O. Ronneberger, P. Fischer, T. Brox, U-Net: convolutional networks for biomedical image segmentation, 2015, with padding, so that the output has the
/// size of the input.</remarks>
[<RequireQualifiedAccess>]
module UNet =
    let private twice norm channels : Layer<Image, Image> =
        let conv = conv2dWith { Conv.defaults with Weights = Initializer.heNormal } channels (kernel 3 |> same)
        repeat 2 (conv --> norm --> relu)

    let rec private level norm depth channels : Layer<Image, Image> =
        if depth = 0 then
            twice norm channels
        else
            let below =
                maxPool2d (kernel 2)
                --> level norm (depth - 1) (2 * channels)
                --> convTranspose2d channels (kernel 2 |> stride 2)

            twice norm channels --> denseConnection below --> twice norm channels

    /// <summary>A U-Net of some depth: images whose sides <c>2^depth</c> divides, to scores of so many classes at every pixel.</summary>
    /// <param name="depth">How often the image is halved; 4 in the paper.</param>
    /// <param name="channels">The channels at full size; 64 in the paper.</param>
    /// <param name="classes">The classes.</param>
    let net (depth: int) (channels: int) (classes: int) : Layer<Image, Image> = level identity depth channels --> conv2d classes (kernel 1)

    /// <summary>The same with batch norm after every 3 x 3 convolution, which trains faster and further.</summary>
    /// <param name="depth">How often the image is halved.</param>
    /// <param name="channels">The channels at full size.</param>
    /// <param name="classes">The classes.</param>
    let normalized (depth: int) (channels: int) (classes: int) : Layer<Image, Image> =
        level batchNorm depth channels --> conv2d classes (kernel 1)

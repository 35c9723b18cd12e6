namespace DL.Models

open DL

/// <summary>FCN: a classifier's body, a score for every class at every place of its small image, and one transposed convolution back to full size.</summary>
/// <remarks>J. Long, E. Shelhamer, T. Darrell, Fully convolutional networks for semantic segmentation, 2015; the form with one step up (FCN-32s).</remarks>
[<RequireQualifiedAccess>]
module Fcn =
    /// <summary>Scores of so many classes, enlarged so many times: linearly between pixels at first, and learned from there.</summary>
    /// <param name="factor">How much smaller the body's image is than the input; even.</param>
    /// <param name="classes">The classes.</param>
    let head (factor: int) (classes: int) : Layer<Image, Image> =
        conv2d classes (kernel 1)
        --> convTranspose2dWith
                { Conv.defaults with Weights = Initializer.bilinear }
                0
                classes
                (kernel (2 * factor) |> stride factor |> padding (factor / 2))

    /// <summary>Over the body of ResNet-18, for images whose sides 32 divides; with 21 classes 12,993,642 parameters.</summary>
    let resnet18 (classes: int) : Layer<Image, Image> = ResNet.body18 --> head 32 classes

    let private twice channels : Layer<Image, Image> =
        let conv = conv2dWith { Conv.defaults with Bias = false; Weights = Initializer.heNormal } channels (kernel 3 |> same)

        repeat 2 (conv --> batchNorm --> relu)

    let rec private scores depth channels classes : Layer<Image, Image> =
        let here = conv2d classes (kernel 1)

        if depth = 0 then
            here
        else
            let twofold = kernel 4 |> stride 2 |> padding 1
            let enlarge = convTranspose2dWith { Conv.defaults with Weights = Initializer.bilinear } 0 classes twofold
            let below = maxPool2d (kernel 2) --> twice (2 * channels) --> scores (depth - 1) (2 * channels) classes --> enlarge
            add here below

    /// <summary>Scores at every size from the image's own down, each enlarged to the next and added (the way of FCN-8s): coarse ones say what there is, fine ones where.</summary>
    /// <param name="depth">How often the image is halved; <c>2^depth</c> divides its sides.</param>
    /// <param name="channels">The channels at full size, twice as many after each halving.</param>
    /// <param name="classes">The classes.</param>
    let skips (depth: int) (channels: int) (classes: int) : Layer<Image, Image> = twice channels --> scores depth channels classes

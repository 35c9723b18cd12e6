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

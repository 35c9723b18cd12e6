namespace DL.Models

open DL

/// <summary>LeNet-5: two convolutions, two poolings, three dense layers, for images of digits.</summary>
/// <remarks>Y. LeCun et al., Gradient-based learning applied to document recognition, 1998; the form of "Dive into Deep Learning", section 7.6.</remarks>
[<RequireQualifiedAccess>]
module LeNet =
    let private net (activation: Layer<Image, Image>) (bend: Layer<Vec, Vec>) pool classes : Layer<Image, Vec> =
        conv2d 6 (kernel 5 |> padding 2)
        --> activation
        --> pool
        --> conv2d 16 (kernel 5)
        --> activation
        --> pool
        --> flatten
        --> dense 120
        --> bend
        --> dense 84
        --> bend
        --> dense classes

    /// <summary>With sigmoids and average pooling. On images of 1 x 28 x 28 and ten classes it has 61,706 parameters.</summary>
    let original (classes: int) : Layer<Image, Vec> = net sigmoid sigmoid (avgPool2d (kernel 2)) classes

    /// <summary>With ReLU and max pooling, which train faster and further.</summary>
    let modern (classes: int) : Layer<Image, Vec> = net relu relu (maxPool2d (kernel 2)) classes

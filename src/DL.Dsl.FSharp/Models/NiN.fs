namespace DL.Models

open DL

/// <summary>Network in network: every convolution is followed by two of 1 x 1, and classes are averaged feature maps.</summary>
/// <remarks>M. Lin, Q. Chen, S. Yan, Network in network, 2013; the form of "Dive into Deep Learning", section 8.3, but for the ReLU after the
/// last convolution: scores of classes may be negative, and one that is 0 everywhere learns no more.</remarks>
[<RequireQualifiedAccess>]
module NiN =
    let private conv channels k : Layer<Image, Image> = conv2dWith { Conv.defaults with Weights = Initializer.heNormal } channels k --> relu

    /// <summary>A convolution and two of 1 x 1, each with ReLU.</summary>
    let block (channels: int) (k: Kernel) : Layer<Image, Image> = conv channels k --> conv channels (kernel 1) --> conv channels (kernel 1)

    let private pool: Layer<Image, Image> = maxPool2d (kernel 3 |> stride 2)

    /// <summary>The network for a number of classes: 1,992,166 parameters on images of one channel and ten classes.</summary>
    let net (classes: int) : Layer<Image, Vec> =
        block 96 (kernel 11 |> stride 4)
        --> pool
        --> block 256 (kernel 5 |> padding 2)
        --> pool
        --> block 384 (kernel 3 |> padding 1)
        --> pool
        --> dropout 0.5
        --> conv classes (kernel 3 |> padding 1)
        --> conv classes (kernel 1)
        --> conv2d classes (kernel 1)
        --> globalAvgPool2d

namespace DL.Models

open DL

/// <summary>AlexNet, in the two groups of its paper: 60,965,224 parameters on images of 3 x 227 x 227 and 1000 classes.</summary>
/// <remarks>A. Krizhevsky, I. Sutskever, G. Hinton, ImageNet classification with deep convolutional neural networks, 2012. Its local response
/// normalization, which has no parameters and which later work found needless, is left out.</remarks>
[<RequireQualifiedAccess>]
module AlexNet =
    let private pool: Layer<Image, Image> = maxPool2d (kernel 3 |> stride 2)
    let private inTwo channels k : Layer<Image, Image> = conv2dWith { Conv.defaults with Groups = 2 } channels k --> relu
    let private wide: Layer<Vec, Vec> = dense 4096 --> relu --> dropout 0.5

    /// <summary>The network for a number of classes.</summary>
    let net (classes: int) : Layer<Image, Vec> =
        conv2d 96 (kernel 11 |> stride 4)
        --> relu
        --> pool
        --> inTwo 256 (kernel 5 |> same)
        --> pool
        --> conv2d 384 (kernel 3 |> same)
        --> relu
        --> inTwo 384 (kernel 3 |> same)
        --> inTwo 256 (kernel 3 |> same)
        --> pool
        --> flatten
        --> wide
        --> wide
        --> dense classes

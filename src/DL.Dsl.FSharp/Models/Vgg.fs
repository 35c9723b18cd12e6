namespace DL.Models

open DL

/// <summary>VGG: blocks of 3 x 3 convolutions, each halving the image.</summary>
/// <remarks>K. Simonyan, A. Zisserman, Very deep convolutional networks for large-scale image recognition, 2014, configurations A, D and E.</remarks>
[<RequireQualifiedAccess>]
module Vgg =
    let private block (count: int, channels: int) : Layer<Image, Image> =
        repeat count (conv2dWith { Conv.defaults with Weights = Initializer.heNormal } channels (kernel 3 |> same) --> relu)
        --> maxPool2d (kernel 2)

    let private wide: Layer<Vec, Vec> = dense 4096 --> relu --> dropout 0.5

    /// <summary>A network of blocks, each given by its number of convolutions and their channels.</summary>
    let ofBlocks (blocks: (int * int) list) (classes: int) : Layer<Image, Vec> =
        (blocks |> List.map block |> List.fold (-->) identity) --> flatten --> wide --> wide --> dense classes

    /// <summary>VGG-11: 132,863,336 parameters on images of 3 x 224 x 224 and 1000 classes.</summary>
    let vgg11 (classes: int) : Layer<Image, Vec> = ofBlocks [ 1, 64; 1, 128; 2, 256; 2, 512; 2, 512 ] classes

    /// <summary>VGG-16: 138,357,544 parameters on images of 3 x 224 x 224 and 1000 classes.</summary>
    let vgg16 (classes: int) : Layer<Image, Vec> = ofBlocks [ 2, 64; 2, 128; 3, 256; 3, 512; 3, 512 ] classes

    /// <summary>VGG-19: 143,667,240 parameters on images of 3 x 224 x 224 and 1000 classes.</summary>
    let vgg19 (classes: int) : Layer<Image, Vec> = ofBlocks [ 2, 64; 2, 128; 4, 256; 4, 512; 4, 512 ] classes

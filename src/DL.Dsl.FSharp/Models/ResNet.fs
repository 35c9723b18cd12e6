namespace DL.Models

open DL

/// <summary>ResNet: blocks that add what they compute to what they were given.</summary>
/// <remarks>K. He et al., Deep residual learning for image recognition, 2015, table 1.</remarks>
[<RequireQualifiedAccess>]
module ResNet =
    let private convNorm channels k : Layer<Image, Image> =
        conv2dWith { Conv.defaults with Bias = false; Weights = Initializer.heNormal } channels k --> batchNorm

    let private around (projects: bool) channels step (body: Layer<Image, Image>) : Layer<Image, Image> =
        (if projects then add body (convNorm channels (kernel 1 |> stride step)) else residual body) --> relu

    /// <summary>Two 3 x 3 convolutions, added to the input, or to its projection where channels or size change.</summary>
    let basic (projects: bool) (channels: int) (step: int) : Layer<Image, Image> =
        convNorm channels (kernel 3 |> stride step |> padding 1)
        --> relu
        --> convNorm channels (kernel 3 |> padding 1)
        |> around projects channels step

    /// <summary>1 x 1, 3 x 3 and 1 x 1 convolutions with four times the channels at the end; the 3 x 3 one takes the stride.</summary>
    let bottleneck (projects: bool) (channels: int) (step: int) : Layer<Image, Image> =
        convNorm channels (kernel 1)
        --> relu
        --> convNorm channels (kernel 3 |> stride step |> padding 1)
        --> relu
        --> convNorm (4 * channels) (kernel 1)
        |> around projects (4 * channels) step

    let private stages (block: bool -> int -> int -> Layer<Image, Image>) (widens: bool) (counts: int list) : Layer<Image, Image> =
        counts
        |> List.mapi (fun i count ->
            let step = if i = 0 then 1 else 2
            block (i > 0 || widens) (64 <<< i) step --> repeat (count - 1) (block false (64 <<< i) 1))
        |> List.fold (-->) identity

    let private large: Layer<Image, Image> =
        convNorm 64 (kernel 7 |> stride 2 |> padding 3) --> relu --> maxPool2d (kernel 3 |> stride 2 |> padding 1)

    let private headed classes (body: Layer<Image, Image>) : Layer<Image, Vec> = body --> globalAvgPool2d --> dense classes

    /// <summary>The body of ResNet-18, from images to 512 channels at a 32nd of their size.</summary>
    let body18: Layer<Image, Image> = large --> stages basic false [ 2; 2; 2; 2 ]

    /// <summary>ResNet-18: 11,689,512 parameters on images of three channels and 1000 classes.</summary>
    let resnet18 (classes: int) : Layer<Image, Vec> = headed classes body18

    /// <summary>ResNet-34: 21,797,672 parameters on images of three channels and 1000 classes.</summary>
    let resnet34 (classes: int) : Layer<Image, Vec> = large --> stages basic false [ 3; 4; 6; 3 ] |> headed classes

    /// <summary>ResNet-50: 25,557,032 parameters on images of three channels and 1000 classes.</summary>
    let resnet50 (classes: int) : Layer<Image, Vec> = large --> stages bottleneck true [ 3; 4; 6; 3 ] |> headed classes

    /// <summary>ResNet-18 for images of 32 x 32: a 3 x 3 stem and no pooling after it.</summary>
    let resnet18Small (classes: int) : Layer<Image, Vec> =
        convNorm 64 (kernel 3 |> padding 1) --> relu --> stages basic false [ 2; 2; 2; 2 ] |> headed classes

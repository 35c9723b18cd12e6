namespace DL.Models

open DL

/// <summary>GoogLeNet: nine inception blocks, each four branches side by side.</summary>
/// <remarks>C. Szegedy et al., Going deeper with convolutions, 2014, table 1, without the auxiliary classifiers and local response normalization.</remarks>
[<RequireQualifiedAccess>]
module GoogLeNet =
    let private conv channels k : Layer<Image, Image> = conv2dWith { Conv.defaults with Weights = Initializer.heNormal } channels k --> relu
    let private halve: Layer<Image, Image> = maxPool2d (kernel 3 |> stride 2 |> padding 1)

    /// <summary>Four branches: 1 x 1; 1 x 1 then 3 x 3; 1 x 1 then 5 x 5; max pooling then 1 x 1.</summary>
    let inception (c1: int) (c2: int * int) (c3: int * int) (c4: int) : Layer<Image, Image> =
        concat
            [ conv c1 (kernel 1)
              conv (fst c2) (kernel 1) --> conv (snd c2) (kernel 3 |> same)
              conv (fst c3) (kernel 1) --> conv (snd c3) (kernel 5 |> same)
              maxPool2d (kernel 3 |> stride 1 |> padding 1) --> conv c4 (kernel 1) ]

    /// <summary>The network for a number of classes: 6,998,552 parameters for 1000 of them.</summary>
    let net (classes: int) : Layer<Image, Vec> =
        conv 64 (kernel 7 |> stride 2 |> padding 3)
        --> halve
        --> conv 64 (kernel 1)
        --> conv 192 (kernel 3 |> same)
        --> halve
        --> inception 64 (96, 128) (16, 32) 32
        --> inception 128 (128, 192) (32, 96) 64
        --> halve
        --> inception 192 (96, 208) (16, 48) 64
        --> inception 160 (112, 224) (24, 64) 64
        --> inception 128 (128, 256) (24, 64) 64
        --> inception 112 (144, 288) (32, 64) 64
        --> inception 256 (160, 320) (32, 128) 128
        --> halve
        --> inception 256 (160, 320) (32, 128) 128
        --> inception 384 (192, 384) (48, 128) 128
        --> globalAvgPool2d
        --> dropout 0.4
        --> dense classes

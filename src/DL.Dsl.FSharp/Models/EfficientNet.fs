namespace DL.Models

open DL

/// <summary>EfficientNet: inverted residuals whose channels weigh one another, with SiLU.</summary>
/// <remarks>M. Tan, Q. Le, EfficientNet: rethinking model scaling for convolutional neural networks, 2019, table 1. Its stochastic depth, which has no
/// parameters and does nothing in prediction, is left out.</remarks>
[<RequireQualifiedAccess>]
module EfficientNet =
    let private convNorm groups channels k : Layer<Image, Image> =
        conv2dWith
            { Conv.defaults with
                Bias = false
                Groups = groups
                Weights = Initializer.heNormal }
            channels
            k
        --> batchNorm

    /// <summary>Up to <c>expansion</c> times as many channels, depthwise, weighed through a quarter of the input's channels, and down; added to the input where sizes allow.</summary>
    let block (expansion: int) (side: int) (inputs: int) (outputs: int) (step: int) : Layer<Image, Image> =
        let hidden = expansion * inputs
        let widen: Layer<Image, Image> = if expansion = 1 then identity else convNorm 1 hidden (kernel 1) --> silu

        let body =
            widen
            --> convNorm hidden hidden (kernel side |> stride step |> padding (side / 2))
            --> silu
            --> squeezeExcite (max 1 (inputs / 4)) hidden
            --> convNorm 1 outputs (kernel 1)

        if step = 1 && inputs = outputs then residual body else body

    let private groups =
        [ 1, 3, 16, 1, 1
          6, 3, 24, 2, 2
          6, 5, 40, 2, 2
          6, 3, 80, 3, 2
          6, 5, 112, 3, 1
          6, 5, 192, 4, 2
          6, 3, 320, 1, 1 ]

    /// <summary>EfficientNet-B0: 5,288,548 parameters on images of three channels and 1000 classes.</summary>
    let b0 (classes: int) : Layer<Image, Vec> =
        let group (body, inputs) (expansion, side, outputs, count, step) =
            let first = block expansion side inputs outputs step
            body --> first --> repeat (count - 1) (block expansion side outputs outputs 1), outputs

        let stem = convNorm 1 32 (kernel 3 |> stride 2 |> padding 1) --> silu
        let body = groups |> List.fold group (stem, 32) |> fst

        body --> convNorm 1 1280 (kernel 1) --> silu --> globalAvgPool2d --> dropout 0.2 --> dense classes

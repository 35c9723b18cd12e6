namespace DL.Models

open DL

/// <summary>MobileNetV2: inverted residuals, narrow between and wide inside, with depthwise convolutions.</summary>
/// <remarks>M. Sandler et al., MobileNetV2: inverted residuals and linear bottlenecks, 2018, table 2.</remarks>
[<RequireQualifiedAccess>]
module MobileNet =
    let private convNorm groups channels k : Layer<Image, Image> =
        conv2dWith
            { Conv.defaults with
                Bias = false
                Groups = groups
                Weights = Initializer.heNormal }
            channels
            k
        --> batchNorm

    /// <summary>From <c>inputs</c> channels to <c>expansion</c> times as many, depthwise 3 x 3, and down to <c>outputs</c>; added to the input where sizes allow.</summary>
    let inverted (expansion: int) (inputs: int) (outputs: int) (step: int) : Layer<Image, Image> =
        let hidden = expansion * inputs
        let widen: Layer<Image, Image> = if expansion = 1 then identity else convNorm 1 hidden (kernel 1) --> relu6

        let body =
            widen
            --> convNorm hidden hidden (kernel 3 |> stride step |> padding 1)
            --> relu6
            --> convNorm 1 outputs (kernel 1)

        if step = 1 && inputs = outputs then residual body else body

    let private groups = [ 1, 16, 1, 1; 6, 24, 2, 2; 6, 32, 3, 2; 6, 64, 4, 2; 6, 96, 3, 1; 6, 160, 3, 2; 6, 320, 1, 1 ]

    /// <summary>MobileNetV2: 3,504,872 parameters on images of three channels and 1000 classes.</summary>
    let v2 (classes: int) : Layer<Image, Vec> =
        let group (body, inputs) (expansion, outputs, count, step) =
            let first = inverted expansion inputs outputs step
            body --> first --> repeat (count - 1) (inverted expansion outputs outputs 1), outputs

        let body = groups |> List.fold group (convNorm 1 32 (kernel 3 |> stride 2 |> padding 1) --> relu6, 32) |> fst

        body --> convNorm 1 1280 (kernel 1) --> relu6 --> globalAvgPool2d --> dropout 0.2 --> dense classes

namespace DL.Models

open DL

/// <summary>DenseNet: every layer of a block sees what all layers before it gave.</summary>
/// <remarks>G. Huang et al., Densely connected convolutional networks, 2016, table 1.</remarks>
[<RequireQualifiedAccess>]
module DenseNet =
    let private conv channels k : Layer<Image, Image> =
        conv2dWith { Conv.defaults with Bias = false; Weights = Initializer.heNormal } channels k

    let private normed: Layer<Image, Image> = batchNorm --> relu

    /// <summary>A 1 x 1 and a 3 x 3 convolution, each after batch norm and ReLU, beside their input.</summary>
    let layer (growth: int) : Layer<Image, Image> =
        denseConnection (normed --> conv (4 * growth) (kernel 1) --> normed --> conv growth (kernel 3 |> same))

    let private blocks growth (start: int) (counts: int list) : Layer<Image, Image> =
        let step (body, channels) (i, count) =
            let grown = channels + count * growth
            let body = body --> repeat count (layer growth)

            if i = counts.Length - 1 then
                body, grown
            else
                body --> normed --> conv (grown / 2) (kernel 1) --> avgPool2d (kernel 2), grown / 2

        List.indexed counts |> List.fold step (identity, start) |> fst

    /// <summary>DenseNet-121: 7,978,856 parameters on images of three channels and 1000 classes.</summary>
    let densenet121 (classes: int) : Layer<Image, Vec> =
        conv 64 (kernel 7 |> stride 2 |> padding 3)
        --> normed
        --> maxPool2d (kernel 3 |> stride 2 |> padding 1)
        --> blocks 32 64 [ 6; 12; 24; 16 ]
        --> normed
        --> globalAvgPool2d
        --> dense classes

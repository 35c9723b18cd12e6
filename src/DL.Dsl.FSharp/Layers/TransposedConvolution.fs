namespace DL

open DL.Core
open DL.Core.Ops

/// <summary>Transposed convolutions over images.</summary>
[<AutoOpen>]
module TransposedConvolutionLayers =
    let private one = struct (1, 1)

    let private sides name (k: Kernel) =
        match k.Padding with
        | Same -> raise (InvalidArgumentException(name, "padding in numbers: the size of the output follows from it", "same"))
        | Sides _ -> Kernel.window one k 1 1

    let private size (window: Window) more (s: Shape) =
        let grow extent stride before after span = (extent - 1) * stride - before - after + span + more

        struct (grow s[1] window.StrideHeight window.PadTop window.PadBottom ((window.Height - 1) * window.DilationHeight + 1),
                grow s[2] window.StrideWidth window.PadLeft window.PadRight ((window.Width - 1) * window.DilationWidth + 1))

    /// <summary>The transposed convolution, the adjoint of <c>conv2d</c> with the same window, which makes images larger, with rows and columns to add.</summary>
    /// <remarks>An axis of <c>n</c> gives <c>(n - 1) stride - before - after + dilation (size - 1) + 1 + more</c>. Parameters <c>weight</c> and <c>bias</c>.
    /// M. Zeiler et al., Deconvolutional networks, 2010.</remarks>
    /// <param name="more">Rows added below and columns to the right, less than the stride.</param>
    /// <param name="channels">The channels of the output.</param>
    /// <param name="k">The window of the convolution.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">A number is out of range, or the padding is <c>same</c>.</exception>
    /// <exception cref="T:DL.Core.ShapeException">In Init: nothing is left of the output.</exception>
    let convTranspose2dWith (more: int) (channels: int) (k: Kernel) : Layer<Image, Image> =
        let name = "convTranspose2d"

        if channels < 1 then
            raise (InvalidArgumentException(name, "at least 1 channel", $"{channels}"))

        let window = sides name k

        if more < 0 || more >= min window.StrideHeight window.StrideWidth && more > 0 then
            raise (InvalidArgumentException(name, "rows and columns to add of at least 0 and less than the stride", $"{more}"))

        let init key (shape: Shape<Image>) =
            let s = Shape.core shape
            let struct (height, width) = size window more s

            if min height width < 1 then
                raise (
                    ShapeException(
                        string (Layer.about name [ string channels; $"({k})" ]),
                        "an output of at least one pixel",
                        $"{height} x {width}"
                    )
                )

            let area = window.Height * window.Width

            let weight =
                Initializer.xavierUniform.Draw key (Shape [| window.Height; window.Width; channels; s[0] |]) (s[0] * area) (channels * area)

            struct (Shape.image (channels, height, width), [| weight; Tensor.Zeros(ElementType.Float64, Shape [| channels |]) |], [||])

        let apply _ (ps: Params) state input =
            let x, weight, bias = Batch.held input, ps[0], ps[1]
            let y: Tensor = Conv2dTranspose.Forward(x, weight, window, bias, 1, more, more)

            let back dy : struct (Batch<Image> * Grads) =
                let dy = Batch.held dy
                let gradients = [| Conv2dTranspose.BackwardWeight(x, dy, weight, window); Linear.BackwardBias(dy, bias) |]
                struct (Batch.delayed (fun () -> Conv2dTranspose.BackwardInput(dy, weight, window)), gradients)

            { Output = Batch.ofTensor y; State = state; Pullback = back }

        let layer = Layer.create name [ "weight"; "bias" ] [] init apply |> Layer.withSettings [ string channels; $"({k})" ]

        { layer with
            Slots = layer.Slots |> List.map (fun s -> if s.Name = "weight" then { s with Layout = WindowFirst } else s) }

    /// <summary>The transposed convolution, the adjoint of <c>conv2d</c> with the same window: <c>convTranspose2d 64 (kernel 2 |&gt; stride 2)</c> doubles an image.</summary>
    /// <param name="channels">The channels of the output.</param>
    /// <param name="k">The window of the convolution.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no channel, or the padding is <c>same</c>.</exception>
    /// <exception cref="T:DL.Core.ShapeException">In Init: nothing is left of the output.</exception>
    let convTranspose2d (channels: int) (k: Kernel) : Layer<Image, Image> = convTranspose2dWith 0 channels k

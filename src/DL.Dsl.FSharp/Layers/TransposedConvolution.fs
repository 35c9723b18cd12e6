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

    let private init (options: ConvSettings) more channels (window: Window) where key (shape: Shape<Image>) =
        let s = Shape.core shape
        Kernel.divides where "input channels" s[0] options.Groups
        Kernel.divides where "output channels" channels options.Groups
        let struct (height, width) = size window more s

        if min height width < 1 then
            raise (ShapeException(where, "an output of at least one pixel", $"{height} x {width}"))

        let outputs = channels / options.Groups
        let weights = Shape [| window.Height; window.Width; outputs; s[0] |]
        let area = window.Height * window.Width
        let ps = ConvParts.initial options key area channels weights (s[0] / options.Groups) outputs
        struct (Shape.image (channels, height, width), ps, [||])

    let private apply (options: ConvSettings) more (window: Window) (ps: Params) state input : Pass<Image, Image> =
        let x, weight = Batch.held input, ps[0]
        let y: Tensor = Conv2dTranspose.Forward(x, weight, window, ConvParts.bias options ps, options.Groups, more, more)

        let back dy : struct (Batch<Image> * Grads) =
            let dy = Batch.held dy
            let dweight = Conv2dTranspose.BackwardWeight(x, dy, weight, window, options.Groups)
            let dx () = Conv2dTranspose.BackwardInput(dy, weight, window, options.Groups)
            struct (Batch.delayed dx, ConvParts.gradients options ps dweight dy)

        { Output = Batch.ofTensor y; State = state; Pullback = back }

    /// <summary>The transposed convolution, the adjoint of <c>conv2d</c> with the same window, which makes images larger, with settings of your own.</summary>
    /// <remarks>An axis of <c>n</c> gives <c>(n - 1) stride - before - after + dilation (size - 1) + 1 + more</c>. Parameters <c>weight</c>, shown as
    /// [in; out / groups; height; width], and <c>bias</c>. M. Zeiler et al., Deconvolutional networks, 2010.</remarks>
    /// <param name="options">Bias, groups, initial weights (<c>Initializer.bilinear</c> enlarges smoothly).</param>
    /// <param name="more">Rows added below and columns to the right, less than the stride: the output padding.</param>
    /// <param name="channels">The channels of the output.</param>
    /// <param name="k">The window of the convolution.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">A number is out of range, or the padding is <c>same</c>.</exception>
    /// <exception cref="T:DL.Core.ShapeException">In Init: the groups do not divide the channels, or nothing is left of the output.</exception>
    let convTranspose2dWith (options: ConvSettings) (more: int) (channels: int) (k: Kernel) : Layer<Image, Image> =
        let name = "convTranspose2d"
        ConvParts.check name channels options
        let window = sides name k

        if more < 0 || more >= min window.StrideHeight window.StrideWidth && more > 0 then
            raise (InvalidArgumentException(name, "rows and columns to add of at least 0 and less than the stride", $"{more}"))

        let settings = ConvParts.settings options channels k
        let where = string (Layer.about name settings)
        let names = ConvParts.slots options

        let layer =
            Layer.create name (names |> List.map _.Name) [] (init options more channels window where) (fun _ -> apply options more window)
            |> Layer.withSettings settings

        // Every pixel of the input goes through the whole window.
        let counted key shape =
            let s = layer.Init key shape
            let image = Shape.core shape
            Layer.multiplying (int64 s.Params[0].Count * int64 image[1] * int64 image[2]) s

        { layer with Slots = names; Init = counted }

    /// <summary>The transposed convolution, the adjoint of <c>conv2d</c> with the same window: <c>convTranspose2d 64 (kernel 2 |&gt; stride 2)</c> doubles an image.</summary>
    /// <param name="channels">The channels of the output.</param>
    /// <param name="k">The window of the convolution.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no channel, or the padding is <c>same</c>.</exception>
    /// <exception cref="T:DL.Core.ShapeException">In Init: nothing is left of the output.</exception>
    let convTranspose2d (channels: int) (k: Kernel) : Layer<Image, Image> = convTranspose2dWith Conv.defaults 0 channels k

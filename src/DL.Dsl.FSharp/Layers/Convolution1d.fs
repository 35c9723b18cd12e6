namespace DL

open DL.Core
open DL.Core.Ops

/// <summary>Convolutions over sequences.</summary>
[<AutoOpen>]
module Convolution1dLayers =
    let private check (k: Kernel) =
        let square (struct (a: int, b: int)) = a = b
        let strides = k.Stride |> ValueOption.forall square
        let struct (height, width) = k.Size

        if height <> 1 && not (height = width && strides && square k.Dilation) then
            raise (InvalidArgumentException("conv1d", "a window of one row, or a square one, whose columns lie along time", $"{k}"))

    /// The window over a sequence: the columns of the kernel, along time.
    let private windowOf (k: Kernel) time : Window =
        let w = Kernel.window (struct (1, 1)) k 1 time

        Window(1, w.Width, StrideWidth = w.StrideWidth, PadLeft = w.PadLeft, PadRight = w.PadRight, DilationWidth = w.DilationWidth)

    let private init (options: ConvSettings) channels (k: Kernel) about activation key (shape: Shape<Seq>) =
        let where = string about
        let s = Shape.core shape
        Kernel.divides where "input features" s[1] options.Groups
        Kernel.divides where "output features" channels options.Groups
        let struct (_, positions) = Kernel.positions where (windowOf k s[0]) 1 s[0]
        let struct (_, width) = k.Size
        let inputs = s[1] / options.Groups

        let ps =
            ConvParts.initial options key width channels (Shape [| width; inputs; channels |]) inputs (channels / options.Groups)

        Layer.setup about (Shape.seq (positions, channels)) ps [||]
        |> Layer.multiplying (int64 ps[0].Count * int64 positions)
        |> Layer.setupWith activation

    let private apply (options: ConvSettings) (k: Kernel) activation (ps: Params) (state: State) (input: Batch<Seq>) : Pass<Seq, Seq> =
        let lengths, weight = Padded.orNull input, ps[0]
        let x = Padded.zeroed lengths (Batch.held input)
        let time = x.Shape[1]
        let window = windowOf k time
        let y: Tensor = Conv1d.Forward(x, weight, window, ConvParts.bias options ps, options.Groups, activation)

        let back dy : struct (Batch<Seq> * Grads) =
            let dz = Linear.BackwardActivation(Batch.held dy, y, activation)
            let dweight = Conv1d.BackwardWeight(x, dz, weight, window, options.Groups)
            let dx () = Padded.zeroed lengths (Conv1d.BackwardInput(dz, weight, window, time, options.Groups))
            struct (Batch.delayed dx, ConvParts.gradients options ps dweight dz)

        { Output = Batch.ofTensor y; State = state; Pullback = back }

    let rec private build (options: ConvSettings) channels (k: Kernel) activation : Layer<Seq, Seq> =
        let plain = activation = Activation.Identity
        let about = Layer.about "conv1d" (ConvParts.settings options channels k)

        { About = Layer.aboutWith activation about
          Stages = if plain then 1 else 2
          HandsOn = false
          Slots = ConvParts.slots options
          Cells = []
          Init = init options channels k about activation
          Apply = fun _ ps state x -> apply options k activation ps state x
          Answer = ValueNone
          Continue = Error about
          Beside = ValueNone
          Fuse = Layer.fusing plain (build options channels k)
          Head = Layer.noHead }

    /// <summary>A convolution along time with settings of your own.</summary>
    /// <param name="options">Bias, groups, initial weights.</param>
    /// <param name="channels">The features of every output step.</param>
    /// <param name="k">The window; its columns lie along time.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no channel or no group, or the window has rows of its own.</exception>
    /// <exception cref="T:DL.Core.ShapeException">In Init: the groups do not divide the features, or the window is larger than the padded sequence.</exception>
    let conv1dWith (options: ConvSettings) (channels: int) (k: Kernel) : Layer<Seq, Seq> =
        ConvParts.check "conv1d" channels options
        check k
        build options channels k Activation.Identity

    /// <summary><c>y[i, o] = sum of x[i s + u d - p, c] w[u, c, o] + b[o]</c>: a cross-correlation along time.</summary>
    /// <remarks>Parameters <c>weight</c>, shown as [out; in; width], and <c>bias</c>. A causal one is padded on the left alone:
    /// <c>kernel 3 |&gt; paddingOf (0, 0, 2, 0)</c>.</remarks>
    /// <param name="channels">The features of every output step.</param>
    /// <param name="k">The window: <c>kernel 3 |&gt; stride 2 |&gt; same</c>.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no channel, or the window has rows of its own.</exception>
    /// <exception cref="T:DL.Core.ShapeException">In Init: the window is larger than the padded sequence.</exception>
    let conv1d (channels: int) (k: Kernel) : Layer<Seq, Seq> = conv1dWith Conv.defaults channels k

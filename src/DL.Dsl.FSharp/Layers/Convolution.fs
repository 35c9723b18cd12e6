namespace DL

open DL.Core
open DL.Core.Ops

/// <summary>The settings of a convolution: <c>conv2dWith { Conv.defaults with Bias = false } 64 (kernel 3)</c>.</summary>
[<NoEquality; NoComparison>]
type ConvSettings =
    {
        /// <summary>Whether a bias is added.</summary>
        Bias: bool
        /// <summary>Into how many groups of channels the convolution falls; as many as channels make it depthwise.</summary>
        Groups: int
        /// <summary>The initial weights; their fans count the window.</summary>
        Weights: Initializer
        /// <summary>Whether every product is summed as it stands: no Winograd transform, whose float32 rounding is about ten times as large.</summary>
        Exact: bool
        /// <summary>What every number of the bias starts from.</summary>
        InitialBias: float
    }

/// <summary>Settings of convolutions.</summary>
[<RequireQualifiedAccess>]
module Conv =
    /// <summary>With bias, from 0; one group; Xavier uniform weights; the fastest kernel.</summary>
    let defaults =
        { Bias = true
          Groups = 1
          Weights = Initializer.xavierUniform
          Exact = false
          InitialBias = 0.0 }

/// What convolutions over images and over sequences have in common.
module internal ConvParts =
    let check name channels (options: ConvSettings) : unit =
        if channels < 1 then
            raise (InvalidArgumentException(name, "at least 1 channel", $"{channels}"))

        if options.Groups < 1 then
            raise (InvalidArgumentException(name, "at least 1 group", $"{options.Groups}"))

    let settings (options: ConvSettings) (channels: int) (k: Kernel) : string list =
        [ yield string channels
          yield $"({k})"
          if options.Groups > 1 then
              yield $"in {options.Groups} groups"
          if not options.Bias then
              yield "without bias" ]

    let bias (options: ConvSettings) (ps: Params) : Tensor | null = if options.Bias then ps[1] else Unchecked.defaultof<_>

    let gradients (options: ConvSettings) (ps: Params) (dweight: Tensor) (dz: Tensor) : Grads =
        if options.Bias then [| dweight; Linear.BackwardBias(dz, ps[1]) |] else [| dweight |]

    let initial (options: ConvSettings) key area outputs (shape: Shape) fanIn fanOut : Params =
        let weight: Tensor = options.Weights.Draw key shape (fanIn * area) (fanOut * area)

        if options.Bias then
            [| weight; Tensor.Filled(ElementType.Float64, Shape [| outputs |], options.InitialBias) |]
        else
            [| weight |]

    let slots (options: ConvSettings) : Slot list =
        let slot name layout = { Stage = 0; Name = name; Layout = layout }
        slot "weight" WindowFirst :: (if options.Bias then [ slot "bias" Plain ] else [])

/// <summary>Convolutions over images.</summary>
[<AutoOpen>]
module ConvolutionLayers =
    let private one = struct (1, 1)

    let private init (options: ConvSettings) channels (k: Kernel) about activation key (shape: Shape<Image>) =
        let where = string about
        let s = Shape.core shape
        Kernel.divides where "input channels" s[0] options.Groups
        Kernel.divides where "output channels" channels options.Groups
        let struct (height, width) = (Kernel.window one k s[1] s[2]).Positions(s[1], s[2], where)
        let struct (kh, kw) = k.Size
        let inputs = s[0] / options.Groups

        let ps =
            ConvParts.initial options key (kh * kw) channels (Shape [| kh; kw; inputs; channels |]) inputs (channels / options.Groups)

        Layer.setup about (Shape.image (channels, height, width)) ps [||]
        |> Layer.multiplying (int64 ps[0].Count * int64 height * int64 width)
        |> Layer.setupWith activation

    let private apply
        (options: ConvSettings)
        (k: Kernel)
        activation
        (ps: Params)
        (state: State)
        (input: Batch<Image>)
        : Pass<Image, Image> =
        let x, weight = Batch.held input, ps[0]
        let height, width = x.Shape[1], x.Shape[2]
        let window = Kernel.window one k height width
        let y = Conv2d.Forward(x, weight, window, ConvParts.bias options ps, options.Groups, activation, options.Exact)

        let back dy : struct (Batch<Image> * Grads) =
            let dz = Linear.BackwardActivation(Batch.held dy, y, activation)
            let dweight = Conv2d.BackwardWeight(x, dz, weight, window, options.Groups, options.Exact)
            let dx () = Conv2d.BackwardInput(dz, weight, window, height, width, options.Groups, options.Exact)
            struct (Batch.delayed dx, ConvParts.gradients options ps dweight dz)

        { Output = Batch.ofTensor y; State = state; Pullback = back }

    let rec private build (options: ConvSettings) channels (k: Kernel) activation : Layer<Image, Image> =
        let plain = activation = Activation.Identity
        let about = Layer.about "conv2d" (ConvParts.settings options channels k)

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
          Fuse = joined options channels k plain
          Head = Layer.noHead }

    and private joined (options: ConvSettings) channels (k: Kernel) plain follower : Layer<Image, Image> voption =
        let answer activation ps x = (apply { options with Bias = true } k activation ps [||] x).Output

        match follower with
        | Normalized(momentum, activation) when plain -> ValueSome(folding (build options channels k) answer momentum activation)
        | other -> Layer.fusing plain (build options channels k) other

    /// <summary>A convolution with settings of your own.</summary>
    /// <param name="options">Bias, groups, initial weights, exactness.</param>
    /// <param name="channels">The channels of the output.</param>
    /// <param name="k">The window: <c>kernel 3 |&gt; stride 2 |&gt; same</c>.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no channel or no group.</exception>
    /// <exception cref="T:DL.Core.ShapeException">In Init: the groups do not divide the channels, or the window is larger than the padded image.</exception>
    let conv2dWith (options: ConvSettings) (channels: int) (k: Kernel) : Layer<Image, Image> =
        ConvParts.check "conv2d" channels options
        build options channels k Activation.Identity

    /// <summary><c>y[i, j, o] = sum of x[i s + u d - p, j s + v d - p, c] w[u, v, c, o] + b[o]</c>: a cross-correlation.</summary>
    /// <remarks>Parameters <c>weight</c> and <c>bias</c>; the channels of the input are inferred. An activation that follows is done in the same
    /// kernel. The gradient of the input is computed only if somebody asks for it. Y. LeCun et al., 1998.</remarks>
    /// <param name="channels">The channels of the output.</param>
    /// <param name="k">The window: <c>kernel 3 |&gt; stride 2 |&gt; same</c>.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no channel.</exception>
    /// <exception cref="T:DL.Core.ShapeException">In Init: the window is larger than the padded image.</exception>
    let conv2d (channels: int) (k: Kernel) : Layer<Image, Image> = conv2dWith Conv.defaults channels k

    /// <summary>A convolution of every channel by itself: as many groups as channels.</summary>
    /// <param name="channels">The channels of input and output.</param>
    /// <param name="k">The window.</param>
    let depthwise (channels: int) (k: Kernel) : Layer<Image, Image> = conv2dWith { Conv.defaults with Groups = channels } channels k

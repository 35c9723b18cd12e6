namespace DL

open DL.Core
open DL.Core.Ops

/// <summary>The settings of a dense layer: <c>denseWith { Dense.defaults with Bias = false } 10</c>.</summary>
[<NoEquality; NoComparison>]
type DenseSettings =
    {
        /// <summary>Whether a bias is added.</summary>
        Bias: bool
        /// <summary>The initial weights.</summary>
        Weights: Initializer
    }

/// <summary>Settings of dense layers.</summary>
[<RequireQualifiedAccess>]
module Dense =
    /// <summary>With bias, Xavier uniform weights.</summary>
    let defaults = { Bias = true; Weights = Initializer.xavierUniform }

/// <summary>The dense (fully connected) layer.</summary>
[<AutoOpen>]
module DenseLayer =
    let private check name units =
        if units < 1 then
            raise (InvalidArgumentException(name, "at least 1 unit", $"{units}"))

    let private settings (options: DenseSettings) (units: int) activation =
        [ yield string units
          if not options.Bias then
              yield "without bias"
          match activation with
          | Activation.Identity -> ()
          | other -> yield (string other).ToLowerInvariant() ]

    let private init (options: DenseSettings) units about activation key shape =
        let features = Shape.features shape
        let weight = options.Weights.Draw key (Shape [| features; units |]) features units

        let ps =
            if options.Bias then
                [| weight; Tensor.Zeros(ElementType.Float64, Shape [| units |]) |]
            else
                [| weight |]

        Layer.setup about (Shape.vec units) ps [||]
        |> Layer.multiplying (int64 weight.Count)
        |> Layer.setupWith activation

    let private forward activation (ps: Params) (x: Tensor) =
        let bias: Tensor | null = if ps.Length > 1 then ps[1] else null
        Linear.Forward(x, ps[0], bias, activation)

    let private apply activation (ps: Params) (state: State) (input: Batch<Vec>) : Pass<Vec, Vec> =
        let x, weight = Batch.held input, ps[0]
        let y = forward activation ps x

        let back dy : struct (Batch<Vec> * Grads) =
            let dz = Linear.BackwardActivation(Batch.held dy, y, activation)
            let dweight = Linear.BackwardWeight(x, dz, weight)
            let gradients = if ps.Length > 1 then [| dweight; Linear.BackwardBias(dz, ps[1]) |] else [| dweight |]
            struct (Batch.delayed (fun () -> Linear.BackwardInput(dz, weight)), gradients)

        { Output = Batch.ofTensor y; State = state; Pullback = back }

    let rec private build (options: DenseSettings) units activation : Layer<Vec, Vec> =
        let plain = activation = Activation.Identity
        let about = Layer.about "dense" (settings options units Activation.Identity)
        let slot name layout = { Stage = 0; Name = name; Layout = layout }

        { About = Layer.aboutWith activation about
          Stages = if plain then 1 else 2
          HandsOn = false
          Slots = slot "weight" Transposed :: (if options.Bias then [ slot "bias" Plain ] else [])
          Cells = []
          Init = init options units about activation
          Apply = fun _ ps state x -> apply activation ps state x
          Answer = ValueSome(fun ps _ x -> Batch.ofTensor (forward activation ps (Batch.held x)))
          Continue = Error about
          Beside = ValueNone
          Fuse = Layer.fusing plain (build options units)
          Head = Layer.noHead }

    /// <summary><c>y = x W + b</c> with settings of your own.</summary>
    /// <param name="options">Bias and initial weights.</param>
    /// <param name="units">The number of outputs.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no unit.</exception>
    let denseWith (options: DenseSettings) (units: int) : Layer<Vec, Vec> =
        check "dense" units
        build options units Activation.Identity

    /// <summary><c>y = x W + b</c>: every output from every input. Parameters <c>weight</c> and <c>bias</c>; the input size is inferred.</summary>
    /// <remarks>An activation that follows is done in the same kernel. The gradient of the input is computed only if somebody asks for it.</remarks>
    /// <param name="units">The number of outputs.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no unit.</exception>
    let dense (units: int) : Layer<Vec, Vec> = denseWith Dense.defaults units

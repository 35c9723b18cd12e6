namespace DL

open DL.Core
open DL.Core.Ops

/// <summary>Layers that normalize.</summary>
[<AutoOpen>]
module NormalizationLayers =
    let private ones n = Tensor.Filled(ElementType.Float64, Shape [| n |], 1.0)
    let private zeros n = Tensor.Zeros(ElementType.Float64, Shape [| n |])

    let private cell index (state: State) =
        match state[index] with
        | Statistic t -> t
        | Draws key -> raise (InvalidArgumentException("batchNorm state", "running statistics", $"{key}"))

    /// <summary>Layer norm: the features of every vector, time step or pixel to mean 0 and variance 1, then <c>weight * x + bias</c>. Epsilon 1e-5 inside the root.</summary>
    /// <remarks>J. Ba, J. Kiros, G. Hinton, Layer normalization, 2016.</remarks>
    let layerNorm<'x> : Layer<'x, 'x> =
        Layer.create
            "layerNorm"
            [ "weight"; "bias" ]
            []
            (fun _ shape ->
                let n = Shape.featureExtent shape
                struct (shape, [| ones n; zeros n |], [||]))
            (fun _ ps state input ->
                let x, gamma, beta = Batch.held input, ps[0], ps[1]
                let struct (y, mean, rstd) = LayerNorm.Forward(x, gamma, beta, 1e-5)

                { Output = Batch.ofTensor y
                  State = state
                  Pullback =
                    fun dy ->
                        let struct (dx, dgamma, dbeta) = LayerNorm.Backward(Batch.held dy, x, gamma, beta, mean, rstd)
                        struct (Batch.ofTensor dx, [| dgamma; dbeta |]) })
        |> Layer.pointwise

    /// <summary>RMS norm: the features of every vector, time step or pixel divided by its root mean square, times <c>weight</c>. Epsilon 1e-6 inside the root.</summary>
    /// <remarks>B. Zhang, R. Sennrich, Root mean square layer normalization, 2019.</remarks>
    let rmsNorm<'x> : Layer<'x, 'x> =
        Layer.create
            "rmsNorm"
            [ "weight" ]
            []
            (fun _ shape -> struct (shape, [| ones (Shape.featureExtent shape) |], [||]))
            (fun _ ps state input ->
                let x, gamma = Batch.held input, ps[0]
                let struct (y, rrms) = RmsNorm.Forward(x, gamma, 1e-6)

                { Output = Batch.ofTensor y
                  State = state
                  Pullback =
                    fun dy ->
                        let struct (dx, dgamma) = RmsNorm.Backward(Batch.held dy, x, gamma, rrms)
                        struct (Batch.ofTensor dx, [| dgamma |]) })
        |> Layer.pointwise

    let private trained momentum activation (x: Tensor) gamma beta (state: State) : Pass<'x, 'x> =
        let struct (y, mean, variance, runningMean, runningVariance) =
            BatchNorm.Forward(x, gamma, beta, cell 0 state, cell 1 state, momentum, 1e-5, activation)

        { Output = Batch.ofTensor y
          State = [| Statistic runningMean; Statistic runningVariance |]
          Pullback =
            fun dy ->
                let struct (dx, dgamma, dbeta) = BatchNorm.Backward(Batch.held dy, x, gamma, beta, mean, variance, 1e-5, activation)
                struct (Batch.ofTensor dx, [| dgamma; dbeta |]) }

    let private predicted activation (x: Tensor) gamma beta (state: State) : Pass<'x, 'x> =
        let mean, variance = cell 0 state, cell 1 state

        { Output = Batch.ofTensor (BatchNorm.Predict(x, gamma, beta, mean, variance, 1e-5, activation))
          State = state
          Pullback =
            fun dy ->
                let struct (dx, dgamma, dbeta) = BatchNorm.PredictBackward(Batch.held dy, x, gamma, beta, mean, variance, 1e-5, activation)
                struct (Batch.ofTensor dx, [| dgamma; dbeta |]) }

    /// Batch norm and the activation after it, in one kernel where there is one: for a ReLU.
    let rec internal normalizing momentum (activation: Activation) : Layer<'x, 'x> =
        let about = Layer.about "batchNorm" []
        let plain = activation = Activation.Identity

        let layer =
            Layer.create
                "batchNorm"
                [ "weight"; "bias" ]
                [ "running_mean"; "running_var" ]
                (fun _ shape ->
                    let n = Shape.featureExtent shape
                    struct (shape, [| ones n; zeros n |], [| Statistic(zeros n); Statistic(ones n) |]))
                (fun mode ps state input ->
                    let x = Batch.held input

                    match mode with
                    | Train -> trained momentum activation x ps[0] ps[1] state
                    | Predict -> predicted activation x ps[0] ps[1] state)
            |> Layer.pointwise

        { layer with
            About = Layer.aboutWith activation about
            Stages = if plain then 1 else 2
            Init = fun key shape -> layer.Init key shape |> Layer.setupWith activation
            Fuse = Layer.fusingRelu plain (normalizing momentum)
            Head = fun () -> ValueSome struct (Normalized(momentum, activation), identity) }

    /// <summary>Batch norm with a momentum of your own for the running statistics.</summary>
    let batchNormWith (momentum: float) : Layer<'x, 'x> = normalizing momentum Activation.Identity

    /// A layer and the batch norm after it: two steps in training, one in prediction.
    let rec internal folding
        (build: Activation -> Layer<'x, 'y>)
        (answer: Activation -> Params -> Batch<'x> -> Batch<'y>)
        momentum
        activation
        : Layer<'x, 'y> =
        let layer = build Activation.Identity
        let k = layer.Slots.Length
        let apart = Composition.unfused layer (normalizing momentum activation)

        let whole (ps: Params) (state: State) x =
            let bias = if k > 1 then ps[1] else Unchecked.defaultof<_>

            let struct (weight, offset) = FoldedWeights.Of(ps[0], bias, ps[k], ps[k + 1], cell 0 state, cell 1 state)
            answer activation [| weight; offset |] x

        { apart with
            Answer = ValueSome whole
            Fuse = Layer.fusingRelu (activation = Activation.Identity) (folding build answer momentum) }

    /// <summary>Batch norm: every feature (channel of images) to mean 0 and variance 1 over the batch (and all pixels), then <c>weight * x + bias</c>.</summary>
    /// <remarks>In training the biased variance of the batch, epsilon 1e-5 inside the root; running mean and unbiased variance with momentum 0.1
    /// are state and serve prediction. S. Ioffe, C. Szegedy, Batch normalization, 2015.</remarks>
    let batchNorm<'x> : Layer<'x, 'x> = batchNormWith 0.1

    let private grouped name settings (groupsOf: string -> int -> int) : Layer<Image, Image> =
        let about = Layer.about name settings

        Layer.create
            name
            [ "weight"; "bias" ]
            []
            (fun _ shape ->
                let n = Shape.featureExtent shape
                groupsOf (string about) n |> ignore
                struct (shape, [| ones n; zeros n |], [||]))
            (fun _ ps state input ->
                let x, gamma, beta = Batch.held input, ps[0], ps[1]
                let groups = groupsOf (string about) x.Shape.Last
                let struct (y, mean, variance) = GroupNorm.Forward(x, gamma, beta, groups)

                { Output = Batch.ofTensor y
                  State = state
                  Pullback =
                    fun dy ->
                        let struct (dx, dgamma, dbeta) = GroupNorm.Backward(Batch.held dy, x, gamma, beta, mean, variance, groups)
                        struct (Batch.ofTensor dx, [| dgamma; dbeta |]) })
        |> Layer.withSettings settings

    /// <summary>Group norm: every group of channels of one image to mean 0 and variance 1 over its pixels, then <c>weight * x + bias</c> by channel.</summary>
    /// <remarks>Epsilon 1e-5 inside the root; the same in training and prediction. Y. Wu, K. He, Group normalization, 2018.</remarks>
    /// <param name="groups">The number of groups.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no group.</exception>
    /// <exception cref="T:DL.Core.ShapeException">In Init: the groups do not divide the channels.</exception>
    let groupNorm (groups: int) : Layer<Image, Image> =
        if groups < 1 then
            raise (InvalidArgumentException("groupNorm", "at least 1 group", $"{groups}"))

        grouped "groupNorm" [ string groups ] (fun where channels ->
            Kernel.divides where "channels" channels groups
            groups)

    /// <summary>Instance norm: every channel of one image to mean 0 and variance 1 over its pixels, then <c>weight * x + bias</c>: group norm with as many groups as channels.</summary>
    /// <remarks>D. Ulyanov, A. Vedaldi, V. Lempitsky, Instance normalization, 2016.</remarks>
    let instanceNorm: Layer<Image, Image> = grouped "instanceNorm" [] (fun _ channels -> channels)

namespace DL

open DL.Core
open DL.Core.Ops

/// <summary>Activations: elementwise functions on any kind.</summary>
[<AutoOpen>]
module ActivationLayers =
    let private settled name settings (layer: Layer<'x, 'x>) : Layer<'x, 'x> =
        Layer.withSettings settings { layer with About = Layer.about name settings }

    /// From the output and its gradient to the gradient of the input.
    let private fromOutput name (forward: Tensor -> Tensor) (backward: Tensor -> Tensor -> Tensor) : Layer<'x, 'x> =
        Layer.pure' name id (fun x ->
            let y = Batch.map forward x
            struct (y, fun dy -> Batch.map2 backward dy y))
        |> Layer.pointwise

    /// From the input and the output's gradient to the gradient of the input.
    let private fromInput name (forward: Tensor -> Tensor) (backward: Tensor -> Tensor -> Tensor) : Layer<'x, 'x> =
        Layer.pure' name id (fun x -> struct (Batch.map forward x, fun dy -> Batch.map2 backward dy x))
        |> Layer.pointwise

    let private fusable (activation: Activation) (layer: Layer<'x, 'x>) : Layer<'x, 'x> =
        { layer with
            Head = fun () -> ValueSome struct (Activated activation, identity) }

    /// <summary><c>max(x, 0)</c>; the derivative at 0 is 0.</summary>
    let relu<'x> : Layer<'x, 'x> =
        fromOutput "relu" (fun x -> Relu.Forward x) (fun dy y -> Relu.Backward(dy, y)) |> fusable Activation.Relu

    /// <summary><c>min(max(x, 0), 6)</c>; the derivative at both kinks is 0. A. Krizhevsky, 2010.</summary>
    let relu6<'x> : Layer<'x, 'x> = fromOutput "relu6" (fun x -> Relu6.Forward x) (fun dy y -> Relu6.Backward(dy, y))

    /// <summary><c>1 / (1 + exp(-x))</c>.</summary>
    let sigmoid<'x> : Layer<'x, 'x> =
        fromOutput "sigmoid" (fun x -> Sigmoid.Forward x) (fun dy y -> Sigmoid.Backward(dy, y))
        |> fusable Activation.Sigmoid

    /// <summary>The hyperbolic tangent.</summary>
    let tanh<'x> : Layer<'x, 'x> =
        fromOutput "tanh" (fun x -> Tanh.Forward x) (fun dy y -> Tanh.Backward(dy, y)) |> fusable Activation.Tanh

    /// <summary><c>x</c> where x &gt; 0, else <c>alpha x</c>, with a slope of your own.</summary>
    let leakyReluWith (alpha: float) : Layer<'x, 'x> =
        fromInput "leakyRelu" (fun x -> LeakyRelu.Forward(x, alpha)) (fun dy x -> LeakyRelu.Backward(dy, x, alpha))
        |> settled "leakyRelu" [ string alpha ]

    /// <summary><c>x</c> where x &gt; 0, else <c>0.01 x</c>.</summary>
    let leakyRelu<'x> : Layer<'x, 'x> = leakyReluWith 0.01

    /// <summary><c>x</c> where x &gt; 0, else <c>alpha (exp x - 1)</c>.</summary>
    let eluWith (alpha: float) : Layer<'x, 'x> =
        fromInput "elu" (fun x -> Elu.Forward(x, alpha)) (fun dy x -> Elu.Backward(dy, x, alpha))
        |> settled "elu" [ string alpha ]

    /// <summary><c>x</c> where x &gt; 0, else <c>exp x - 1</c>.</summary>
    let elu<'x> : Layer<'x, 'x> = eluWith 1.0

    /// <summary><c>x Phi(x)</c> with the normal distribution function, exactly.</summary>
    let gelu<'x> : Layer<'x, 'x> = fromInput "gelu" (fun x -> Gelu.Forward x) (fun dy x -> Gelu.Backward(dy, x))

    /// <summary>GELU in its tanh form.</summary>
    let geluTanh<'x> : Layer<'x, 'x> = fromInput "geluTanh" (fun x -> GeluTanh.Forward x) (fun dy x -> GeluTanh.Backward(dy, x))

    /// <summary><c>x sigmoid(x)</c>, also called swish.</summary>
    let silu<'x> : Layer<'x, 'x> = fromInput "silu" (fun x -> Silu.Forward x) (fun dy x -> Silu.Backward(dy, x))

    /// <summary><c>log(1 + exp x)</c>.</summary>
    let softplus<'x> : Layer<'x, 'x> = fromInput "softplus" (fun x -> Softplus.Forward x) (fun dy x -> Softplus.Backward(dy, x))

    /// <summary><c>min(max(x + 3, 0), 6) / 6</c>.</summary>
    let hardSigmoid<'x> : Layer<'x, 'x> =
        fromInput "hardSigmoid" (fun x -> HardSigmoid.Forward x) (fun dy x -> HardSigmoid.Backward(dy, x))

    /// <summary><c>x hardSigmoid(x)</c>.</summary>
    let hardSwish<'x> : Layer<'x, 'x> =
        fromInput "hardSwish" (fun x -> HardSwish.Forward x) (fun dy x -> HardSwish.Backward(dy, x))

    /// <summary><c>y = factor x</c>.</summary>
    let scaleBy (factor: float) : Layer<'x, 'x> =
        Layer.pure' "scaleBy" id (fun x ->
            let scaled = Batch.map (fun t -> Scale.Forward(t, factor))
            struct (scaled x, scaled))
        |> Layer.pointwise
        |> settled "scaleBy" [ string factor ]

    /// <summary>Softmax over the last axis: non-negative, rows sum to 1.</summary>
    let softmax<'x> : Layer<'x, 'x> = fromOutput "softmax" (fun x -> Softmax.Forward x) (fun dy y -> Softmax.Backward(dy, y))

    /// <summary>The logarithm of softmax over the last axis, without cancellation.</summary>
    let logSoftmax<'x> : Layer<'x, 'x> =
        fromOutput "logSoftmax" (fun x -> LogSoftmax.Forward x) (fun dy y -> LogSoftmax.Backward(dy, y))

    /// <summary><c>silu(a) * b</c> for a pair (a, b): the gate of SwiGLU.</summary>
    /// <remarks>N. Shazeer, GLU variants improve Transformer, 2020: <c>swiglu n = fork (dense n) (dense n) --&gt; swigluGate</c>.</remarks>
    let swigluGate<'x> : Layer<'x * 'x, 'x> =
        Layer.pure'
            "swigluGate"
            (fun s ->
                let struct (a, b) = Shape.split s

                if a <> b then
                    raise (ShapeException("swigluGate", $"two parts of shape {a}", $"{a} and {b}"))

                a)
            (fun ab ->
                let struct (a, b) = Batch.split ab
                let a, b = Batch.held a, Batch.held b
                let y: Batch<'x> = Batch.ofTensor (Swiglu.Forward(a, b))

                struct (y,
                        fun dy ->
                            let struct (da, db) = Swiglu.Backward(Batch.held dy, a, b)
                            Batch.pair (Batch.ofTensor da) (Batch.ofTensor db)))
        |> Layer.pointwise

    /// <summary>SwiGLU of n units: <c>silu(x W) * (x V)</c>.</summary>
    let swiglu (units: int) : Layer<Vec, Vec> = fork (dense units) (dense units) --> swigluGate

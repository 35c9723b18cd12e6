namespace DL

open System
open DL.Core
open DL.Core.Optimizers

/// <summary>An optimizer: a rule that moves parameters against their gradients. Its moments are kept outside it.</summary>
[<NoEquality; NoComparison>]
type Optimizer =
    internal
        {
            /// Its name.
            Called: string
            /// The learning rate when no schedule gives one.
            Eta: float
            /// The number of moments it keeps for every parameter.
            Count: int
            /// From the step (from 1) and the rate to an update in place of weights and moments, over memory the caller owns.
            Move: int -> float -> Tensor -> Tensor -> Tensor[] -> unit
            /// Factors of the rate by the path of a part.
            Scales: (string * float) list
        }

    /// <summary>Its name.</summary>
    member this.Name = this.Called

    /// <summary>The learning rate when no schedule gives one.</summary>
    member this.Rate = this.Eta

    /// <summary>The number of moments it keeps for every parameter.</summary>
    member this.Moments = this.Count

    member internal this.Update step rate weights gradient moments = this.Move step rate weights gradient moments

/// <summary>Optimizers. Each is its literal formula, in one pass over all parameters.</summary>
/// <remarks>Every parameter takes the formula at every step, one whose gradient is zero too: the rows of an embedding that a batch has not met go on by what the optimizer
/// remembers of them. Gradient descent and AdaGrad have nothing to go on by and skip them; <c>lazyAdam</c> leaves them where they are.</remarks>
[<RequireQualifiedAccess>]
module Optimizer =
    let private create name rate count move = { Called = name; Eta = rate; Count = count; Move = move; Scales = [] }

    /// <summary>Gradient descent: <c>w -= eta g</c>.</summary>
    let sgd (rate: float) : Optimizer = create "sgd" rate 0 (fun _ eta w g _ -> Sgd.Step(w, g, eta))

    /// <summary>Momentum in one of its forms, see <c>MomentumForm</c>.</summary>
    let momentumWith (form: MomentumForm) (beta: float) (rate: float) : Optimizer =
        create "momentum" rate 1 (fun _ eta w g moments -> Momentum.Step(w, g, moments[0], MomentumSettings(eta, beta, form)))

    /// <summary>Classic momentum with beta 0.9: <c>v = beta v + eta g; w -= v</c>.</summary>
    let momentum (rate: float) : Optimizer = momentumWith MomentumForm.Classic 0.9 rate

    /// <summary>Nesterov's momentum in one of its forms: it steps by <c>s (beta v + c g)</c> with the new v, see <c>MomentumForm</c>.</summary>
    /// <remarks>torch's <c>SGD(nesterov=True)</c> is <c>nesterovWith MomentumForm.Summed</c>.</remarks>
    let nesterovWith (form: MomentumForm) (beta: float) (rate: float) : Optimizer =
        create "nesterov" rate 1 (fun _ eta w g moments -> Momentum.Step(w, g, moments[0], MomentumSettings(eta, beta, form, true)))

    /// <summary>Nesterov's momentum with beta 0.9: <c>v = beta v + eta g; w -= beta v + eta g</c>.</summary>
    /// <remarks>Y. Nesterov, 1983; as I. Sutskever et al., On the importance of initialization and momentum in deep learning, 2013.</remarks>
    let nesterov (rate: float) : Optimizer = nesterovWith MomentumForm.Classic 0.9 rate

    /// <summary>AdaGrad with epsilon of your own, inside or outside the root.</summary>
    /// <remarks>torch's Adagrad is <c>adaGradWith EpsilonPlacement.OutsideRoot 1e-10</c>.</remarks>
    let adaGradWith (placement: EpsilonPlacement) (epsilon: float) (rate: float) : Optimizer =
        create "adaGrad" rate 1 (fun _ eta w g moments -> AdaGrad.Step(w, g, moments[0], AdaGradSettings(eta, epsilon, placement)))

    /// <summary>AdaGrad: <c>s += g^2; w -= eta g / sqrt(s + epsilon)</c> with epsilon 1e-8.</summary>
    /// <remarks>What has a gradient of zero keeps its bits; of an embedding only the rows that its batch has met are visited.
    /// J. Duchi, E. Hazan, Y. Singer, Adaptive subgradient methods, 2011.</remarks>
    let adaGrad (rate: float) : Optimizer = adaGradWith EpsilonPlacement.InsideRoot 1e-8 rate

    /// <summary>RMSprop with beta and epsilon of your own, epsilon inside or outside the root.</summary>
    /// <remarks>torch's RMSprop is <c>rmsPropWith EpsilonPlacement.OutsideRoot 0.99 1e-8</c>.</remarks>
    let rmsPropWith (placement: EpsilonPlacement) (beta: float) (epsilon: float) (rate: float) : Optimizer =
        create "rmsProp" rate 1 (fun _ eta w g moments -> RmsProp.Step(w, g, moments[0], RmsPropSettings(eta, beta, epsilon, placement)))

    /// <summary>RMSprop: <c>s = beta s + (1 - beta) g^2; w -= eta g / sqrt(s + epsilon)</c> with beta 0.9 and epsilon 1e-8.</summary>
    /// <remarks>T. Tieleman, G. Hinton, Neural networks for machine learning, lecture 6e, 2012.</remarks>
    let rmsProp (rate: float) : Optimizer = rmsPropWith EpsilonPlacement.InsideRoot 0.9 1e-8 rate

    /// <summary>Adadelta with rho and epsilon of your own.</summary>
    /// <remarks>torch's Adadelta is <c>adadeltaWith 0.9 1e-6</c>.</remarks>
    let adadeltaWith (rho: float) (epsilon: float) (rate: float) : Optimizer =
        create "adadelta" rate 2 (fun _ eta w g moments -> Adadelta.Step(w, g, moments[0], moments[1], AdadeltaSettings(eta, rho, epsilon)))

    /// <summary>Adadelta (rho 0.95, epsilon 1e-6): <c>w -= eta g sqrt(u + epsilon) / sqrt(s + epsilon)</c> with the mean squares s of gradients and u of steps.</summary>
    /// <remarks>Rate 1 is the method as published. M. Zeiler, ADADELTA: an adaptive learning rate method, 2012.</remarks>
    let adadelta (rate: float) : Optimizer = adadeltaWith 0.95 1e-6 rate

    /// <summary>Adam with decays and epsilon of your own.</summary>
    let adamWith (beta1: float) (beta2: float) (epsilon: float) (rate: float) : Optimizer =
        create "adam" rate 2 (fun t eta w g moments -> Adam.Step(w, g, moments[0], moments[1], AdamSettings(eta, beta1, beta2, epsilon), t))

    /// <summary>Adam (0.9, 0.999, 1e-8): bias-corrected moments, <c>w -= eta mhat / (sqrt vhat + epsilon)</c>.</summary>
    /// <remarks>D. Kingma, J. Ba, Adam: a method for stochastic optimization, 2015.</remarks>
    let adam (rate: float) : Optimizer = adamWith 0.9 0.999 1e-8 rate

    /// <summary>Adam (0.9, 0.999, 1e-8) for models with large embeddings: a step moves only the rows of a table that its batch has met, at their cost alone.</summary>
    /// <remarks>The other rows keep weights and moments, while the bias correction counts every step, as in LazyAdam of TensorFlow and SparseAdam of
    /// torch. Parameters with dense gradients take Adam's step, and so does a table that is tied to another layer.</remarks>
    let lazyAdam (rate: float) : Optimizer =
        create "lazyAdam" rate 2 (fun t eta w g moments -> LazyAdam.Step(w, g, moments[0], moments[1], AdamSettings eta, t))

    /// <summary>AdamW: Adam with decoupled decay, <c>w -= eta lambda w</c>.</summary>
    /// <remarks>I. Loshchilov, F. Hutter, Decoupled weight decay regularization, 2019.</remarks>
    let adamW (decay: float) (rate: float) : Optimizer =
        create "adamW" rate 2 (fun t eta w g moments -> AdamW.Step(w, g, moments[0], moments[1], AdamWSettings(eta, Decay = decay), t))

    /// <summary>A rate per part: the learning rate times a factor for the parameters whose names begin with a path, such as <c>"0.body", 0.1</c>.</summary>
    /// <remarks>A path ends where a name has a dot: <c>"1"</c> is not the beginning of <c>10.weight</c>. Where several paths fit, the longest
    /// counts; <c>""</c> is all parameters. Factor 1 is the plain optimizer. Factor 0 leaves parameters and moments as they are, bit for bit,
    /// and their gradients out of the clipped norm. The names are those of <c>Layer.slots</c>; training refuses a path that none begins with.</remarks>
    /// <param name="factors">Paths and factors.</param>
    /// <param name="optimizer">The optimizer; factors it has already are kept.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">A path is there twice, or a factor is negative or not finite.</exception>
    let scaled (factors: (string * float) list) (optimizer: Optimizer) : Optimizer =
        let all = optimizer.Scales @ (factors |> List.map (fun (path, factor) -> path.TrimEnd '.', factor))

        for path, count in all |> List.countBy fst do
            if count > 1 then
                raise (InvalidArgumentException("Optimizer.scaled", "every path once", $"'{path}' {count} times"))

        for path, factor in all do
            if not (Double.IsFinite factor) || factor < 0.0 then
                raise (InvalidArgumentException($"Optimizer.scaled '{path}'", "a factor that is finite and at least 0", $"{factor}"))

        { optimizer with Scales = all }

    /// Whether a path is the beginning of a name, ending where the name has a dot.
    let internal below (path: string) (name: string) = path = "" || name = path || name.StartsWith(path + ".", StringComparison.Ordinal)

    /// The factor of every named parameter.
    let internal factors (optimizer: Optimizer) (names: string list) : float[] =
        for path, _ in optimizer.Scales do
            if not (names |> List.exists (below path)) then
                let known = String.concat ", " names
                raise (InvalidArgumentException("Optimizer.scaled", $"the beginning of one of the parameters {known}", $"'{path}'"))

        let longestFirst = optimizer.Scales |> List.sortByDescending (fun (path, _) -> path.Length)
        let factor name = longestFirst |> List.tryFind (fun (path, _) -> below path name) |> Option.map snd
        names |> List.map (factor >> Option.defaultValue 1.0) |> Array.ofList

    /// <summary>One step from given gradients over several parameters, as a function: nothing that comes in is changed.</summary>
    /// <param name="optimizer">The optimizer.</param>
    /// <param name="step">The number of the step, from 1.</param>
    /// <param name="rate">The learning rate of this step.</param>
    /// <param name="parameters">The parameters.</param>
    /// <param name="gradients">Their gradients.</param>
    /// <param name="moments">For each moment a tensor for every parameter; zeros before the first step.</param>
    /// <returns>The new parameters and moments.</returns>
    /// <exception cref="T:DL.Core.DLException">Shapes, counts or settings do not fit.</exception>
    let step
        (optimizer: Optimizer)
        (step: int)
        (rate: float)
        (parameters: Tensor[])
        (gradients: Tensor[])
        (moments: Tensor[][])
        : struct (Tensor[] * Tensor[][]) =
        if not optimizer.Scales.IsEmpty then
            raise (
                InvalidArgumentException(
                    "Optimizer.step",
                    "an optimizer with one rate: parameters have no names here",
                    "an optimizer with a rate per part",
                    "Take a step for each part."
                )
            )

        let counts = parameters.Length, optimizer.Moments

        if
            (gradients.Length, moments.Length) <> counts
            || moments |> Array.exists (fun m -> m.Length <> parameters.Length)
        then
            raise (
                InvalidArgumentException(
                    "Optimizer.step",
                    $"a gradient and {optimizer.Moments} moments for each of {parameters.Length} parameters",
                    $"{gradients.Length} gradients and {moments.Length} moments"
                )
            )

        let copy (t: Tensor) = t.To t.ElementType
        let moved = Array.map copy parameters
        let movedMoments = moments |> Array.map (Array.map copy)

        for i in 0 .. moved.Length - 1 do
            optimizer.Update step rate moved[i] gradients[i] (movedMoments |> Array.map (fun m -> m[i]))

        struct (moved, movedMoments)

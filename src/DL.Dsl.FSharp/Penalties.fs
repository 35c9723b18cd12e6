namespace DL

open System
open DL.Core
open DL.Core.Optimizers

/// <summary>A penalty on the size of parameters: it is added to the loss, and its gradient to theirs.</summary>
[<NoEquality; NoComparison>]
type Penalty =
    internal
        {
            /// The strength of the sum of sizes.
            Sizes: float
            /// The strength of half the sum of squares.
            Squares: float
            /// The paths it is on; without any, the weights of the model.
            Paths: string list
        }

/// <summary>Penalties. Without a choice by <c>Penalty.on</c> they are on the weights, and not on biases or the gains of normalizations.</summary>
[<RequireQualifiedAccess>]
module Penalty =
    let private strength name (lambda: float) =
        if not (Double.IsFinite lambda) || lambda < 0.0 then
            raise (InvalidArgumentException(name, "a strength that is finite and at least 0", $"{lambda}"))

        lambda

    /// <summary><c>l1 sum |w| + l2 / 2 sum w^2</c>, the elastic net. H. Zou, T. Hastie, 2005.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">A strength is negative or not finite.</exception>
    let elastic (l1: float) (l2: float) : Penalty =
        { Sizes = strength "Penalty.l1" l1
          Squares = strength "Penalty.l2" l2
          Paths = [] }

    /// <summary><c>lambda sum |w|</c>: it drives weights to zero.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">The strength is negative or not finite.</exception>
    let l1 (lambda: float) : Penalty = elastic lambda 0.0

    /// <summary><c>lambda / 2 sum w^2</c>; the form <c>lambda / (2 n)</c> is lambda divided by n, and Keras' <c>l2(lambda)</c> is twice this.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">The strength is negative or not finite.</exception>
    let l2 (lambda: float) : Penalty = elastic 0.0 lambda

    /// <summary>The penalty on the parameters whose names begin with one of these paths, biases included: <c>Penalty.l2 1e-4 |&gt; Penalty.on [ "0" ]</c>.</summary>
    /// <remarks>A path ends where a name has a dot, as for <c>Optimizer.scaled</c>; <c>""</c> is all parameters.</remarks>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no path.</exception>
    let on (paths: string list) (penalty: Penalty) : Penalty =
        if paths.IsEmpty then
            raise (InvalidArgumentException("Penalty.on", "at least one path", "none"))

        { penalty with Paths = paths |> List.map _.TrimEnd('.') }

    /// Which of the named parameters the penalty is on.
    let internal chosen (penalty: Penalty) (names: string list) (parameters: Tensor[]) : bool[] =
        for path in penalty.Paths do
            if not (names |> List.exists (Optimizer.below path)) then
                let known = String.concat ", " names
                raise (InvalidArgumentException("Penalty.on", $"the beginning of one of the parameters {known}", $"'{path}'"))

        let isChosen name (parameter: Tensor) =
            match penalty.Paths with
            | [] -> parameter.Shape.Rank > 1
            | paths -> paths |> List.exists (fun path -> Optimizer.below path name)

        Array.map2 isChosen (Array.ofList names) parameters

    /// Adds the gradient of the penalty at one parameter to that parameter's, in place, and gives the penalty there.
    let internal add (penalty: Penalty) (parameter: Tensor) (gradient: Tensor) : float =
        let part strength (apply: Tensor * Tensor * float -> float) = if strength = 0.0 then 0.0 else apply (parameter, gradient, strength)

        part penalty.Sizes L1Penalty.Apply + part penalty.Squares L2Penalty.Apply

    /// <summary>The penalty of a model as it is: what it adds to the loss.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">No parameter's name begins with one of the paths.</exception>
    let value (penalty: Penalty) (model: Model<'x, 'y>) : float =
        let chosen = chosen penalty (Layer.slots model.Layer) model.Params
        let nothing (t: Tensor) = Tensor.Zeros(t.ElementType, t.Shape)

        Seq.zip chosen model.Params |> Seq.sumBy (fun (on, p) -> if on then add penalty p (nothing p) else 0.0)

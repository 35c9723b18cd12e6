namespace DL

open System
open DL.Core
open DL.Core.Optimizers

/// <summary>Small regression problems with value, gradient and Hessian, for <c>Newton.minimize</c>. A bias is the weight of a feature that is always 1.</summary>
[<RequireQualifiedAccess>]
module Objective =
    let private whole (f: Func<float[], struct (float * float[] * float[,])>) (w: float[]) = f.Invoke w

    /// <summary>Linear regression: <c>1 / (2 n) sum (x w - y)^2 + l2 / 2 |w|^2</c>.</summary>
    /// <param name="l2">The penalty, at least 0.</param>
    /// <param name="x">The features, [n, d].</param>
    /// <param name="y">The targets, [n].</param>
    /// <returns>From weights to value, gradient and Hessian.</returns>
    /// <exception cref="T:DL.Core.DLException">Sizes do not fit, or a number is not finite.</exception>
    let leastSquares (l2: float) (x: float[,]) (y: float[]) : float[] -> struct (float * float[] * float[,]) =
        whole (Objectives.LeastSquares(x, y, l2))

    /// <summary>Logistic regression: <c>1 / n sum log(1 + e^z) - y z + l2 / 2 |w|^2</c> with <c>z = x w</c>.</summary>
    /// <param name="l2">The penalty, at least 0; data that a plane separates have no minimum without one.</param>
    /// <param name="x">The features, [n, d].</param>
    /// <param name="y">The targets, from 0 to 1, [n].</param>
    /// <returns>From weights to value, gradient and Hessian.</returns>
    /// <exception cref="T:DL.Core.DLException">Sizes do not fit, or a number is out of range.</exception>
    let logistic (l2: float) (x: float[,]) (y: float[]) : float[] -> struct (float * float[] * float[,]) =
        whole (Objectives.Logistic(x, y, l2))

/// <summary>Newton's method with damping, for problems small enough to hold a Hessian.</summary>
[<RequireQualifiedAccess>]
module Newton =
    /// <summary>No damping, at most 100 steps, until no element of the gradient is larger than 1e-10.</summary>
    let defaults = NewtonSettings()

    /// <summary>The step s that solves <c>(H + damping I) s = -g</c>.</summary>
    /// <exception cref="T:DL.Core.DLException">Sizes do not fit, or the damped Hessian is not positive definite: more damping mends it.</exception>
    let step (damping: float) (gradient: float[]) (hessian: float[,]) : float[] = Newton.Step(gradient, hessian, damping)

    /// <summary>Steps until the gradient is within the tolerance: <c>Newton.minimize Newton.defaults (Objective.logistic 0.1 x y) start</c>.</summary>
    /// <remarks>A step that does not lower the value enough is halved. K. Levenberg, 1944; J. Nocedal, S. Wright, Numerical optimization, 2006.</remarks>
    /// <param name="settings">Damping, limit of steps, tolerance: <c>NewtonSettings(Damping = 0.1)</c>.</param>
    /// <param name="f">From a point to value, gradient and Hessian.</param>
    /// <param name="start">The first point.</param>
    /// <exception cref="T:DL.Core.DLException">Sizes do not fit, the damped Hessian is not positive definite, or the start has no finite value.</exception>
    let minimize (settings: NewtonSettings) (f: float[] -> struct (float * float[] * float[,])) (start: float[]) : Minimum =
        Newton.Minimize(Func<_, _> f, start, settings)

/// <summary>L-BFGS, for functions of all examples at once.</summary>
[<RequireQualifiedAccess>]
module Lbfgs =
    /// <summary>The curvature of the last 10 steps, at most 1000 of them, until no element of the gradient is larger than 1e-8.</summary>
    let defaults = LbfgsSettings()

    /// <summary>Steps until the gradient is within the tolerance, each under the strong Wolfe conditions.</summary>
    /// <remarks>J. Nocedal, Updating quasi-Newton matrices with limited storage, 1980.</remarks>
    /// <param name="settings">History, limit of steps, tolerance: <c>LbfgsSettings(MaxIterations = 200)</c>.</param>
    /// <param name="f">From a point to value and gradient.</param>
    /// <param name="start">The first point.</param>
    /// <exception cref="T:DL.Core.DLException">Sizes do not fit, or the start has no finite value.</exception>
    let minimize (settings: LbfgsSettings) (f: float[] -> struct (float * float[])) (start: float[]) : Minimum =
        Lbfgs.Minimize(Func<_, _> f, start, settings)

    let private flat (tensors: Tensor[]) = tensors |> Array.map (fun t -> t.ToArray<float>()) |> Array.concat

    let private cut (like: Tensor[]) (numbers: float[]) : Tensor[] =
        let starts = like |> Array.scan (fun at (t: Tensor) -> at + t.Count) 0

        like
        |> Array.mapi (fun i t -> (Tensor.Of<float>(ReadOnlySpan<float>(numbers, starts[i], t.Count), t.Shape)).To t.ElementType)

    /// <summary>Trains a model on all examples in one batch: <c>Lbfgs.fit Lbfgs.defaults Loss.crossEntropy examples model</c>.</summary>
    /// <remarks>Layers with randomness draw the same numbers at every point. A model in float32 knows its loss to seven digits: it ends with
    /// <c>NoProgress</c> where one in float64 converges.</remarks>
    /// <param name="settings">History, limit of steps, tolerance.</param>
    /// <param name="loss">The loss.</param>
    /// <param name="data">The examples.</param>
    /// <param name="model">The model to start from.</param>
    /// <returns>The trained model, and how it came about.</returns>
    /// <exception cref="T:DL.Core.DLException">Shapes do not fit, the model has no parameters, or the first loss is not finite.</exception>
    let fit
        (settings: LbfgsSettings)
        (loss: Loss<'y, 't>)
        (data: Examples<'x, 't>)
        (model: Model<'x, 'y>)
        : struct (Model<'x, 'y> * Minimum) =
        let element = Model.elementType model.Precision
        let adopt (t: Tensor) = if t.ElementType = element || t.ElementType = ElementType.Int32 then t else t.To element
        let targets: Batch<'t> = Batch.map adopt data.Targets
        loss.Check model.Output targets

        let at numbers = Model.forward Train { model with Params = cut model.Params numbers } data.Inputs

        let evaluate numbers =
            let pass = at numbers
            let struct (value, dy) = loss.Evaluate pass.Output targets
            let struct (_, gradients) = pass.Pullback dy
            struct (value, flat gradients)

        let found = minimize settings evaluate (flat model.Params)

        let trained =
            { model with
                Params = cut model.Params found.Point
                State = (at found.Point).State }

        struct (trained, found)

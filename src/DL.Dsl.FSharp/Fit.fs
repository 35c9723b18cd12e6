namespace DL

open System
open DL.Core

/// <summary>What one epoch came to.</summary>
type Epoch =
    {
        /// <summary>The number of the epoch, from 1.</summary>
        Number: int
        /// <summary>The mean training loss over the epoch, as seen before each update.</summary>
        Loss: float
        /// <summary>The loss on the validation examples, if there are any.</summary>
        ValidationLoss: float option
        /// <summary>The metrics by name, on the validation examples if there are any, else on the training examples.</summary>
        Metrics: (string * float) list
        /// <summary>The time the epoch took; after a resumed run that of its last part.</summary>
        Elapsed: TimeSpan
    }

    /// <summary>The value of a metric of the epoch.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no metric of that name.</exception>
    member this.Metric(name: string) : float =
        match this.Metrics |> List.tryFind (fun (known, _) -> known = name) with
        | Some(_, value) -> value
        | None ->
            let known = this.Metrics |> List.map fst |> String.concat ", "
            raise (InvalidArgumentException("Epoch.Metric", $"one of the metrics {known}", $"'{name}'"))

/// <summary>The parameters and the state after the best epoch of a run with early stopping.</summary>
[<NoEquality; NoComparison>]
type Best =
    {
        /// <summary>The number of the epoch, from 1.</summary>
        Epoch: int
        /// <summary>The parameters after it.</summary>
        Params: Params
        /// <summary>The state after it.</summary>
        State: State
    }

/// <summary>Where a run stands in its passes over the data: with it, training goes on as if it had not stopped.</summary>
[<NoEquality; NoComparison>]
type Course =
    {
        /// <summary>One entry for every finished epoch.</summary>
        History: Epoch list
        /// <summary>The number of batches taken of the epoch that is under way.</summary>
        Batches: int
        /// <summary>The sum over these batches of the loss times the number of examples.</summary>
        Loss: float
        /// <summary>The best epoch so far, with early stopping.</summary>
        Best: Best option
    }

/// <summary>A model in training: the model, the moments of its optimizer and the number of steps taken, and where the run stands. A value.</summary>
[<NoEquality; NoComparison>]
type Fit<'x, 'y> =
    {
        /// <summary>The model.</summary>
        Model: Model<'x, 'y>
        /// <summary>The optimizer's moments: for each moment a tensor for every parameter.</summary>
        Moments: Tensor[][]
        /// <summary>The exponential average of the parameters, where the rule asks for one; empty else.</summary>
        Average: Params
        /// <summary>The number of steps taken.</summary>
        Steps: int
        /// <summary>Where the run stands in its passes over the data.</summary>
        Course: Course
    }

/// <summary>Models in training.</summary>
[<RequireQualifiedAccess>]
module Fit =
    /// <summary>A model that no step has been taken with.</summary>
    /// <param name="moments">The number of moments of the optimizer.</param>
    /// <param name="averaged">Whether the parameters' average is kept.</param>
    /// <param name="model">The model.</param>
    let internal create (moments: int) (averaged: bool) (model: Model<'x, 'y>) : Fit<'x, 'y> =
        let zeros () = model.Params |> Array.map (fun p -> Tensor.Zeros(p.ElementType, p.Shape))

        { Model = model
          Moments = Array.init moments (fun _ -> zeros ())
          Average = if averaged then model.Params else [||]
          Steps = 0
          Course = { History = []; Batches = 0; Loss = 0.0; Best = None } }

    /// <summary>The model with the exponential average of its parameters.</summary>
    /// <remarks>Its state, as the running statistics of batch norm, is that of the model in training.</remarks>
    /// <exception cref="T:DL.Core.InvalidArgumentException">The rule of the run kept no average.</exception>
    let averaged (fit: Fit<'x, 'y>) : Model<'x, 'y> =
        if fit.Average.Length <> fit.Model.Params.Length then
            raise (
                InvalidArgumentException(
                    "Fit.averaged",
                    "a fit with an average of its parameters",
                    "none",
                    "Set Average in the trainer's Rule."
                )
            )

        { fit.Model with Params = fit.Average }

    /// <summary>The model after its best epoch where the run had early stopping and an epoch is finished, else as it is.</summary>
    let best (fit: Fit<'x, 'y>) : Model<'x, 'y> =
        match fit.Course.Best with
        | Some best -> { fit.Model with Params = best.Params; State = best.State }
        | None -> fit.Model

namespace DL

open System
open System.Threading
open DL.Core

/// <summary>What one step of a run came to.</summary>
type StepReport =
    {
        /// <summary>The number of the epoch, from 1.</summary>
        Epoch: int
        /// <summary>The number of the batch in its epoch, from 1.</summary>
        Batch: int
        /// <summary>The number of the step, from 1.</summary>
        Step: int
        /// <summary>The learning rate of the step.</summary>
        Rate: float
        /// <summary>The mean loss of the batch before the step.</summary>
        Loss: float
        /// <summary>The global norm of the gradients before clipping by norm; NaN where they are not clipped so.</summary>
        GradientNorm: float
    }

/// <summary>Why a run came to its end.</summary>
[<RequireQualifiedAccess>]
type Ending =
    /// <summary>All epochs are done.</summary>
    | Completed
    /// <summary>The watched value has not become better for too many epochs; the best one is named.</summary>
    | StoppedEarly of bestEpoch: int
    /// <summary>A callback asked for it.</summary>
    | StoppedByCallback
    /// <summary>The run was cancelled, between two steps.</summary>
    | Cancelled

/// <summary>What a run tells those who watch it.</summary>
[<NoEquality; NoComparison>]
type Event<'x, 'y> =
    /// <summary>Nothing is done yet.</summary>
    | Started of Fit<'x, 'y>
    /// <summary>A step has been taken. The function copies the fit as it is when called: call it at once or not at all.</summary>
    | StepTaken of StepReport * (unit -> Fit<'x, 'y>)
    /// <summary>An epoch is finished.</summary>
    | EpochEnded of Epoch * Fit<'x, 'y>
    /// <summary>The run has come to its end, by whatever way but an exception.</summary>
    | Ended of Ending * Fit<'x, 'y>

/// <summary>What a callback wants next.</summary>
[<RequireQualifiedAccess>]
type Next =
    /// <summary>The run goes on.</summary>
    | Continue
    /// <summary>The run stops here.</summary>
    | Stop

/// <summary>A function that is told what happens in a run, and may stop it.</summary>
type Callback<'x, 'y> = Event<'x, 'y> -> Next

/// <summary>Callbacks from plain functions.</summary>
[<RequireQualifiedAccess>]
module Callback =
    /// <summary>Told of every step.</summary>
    let onStep (act: StepReport -> unit) : Callback<'x, 'y> =
        function
        | StepTaken(report, _) ->
            act report
            Next.Continue
        | _ -> Next.Continue

    /// <summary>Told of every epoch, with the fit after it.</summary>
    let onEpoch (act: Epoch -> Fit<'x, 'y> -> unit) : Callback<'x, 'y> =
        function
        | EpochEnded(epoch, fit) ->
            act epoch fit
            Next.Continue
        | _ -> Next.Continue

    /// <summary>Told of the end, with the fit to go on from.</summary>
    let onEnd (act: Ending -> Fit<'x, 'y> -> unit) : Callback<'x, 'y> =
        function
        | Ended(ending, fit) ->
            act ending fit
            Next.Continue
        | _ -> Next.Continue

    /// <summary>Stops the run after an epoch for which the test holds.</summary>
    let stopWhen (test: Epoch -> bool) : Callback<'x, 'y> =
        function
        | EpochEnded(epoch, _) when test epoch -> Next.Stop
        | _ -> Next.Continue

/// <summary>Stopping a run when its epochs no longer become better; the parameters of the best epoch are given back.</summary>
[<NoEquality; NoComparison>]
type EarlyStopping =
    {
        /// <summary>The number of epochs in a row that may fail to be better than the best one.</summary>
        Patience: int
        /// <summary>By how much an epoch must be better to count as better, at least 0.</summary>
        MinimumGain: float
        /// <summary>The value of an epoch; the smaller, the better. A value that is not a number is never better.</summary>
        Watch: Epoch -> float
    }

/// <summary>Early stopping: L. Prechelt, Early stopping, but when?, 1998.</summary>
[<RequireQualifiedAccess>]
module EarlyStopping =
    /// <summary>The validation loss of an epoch, or the training loss where nothing is held out.</summary>
    let loss (epoch: Epoch) : float = epoch.ValidationLoss |> Option.defaultValue epoch.Loss

    /// <summary>Stops when the loss has not become better for so many epochs.</summary>
    let after (patience: int) : EarlyStopping = { Patience = patience; MinimumGain = 0.0; Watch = loss }

    /// <summary>Stops when a metric that should grow, such as accuracy, has not grown for so many epochs.</summary>
    /// <param name="metric">The name of the metric.</param>
    /// <param name="patience">The number of epochs.</param>
    let highest (metric: string) (patience: int) : EarlyStopping =
        { Patience = patience
          MinimumGain = 0.0
          Watch = fun epoch -> -epoch.Metric metric }

    /// Fails unless the settings are in range.
    let internal check (stopping: EarlyStopping) =
        if stopping.Patience < 1 then
            raise (InvalidArgumentException("EarlyStopping.Patience", "at least 1 epoch", $"{stopping.Patience}"))

        if not (stopping.MinimumGain >= 0.0) then
            raise (InvalidArgumentException("EarlyStopping.MinimumGain", "at least 0", $"{stopping.MinimumGain}"))

    /// <summary>The number of the best epoch of a history, 0 for none: the first that no later one is better than by the gain.</summary>
    let best (stopping: EarlyStopping) (history: Epoch list) : int =
        let better (number, value) (epoch: Epoch) =
            let watched = stopping.Watch epoch
            let improves = if number = 0 then not (Double.IsNaN watched) else watched < value - stopping.MinimumGain
            if improves then (epoch.Number, watched) else (number, value)

        history |> List.fold better (0, infinity) |> fst

    /// <summary>Whether a run with this history has come to its end.</summary>
    let isOver (stopping: EarlyStopping) (history: Epoch list) : bool = history.Length - best stopping history >= stopping.Patience

/// <summary>Ctrl-C as a cancellation.</summary>
[<RequireQualifiedAccess>]
module Interrupt =
    let private source =
        lazy
            let source = new CancellationTokenSource()

            Console.CancelKeyPress.Add(fun press ->
                // The second time the system's own way of ending is taken.
                if not source.IsCancellationRequested then
                    press.Cancel <- true
                    source.Cancel())

            source

    /// <summary>A token that the first Ctrl-C cancels, so that a run can end between two steps; the second ends the process.</summary>
    /// <remarks>From the first call on Ctrl-C is handled so in this process. Where there is no console, the token is never cancelled.</remarks>
    let token () : CancellationToken = source.Value.Token

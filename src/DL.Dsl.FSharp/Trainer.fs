namespace DL

open System
open System.Diagnostics
open System.Threading
open DL.Core
open DL.Core.Data
open DL.Core.Random

/// <summary>How a model is trained: a rule for one step, and how many steps over which batches.</summary>
[<NoEquality; NoComparison>]
type Trainer<'x, 'y, 't> =
    {
        /// <summary>Loss, optimizer, schedule and clipping.</summary>
        Rule: Rule<'y, 't>
        /// <summary>The number of passes over the data.</summary>
        Epochs: int
        /// <summary>The number of examples in a batch; the last batch of an epoch may be smaller.</summary>
        BatchSize: int
        /// <summary>The seed of the shuffles.</summary>
        Seed: int
        /// <summary>What is measured after every epoch.</summary>
        Metrics: Metric<'y, 't> list
        /// <summary>Examples that are measured and never trained on; see <c>Examples.split</c>.</summary>
        Validation: Examples<'x, 't> option
        /// <summary>What is done to the examples of a batch before the step, as a pure function of a key of its own for every step: augmentation.</summary>
        /// <remarks><c>Some(Augment.examples (Augment.flip 0.5))</c>, <c>Some(Augment.mixUp 0.2)</c>, or a function of your own.</remarks>
        Augment: (Key -> Examples<'x, 't> -> Examples<'x, 't>) option
        /// <summary>When to stop before the last epoch, and give back the best one.</summary>
        Stopping: EarlyStopping option
        /// <summary>Lower learning rates once the losses of the epochs no longer fall; see <c>Schedule.plateau</c>.</summary>
        /// <remarks>The losses are those of validation, or of training where nothing is held out.</remarks>
        Plateau: Plateau option
        /// <summary>Functions that are told what happens, and may stop the run.</summary>
        Callbacks: Callback<'x, 'y> list
        /// <summary>Ends the run between two steps, with a fit to go on from; see <c>Interrupt.token</c> for Ctrl-C.</summary>
        Cancellation: CancellationToken
        /// <summary>Where the run is reported.</summary>
        Progress: Progress
    }

/// <summary>What training gives: the trained model with all that is needed to go on, and the history.</summary>
[<NoEquality; NoComparison>]
type Trained<'x, 'y> =
    {
        /// <summary>The trained model: with early stopping that of the best epoch.</summary>
        Model: Model<'x, 'y>
        /// <summary>The model with its optimizer's moments as the last step left them, to go on from.</summary>
        Fit: Fit<'x, 'y>
        /// <summary>One entry for every epoch, those before a resumed run too.</summary>
        History: Epoch list
        /// <summary>Why the run came to its end.</summary>
        Ending: Ending
    }

/// <summary>Training.</summary>
[<RequireQualifiedAccess>]
module Trainer =
    /// <summary>A trainer with 10 epochs, batches of 32, seed 0 and a progress bar: change what you like with <c>{ trainer with Epochs = 30 }</c>.</summary>
    let create (loss: Loss<'y, 't>) (optimizer: Optimizer) : Trainer<'x, 'y, 't> =
        { Rule = Rule.create loss optimizer
          Epochs = 10
          BatchSize = 32
          Seed = 0
          Metrics = []
          Validation = None
          Augment = None
          Stopping = None
          Plateau = None
          Callbacks = []
          Cancellation = CancellationToken.None
          Progress = Progress.Auto }

    /// <summary>A model that no step has been taken with.</summary>
    let start (rule: Rule<'y, 't>) (model: Model<'x, 'y>) : Fit<'x, 'y> = Fit.create rule.Optimizer.Moments rule.Average.IsSome model

    /// <summary>One step, as a function: the fit that comes in is not changed.</summary>
    /// <remarks>It copies all parameters. For many steps use <c>fit</c>, or a <c>Session</c>, which takes the same steps bit for bit in memory of its own.</remarks>
    /// <returns>The fit after the step and the loss before it.</returns>
    let step (rule: Rule<'y, 't>) (fit: Fit<'x, 'y>) (input: Batch<'x>) (target: Batch<'t>) : struct (Fit<'x, 'y> * float) =
        let session = Session(rule, fit)
        let loss = session.Step(input, target)
        struct (session.Fit, loss)

    /// Fails unless settings, data and targets fit, with nothing done.
    let internal check (trainer: Trainer<'x, 'y, 't>) (model: Model<'x, 'y>) (data: Examples<'x, 't>) =
        let n = Examples.count data
        let refuse what expected got = raise (InvalidArgumentException($"Trainer.fit, {what}", expected, got))

        if n = 0 then
            refuse "data" "at least one example" "none"

        if trainer.Epochs < 0 then
            refuse "Epochs" "at least 0" $"{trainer.Epochs}"

        if trainer.BatchSize < 1 || trainer.BatchSize > n then
            refuse "BatchSize" $"a number from 1 to {n}, the number of examples" $"{trainer.BatchSize}"

        let rate = trainer.Rule.Optimizer.Rate

        if not (Double.IsFinite rate) || rate < 0.0 then
            refuse "learning rate" "a finite number of at least 0" $"{rate}"

        Rule.check trainer.Rule
        trainer.Stopping |> Option.iter EarlyStopping.check

        let examples name (set: Examples<'x, 't>) =
            if Batch.shape set.Inputs <> model.Input then
                raise (ShapeException($"Trainer.fit, {name}", $"inputs of shape {model.Input}", $"{Batch.shape set.Inputs}"))

            Examples.checkFinite $"Trainer.fit, {name} inputs" set.Inputs
            Examples.checkFinite $"Trainer.fit, {name} targets" set.Targets
            trainer.Rule.Loss.Check model.Output set.Targets

        examples "training" data
        trainer.Validation |> Option.iter (examples "validation")

    let private stopped (session: Session<'x, 'y, 't>) epoch batch (loss: float) =
        let place =
            match session.BrokenParameter with
            | Some name -> $"; parameter '{name}' is no longer finite"
            | None -> ""

        raise (
            InvalidArgumentException(
                $"Trainer.fit, epoch {epoch}, batch {batch}, step {session.Steps}",
                "a finite loss",
                $"{loss}{place}",
                "Lower the learning rate, clip the gradients, or look at the data."
            )
        )

    /// The batches of an evaluation: large, in order, but of no more outputs than memory bears.
    let private chunks n outputs =
        let size = Math.Clamp((1 <<< 23) / max 1 outputs, 1, 1024)
        [ for from in 0..size .. n - 1 -> Array.init (min size (n - from)) (fun i -> from + i) ]

    let private evaluate (trainer: Trainer<'x, 'y, 't>) (session: Session<'x, 'y, 't>) (data: Examples<'x, 't>) =
        let n = Examples.count data

        let measure (total, tallies: Tally<'y, 't> list) rows =
            let part = Examples.take rows data

            session.Predict(
                part.Inputs,
                fun y ->
                    let struct (loss, _) = trainer.Rule.Loss.Evaluate y part.Targets
                    total + loss * float rows.Length, tallies |> List.map (fun tally -> tally.Add(y, part.Targets))
            )

        let total, tallies =
            chunks n (Shape.elements session.Output) |> List.fold measure (0.0, trainer.Metrics |> List.map _.Empty)

        total / float n, List.map2 (fun (m: Metric<'y, 't>) (tally: Tally<'y, 't>) -> m.Name, tally.Value) trainer.Metrics tallies

    /// What a run works on, and where it stands: its only changing part beside the session.
    type private Run<'x, 'y, 't> =
        { Trainer: Trainer<'x, 'y, 't>
          Session: Session<'x, 'y, 't>
          Data: Examples<'x, 't>
          Sink: Reporting.Sink
          mutable Course: Course
          mutable Stopped: Ending option }

    let private fitOf run = { run.Session.Fit with Course = run.Course }

    let private tell run event =
        for callback in run.Trainer.Callbacks do
            if callback event = Next.Stop && run.Stopped.IsNone then
                run.Stopped <- Some Ending.StoppedByCallback

    let private stepOn run (rows: int[]) =
        match run.Trainer.Augment with
        | None -> run.Session.StepOn(run.Data, rows)
        | Some augment ->
            let key = (Key.ofSeed run.Trainer.Seed).At(uint64 run.Session.Steps)
            let batch = augment key (Examples.take rows run.Data)
            run.Session.Step(batch.Inputs, batch.Targets)

    let private takeStep run number batch rows =
        let rate = run.Session.Rate
        let loss = stepOn run rows

        if not (Double.IsFinite loss) then
            stopped run.Session number batch loss

        run.Course <-
            { run.Course with
                Batches = batch
                Loss = run.Course.Loss + loss * float (Array.length rows) }

        run.Sink.Batch batch

        if not run.Trainer.Callbacks.IsEmpty then
            let report =
                { Epoch = number
                  Batch = batch
                  Step = run.Session.Steps
                  Rate = rate
                  Loss = loss
                  GradientNorm = run.Session.GradientNorm }

            tell run (StepTaken(report, fun () -> fitOf run))

        if run.Trainer.Cancellation.IsCancellationRequested then
            run.Stopped <- Some Ending.Cancelled

    /// The factor of the learning rate that the epochs so far ask for.
    let private slowDown (trainer: Trainer<'x, 'y, 't>) (session: Session<'x, 'y, 't>) (history: Epoch list) =
        trainer.Plateau
        |> Option.iter (fun plateau -> session.RateFactor <- history |> List.map EarlyStopping.loss |> Schedule.plateau plateau)

    let private finishEpoch run number (elapsed: TimeSpan) =
        let trainer = run.Trainer
        let measured = trainer.Validation |> Option.map (evaluate trainer run.Session)

        let metrics =
            match measured with
            | Some(_, metrics) -> metrics
            | None when trainer.Metrics.IsEmpty -> []
            | None -> snd (evaluate trainer run.Session run.Data)

        let result =
            { Number = number
              Loss = run.Course.Loss / float (Examples.count run.Data)
              ValidationLoss = measured |> Option.map fst
              Metrics = metrics
              Elapsed = elapsed }

        let history = run.Course.History @ [ result ]

        let best =
            match trainer.Stopping with
            | Some stopping when EarlyStopping.best stopping history = number ->
                let model = run.Session.Model

                Some { Epoch = number; Params = model.Params; State = model.State }
            | _ -> run.Course.Best

        run.Course <- { History = history; Batches = 0; Loss = 0.0; Best = best }

        slowDown trainer run.Session history
        run.Sink.Epoch result

        if not trainer.Callbacks.IsEmpty then
            tell run (EpochEnded(result, fitOf run))

        match trainer.Stopping with
        | Some stopping when run.Stopped.IsNone && EarlyStopping.isOver stopping history ->
            run.Stopped <- Some(Ending.StoppedEarly(EarlyStopping.best stopping history))
        | _ -> ()

    let private epoch run number =
        let clock = Stopwatch.StartNew()
        let trainer = run.Trainer
        let batches = Batches.Indices(Examples.count run.Data, trainer.BatchSize, uint64 trainer.Seed, number)
        let mutable batch = run.Course.Batches

        while run.Stopped.IsNone && batch < batches.Length do
            takeStep run number (batch + 1) batches[batch]
            batch <- batch + 1

        if run.Stopped.IsNone then
            finishEpoch run number clock.Elapsed

    let private runAll (run: Run<'x, 'y, 't>) =
        if not run.Trainer.Callbacks.IsEmpty then
            tell run (Started(fitOf run))

        let over history = run.Trainer.Stopping |> Option.exists (fun stopping -> EarlyStopping.isOver stopping history)

        if over run.Course.History then
            run.Stopped <- Some(Ending.StoppedEarly(EarlyStopping.best run.Trainer.Stopping.Value run.Course.History))

        while run.Stopped.IsNone && run.Course.History.Length < run.Trainer.Epochs do
            epoch run (run.Course.History.Length + 1)

        let ending = run.Stopped |> Option.defaultValue Ending.Completed
        let last = fitOf run
        tell run (Ended(ending, last))

        { Model = if run.Trainer.Stopping.IsSome then Fit.best last else last.Model
          Fit = last
          History = last.Course.History
          Ending = ending }

    /// <summary>Goes on training from a fit, until it has taken the trainer's number of epochs in all.</summary>
    /// <remarks>A run that is stopped and resumed with the same trainer and data gives the same bits as one that is not stopped. For more epochs than a
    /// finished run had, give the trainer a larger number.</remarks>
    /// <exception cref="T:DL.Core.DLException">Settings, data or targets do not fit, or hold numbers that are not finite: nothing is trained.
    /// Or the loss stopped being finite: the message says at which epoch, batch and step.</exception>
    let resume (trainer: Trainer<'x, 'y, 't>) (data: Examples<'x, 't>) (fit: Fit<'x, 'y>) : Trained<'x, 'y> =
        check trainer fit.Model data
        let data = Examples.convert (Model.elementType fit.Model.Precision) data
        let batches = (Examples.count data + trainer.BatchSize - 1) / trainer.BatchSize

        if fit.Course.Batches > batches then
            let got = $"{fit.Course.Batches} batches of the epoch under way"

            raise (
                InvalidArgumentException("Trainer.resume, fit", $"at most the {batches} batches of an epoch of this trainer and data", got)
            )

        let session = Session(trainer.Rule, fit)
        slowDown trainer session fit.Course.History

        let run sink =
            runAll
                { Trainer = trainer
                  Session = session
                  Data = data
                  Sink = sink
                  Course = fit.Course
                  Stopped = None }

        Reporting.using trainer.Progress trainer.Epochs batches (fit.Course.History.Length * batches + fit.Course.Batches) run

    /// <summary>Trains a model: shuffled mini-batches, the given number of epochs. The model that comes in is not changed.</summary>
    /// <remarks>The same trainer, data and model give the same bits on the same machine and engine.</remarks>
    /// <exception cref="T:DL.Core.DLException">As <c>resume</c>.</exception>
    let fit (trainer: Trainer<'x, 'y, 't>) (data: Examples<'x, 't>) (model: Model<'x, 'y>) : Trained<'x, 'y> =
        resume trainer data (start trainer.Rule model)

    /// <summary>The loss and the metrics of a model on examples, in prediction mode.</summary>
    let measure (trainer: Trainer<'x, 'y, 't>) (data: Examples<'x, 't>) (model: Model<'x, 'y>) : struct (float * (string * float) list) =
        check { trainer with BatchSize = 1; Validation = None } model data
        let loss, metrics = evaluate trainer (Session(trainer.Rule, start trainer.Rule model)) data
        struct (loss, metrics)

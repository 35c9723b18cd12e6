namespace DL

open System
open System.Diagnostics
open DL.Core
open DL.Core.Data

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
        /// <summary>Examples that are measured and never trained on.</summary>
        Validation: Examples<'x, 't> option
        /// <summary>Where the run is reported.</summary>
        Progress: Progress
    }

/// <summary>What training gives: the trained model with all that is needed to go on, and the history.</summary>
[<NoEquality; NoComparison>]
type Trained<'x, 'y> =
    {
        /// <summary>The trained model.</summary>
        Model: Model<'x, 'y>
        /// <summary>The model with its optimizer's moments, to go on from.</summary>
        Fit: Fit<'x, 'y>
        /// <summary>One entry for every epoch.</summary>
        History: Epoch list
    }

/// <summary>Training.</summary>
[<RequireQualifiedAccess>]
module Trainer =
    /// <summary>A trainer with 10 epochs, batches of 32, seed 0 and a progress bar: change what you like with <c>{ trainer with Epochs = 30 }</c>.</summary>
    let create (loss: Loss<'y, 't>) (optimizer: Optimizer) : Trainer<'x, 'y, 't> =
        { Rule =
            { Loss = loss
              Optimizer = optimizer
              Schedule = None
              ClipNorm = None }
          Epochs = 10
          BatchSize = 32
          Seed = 0
          Metrics = []
          Validation = None
          Progress = Progress.Auto }

    /// <summary>A model that no step has been taken with.</summary>
    let start (rule: Rule<'y, 't>) (model: Model<'x, 'y>) : Fit<'x, 'y> =
        let zeros () = model.Params |> Array.map (fun p -> Tensor.Zeros(p.ElementType, p.Shape))

        { Model = model
          Moments = Array.init rule.Optimizer.Moments (fun _ -> zeros ())
          Steps = 0 }

    /// <summary>One step, as a function: the fit that comes in is not changed.</summary>
    /// <remarks>It copies all parameters. For many steps use <c>fit</c>, or a <c>Session</c>, which takes the same steps bit for bit in memory of its own.</remarks>
    /// <returns>The fit after the step and the loss before it.</returns>
    let step (rule: Rule<'y, 't>) (fit: Fit<'x, 'y>) (input: Batch<'x>) (target: Batch<'t>) : struct (Fit<'x, 'y> * float) =
        let session = Session(rule, fit)
        let loss = session.Step(input, target)
        struct (session.Fit, loss)

    let private check (trainer: Trainer<'x, 'y, 't>) (model: Model<'x, 'y>) (data: Examples<'x, 't>) =
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

        let parts =
            chunks n (Shape.elements session.Output)
            |> List.map (fun rows ->
                let part = Examples.take rows data

                session.Predict(
                    part.Inputs,
                    fun y ->
                        let struct (loss, _) = trainer.Rule.Loss.Evaluate y part.Targets
                        loss * float rows.Length, Batch.map (fun t -> t.To t.ElementType) y
                ))

        let outputs = parts |> List.map snd |> Batch.append
        List.sumBy fst parts / float n, trainer.Metrics |> List.map (fun m -> m.Name, m.Measure outputs data.Targets)

    let private epoch (trainer: Trainer<'x, 'y, 't>) (session: Session<'x, 'y, 't>) data number (sink: Reporting.Sink) =
        let clock = Stopwatch.StartNew()
        let n = Examples.count data
        let mutable total = 0.0
        let mutable batch = 0

        for rows in Batches.Indices(n, trainer.BatchSize, uint64 trainer.Seed, number) do
            let loss = session.StepOn(data, rows)
            batch <- batch + 1

            if not (Double.IsFinite loss) then
                stopped session number batch loss

            total <- total + loss * float rows.Length
            sink.Batch batch

        let measured = trainer.Validation |> Option.map (evaluate trainer session)

        let metrics =
            match measured with
            | Some(_, metrics) -> metrics
            | None when trainer.Metrics.IsEmpty -> []
            | None -> snd (evaluate trainer session data)

        let result =
            { Number = number
              Loss = total / float n
              ValidationLoss = measured |> Option.map fst
              Metrics = metrics
              Elapsed = clock.Elapsed }

        sink.Epoch result
        result

    /// <summary>Goes on training from a fit.</summary>
    /// <exception cref="T:DL.Core.DLException">Settings, data or targets do not fit, or hold numbers that are not finite: nothing is trained.
    /// Or the loss stopped being finite: the message says at which epoch, batch and step.</exception>
    let resume (trainer: Trainer<'x, 'y, 't>) (data: Examples<'x, 't>) (fit: Fit<'x, 'y>) : Trained<'x, 'y> =
        check trainer fit.Model data
        let data = Examples.convert (Model.elementType fit.Model.Precision) data
        let session = Session(trainer.Rule, fit)
        let batches = (Examples.count data + trainer.BatchSize - 1) / trainer.BatchSize
        let run sink = [ for number in 1 .. trainer.Epochs -> epoch trainer session data number sink ]
        let history = Reporting.using trainer.Progress trainer.Epochs batches run
        let last = session.Fit

        { Model = last.Model; Fit = last; History = history }

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

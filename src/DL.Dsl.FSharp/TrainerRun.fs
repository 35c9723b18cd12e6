namespace DL

open System
open System.Diagnostics
open DL.Core
open DL.Core.Data
open DL.Core.Random

/// A batch whose turn it is: how many examples it has, and the step on it, which gives their mean loss.
[<NoEquality; NoComparison>]
type internal Turn = { Examples: int; Step: unit -> float }

/// Where the batches of a run come from. An epoch gives the same whenever it is gone through.
[<NoEquality; NoComparison>]
type internal Source<'x, 't> =
    {
        /// The function it was given to, for messages.
        Where: string
        /// The number of batches of an epoch, where it is known before.
        Batches: int option
        /// The batches of an epoch, counted from 1, in their order.
        Turns: int -> Turn seq
        /// The examples of an epoch, in parts small enough to be predicted at once.
        Parts: int -> Examples<'x, 't> seq
    }

/// The loop of training.
[<RequireQualifiedAccess>]
module internal TrainerRun =
    /// Examples in large parts, in order, but of no more outputs than memory bears.
    let private parts (output: Shape<'y>) (data: Examples<'x, 't>) : Examples<'x, 't> seq =
        let n = Examples.count data
        let size = Math.Clamp((1 <<< 23) / max 1 (Shape.elements output), 1, 1024)
        seq { for from in 0..size .. n - 1 -> Examples.take [| from .. min n (from + size) - 1 |] data }

    /// The metrics of the session's model on parts of examples, and what a loss gives on all of them, added up.
    let private evaluateParts (trainer: Trainer<'x, 'y, 't>) (session: Session<'x, 'y, 't>) loss (parts: Examples<'x, 't> seq) =
        let measure struct (total: float, tallies: Tally<'y, 't> list) (part: Examples<'x, 't>) =
            session.Predict(
                part.Inputs,
                fun y -> struct (total + loss y part.Targets, tallies |> List.map (fun tally -> tally.Add(y, part.Targets)))
            )

        let struct (total, tallies) = parts |> Seq.fold measure (struct (0.0, trainer.Metrics |> List.map _.Empty))
        total, List.map2 (fun (m: Metric<'y, 't>) (tally: Tally<'y, 't>) -> m.Name, tally.Value) trainer.Metrics tallies

    /// The loss of the session's model on examples, as if they were one batch, and the metrics.
    let evaluate (trainer: Trainer<'x, 'y, 't>) (session: Session<'x, 'y, 't>) (data: Examples<'x, 't>) =
        let ofPart = trainer.Rule.Loss.InParts [ data.Targets ]
        let loss y t = let struct (value: float, _) = ofPart y t in value
        evaluateParts trainer session loss (parts session.Output data)

    /// Shuffled batches of examples, gathered in the session's own memory.
    let ofExamples where (trainer: Trainer<'x, 'y, 't>) (session: Session<'x, 'y, 't>) (data: Examples<'x, 't>) : Source<'x, 't> =
        let n = Examples.count data

        let step (rows: int[]) () =
            match trainer.Augment with
            | None -> session.StepOn(data, rows)
            | Some augment ->
                let key = (Key.ofSeed trainer.Seed).At(uint64 session.Steps)
                let batch = augment key (Examples.take rows data)

                if Examples.count batch = 0 then
                    raise (InvalidArgumentException($"{where}, Augment, step {session.Steps}", "at least one example", "none"))

                session.Step(batch.Inputs, batch.Targets)

        { Where = where
          Batches = Some((n + trainer.BatchSize - 1) / trainer.BatchSize)
          Turns =
            fun number ->
                Batches.Indices(n, trainer.BatchSize, uint64 trainer.Seed, number)
                |> Seq.map (fun rows -> { Examples = rows.Length; Step = step rows })
          Parts = fun _ -> parts session.Output data }

    /// The batches of a pipeline, each looked at before the step on it.
    let ofPipeline where (trainer: Trainer<'x, 'y, 't>) (session: Session<'x, 'y, 't>) model (batches: Pipeline<Examples<'x, 't>>) =
        let step place (batch: Examples<'x, 't>) () =
            TrainerCheck.examples place trainer.Rule.Loss model batch
            session.Step(batch.Inputs, batch.Targets)

        let turn number i batch =
            let place = $"{where}, epoch {number}, batch {i + 1}"

            if Examples.count batch = 0 then
                raise (InvalidArgumentException(place, "at least one example", "none"))

            { Examples = Examples.count batch; Step = step place batch }

        let element = Model.elementType model.Precision

        { Where = where
          Batches = None
          Turns = fun number -> Pipeline.epoch number batches |> Seq.mapi (turn number)
          Parts = fun number -> Pipeline.epoch number batches |> Seq.map (Examples.convert element) }

    /// What a run works on, and where it stands: its only changing part beside the session.
    type private Run<'x, 'y, 't> =
        { Trainer: Trainer<'x, 'y, 't>
          Session: Session<'x, 'y, 't>
          Source: Source<'x, 't>
          Sink: Reporting.Sink
          mutable Course: Course
          mutable Stopped: Ending option }

    let private notFinite run epoch batch (loss: float) =
        let place =
            match run.Session.BrokenParameter with
            | Some name -> $"; parameter '{name}' is no longer finite"
            | None -> ""

        TrainerCheck.refuse
            $"{run.Source.Where}, epoch {epoch}, batch {batch}, step {run.Session.Steps}"
            "a finite loss"
            $"{loss}{place}"
            "Lower the learning rate, clip the gradients, or look at the data."

    let private fitOf run = { run.Session.Fit with Course = run.Course }

    let private tell run event =
        for callback in run.Trainer.Callbacks do
            if callback event = Next.Stop && run.Stopped.IsNone then
                run.Stopped <- Some Ending.StoppedByCallback

    let private takeStep run number batch (turn: Turn) =
        let rate = run.Session.Rate
        let loss = turn.Step()

        if not (Double.IsFinite loss) then
            notFinite run number batch loss

        run.Course <-
            { run.Course with
                Batches = batch
                Loss = run.Course.Loss + loss * float turn.Examples }

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

    let private finishEpoch run number examples (elapsed: TimeSpan) =
        let trainer = run.Trainer
        let measured = trainer.Validation |> Option.map (evaluate trainer run.Session)

        let metrics =
            match measured with
            | Some(_, metrics) -> metrics
            | None when trainer.Metrics.IsEmpty -> []
            | None -> snd (evaluateParts trainer run.Session (fun _ _ -> 0.0) (run.Source.Parts number))

        let result =
            { Number = number
              Loss = run.Course.Loss / float<int> examples
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
        let mutable batch = 0
        let mutable examples = 0
        use turns = (run.Source.Turns number).GetEnumerator()

        while run.Stopped.IsNone && turns.MoveNext() do
            batch <- batch + 1
            examples <- examples + turns.Current.Examples

            // A resumed run has taken the first ones before.
            if batch > run.Course.Batches then
                takeStep run number batch turns.Current

        if run.Stopped.IsNone then
            let place = $"{run.Source.Where}, epoch {number}"

            if batch < run.Course.Batches then
                let got = $"{batch}, though the fit has taken {run.Course.Batches}"
                TrainerCheck.refuse place "the batches of the epoch under way" got "Resume with the trainer and data of the run."

            if batch = 0 then
                raise (InvalidArgumentException(place, "at least one batch", "none"))

            finishEpoch run number examples clock.Elapsed

    let private toTheEnd (run: Run<'x, 'y, 't>) =
        if not run.Trainer.Callbacks.IsEmpty then
            tell run (Started(fitOf run))

        if run.Trainer.Cancellation.IsCancellationRequested && run.Stopped.IsNone then
            run.Stopped <- Some Ending.Cancelled

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

    /// Goes on from where a course stands.
    let goOn (trainer: Trainer<'x, 'y, 't>) (session: Session<'x, 'y, 't>) (source: Source<'x, 't>) (course: Course) : Trained<'x, 'y> =
        slowDown trainer session course.History

        let run sink =
            toTheEnd
                { Trainer = trainer
                  Session = session
                  Source = source
                  Sink = sink
                  Course = course
                  Stopped = None }

        let finished = course.History.Length

        match source.Batches with
        | Some batches -> Reporting.using trainer.Progress trainer.Epochs batches (finished * batches + course.Batches) run
        | None ->
            // Without a number of batches it is epochs that are counted.
            Reporting.using trainer.Progress trainer.Epochs 1 finished (fun sink ->
                run
                    { Batch = ignore
                      Epoch =
                        fun epoch ->
                            sink.Epoch epoch
                            sink.Batch 1 })

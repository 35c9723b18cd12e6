/// Whole runs: stopping and going on, early stopping, what callbacks are told.
module DL.Properties.Training.Runs

open System.Threading
open FsCheck.FSharp
open DL
open DL.Core

open DL.Laws

let private rows = 13

/// A few examples of two classes.
let examples seed : Examples<Vec, Label> =
    let x = (Numbers.tensor Ordinary seed [ rows; 3 ]).To ElementType.Float32
    Examples.create (Batch.vec x) (Batch.labels (Array.init rows (fun i -> (i + i / 3) % 2)))

/// Examples with a little noise.
let noisy (key: Random.Key) (batch: Examples<Vec, Label>) =
    let x = Batch.tensor batch.Inputs
    let noise = Array.zeroCreate<float32> x.Count
    DL.Core.Random.Draw.Normal<float32>(key, noise)
    let moved = Array.map2 (fun (a: float32) b -> a + 0.1f * b) (x.ToArray<float32>()) noise
    { batch with Inputs = Batch.vec (Tensor.Of<float32>(moved, x.Shape)) }

let private net = dense 6 --> batchNorm --> tanh --> dropout 0.3 --> dense 2

/// A network with state and chance.
let model () = net |> Model.init Single (Key.ofSeed 5) (Shape.vec 3)

let private optimizers = [ Optimizer.sgd 0.1; Optimizer.momentum 0.05; Optimizer.adam 0.01; Optimizer.adamW 0.1 0.01 ]

let private schedules = [ None; Some(Schedule.cosine 20 0.0 0.1); Some(Schedule.exponential 0.9 0.05) ]

/// A trainer in which a number chooses every setting.
let trainer (n: int) : Trainer<Vec, Vec, Label> =
    let pick (choices: 'a list) at = choices[n / at % choices.Length]
    let plain = Trainer.create Loss.crossEntropy (pick optimizers 1)

    { plain with
        Rule =
            { plain.Rule with
                Schedule = pick schedules 4
                Average = pick [ None; Some 0.8 ] 12
                ClipNorm = pick [ None; Some 0.5 ] 24
                Penalties = pick [ []; [ Penalty.l2 0.01; Penalty.l1 0.001 ] ] 48
                MicroBatch = pick [ None; Some 3 ] 96 }
        Epochs = 4
        BatchSize = 5
        Seed = n
        Metrics = [ Metric.accuracy ]
        Validation = pick [ None; Some(examples 77UL) ] 192
        Augment = pick [ None; Some noisy ] 384
        Stopping = pick [ None; Some(EarlyStopping.after 2) ] 768
        Plateau = pick [ None; Some { Plateau.defaults with Patience = 1; Factor = 0.5; Threshold = 0.2 } ] 1536
        Progress = Progress.Silent }

let private sameBest (a: Best option) (b: Best option) =
    match a, b with
    | Some a, Some b -> a.Epoch = b.Epoch && Probe.sameBits a.Params b.Params && Probe.sameState a.State b.State
    | a, b -> a.IsNone && b.IsNone

let private timeless (history: Epoch list) = history |> List.map (fun e -> e.Number, e.Loss, e.ValidationLoss, e.Metrics)

/// Two runs stand at the same place with the same bits.
let same (a: Fit<'x, 'y>) (b: Fit<'x, 'y>) : Evidence =
    Evidence.worst
        [ Evidence.exact "the same parameters" (Probe.sameBits a.Model.Params b.Model.Params)
          Evidence.exact "the same state" (Probe.sameState a.Model.State b.Model.State)
          Evidence.exact "the same moments" (a.Moments.Length = b.Moments.Length && Array.forall2 Probe.sameBits a.Moments b.Moments)
          Evidence.exact "the same average" (Probe.sameBits a.Average b.Average)
          Evidence.exact "the same step" (a.Steps = b.Steps)
          Evidence.exact "the same history" (timeless a.Course.History = timeless b.Course.History)
          Evidence.exact "the same place" ((a.Course.Batches, a.Course.Loss) = (b.Course.Batches, b.Course.Loss))
          Evidence.exact "the same best epoch" (sameBest a.Course.Best b.Course.Best) ]

/// Two runs came to the same end with the same bits.
let sameRun (a: Trained<'x, 'y>) (b: Trained<'x, 'y>) : Evidence =
    Evidence.worst
        [ same a.Fit b.Fit
          Evidence.exact "the same model" (Probe.sameBits a.Model.Params b.Model.Params)
          Evidence.exact "the same ending" (a.Ending = b.Ending) ]

/// Stops a run after a step.
let stopAt step : Callback<'x, 'y> =
    function
    | StepTaken(report, _) when report.Step = step -> Next.Stop
    | _ -> Next.Continue

let private resumed =
    Law.create
        "stopped after any step and resumed is not stopped, bit for bit"
        "Trainer.resume"
        (Arb.fromGen (Gen.zip (Gen.choose (0, 3071)) (Gen.choose (1, 12))))
        (fun (settings, step) ->
            let whole = trainer settings
            let expected = Trainer.fit whole (examples 3UL) (model ())
            let stopped = Trainer.fit { whole with Callbacks = [ stopAt step ] } (examples 3UL) (model ())
            let went = Trainer.resume whole (examples 3UL) stopped.Fit
            sameRun expected went)

let private cancelled =
    Law.fact "a cancelled run ends after the step under way and can go on" "Trainer.resume" (fun () ->
        use source = new CancellationTokenSource()

        let cancel =
            Callback.onStep (fun report ->
                if report.Step = 5 then
                    source.Cancel())

        let stopped = Trainer.fit { trainer 0 with Callbacks = [ cancel ]; Cancellation = source.Token } (examples 3UL) (model ())

        let went = Trainer.resume (trainer 0) (examples 3UL) stopped.Fit

        Evidence.worst
            [ Evidence.exact "cancelled" (stopped.Ending = Ending.Cancelled)
              Evidence.exact "after 5 steps" (stopped.Fit.Steps = 5)
              sameRun went (Trainer.fit (trainer 0) (examples 3UL) (model ())) ])

let private neverBegun =
    Law.fact "a run cancelled before it begins takes no step, and can go on" "Trainer.fit" (fun () ->
        use source = new CancellationTokenSource()
        source.Cancel()
        let none = Trainer.fit { trainer 0 with Cancellation = source.Token } (examples 3UL) (model ())

        Evidence.worst
            [ Evidence.exact "cancelled, at step 0" (none.Ending = Ending.Cancelled && none.Fit.Steps = 0 && none.History.IsEmpty)
              Evidence.exact "the model as it was" (Probe.sameBits none.Model.Params (model ()).Params)
              sameRun (Trainer.resume (trainer 0) (examples 3UL) none.Fit) (Trainer.fit (trainer 0) (examples 3UL) (model ())) ])

/// Whether a run is refused, by a message that says this.
let private refuses (part: string) (run: unit -> 'a) =
    let message =
        try
            run () |> ignore
            "nothing"
        with :? DLException as e ->
            e.Message

    Evidence.exact $"{part}: {message}" (message.Contains part)

let private nothingToLearn =
    Law.fact "no examples are refused, wherever they come from" "Trainer.fit" (fun () ->
        let none = Examples.take [||] (examples 3UL)
        let run trainer data = fun () -> Trainer.fit trainer data (model ())

        Evidence.worst
            [ refuses "Trainer.fit, data" (run (trainer 0) none)
              refuses "Trainer.measure, data" (fun () -> Trainer.measure (trainer 0) none (model ()))
              refuses "Trainer.fit, validation" (run { trainer 0 with Validation = Some none } (examples 3UL))
              refuses
                  "Augment, step 0"
                  (run
                      { trainer 0 with
                          Augment = Some(fun _ batch -> Examples.take [||] batch) }
                      (examples 3UL)) ])

let private told =
    Law.fact "callbacks are told everything once, in order" "Trainer.fit" (fun () ->
        let seen = ResizeArray<string>()

        let listen: Callback<Vec, Vec> =
            fun event ->
                match event with
                | Started fit -> seen.Add $"start {fit.Steps}"
                | StepTaken(report, fit) -> seen.Add $"step {report.Epoch} {report.Batch} {report.Step} {(fit ()).Steps}"
                | EpochEnded(epoch, fit) -> seen.Add $"epoch {epoch.Number} {fit.Steps}"
                | Ended(ending, fit) -> seen.Add $"end {ending} {fit.Steps}"

                Next.Continue

        let run = Trainer.fit { trainer 0 with Callbacks = [ listen ]; Epochs = 2; BatchSize = 7 } (examples 3UL) (model ())

        let expected =
            [ "start 0"
              "step 1 1 1 1"
              "step 1 2 2 2"
              "epoch 1 2"
              "step 2 1 3 3"
              "step 2 2 4 4"
              "epoch 2 4"
              "end Completed 4" ]

        Evidence.worst
            [ Evidence.exact $"%A{List.ofSeq seen} is %A{expected}" (List.ofSeq seen = expected)
              // Callbacks change nothing.
              (same run.Fit (Trainer.fit { trainer 0 with Epochs = 2; BatchSize = 7 } (examples 3UL) (model ())).Fit) ])

let private entry number loss : Epoch =
    { Number = number
      Loss = loss
      ValidationLoss = None
      Metrics = []
      Elapsed = System.TimeSpan.Zero }

let private whenOver =
    Law.create
        "ends as soon as the best epoch lies patience epochs back"
        "EarlyStopping"
        (Arb.fromGen (Gen.zip (Gen.choose (1, 4)) (Gen.listOf (Gen.choose (0, 6)))))
        (fun (patience, values) ->
            // 0 stands for a loss that is not a number.
            let losses = values |> List.map (fun v -> if v = 0 then nan else float v)
            let history = losses |> List.mapi (fun i loss -> entry (i + 1) loss)
            let finite = losses |> List.indexed |> List.filter (fun (_, loss) -> not (System.Double.IsNaN loss))
            let best = if finite.IsEmpty then 0 else 1 + fst (finite |> List.minBy (fun (i, loss) -> loss, i))
            let stopping = EarlyStopping.after patience

            Evidence.worst
                [ Evidence.exact "the first of the least losses" (EarlyStopping.best stopping history = best)
                  Evidence.exact "over" (EarlyStopping.isOver stopping history = (losses.Length - best >= patience)) ])

let private restored =
    Law.fact "gives back the parameters of the best epoch" "EarlyStopping" (fun () ->
        let fits = ResizeArray<Fit<Vec, Vec>>()
        // Better until the third epoch, worse from then on.
        let watch (epoch: Epoch) = abs (float epoch.Number - 3.0)
        let stopping = { EarlyStopping.after 2 with Watch = watch }

        let run =
            Trainer.fit
                { trainer 0 with
                    Stopping = Some stopping
                    Epochs = 9
                    Callbacks = [ Callback.onEpoch (fun _ fit -> fits.Add fit) ] }
                (examples 3UL)
                (model ())

        Evidence.worst
            [ Evidence.exact "five epochs" (run.History.Length = 5 && run.Ending = Ending.StoppedEarly 3)
              Evidence.exact "the third's parameters" (Probe.sameBits run.Model.Params fits[2].Model.Params)
              Evidence.exact "the third's state" (Probe.sameState run.Model.State fits[2].Model.State)
              Evidence.exact "the fit is the last" (Probe.sameBits run.Fit.Model.Params fits[4].Model.Params) ])

let private gain =
    Law.fact "a gain too small is none" "EarlyStopping" (fun () ->
        let history = [ 1.0; 0.95; 0.89; 0.85 ] |> List.mapi (fun i loss -> entry (i + 1) loss)
        let stopping = { EarlyStopping.after 2 with MinimumGain = 0.1 }
        Evidence.exact "the third, by 0.11" (EarlyStopping.best stopping history = 3))

/// The laws of this file.
let laws: Law list = [ resumed; cancelled; neverBegun; nothingToLearn; told; whenOver; restored; gain ]

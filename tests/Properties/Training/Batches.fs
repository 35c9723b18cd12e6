/// Runs on the batches of a pipeline.
module DL.Properties.Training.Batches

open FsCheck.FSharp
open DL
open DL.Core
open DL.Laws
open DL.Properties.Training.Runs

/// Every setting but Augment, which is for the pipeline to do.
let private plain settings = { trainer settings with Augment = None }

let private batches (trainer: Trainer<Vec, Vec, Label>) data =
    Pipeline.ofExamples data |> Pipeline.shuffle (Key.ofSeed trainer.Seed) |> Pipeline.batch trainer.BatchSize

let private settings = Gen.choose (0, 3071)

let private sameAsExamples =
    Law.create
        "shuffled batches of examples give the run on the examples, bit for bit"
        "Trainer.fitBatches"
        (Arb.fromGen settings)
        (fun n ->
            let trainer = plain n
            let expected = Trainer.fit trainer (examples 3UL) (model ())
            sameRun expected (Trainer.fitBatches trainer (batches trainer (examples 3UL)) (model ())))

/// Batches of different sizes, those of the first part changed by keys, prepared on another thread.
let private changing (trainer: Trainer<Vec, Vec, Label>) =
    let all = batches { trainer with BatchSize = 3 } (examples 3UL)
    let noise = Pipeline.mapKeyed (Key.ofSeed 9) noisy all
    Pipeline.append noise (batches trainer (examples 4UL)) |> Pipeline.prefetch 2

let private resumed =
    Law.create
        "stopped after any step and resumed is not stopped, bit for bit"
        "Trainer.resumeBatches"
        (Arb.fromGen (Gen.zip settings (Gen.choose (1, 32))))
        (fun (n, step) ->
            let trainer = plain n
            let pipeline = changing trainer
            let expected = Trainer.fitBatches trainer pipeline (model ())
            let stopped = Trainer.fitBatches { trainer with Callbacks = [ stopAt step ] } pipeline (model ())
            sameRun expected (Trainer.resumeBatches trainer pipeline stopped.Fit))

let private steps =
    Law.fact "epoch e of a run takes the steps of a session on epoch e of the pipeline" "Trainer.fitBatches" (fun () ->
        let trainer = { plain 2 with Plateau = None; Stopping = None }
        let pipeline = changing trainer
        let session = Session(trainer.Rule, Trainer.start trainer.Rule (model ()))

        for epoch in 1 .. trainer.Epochs do
            for batch in Pipeline.epoch epoch pipeline do
                session.Step(batch.Inputs, batch.Targets) |> ignore

        let run = Trainer.fitBatches trainer pipeline (model ())

        Evidence.worst
            [ Evidence.exact "the same parameters" (Probe.sameBits session.Model.Params run.Model.Params)
              Evidence.exact "the same state" (Probe.sameState session.Model.State run.Model.State) ])

let private measured =
    Law.fact "metrics with nothing held out are those of the epoch's batches" "Trainer.fitBatches" (fun () ->
        // Small batches first, larger ones behind: the mean is over examples. In float64, which the model is not in.
        let numbers = examples 3UL |> Examples.convert ElementType.Float64
        let target = Ops.Slice.Forward(Batch.tensor numbers.Inputs, 1, 0, 2) |> Batch.vec

        let shift (key: Random.Key) batch =
            { batch with
                Targets = batch.Targets |> Batch.map (fun t -> Ops.Scale.Forward(t, float (key.Seed % 7UL))) }

        let pipeline =
            Pipeline.append
                (Pipeline.ofExamples (Examples.create numbers.Inputs target) |> Pipeline.batch 2)
                (Pipeline.ofExamples (Examples.create numbers.Inputs target) |> Pipeline.batch 5)
            |> Pipeline.mapKeyed (Key.ofSeed 3) shift

        let measure (model: Model<Vec, Vec>) epoch =
            let metric = Metric.meanSquaredError

            let count (tally: Tally<Vec, Vec>) (batch: Examples<Vec, Vec>) = tally.Add(Model.predict model batch.Inputs, batch.Targets)

            (Pipeline.epoch epoch pipeline |> Seq.fold count metric.Empty).Value

        let apart = ResizeArray<float>()

        let compare (epoch: Epoch) (fit: Fit<Vec, Vec>) =
            apart.Add(abs (epoch.Metric "mse" - measure fit.Model epoch.Number) / (1.0 + epoch.Metric "mse"))

        let trainer: Trainer<Vec, Vec, Vec> =
            { Trainer.create Loss.meanSquaredError (Optimizer.sgd 0.01) with
                Epochs = 3
                Metrics = [ Metric.meanSquaredError ]
                Callbacks = [ Callback.onEpoch compare ]
                Progress = Progress.Silent }

        Trainer.fitBatches trainer pipeline (model ()) |> ignore

        Evidence.worst
            [ Evidence.exact "three epochs" (apart.Count = 3)
              for error in apart do
                  Evidence.within "the metric" 1e-6 error ])

let private bounded =
    Law.fact "an endless pipeline has epochs of as many batches as are taken" "Trainer.fitBatches" (fun () ->
        let trainer = plain 0
        let endless = batches trainer (examples 3UL) |> Pipeline.forever
        let run = Trainer.fitBatches { trainer with Epochs = 2 } (Pipeline.take 4 endless) (model ())
        Evidence.exact "8 steps" (run.Fit.Steps = 8 && run.History.Length = 2))

let private left =
    Law.fact "a run that stops leaves the pipeline behind closed" "Trainer.fitBatches" (fun () ->
        let mutable closed = 0

        let source =
            seq {
                try
                    yield! Seq.replicate 10 (examples 3UL)
                finally
                    closed <- closed + 1
            }

        let run pipeline = Trainer.fitBatches { plain 0 with Callbacks = [ stopAt 2 ] } pipeline (model ()) |> ignore
        run (Pipeline.ofSeq source)
        run (Pipeline.ofSeq source |> Pipeline.prefetch 2)
        Evidence.exact "closed twice" (closed = 2))

/// What a run says that fails, or nothing.
let private failure (run: unit -> Trained<Vec, Vec>) =
    try
        run () |> ignore
        ""
    with :? DLException as error ->
        error.Message

let private says what (words: string list) (message: string) = Evidence.exact $"{what}: {message}" (words |> List.forall message.Contains)

let private ofOne (x: Tensor) labels : Examples<Vec, Label> = Examples.create (Batch.vec x) (Batch.labels labels)

let private misfits =
    let zeros rows width = Tensor.Zeros(ElementType.Float32, Shape [| rows; width |])
    let broken = Tensor.Of<float32>([| 1f; 2f; 3f; 4f; nanf; 6f |], 2, 3)

    [ "another shape", ofOne (zeros 2 4) [| 0; 1 |], [ "3"; "4" ]
      "a label out of range", ofOne (zeros 2 3) [| 0; 2 |], [ "2" ]
      "a number that is not finite", ofOne broken [| 0; 1 |], [ "epoch 1, batch 2 inputs, row 1, element 1" ]
      "no example", ofOne (zeros 0 3) [||], [ "epoch 1, batch 2"; "at least one example" ]
      "fewer targets", { ofOne (zeros 2 3) [| 0; 1 |] with Targets = Batch.labels [| 0 |] }, [ "epoch 1, batch 2"; "2 targets" ] ]

let private refusals =
    Law.fact "what does not fit is refused with its place" "Trainer.fitBatches" (fun () ->
        let trainer = plain 0
        let fitting = batches trainer (examples 3UL)
        let fit trainer pipeline = failure (fun () -> Trainer.fitBatches trainer pipeline (model ()))
        let stopped = Trainer.fitBatches { trainer with Callbacks = [ stopAt 3 ] } fitting (model ())
        let shorter = Pipeline.take 2 fitting

        Evidence.worst
            [ for what, batch, words in misfits do
                  fit trainer (Pipeline.ofSeq [ examples 3UL; batch ]) |> says what words
              fit trainer (Pipeline.take 0 fitting) |> says "no batch" [ "epoch 1"; "at least one batch" ]
              fit trainer (Pipeline.forever fitting) |> says "no end" [ "Pipeline.take" ]
              fit { trainer with Augment = Some noisy } fitting |> says "ignored" [ "Augment"; "Pipeline.mapKeyed" ]
              fit { trainer with Epochs = -1 } fitting |> says "a setting" [ "Epochs"; "-1" ]
              failure (fun () -> Trainer.resumeBatches trainer shorter stopped.Fit) |> says "another pipeline" [ "2"; "3" ] ])

/// The laws of this file.
let laws: Law list = [ sameAsExamples; resumed; steps; measured; bounded; left; refusals ]

/// What a run tells of its epochs: losses, validation and metrics are those computed by hand.
module DL.Properties.Training.Reports

open DL
open DL.Core
open DL.Laws

let private examples rows seed : Examples<Vec, Label> =
    let x = (Numbers.tensor Ordinary seed [ rows; 3 ]).To ElementType.Float32
    Examples.create (Batch.vec x) (Batch.labels (Array.init rows (fun i -> (i + i / 3) % 2)))

// Batch norm and dropout: what a model gives in training is not what it predicts.
let private model () = dense 6 --> batchNorm --> tanh --> dropout 0.3 --> dense 2 |> Model.init Single (Key.ofSeed 5) (Shape.vec 3)

let private trainer: Trainer<Vec, Vec, Label> =
    { Trainer.create Loss.crossEntropy (Optimizer.momentum 0.05) with
        Epochs = 3
        BatchSize = 5
        Seed = 4
        Metrics = [ Metric.accuracy; Metric.ofLoss Loss.crossEntropy ]
        Progress = Progress.Silent }

/// The loss and the metrics of a model, all examples at once.
let private byHand (model: Model<Vec, Vec>) (data: Examples<Vec, Label>) =
    let predicted = Model.predict model data.Inputs
    let struct (loss, _) = Loss.crossEntropy.Evaluate predicted data.Targets
    loss, trainer.Metrics |> List.map (fun metric -> metric.Measure predicted data.Targets)

let private near what (expected: float) (found: float) = Evidence.within what 1e-6 (abs (found - expected) / (1.0 + abs expected))

let private measured =
    Law.fact
        "every epoch measures the model as it predicts, on what is held out or else on what it is trained on"
        "Trainer.Validation"
        (fun () ->
            let data = examples 13 3UL

            Evidence.worst
                [ for validation in [ None; Some(examples 9 77UL) ] do
                      let seen = ResizeArray<Epoch * Model<Vec, Vec>>()
                      let callback = Callback.onEpoch (fun epoch (fit: Fit<Vec, Vec>) -> seen.Add(epoch, fit.Model))
                      Trainer.fit { trainer with Validation = validation; Callbacks = [ callback ] } data (model ()) |> ignore

                      for epoch, model in seen do
                          let loss, metrics = byHand model (validation |> Option.defaultValue data)
                          yield Evidence.exact "a loss where something is held out" (epoch.ValidationLoss.IsSome = validation.IsSome)
                          yield near "the loss" loss (epoch.ValidationLoss |> Option.defaultValue loss)
                          yield Evidence.exact "all metrics" (List.map fst epoch.Metrics = (trainer.Metrics |> List.map _.Name))
                          yield! List.map2 (near "a metric") metrics (List.map snd epoch.Metrics) ])

let private inChunks =
    Law.fact "a set larger than what is predicted at once is measured as a whole" "Trainer.measure" (fun () ->
        let data, model = examples 1500 8UL, model ()
        let struct (found, metrics) = Trainer.measure trainer data model
        let loss, expected = byHand model data
        Evidence.worst (near "the loss" loss found :: List.map2 (near "a metric") expected (List.map snd metrics)))

let private averaged =
    Law.fact "the loss of an epoch is the mean over its examples of the losses before each step" "Trainer.fit" (fun () ->
        let rows = 13
        let reports = ResizeArray<StepReport>()
        let run = Trainer.fit { trainer with Callbacks = [ Callback.onStep reports.Add ] } (examples rows 3UL) (model ())
        let share (report: StepReport) = report.Loss * float (min 5 (rows - 5 * (report.Batch - 1))) / float rows

        Evidence.worst
            [ for epoch in run.History do
                  let expected = reports |> Seq.filter (fun report -> report.Epoch = epoch.Number) |> Seq.sumBy share
                  Evidence.within "the loss" 1e-12 (abs (epoch.Loss - expected)) ])

let private keyed =
    Law.fact "every step has a key of its own, the seed's and the step's" "Trainer.Augment" (fun () ->
        let keys = ResizeArray<Random.Key>()

        let augment key batch =
            keys.Add key
            batch

        let run = Trainer.fit { trainer with Augment = Some augment } (examples 13 3UL) (model ())
        let expected = [ for step in 0..8 -> (Key.ofSeed 4).At(uint64<int> step) ]

        Evidence.worst
            [ Evidence.exact "the keys" (List.ofSeq keys = expected && List.distinct expected = expected)
              Evidence.exact
                  "an augmentation that changes nothing"
                  (Probe.sameBits run.Model.Params (Trainer.fit trainer (examples 13 3UL) (model ())).Model.Params) ])

let private otherNumbers =
    Law.fact "examples in float64 are measured by a float32 model as in float32" "Trainer.Validation" (fun () ->
        let data = examples 13 3UL
        let targets = (Numbers.tensor Ordinary 6UL [ 13; 2 ]).To ElementType.Float32
        let numbers element = Examples.create data.Inputs (Batch.vec targets) |> Examples.convert element

        let trainer: Trainer<Vec, Vec, Vec> =
            { Trainer.create Loss.meanSquaredError (Optimizer.sgd 0.05) with
                Epochs = 2
                BatchSize = 5
                Progress = Progress.Silent }

        let losses element =
            let run = Trainer.fit { trainer with Validation = Some(numbers element) } (numbers element) (model ())
            let struct (loss, _) = Trainer.measure trainer (numbers element) run.Model
            Some loss :: (run.History |> List.map _.ValidationLoss)

        Evidence.exact "the same losses" (losses ElementType.Float64 = losses ElementType.Float32))

/// The laws of this file.
let laws: Law list = [ measured; inChunks; averaged; keyed; otherNumbers ]

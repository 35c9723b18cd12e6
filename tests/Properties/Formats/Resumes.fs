/// Runs that go through a file in the middle are runs that do not.
module DL.Properties.Formats.Resumes

open System.IO
open FsCheck.FSharp
open DL
open DL.Core
open DL.Laws
open DL.Properties.Training.Runs

let private optimizers =
    [ Optimizer.sgd 0.1
      Optimizer.momentum 0.05
      Optimizer.nesterov 0.05
      Optimizer.adaGrad 0.05
      Optimizer.rmsProp 0.01
      Optimizer.adadelta 1.0
      Optimizer.adam 0.01
      Optimizer.adamW 0.1 0.01
      Optimizer.lazyAdam 0.01 ]

let private schedules = [ None; Some(Schedule.cosine 20 0.0 0.1); Some(Schedule.exponential 0.9 0.05) ]
let private drops = [ 0.0; 0.3 ]

/// A trainer, a precision and a network in which a number chooses every setting.
let private setting (n: int) : Trainer<Vec, Vec, Label> * Model<Vec, Vec> =
    let pick (choices: 'a list) at = choices[n / at % choices.Length]
    let plain = Trainer.create Loss.crossEntropy (pick optimizers 1)
    let net: Layer<Vec, Vec> = dense 6 --> batchNorm --> tanh --> dropout (pick drops 27) --> frozen (dense 5) --> dense 2

    { plain with
        Rule =
            { plain.Rule with
                Schedule = pick schedules 9
                Average = pick [ None; Some 0.8 ] 54
                ClipNorm = Some 0.5 }
        Epochs = 3
        BatchSize = 5
        Seed = n
        Metrics = [ Metric.accuracy ]
        Validation = pick [ None; Some(examples 77UL) ] 108
        Stopping = pick [ None; Some(EarlyStopping.after 2) ] 216
        Plateau = pick [ None; Some { Plateau.defaults with Patience = 1; Factor = 0.5; Threshold = 0.2 } ] 432
        Progress = Progress.Silent },
    Model.init (pick [ Precision.Single; Precision.Double ] 864) (Key.ofSeed n) (Shape.vec 3) net

let private throughFile (fit: Fit<Vec, Vec>) (fresh: Model<Vec, Vec>) =
    use file = new MemoryStream()
    Checkpoint.write file fit
    file.Position <- 0L
    Checkpoint.read file fresh

let private cases = Arb.fromGen (Gen.zip (Gen.choose (0, 1727)) (Gen.choose (1, 9)))

let private exact =
    Law.create "saved and loaded is the same, bit for bit" "Checkpoint" cases (fun (n, step) ->
        let trainer, model = setting n
        let stopped = Trainer.fit { trainer with Callbacks = [ stopAt step ] } (examples 3UL) model

        let fresh =
            { model with
                Params = model.Params |> Array.map (fun p -> Tensor.Zeros(p.ElementType, p.Shape)) }

        same stopped.Fit (throughFile stopped.Fit fresh))

let private resumed =
    Law.create "stopped after any step, saved, loaded and resumed is not stopped, bit for bit" "Checkpoint" cases (fun (n, step) ->
        let trainer, model = setting n
        let expected = Trainer.fit trainer (examples 3UL) model
        let stopped = Trainer.fit { trainer with Callbacks = [ stopAt step ] } (examples 3UL) model
        let went = Trainer.resume trainer (examples 3UL) (throughFile stopped.Fit model)

        sameRun expected went)

/// The laws of this file.
let laws: Law list = [ exact; resumed ]

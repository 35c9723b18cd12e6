(**
---
title: Training
category: Tutorials
categoryindex: 2
index: 8
---
# Training

A trainer is a record of settings, a run is a function of it, the data and a model. This page goes through what can be set: penalties, clipping, schedules, early stopping, callbacks. Every number was computed when the page was made.
*)
#I "../../src/DL.Dsl.FSharp/bin/Release/net10.0"
#r "DL.Core.CSharp.dll"
#r "Spectre.Console.dll"
#r "DL.Dsl.FSharp.dll"

open DL

let struct (train, rest) = Examples.digits () |> Examples.split 0.8 0
let struct (validation, test) = rest |> Examples.split 0.5 1
let net = dense 128 --> relu --> dense 10
let model = net |> Model.init Single (Key.ofSeed 0) (Shape.vec 64)

let trainer: Trainer<Vec, Vec, Label> =
    { Trainer.create Loss.crossEntropy (Optimizer.adam 5e-3) with
        Epochs = 60
        Metrics = [ Metric.accuracy ]
        Validation = Some validation
        Progress = Progress.Silent }

(**
## Which learning rate?

`RateFinder.run` takes steps on a copy of the model while the rate rises by a constant factor. Where the loss is least, the rate is about ten times too large to stay at:
*)
let search = RateFinder.run 1e-5 10.0 150 trainer train model
printfn "suggested: %.1e" search.Suggested
(*** include-output ***)
(*** hide ***)
(RateFinder.chart search).Svg
(*** include-it-raw ***)

(**
## Early stopping

The training loss falls for as long as one likes; the loss on held-out examples does not. `EarlyStopping.after 5` ends the run when five epochs in a row were no better than the best one, and gives back the parameters of that one:
*)
let stopped = Trainer.fit { trainer with Stopping = Some(EarlyStopping.after 5) } train model
printfn "%O after %d epochs" stopped.Ending stopped.History.Length
(*** include-output ***)
(*** hide ***)
(Inside.curves stopped.History).Head.Svg
(*** include-it-raw ***)

(**
`stopped.Model` is the model of the best epoch; `stopped.Fit` is the run where it ended, to go on from. What is watched is a function of an epoch: `EarlyStopping.highest "accuracy" 5` watches a metric.

## Penalties, clipping, averages

The rule of a step holds what happens to gradients. In this order: the gradients of penalties are added, each element is clipped (`ClipValue`), all are scaled to a largest common norm (`ClipNorm`), the optimizer moves the parameters, and their average follows.

$$ \ell(w) + \frac{\lambda}{2} \sum_{i \in \text{weights}} w_i^2, \qquad g \leftarrow g \cdot \min\left(1, \frac{c}{\lVert g \rVert}\right), \qquad a \leftarrow \beta a + (1 - \beta) w $$
*)
let careful =
    { trainer with
        Rule =
            { trainer.Rule with
                Penalties = [ Penalty.l2 1e-3 ]
                ClipNorm = Some 1.0
                Average = Some 0.98 } }

let accuracy (model: Model<Vec, Vec>) = Metric.accuracy.Measure (Model.predict model test.Inputs) test.Targets
let run = Trainer.fit careful train model
printfn "on the test examples: %.3f, with averaged parameters %.3f" (accuracy run.Model) (accuracy (Fit.averaged run.Fit))
(*** include-output ***)

(**
Penalties are on weights, not on biases, unless `Penalty.on` names parts. The reported loss is without them, so that it can be compared with that of validation.

A batch too large for memory is taken in parts by `MicroBatch = Some 16`: the gradients add up to those of the whole batch, under sums, class weights, ignored ids and padding too.

## Schedules

A schedule is a function from the number of the step to a rate, and schedules follow each other:
*)
let schedule = Schedule.warmup 40 |> Schedule.andThen (Schedule.cosine 360 0.0 4e-3)
let rates = [ for step in 0..4..400 -> float step, schedule step ]
(*** hide ***)
(Chart.lines ("step", "rate") [ ("warm-up, then half a cosine", rates) ]).Svg
(*** include-it-raw ***)

(**
A rate can follow the losses instead: `Plateau = Some Plateau.defaults` in the trainer lowers it when they no longer fall.

## Callbacks

A callback is a function of an event that answers whether the run goes on:
*)
let mutable largest = 0.0

let watch: Callback<Vec, Vec> =
    function
    | StepTaken(report, _) ->
        largest <- max largest report.GradientNorm
        Next.Continue
    | EpochEnded(epoch, _) when epoch.Metric "accuracy" > 0.94 -> Next.Stop
    | _ -> Next.Continue

let watched = Trainer.fit { careful with Callbacks = [ watch ] } train model
printfn "%O after %d epochs; the largest norm of the gradients was %.2f" watched.Ending watched.History.Length largest
(*** include-output ***)

(**
`Checkpoint.everyEpoch "run.safetensors"` is such a function too: see [Data and checkpoints](data-and-checkpoints.html).

## One rate for each part, augmentation, cancellation

- `Optimizer.scaled [ "body", 0.1 ] optimizer`: a tenth of the rate for the parameters whose names begin with `body`; see [Transfer](transfer.html).
- `Augment = Some f` changes each batch before its step by a function of a key, so that the run can be repeated and resumed: `Augment.examples change` for images; see [Data and checkpoints](data-and-checkpoints.html) for texts and sounds.
- `Cancellation = Interrupt.token ()`: Ctrl-C ends the run between two steps, with a fit to go on from.
*)

// Overfitting, and what helps against it: a wide network on 300 digits of which every fifth is labelled wrongly; plainly, with dropout, with an L2
// penalty, and stopped early.
//   dotnet fsi examples/fsharp/overfitting.fsx [folder]
// The page overfitting.html goes to the folder, or to one in the folder of temporary files.
#I "../../src/DL.Dsl.FSharp/bin/Release/net10.0"
#r "DL.Core.CSharp.dll"
#r "DL.Dsl.FSharp.dll"

open System.IO
open DL

let folder =
    match fsi.CommandLineArgs |> Array.tail |> Array.tryHead with
    | Some path -> path
    | None -> Path.Combine(Path.GetTempPath(), "dl-overfitting")

Directory.CreateDirectory folder |> ignore
let struct (clean, rest) = Examples.digits () |> Examples.split 0.833 0

/// Every fifth digit is called another.
let small =
    let labels = (Batch.tensor clean.Targets).ToArray<int>()

    Examples.create
        clean.Inputs
        (Batch.labels (labels |> Array.mapi (fun i label -> if i % 5 = 0 then (label + 1 + i % 9) % 10 else label)))

let struct (validation, test) = rest |> Examples.split 0.5 1

let wide = dense 256 --> relu --> dense 256 --> relu --> dense 10
let dropped = dense 256 --> relu --> dropout 0.5 --> dense 256 --> relu --> dropout 0.5 --> dense 10

let trainer: Trainer<Vec, Vec, Label> =
    { Trainer.create Loss.crossEntropy (Optimizer.adam 1e-3) with
        Epochs = 100
        Validation = Some validation
        Metrics = [ Metric.accuracy ]
        Progress = Progress.Silent }

let penalized =
    { trainer with
        Rule = { trainer.Rule with Penalties = [ Penalty.l2 0.01 ] } }

let stopped = { trainer with Stopping = Some(EarlyStopping.after 8) }

/// Trains one way, and measures on examples that neither training nor stopping has seen.
let run name trainer layer =
    let trained = layer |> Model.init Single (Key.ofSeed 0) (Shape.vec 64) |> Trainer.fit trainer small
    let struct (loss, metrics) = trained.Model |> Trainer.measure trainer test
    let accuracy = metrics |> List.head |> snd

    printfn
        "%-16s %3d epochs, last training loss %.4f; held out: loss %.3f, accuracy %.3f"
        name
        trained.History.Length
        (List.last trained.History).Loss
        loss
        accuracy

    name, trained.History

printfn
    "%d digits to train on, %d to choose by, %d to measure on\n"
    (Examples.count small)
    (Examples.count validation)
    (Examples.count test)

let runs =
    [ run "plain" trainer wide
      run "dropout" trainer dropped
      run "L2 penalty" penalized wide
      run "early stopping" stopped wide ]

let curves pick = [ for name, history in runs -> name, [ for e in history -> float e.Number, pick (e: Epoch) ] ]

Report.create "Overfitting, and what helps against it"
|> Report.text
    $"A network of two hidden layers of 256, trained on {Examples.count small} handwritten digits, every fifth labelled wrongly: it soon knows even these by heart."
|> Report.section "The loss on what it learns from"
|> Report.chart "Training loss" (Chart.lines ("epoch", "training loss") (curves _.Loss))
|> Report.section "The loss on what it does not"
|> Report.chart "Validation loss" (Chart.lines ("epoch", "validation loss") (curves (fun e -> e.ValidationLoss.Value)))
|> Report.save (Path.Combine(folder, "overfitting.html"))

printfn "\n%s" (Path.Combine(folder, "overfitting.html"))

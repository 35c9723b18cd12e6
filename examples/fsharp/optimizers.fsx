// All optimizers on one problem: a network of one hidden layer on the embedded digits, the same start and the same batches for each.
//   dotnet fsi examples/fsharp/optimizers.fsx [folder]
// The page optimizers.html goes to the folder, or to one in the folder of temporary files.
#I "../../src/DL.Dsl.FSharp/bin/Release/net10.0"
#r "DL.Core.CSharp.dll"
#r "DL.Dsl.FSharp.dll"

open System.IO
open DL

let folder =
    match fsi.CommandLineArgs |> Array.tail |> Array.tryHead with
    | Some path -> path
    | None -> Path.Combine(Path.GetTempPath(), "dl-optimizers")

Directory.CreateDirectory folder |> ignore
let struct (train, test) = Examples.digits () |> Examples.split 0.2 0
let model = dense 64 --> relu --> dense 10 |> Model.init Single (Key.ofSeed 0) (Shape.vec 64)

let trainer optimizer : Trainer<Vec, Vec, Label> =
    { Trainer.create Loss.crossEntropy optimizer with
        Epochs = 15
        Validation = Some test
        Metrics = [ Metric.accuracy ]
        Progress = Progress.Silent }

let optimizers =
    [ "SGD", Optimizer.sgd 0.1
      "momentum", Optimizer.momentum 0.02
      "Nesterov", Optimizer.nesterov 0.02
      "AdaGrad", Optimizer.adaGrad 0.02
      "RMSprop", Optimizer.rmsProp 0.002
      "Adadelta", Optimizer.adadelta 1.0
      "Adam", Optimizer.adam 0.002
      "AdamW", Optimizer.adamW 0.01 0.002 ]

let runs =
    [ for name, optimizer in optimizers do
          let trained = model |> Trainer.fit (trainer optimizer) train
          let last = List.last trained.History

          printfn
              "%-10s rate %-6g training loss %.4f  held out: loss %.4f, accuracy %.3f"
              name
              optimizer.Rate
              last.Loss
              last.ValidationLoss.Value
              (last.Metric "accuracy")

          name, trained.History ]

let curves pick = [ for name, history in runs -> name, [ for e in history -> float e.Number, log10 (pick (e: Epoch)) ] ]

Report.create "All optimizers on one problem"
|> Report.text
    "A network of one hidden layer of 64 on handwritten digits: the same initial weights and the same batches for each, rates chosen by hand."
|> Report.section "Training"
|> Report.chart "The training loss" (Chart.lines ("epoch", "log10 of the training loss") (curves _.Loss))
|> Report.section "Held out"
|> Report.chart "The validation loss" (Chart.lines ("epoch", "log10 of the validation loss") (curves (fun e -> e.ValidationLoss.Value)))
|> Report.save (Path.Combine(folder, "optimizers.html"))

printfn "\n%s" (Path.Combine(folder, "optimizers.html"))

// LeNet on MNIST from its IDX files: two convolutions, two poolings, three dense layers; Adam, whose rate falls to 0 along half a cosine.
//   dotnet fsi examples/fsharp/lenet.fsx [folder]
// The folder (or DL_DATA/mnist) holds t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz.
#I "../../src/DL.Dsl.FSharp/bin/Release/net10.0"
#r "DL.Core.CSharp.dll"
#r "DL.Dsl.FSharp.dll"

open System
open System.IO
open DL
open DL.Models

let folder =
    match fsi.CommandLineArgs |> Array.tail |> Array.tryHead, Environment.GetEnvironmentVariable "DL_DATA" with
    | Some path, _ -> path
    | None, null -> Path.Combine(__SOURCE_DIRECTORY__, "../../../shared/data/mnist")
    | None, data -> Path.Combine(data, "mnist")

let images, labels = Path.Combine(folder, "t10k-images-idx3-ubyte.gz"), Path.Combine(folder, "t10k-labels-idx1-ubyte.gz")

if not (File.Exists images && File.Exists labels) then
    printfn "skipped: no data in %s (name a folder, or set DL_DATA)" folder
    exit 0

let all = Examples.mnist images labels
let struct (train, test) = all |> Examples.split 0.1 0
let net = toImage (1, 28, 28) --> LeNet.modern 10
let epochs, batch = 10, 64
let steps = epochs * ((Examples.count train + batch - 1) / batch)

/// Trains on nine tenths of one shuffle and measures on the tenth held out.
let run seed =
    let model = net |> Model.init Single (Key.ofSeed seed) (Shape.vec 784)

    let trainer = Trainer.create Loss.crossEntropy (Optimizer.adam 3e-3)
    let rule = { trainer.Rule with Schedule = Some(Schedule.cosine steps 0.0 3e-3) }

    let trainer =
        { trainer with
            Rule = rule
            Epochs = epochs
            BatchSize = batch
            Seed = seed }

    let trained = model |> Trainer.fit trainer train
    let accuracy = Metric.accuracy.Measure (Model.predict trained.Model test.Inputs) test.Targets
    let seconds = trained.History |> List.sumBy _.Elapsed.TotalSeconds
    printfn "seed %d: accuracy %.3f on %d images, %.1f s of training" seed accuracy (Examples.count test) seconds
    accuracy

printfn "%s" (net |> Model.init Single (Key.ofSeed 0) (Shape.vec 784) |> Model.summary)
let accuracies = [ 0; 1; 2 ] |> List.map run
printfn "mean accuracy %.4f" (List.average accuracies)

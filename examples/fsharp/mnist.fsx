// MNIST from its IDX files: 784-256-128-10 with Adam.
//   dotnet fsi examples/fsharp/mnist.fsx [folder]
// The folder (or DL_DATA/mnist) holds t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz.
#I "../../src/DL.Dsl.FSharp/bin/Release/net10.0"
#r "DL.Core.CSharp.dll"
#r "DL.Dsl.FSharp.dll"

open System
open System.IO
open DL

let folder =
    match fsi.CommandLineArgs |> Array.tail |> Array.tryHead, Environment.GetEnvironmentVariable "DL_DATA" with
    | Some path, _ -> path
    | None, null -> Path.Combine(__SOURCE_DIRECTORY__, "../../../shared/data/mnist")
    | None, data -> Path.Combine(data, "mnist")

let images, labels =
    Path.Combine(folder, "t10k-images-idx3-ubyte.gz"), Path.Combine(folder, "t10k-labels-idx1-ubyte.gz")

if not (File.Exists images && File.Exists labels) then
    printfn "skipped: no data in %s (name a folder, or set DL_DATA)" folder
    exit 0

let struct (train, test) = Examples.mnist images labels |> Examples.split 0.1 0

let model =
    dense 256 --> relu --> dense 128 --> relu --> dense 10
    |> Model.init Single (Key.ofSeed 0) (Shape.vec 784)

let trainer =
    { Trainer.create Loss.crossEntropy (Optimizer.adam 1e-3) with
        Epochs = 10
        BatchSize = 64
        Metrics = [ Metric.accuracy ]
        Validation = Some test }

let trained = model |> Trainer.fit trainer train
let scores = Model.predict trained.Model test.Inputs
let seconds = trained.History |> List.sumBy _.Elapsed.TotalSeconds
printfn "accuracy on %d held-out images: %.4f after %.1f s of training" (Examples.count test) (Metric.accuracy.Measure scores test.Targets) seconds

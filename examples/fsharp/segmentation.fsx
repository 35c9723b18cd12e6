// Which pixel belongs to which digit: a fully convolutional network on pictures composed of MNIST's digits.
//   dotnet fsi examples/fsharp/segmentation.fsx [folder]
// The folder (or DL_DATA/mnist) holds t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz; without it the embedded digits are used.
#I "../../src/DL.Dsl.FSharp/bin/Release/net10.0"
#r "DL.Core.CSharp.dll"
#r "DL.Dsl.FSharp.dll"

open System
open System.IO
open DL
open DL.Core.Random
open DL.Models

let folder =
    match fsi.CommandLineArgs |> Array.tail |> Array.tryHead, Environment.GetEnvironmentVariable "DL_DATA" with
    | Some path, _ -> path
    | None, null -> Path.Combine(__SOURCE_DIRECTORY__, "../../../shared/data/mnist")
    | None, data -> Path.Combine(data, "mnist")

let images, labels = Path.Combine(folder, "t10k-images-idx3-ubyte.gz"), Path.Combine(folder, "t10k-labels-idx1-ubyte.gz")
let isMnist = File.Exists images && File.Exists labels
let digits = if isMnist then Examples.mnist images labels else Examples.digits ()

// Digits the network trains on never stand in the pictures it is measured on.
let struct (known, unseen) = digits |> Examples.split 0.1 0
let side = if isMnist then 56 else 24
let scenes seed count = Scenes.compose (Key.ofSeed seed) side 3 count
let train, test = scenes 1 1600 known, scenes 2 200 unseen
let pairs (s: Scenes) = Examples.create s.Images s.Masks

let epochs, batch = 4, 4
let steps = epochs * ((1600 + batch - 1) / batch)

let trainer =
    let plain = Trainer.create Loss.pixelCrossEntropy (Optimizer.adam 3e-3)

    { plain with
        Rule = { plain.Rule with Schedule = Some(Schedule.cosine steps 0.0 3e-3) }
        Epochs = epochs
        BatchSize = batch }

let model = Fcn.skips 3 12 11 |> Model.init Single (Key.ofSeed 0) (Shape.image (1, side, side))
let trained = model |> Trainer.fit trainer (pairs train)
let scores = Model.predict trained.Model test.Images
let seconds = trained.History |> List.sumBy _.Elapsed.TotalSeconds
printfn "%d parameters, %.0f s of training" (Model.parameters model) seconds

printfn
    "mean intersection over union %.3f, pixel accuracy %.3f"
    (Metric.meanIntersectionOverUnion.Measure scores test.Masks)
    (Metric.pixelAccuracy.Measure scores test.Masks)

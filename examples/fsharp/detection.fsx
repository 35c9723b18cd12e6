// Where which digit stands: a small SSD on pictures composed of MNIST's digits.
//   dotnet fsi examples/fsharp/detection.fsx [folder]
// The folder (or DL_DATA/mnist) holds t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz; without it the embedded digits are used.
#I "../../src/DL.Dsl.FSharp/bin/Release/net10.0"
#r "DL.Core.CSharp.dll"
#r "DL.Dsl.FSharp.dll"

open System
open System.IO
open DL
open DL.Core.Metrics
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
let side = if isMnist then 64 else 24
let scenes seed count = Scenes.compose (Key.ofSeed seed) side 3 count
let train, test = scenes 1 2000 known, scenes 2 200 unseen

let scales =
    [ 32, { Sizes = [ 0.25; 0.35 ]; Ratios = [ 0.7; 0.3; 1.0 ] }
      48, { Sizes = [ 0.35; 0.45 ]; Ratios = [ 0.7; 0.3; 1.0 ] } ]

// The first scale looks at an eighth of MNIST's pictures, at a quarter of the small ones.
let body = if isMnist then Ssd.down 12 --> Ssd.down 24 else Ssd.down 24
let anchors = Ssd.anchors (if isMnist then side / 4 else side / 2) scales
let targets = Ssd.targets anchors 2000 train.Boxes
let net = Ssd.net body scales 10

let epochs, batch = 8, 16
let steps = epochs * ((2000 + batch - 1) / batch)

let trainer =
    let plain = Trainer.create Loss.multiBox (Optimizer.adam 3e-3)

    { plain with
        Rule = { plain.Rule with Schedule = Some(Schedule.cosine steps 0.0 3e-3) }
        Epochs = epochs
        BatchSize = batch }

let model = net |> Model.init Single (Key.ofSeed 0) (Shape.image (1, side, side))
let trained = model |> Trainer.fit trainer (Examples.create train.Images targets)
let found = Model.predict trained.Model test.Images |> Ssd.detect anchors 0.05 |> Array.ofList
let truths = Array.ofList test.Boxes
let precision = AveragePrecision.Of(found, truths, 10, 0.5)
let seconds = trained.History |> List.sumBy _.Elapsed.TotalSeconds
printfn "%d parameters, %d anchors, %.0f s of training" (Model.parameters model) anchors.Length seconds
printfn "mean average precision at 0.5: %.3f" precision.Mean

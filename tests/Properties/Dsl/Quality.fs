/// What the spine reaches on real data: means over three seeds, a fixed shuffle, a tenth held out.
module DL.Properties.Dsl.Quality

open System
open System.IO
open Xunit
open DL

let private seeds = [ 0; 1; 2 ]

let private mean (measure: int -> float) = seeds |> List.averageBy measure

let private score (metric: Metric<Vec, 't>) (trainer: Trainer<Vec, Vec, 't>) net features train (test: Examples<Vec, 't>) seed =
    let model = net |> Model.init Single (Key.ofSeed seed) (Shape.vec features)
    let trained = model |> Trainer.fit { trainer with Seed = seed; Progress = Progress.Silent } train
    metric.Measure (Model.predict trained.Model test.Inputs) test.Targets

let private atLeast bar value = Assert.True(value >= bar, $"{value} is below {bar}")

let private adam epochs : Trainer<Vec, Vec, Label> =
    { Trainer.create Loss.crossEntropy (Optimizer.adam 1e-3) with Epochs = epochs }

[<Fact>]
let ``digits`` () =
    let struct (train, test) = Examples.digits () |> Examples.split 0.1 0
    mean (score Metric.accuracy (adam 30) (dense 64 --> relu --> dense 10) 64 train test) |> atLeast 0.955

let private standardized (examples: Examples<Vec, 't>) =
    let struct (train, test) = Examples.split 0.1 0 examples
    Examples.standardize train test

[<Fact>]
let ``iris`` () =
    let struct (train, test) = standardized (Examples.iris ())
    let trainer = { adam 60 with BatchSize = 16; Rule = { (adam 60).Rule with Optimizer = Optimizer.adam 1e-2 } }
    mean (score Metric.accuracy trainer (dense 16 --> relu --> dense 3) 4 train test) |> atLeast 0.93

[<Fact>]
let ``wine`` () =
    let struct (train, test) = standardized (Examples.wine ())
    mean (score Metric.accuracy (adam 60) (dense 16 --> relu --> dense 3) 13 train test) |> atLeast 0.93

[<Fact>]
let ``breast cancer`` () =
    let struct (train, test) = standardized (Examples.breastCancer ())
    mean (score Metric.accuracy (adam 30) (dense 16 --> relu --> dense 2) 30 train test) |> atLeast 0.93

[<Fact>]
let ``diabetes`` () =
    let struct (train, test) = standardized (Examples.diabetes ())

    let trainer: Trainer<Vec, Vec, Vec> =
        { Trainer.create Loss.meanSquaredError (Optimizer.adam 1e-1) with Epochs = 100 }

    mean (score Metric.r2 trainer (dense 1) 10 train test) |> atLeast 0.30

[<Fact>]
let ``MNIST, 9000 to train and 1000 to test`` () =
    let folder = Path.Combine(Environment.GetEnvironmentVariable "DL_DATA" |> Option.ofObj |> Option.defaultValue "", "mnist")
    let images, labels = Path.Combine(folder, "t10k-images-idx3-ubyte.gz"), Path.Combine(folder, "t10k-labels-idx1-ubyte.gz")
    Assert.SkipUnless(File.Exists images, "no data: DL_DATA does not name a folder with mnist in it")
    let struct (train, test) = Examples.mnist images labels |> Examples.split 0.1 0
    let trainer = { adam 10 with BatchSize = 64 }
    mean (score Metric.accuracy trainer (dense 256 --> relu --> dense 128 --> relu --> dense 10) 784 train test) |> atLeast 0.955

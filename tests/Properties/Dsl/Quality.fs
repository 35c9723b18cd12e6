/// What is reached on real data: means over three seeds, the tenth held out being the same for all of them.
module DL.Properties.Dsl.Quality

open System
open System.IO
open Xunit
open DL
open DL.Models

let private seeds = [ 0; 1; 2 ]

let private mean (measure: int -> float) = seeds |> List.averageBy measure

/// Training and held-out examples of one fixed shuffle.
let private held (examples: Examples<Vec, 't>) = Examples.split 0.1 0 examples

/// The same, standardized by the training examples.
let private standardized (examples: Examples<Vec, 't>) =
    let struct (train, test) = held examples
    Examples.standardize train test

let private score (metric: Metric<Vec, 't>) (trainer: Trainer<Vec, Vec, 't>) net features (struct (train, test: Examples<Vec, 't>)) seed =
    let model = net |> Model.init Single (Key.ofSeed seed) (Shape.vec features)
    let trained = model |> Trainer.fit { trainer with Seed = seed; Progress = Progress.Silent } train
    metric.Measure (Model.predict trained.Model test.Inputs) test.Targets

let private atLeast bar value = Assert.True(value >= bar, $"{value} is below {bar}")

let private adam epochs : Trainer<Vec, Vec, Label> =
    { Trainer.create Loss.crossEntropy (Optimizer.adam 1e-3) with
        Epochs = epochs }

[<Fact>]
let ``digits`` () =
    mean (score Metric.accuracy (adam 30) (dense 64 --> relu --> dense 10) 64 (held (Examples.digits ())))
    |> atLeast 0.955

[<Fact>]
let ``iris`` () =
    let split = standardized (Examples.iris ())

    let trainer =
        { adam 60 with
            BatchSize = 16
            Rule = { (adam 60).Rule with Optimizer = Optimizer.adam 1e-2 } }

    mean (score Metric.accuracy trainer (dense 16 --> relu --> dense 3) 4 split) |> atLeast 0.93

[<Fact>]
let ``wine`` () =
    let split = standardized (Examples.wine ())
    mean (score Metric.accuracy (adam 60) (dense 16 --> relu --> dense 3) 13 split) |> atLeast 0.90

[<Fact>]
let ``breast cancer`` () =
    let split = standardized (Examples.breastCancer ())
    mean (score Metric.accuracy (adam 30) (dense 16 --> relu --> dense 2) 30 split) |> atLeast 0.93

[<Fact>]
let ``diabetes`` () =
    let split = standardized (Examples.diabetes ())

    let trainer: Trainer<Vec, Vec, Vec> =
        { Trainer.create Loss.meanSquaredError (Optimizer.adam 1.0) with
            Epochs = 100 }

    mean (score Metric.r2 trainer (dense 1) 10 split) |> atLeast 0.30

/// MNIST's 10,000 test images by a fixed shuffle; skips where they are not there.
let private mnist () =
    let folder = Path.Combine(Environment.GetEnvironmentVariable "DL_DATA" |> Option.ofObj |> Option.defaultValue "", "mnist")
    let images, labels = Path.Combine(folder, "t10k-images-idx3-ubyte.gz"), Path.Combine(folder, "t10k-labels-idx1-ubyte.gz")
    Assert.SkipUnless(File.Exists images, "no data: DL_DATA does not name a folder with mnist in it")
    held (Examples.mnist images labels)

/// Ten epochs of batches of 64, the rate falling to 0 along half a cosine.
let private falling rate (struct (train, _): struct (Examples<Vec, Label> * Examples<Vec, Label>)) =
    let epochs, batch = 10, 64
    let steps = epochs * ((Examples.count train + batch - 1) / batch)

    { adam epochs with
        BatchSize = batch
        Rule =
            { (adam epochs).Rule with
                Schedule = Some(Schedule.cosine steps 0.0 rate) } }

[<Fact>]
let ``MNIST, 9000 to train and 1000 to test`` () =
    let split = mnist ()

    mean (score Metric.accuracy (falling 4e-3 split) (dense 256 --> relu --> dense 128 --> relu --> dense 10) 784 split)
    |> atLeast 0.955

[<Fact>]
let ``MNIST by LeNet`` () =
    let split = mnist ()

    mean (score Metric.accuracy (falling 3e-3 split) (toImage (1, 28, 28) --> LeNet.modern 10) 784 split)
    |> atLeast 0.975

[<Fact>]
let ``digits by a small convolutional network`` () =
    let conv channels = conv2d channels (kernel 3 |> same) --> relu

    let net =
        toImage (1, 8, 8)
        --> conv 16
        --> conv 32
        --> maxPool2d (kernel 2)
        --> flatten
        --> dense 64
        --> relu
        --> dense 10

    mean (score Metric.accuracy (adam 30) net 64 (held (Examples.digits ()))) |> atLeast 0.975

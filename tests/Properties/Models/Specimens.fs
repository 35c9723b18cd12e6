/// The networks of the literature, each small enough to be trained in a moment.
module DL.Properties.Models.Specimens

open DL
open DL.Core
open DL.Models

/// A network, how well it learns eight examples by heart, and the share it must get right.
[<NoEquality; NoComparison>]
type Specimen = { Name: string; Learn: unit -> float; Least: float }

let private classes = 4

let private images (channels, height, width) =
    let numbers =
        Random.Initializers.Gaussian(Key.ofSeed 5, ElementType.Float32, Shape [| 8; channels; height; width |], 0.0, 1.0)

    Batch.image numbers

let private trainer steps rate : Trainer<Image, Vec, Label> =
    { Trainer.create Loss.crossEntropy (Optimizer.adam rate) with
        Epochs = steps
        BatchSize = 8
        Progress = Progress.Silent }

let private learn steps rate size (net: Layer<Image, Vec>) () =
    let examples = Examples.create (images size) (Batch.labels (Array.init 8 (fun i -> i % classes)))
    let model = net |> Model.init Single (Key.ofSeed 3) (Shape.image size)
    let trained = model |> Trainer.fit (trainer steps rate) examples
    Metric.accuracy.Measure (Model.predict trained.Model examples.Inputs) examples.Targets

let private specimen name steps rate size (net: int -> Layer<Image, Vec>) =
    { Name = name
      Learn = learn steps rate size (net classes)
      Least = 1.0 }

/// Every network of the zoo.
let all: Specimen list =
    [ specimen "LeNet" 60 3e-3 (1, 28, 28) LeNet.modern
      specimen "AlexNet" 40 1e-4 (3, 67, 67) AlexNet.net
      specimen "Vgg" 40 1e-4 (3, 32, 32) Vgg.vgg11
      // Half of what its last block is given is dropped, which makes noise slow to learn.
      { specimen "NiN" 250 1e-4 (1, 67, 67) NiN.net with Least = 0.7 }
      specimen "GoogLeNet" 60 3e-4 (3, 32, 32) GoogLeNet.net
      specimen "ResNet" 30 1e-3 (3, 16, 16) ResNet.resnet18Small
      specimen "DenseNet" 30 1e-3 (3, 32, 32) DenseNet.densenet121
      specimen "MobileNet" 80 3e-4 (3, 64, 64) MobileNet.v2
      specimen "EfficientNet" 80 3e-4 (3, 64, 64) EfficientNet.b0
      specimen "HighwayCnn" 60 3e-3 (3, 16, 16) (HighwayCnn.net [ 16, 3; 32, 3 ])
      specimen "Fcn" 30 1e-3 (3, 32, 32) (fun n -> Fcn.resnet18 n --> globalAvgPool2d)
      specimen "Ssd" 60 3e-3 (1, 16, 16) (fun n ->
          let scale = { Sizes = [ 0.3 ]; Ratios = [ 1.0 ] }
          Ssd.net (Ssd.down 8) [ 16, scale; 16, scale ] n --> flattenSeq --> dense n)
      specimen "UNet" 500 3e-3 (1, 16, 16) (fun n -> UNet.net 2 8 n --> globalAvgPool2d) ]

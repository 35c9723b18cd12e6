(**
---
title: Looking inside a network
category: Tutorials
categoryindex: 2
index: 4
---
# Looking inside a network

This page trains a small convolutional network and then looks at what it learnt, what it sees and how it is fooled. Every number and picture below was computed when the page was made.
*)
#I "../../src/DL.Dsl.FSharp/bin/Release/net10.0"
#r "DL.Core.CSharp.dll"
#r "Spectre.Console.dll"
#r "DL.Dsl.FSharp.dll"

open DL

let struct (train, test) = Examples.digits () |> Examples.split 0.2 0

(**
A part of the network that is to be looked at gets a name of its own: `first` is the front of `net`.
*)
let first = toImage (1, 8, 8) --> conv2d 12 (kernel 3 |> padding 1) --> relu
let net = first --> maxPool2d (kernel 2) --> flatten --> dense 64 --> relu --> dense 10

let trainer =
    { Trainer.create Loss.crossEntropy (Optimizer.adam 3e-3) with
        Epochs = 12
        Metrics = [ Metric.accuracy ]
        Validation = Some test
        Progress = Progress.Silent }

let trained = net |> Model.init Single (Key.ofSeed 0) (Shape.vec 64) |> Trainer.fit trainer train
let model = trained.Model

(**
## How it was trained

`Inside.curves` draws the history: a chart of the losses, and one of the metrics.
*)
(Inside.curves trained.History).Head.Svg
(*** include-it-raw ***)

(**
## What it looks for

A `Picture` is a value: `Picture.grid` puts pictures side by side, `Picture.enlarge` makes pixels larger, `Picture.save` writes a PNG file. Here the bytes go into the page.
*)
let show columns pictures =
    let png = pictures |> List.map (Picture.enlarge 6) |> Picture.grid columns |> Picture.png
    "<p><img alt=\"\" src=\"data:image/png;base64," + System.Convert.ToBase64String png + "\"></p>"

(**
The windows of the first convolution; middle gray is 0, white is positive. The name of the weights is the one of `Model.summary`:
*)
Inside.kernels "1.weight" model |> show 12
(*** include-it-raw ***)

(**
What the first layers make of one digit, a picture for every channel. `Inside.featureMaps` cuts the model after `first` and fails unless the model begins so.
*)
let one = test |> Examples.take [| 3 |]
Inside.featureMaps first model one.Inputs |> show 12
(*** include-it-raw ***)

(**
## Which pixels count

The saliency of a pixel is the size of the gradient of the score $s_c$ of a class in it, $\left| \partial s_c / \partial x \right|$: the pullback that trains a network also reaches its input.
*)
let label = (Batch.tensor one.Targets).ToArray<int>()[0]
let map = Inside.saliency [| label |] model one.Inputs
Picture.ofBatch (0.0, 1.0) (1, 8, 8) one.Inputs @ [ Picture.ofTensor (map.Reshape(8, 8)) ] |> show 2
(*** include-it-raw ***)

(**
## How it is fooled

The fast gradient sign moves every pixel by $\varepsilon$ to where the loss $L$ grows:

$$ x' = x + \varepsilon \, \mathrm{sign} \left( \frac{\partial L}{\partial x} \right) . $$

A person reads the moved digits as before; the network does not:
*)
let fooled epsilon = test |> Inside.fgsm epsilon (0.0, 1.0) Loss.crossEntropy model
let accuracy inputs = Metric.accuracy.Measure (Model.predict model inputs) test.Targets

(Chart.lines ("epsilon", "accuracy") [ ("accuracy", [ for i in 0..6 -> float i * 0.05, accuracy (fooled (float i * 0.05)) ]) ]).Svg
(*** include-it-raw ***)

(**
## Where it fails

The samples of the highest loss, the worst first. Some of them a person would get wrong too.
*)
let worst = test |> Inside.worst 8 model

for sample in worst do
    printfn "sample %d is a %d, read as a %d with probability %.2f" sample.Index sample.Label sample.Prediction sample.Probability
(*** include-output ***)

(test |> Examples.take [| for sample in worst -> sample.Index |]).Inputs
|> Picture.ofBatch (0.0, 1.0) (1, 8, 8)
|> show 8
(*** include-it-raw ***)

(**
## One page of it all

A `Report` gathers headings, text, pictures, charts and tables, and `Report.save` writes them as one HTML file that needs no other. `examples/fsharp/inside.fsx` makes such a page, with the effect of dropout on weights.
*)

(**
---
title: From convolutions to ResNet
category: Tutorials
categoryindex: 2
index: 3
---
# From convolutions to ResNet

This page goes from one convolution to the networks of the literature. Every number below was computed when the page was made.
*)
#I "../../src/DL.Dsl.FSharp/bin/Release/net10.0"
#r "DL.Core.CSharp.dll"
#r "Spectre.Console.dll"
#r "DL.Dsl.FSharp.dll"

open DL
open DL.Core
open DL.Models

(**
## An image and a window

An image has the shape channels x height x width. A convolution moves a window over it; at every place each output channel is a weighted sum of what the window sees,

$$ y_{o,i,j} = b_o + \sum_{c,u,v} w_{o,c,u,v}\; x_{c,\; i s + u d - p,\; j s + v d - p} , $$

with stride $s$, padding $p$ and dilation $d$. `kernel 3` is a window of 3 x 3; `stride`, `padding`, `same` and `dilation` change it. An axis of $n$ gives $\lfloor (n + 2p - d(k-1) - 1)/s \rfloor + 1$ positions:
*)
let show (size: int * int * int) (layer: Layer<Image, Image>) =
    let setup = layer.Init (Key.ofSeed 0) (Shape.image size)
    printfn "%-45s %O" (string layer.About) setup.Shape

[ conv2d 8 (kernel 3)
  conv2d 8 (kernel 3 |> same)
  conv2d 8 (kernel 3 |> stride 2 |> padding 1)
  conv2d 8 (kernelOf (1, 5) |> dilation 2)
  depthwise 3 (kernel 3 |> same)
  maxPool2d (kernel 2)
  convTranspose2d 8 (kernel 2 |> stride 2) ]
|> List.iter (show (3, 32, 32))
(*** include-output ***)

(**
The channels of the input are inferred; those of the output are yours. A window by hand shows what a convolution does: this one answers to edges between left and right.
*)
let edge = Tensor.Of<float32>([| 1f; -1f |], 1, 1, 1, 2)

let edges =
    conv2dWith { Conv.defaults with Bias = false } 1 (kernelOf (1, 2))
    |> Model.init Single (Key.ofSeed 0) (Shape.image (1, 2, 6))
    |> Model.withStateDict [ ("weight", edge) ]

let picture = Tensor.Of<float32>([| 1f; 1f; 0f; 0f; 1f; 1f; 0f; 0f; 0f; 1f; 1f; 1f |], 1, 1, 2, 6)
let found = Batch.tensor (Model.predict edges (Batch.image picture))

for row in found.ToArray<float32>() |> Array.chunkBySize 5 do
    printfn "%s" (row |> Array.map (sprintf "%4.0f") |> String.concat "")
(*** include-output ***)

(**
What does not fit is told with the place, both shapes and a mend:
*)
try
    conv2d 8 (kernel 3) --> maxPool2d (kernel 2) --> conv2d 8 (kernel 5)
    |> Model.init Single (Key.ofSeed 0) (Shape.image (1, 8, 8))
    |> ignore
with e ->
    printfn "%s" e.Message
(*** include-output ***)

(**
## A small network

A convolution keeps what is near together, a pooling makes the image smaller, and at the end `flatten` makes it a vector. The types say where: `conv2d` is a `Layer<Image, Image>`, `flatten` a `Layer<Image, Vec>`, `dense` a `Layer<Vec, Vec>`; a `conv2d` after `flatten` does not compile.
*)
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

let struct (train, test) = Examples.digits () |> Examples.split 0.1 0
let model = net |> Model.init Single (Key.ofSeed 0) (Shape.vec 64)

let trainer =
    { Trainer.create Loss.crossEntropy (Optimizer.adam 1e-3) with
        Epochs = 15
        Progress = Progress.Silent }

let trained = model |> Trainer.fit trainer train
let accuracy = Metric.accuracy.Measure (Model.predict trained.Model test.Inputs) test.Targets
printfn "%s" (Model.summary model)
printfn "accuracy %.3f" accuracy
(*** include-output ***)

(**
## Residual blocks

Deep chains are hard to train. A residual block adds what it computes to what it was given, $y = x + f(x)$, so that the gradient has a way past $f$:
*)
let normed channels : Layer<Image, Image> = conv2dWith { Conv.defaults with Bias = false } channels (kernel 3 |> same) --> batchNorm

let block channels = residual (normed channels --> relu --> normed channels) --> relu

printfn "%s" (block 16 |> Model.init Single (Key.ofSeed 0) (Shape.image (16, 32, 32)) |> Model.summary)
(*** include-output ***)

(**
`ResNet.resnet18` is such blocks in a row, with projections where the size changes; its source is a page. In training a ReLU after batch norm is done in the same pass over memory. In prediction (`Model.predict`) both go into the weights of the convolution before them:

$$ w'_o = w_o\, \frac{\gamma_o}{\sqrt{\sigma_o^2 + \varepsilon}}, \qquad b'_o = (b_o - \mu_o)\, \frac{\gamma_o}{\sqrt{\sigma_o^2 + \varepsilon}} + \beta_o . $$

## The zoo

Each is composed from the public names of the language; parameters are counted here, and by a test against the papers.
*)
let parameters (size: int * int * int) (layer: Layer<Image, 'y>) =
    let setup = layer.Init (Key.ofSeed 0) (Shape.image size)
    setup.Params |> Array.sumBy (fun p -> int64 p.Count)

let photo = 3, 224, 224

[ "LeNet-5", parameters (1, 28, 28) (LeNet.original 10)
  "NiN", parameters (1, 224, 224) (NiN.net 10)
  "MobileNetV2", parameters photo (MobileNet.v2 1000)
  "EfficientNet-B0", parameters photo (EfficientNet.b0 1000)
  "GoogLeNet", parameters photo (GoogLeNet.net 1000)
  "DenseNet-121", parameters photo (DenseNet.densenet121 1000)
  "ResNet-18", parameters photo (ResNet.resnet18 1000)
  "ResNet-34", parameters photo (ResNet.resnet34 1000)
  "ResNet-50", parameters photo (ResNet.resnet50 1000)
  "highway network", parameters (3, 32, 32) (HighwayCnn.net [ 16, 3; 32, 3 ] 10)
  "FCN (ResNet-18), 21 classes", parameters photo (Fcn.resnet18 21)
  "U-Net, 2 classes", parameters (1, 64, 64) (UNet.net 4 64 2) ]
|> List.iter (fun (name, count) -> printfn "%-28s %12s" name (count.ToString "N0"))
(*** include-output ***)

(**
AlexNet, VGG-11/16/19 and a small SSD are there too. A detector that looks at boxes takes pairs of images and boxes, `both body identity --> roiAlign (1.0 / 16.0) (7, 7) --> perToken head`: what each box holds becomes a step of a sequence, and the head is any layer over vectors. The derivation of the gradients of a convolution is a page of its own: [the backward of a convolution](../derivations/convolution.html).
*)

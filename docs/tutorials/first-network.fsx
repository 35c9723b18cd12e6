(**
---
title: Your first network
category: Tutorials
categoryindex: 2
index: 1
---
# Your first network

This page trains a network that reads handwritten digits. Every number below was computed when the page was made.

## Data

`Examples.digits` holds 1797 images of 8 x 8 pixels, from 0 to 1, with the digit each one shows. A fixed shuffle holds a tenth of them out: the network never sees those while it learns.
*)
#I "../../src/DL.Dsl.FSharp/bin/Release/net10.0"
#r "DL.Core.CSharp.dll"
#r "Spectre.Console.dll"
#r "DL.Dsl.FSharp.dll"

open DL

let struct (train, test) = Examples.digits () |> Examples.split 0.1 0
(*** include-value: Examples.count train ***)

(**
## A network is a value

`dense 64` is an affine map to 64 numbers, $y = xW + b$; `relu` is $\max(x, 0)$, number by number; `-->` puts one layer after another. The size of the input is not said here: it is inferred.
*)
let net = dense 64 --> relu --> dense 10

(**
The type of `net` is `Layer<Vec, Vec>`: from vectors to vectors. A layer for images does not fit behind it, and the compiler says so. Sizes are checked a little later and all at once, when a model is made for inputs of one shape:
*)
let model = net |> Model.init Single (Key.ofSeed 0) (Shape.vec 64)

printfn "%s" (Model.summary model)
(*** include-output ***)

(**
`Single` is float32, `Double` would be float64, through the same code. The key stands for all the randomness there is: the same key draws the same initial weights, on every machine.

When sizes do not fit, the message names the place, both shapes and a mend:
*)
let broken = dense 8 --> relu --> residual (dense 4)

try
    broken |> Model.init Single (Key.ofSeed 0) (Shape.vec 64) |> ignore
with e ->
    printfn "%s" e.Message
(*** include-output ***)

(**
## Training

A trainer is a record. `Loss.crossEntropy` compares ten scores with the right class,

$$ \ell = -\log \frac{e^{s_c}}{\sum_k e^{s_k}} , $$

and Adam moves the weights against the gradient. Training gives a new model; the old one stays as it was.
*)
let trainer =
    { Trainer.create Loss.crossEntropy (Optimizer.adam 1e-3) with
        Epochs = 20
        Metrics = [ Metric.accuracy ]
        Validation = Some test
        Progress = Progress.Silent }

let trained = model |> Trainer.fit trainer train

for epoch in trained.History do
    if epoch.Number % 5 = 0 then
        printfn "epoch %2d  loss %.3f  accuracy %.3f" epoch.Number epoch.Loss (snd epoch.Metrics.Head)
(*** include-output ***)

(**
## What it learnt

`Model.predict` gives ten scores for every image; the largest is the answer.
*)
let scores = Model.predict trained.Model test.Inputs
printfn "%O" (Metric.confusion scores test.Targets)
(*** include-output ***)

(**
Parameters are read by name, in the layouts of torch, so weights carry over both ways:
*)
for name, tensor in Model.stateDict trained.Model do
    printfn "%-10s %O" name tensor.Shape
(*** include-output ***)

(**
## Where it ran

The engine was chosen at start: Intel MKL where it is installed, else kernels of our own, which need nothing.
*)
printfn "%s" DL.Core.Native.Engine
(*** include-output ***)

(**
---
title: Transfer from one task to another
category: Tutorials
categoryindex: 2
index: 4
---
# Transfer from one task to another

A network that has learned one task has a body that may serve another. This page trains on the digits 0 to 4, then learns 5 to 9 from ten examples of each, in three ways. Every number below was computed when the page was made.
*)
#I "../../src/DL.Dsl.FSharp/bin/Release/net10.0"
#r "DL.Core.CSharp.dll"
#r "Spectre.Console.dll"
#r "DL.Dsl.FSharp.dll"

open DL
open DL.Core

(**
## Data

On centred digits any small network learns five classes from a few examples, so there is nothing to take over. Here they lie anywhere on a square of 16 x 16 pixels: that their place does not matter is what all digits share, and what few examples cannot teach.
*)
let side = 16

let scattered =
    let digits = Examples.digits ()
    let n, pixels = Examples.count digits, (Batch.tensor digits.Inputs).ToArray<float32>()
    let squares = Array.zeroCreate<float32>(n * side * side)

    for i in 0 .. n - 1 do
        let top, left = i * 5 % 9, i * 7 / 9 % 9

        for row in 0..7 do
            Array.blit pixels (i * 64 + row * 8) squares ((i * side + top + row) * side + left) 8

    Examples.create (Batch.vec (Tensor.Of<float32>(squares, n, side * side))) digits.Targets

let struct (seen, unseen) = scattered |> Examples.split 0.3 0
let low = seen |> Examples.ofClasses [ 0..4 ]
let few = seen |> Examples.ofClasses [ 5..9 ] |> Examples.firstOfEach 10
let test = unseen |> Examples.ofClasses [ 5..9 ]

(**
## Body and head

Names make the parts of a network known: parameters are called by them, whatever they stand beside.
*)
let conv channels = conv2d channels (kernel 3 |> same) --> relu --> maxPool2d (kernel 2)
let body = named "body" (toImage (1, side, side) --> conv 16 --> conv 32 --> flatten)
let head name = named name (dense 5)
let fresh layer = layer |> Model.init Single (Key.ofSeed 0) (Shape.vec (side * side))
printfn "%A" (Layer.slots (body --> head "low"))
(*** include-output ***)

let train epochs optimizer data model =
    let trainer =
        { Trainer.create Loss.crossEntropy optimizer with
            Epochs = epochs
            BatchSize = 10
            Progress = Progress.Silent }

    (model |> Trainer.fit trainer data).Model

let source = fresh (body --> head "low") |> train 10 (Optimizer.adam 1e-3) low

(**
## Taking the body

`Model.takeFrom` copies what agrees by name and shape and says what it left. The new head has a name of its own, so it stays as it was drawn.
*)
let taken layer = fresh layer |> Model.takeFrom source
let struct (model, left) = taken (body --> head "high")
printfn "%A" left
(*** include-output ***)

(**
## Three ways

From scratch; with the body `frozen`, where no optimizer reaches it; and with a rate per part, the body learning at a tenth of the rate of its head:
*)
let struct (held, _) = taken (frozen body --> head "high")
let adam = Optimizer.adam 1e-2

for way, start, optimizer in
    [ "from scratch", fresh (body --> head "high"), adam
      "body frozen", held, adam
      "body at a tenth of the rate", model, adam |> Optimizer.scaled [ ("0.body", 0.1) ] ] do
    let trained = start |> train 40 optimizer few
    printfn "%-28s %.3f" way (Metric.accuracy.Measure (Model.predict trained test.Inputs) test.Targets)
(*** include-output ***)

(**
Factor 1 is the plain optimizer and factor 0 is `frozen`, bit for bit; a path that no parameter begins with is refused with the names there are.
*)

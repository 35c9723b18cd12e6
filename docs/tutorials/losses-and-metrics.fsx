(**
---
title: Losses and metrics
category: Tutorials
categoryindex: 2
index: 9
---
# Losses and metrics

A loss gives a number and its gradient in the predictions, in one pass. A metric gives a number only, but of as many examples as one likes, counted batch by batch.
*)
#I "../../src/DL.Dsl.FSharp/bin/Release/net10.0"
#r "DL.Core.CSharp.dll"
#r "Spectre.Console.dll"
#r "DL.Dsl.FSharp.dll"

open DL
open DL.Core
open DL.Core.Metrics

(**
## A loss is a value

Three predictions of two classes, and the true classes:
*)
let logits = Batch.vectors [| [| 2.0f; 0.0f |]; [| 0.0f; 1.0f |]; [| 0.5f; 0.0f |] |]
let labels = Batch.labels [| 0; 1; 1 |]
let struct (value, gradient) = Loss.crossEntropy.Evaluate logits labels
printfn "%.4f" value
printfn "%A" ((Batch.tensor gradient).ToArray<float32>())
(*** include-output ***)

(**
It is the mean over the examples; `Loss.sum` makes it their sum, and `Loss.each` gives the loss of every example. All are computed from logits, shifted by their maximum, so that a logit of 10000 is no trouble:

$$ \ell = \log \sum_k e^{z_k - m} - (z_c - m), \qquad m = \max_k z_k, \qquad \frac{\partial \ell}{\partial z} = \mathrm{softmax}(z) - e_c $$
*)
printfn "%A" (Loss.each Loss.crossEntropy logits labels)
(*** include-output ***)

(**
## The losses

| For | Loss | Formula |
| --- | --- | --- |
| classes | `Loss.crossEntropy`, `crossEntropyWith` | $-\log p_c$, with weights of classes, label smoothing, an ignored id |
| classes, some rare | `Loss.focal gamma` | $-(1 - p_c)^\gamma \log p_c$ |
| distributions | `Loss.softCrossEntropy` | $-\sum t_k \log p_k$ |
| yes or no | `Loss.binaryCrossEntropyWithLogits`, `binaryFocal` | $-t \log \sigma(z) - (1 - t) \log(1 - \sigma(z))$ |
| numbers | `Loss.meanSquaredError`, `meanAbsoluteError`, `huber delta` | $e^2$, $\lvert e \rvert$; $e^2/2$ up to delta, then $\delta \lvert e \rvert - \delta^2/2$ |
| pairs of embeddings | `Loss.contrastive margin` | $d^2/2$ for alike, $\max(0, m - d)^2/2$ for others |
| anchor, positive, negative | `Loss.triplet margin` | $\max(0, d(a,p) - d(a,n) + m)$ |
| a Gaussian | `Loss.unitNormal` | $\tfrac12 \sum (e^{s} + \mu^2 - 1 - s)$, $s = \log \sigma^2$ |
| images | `Loss.perceptual` | $\sum_l \lambda_l \lVert \phi_l(a) - \phi_l(b) \rVert^2$ over frozen networks |
| tokens | `Loss.tokenCrossEntropy` | the mean over the steps that count |

Losses add up: `Loss.weighted [ 0.7, a; 0.3, b ]`, and `Loss.both` takes one for each part of a pair.

## Rare classes

`Loss.balanced` gives the weights that make all classes count alike, n / (classes * count):
*)
let weights = Loss.balanced 2 labels
printfn "%A" weights
let struct (weighted, _) = (Loss.crossEntropyWith { Entropy.defaults with ClassWeights = weights }).Evaluate logits labels
printfn "%.4f" weighted
(*** include-output ***)

(**
## A metric counts

`Measure` is for all examples at once. For more than fit into memory, a tally counts batch by batch, and tallies of parts merge into that of the whole:
*)
let accuracy = Metric.accuracy.Measure logits labels
let first = Metric.accuracy.Empty.Add(Batch.take [| 0 |] logits, Batch.take [| 0 |] labels)
let others = Metric.accuracy.Empty.Add(Batch.take [| 1; 2 |] logits, Batch.take [| 1; 2 |] labels)
printfn "%.4f at once, %.4f merged" accuracy (first.Merge others).Value
(*** include-output ***)

(**
A metric of your own is three functions: count a batch, merge two counts, read the number.
*)
let positives: Metric<Vec, Label> =
    Metric.create
        "share predicted 1"
        (fun scores _ ->
            let classes = Metric.classes scores
            struct (classes |> Array.filter ((=) 1) |> Array.length, classes.Length))
        (fun (struct (a, n)) (struct (b, m)) -> struct (a + b, n + m))
        (fun (struct (ones, all)) -> float ones / float all)

printfn "%.4f" (positives.Measure logits labels)
(*** include-output ***)

(**
## ROC curves

A classifier of two classes has a threshold. The ROC curve shows what each choice of it would do; its area is the probability that a positive has a higher score than a negative, ties counting one half.
*)
let data = Examples.breastCancer ()
let struct (train, test) = data |> Examples.split 0.3 0
let struct (scaledTrain, scaledTest) = Examples.standardize train test

let run rate =
    let trainer: Trainer<Vec, Vec, Label> =
        { Trainer.create Loss.crossEntropy (Optimizer.adam rate) with
            Epochs = 10
            Progress = Progress.Silent }

    let trained = dense 2 |> Model.init Single (Key.ofSeed 0) (Shape.vec 30) |> Trainer.fit trainer scaledTrain
    Model.predict trained.Model scaledTest.Inputs

let hasty, thorough = run 1e-4, run 1e-2
let curve scores = Metric.rocOf 1 scores scaledTest.Targets
(*** hide ***)
(Chart.roc [ "rate 0.0001", curve hasty; "rate 0.01", curve thorough ]).Svg
(*** include-it-raw ***)
(*** hide ***)
(Chart.confusion (Metric.confusion thorough scaledTest.Targets)).Svg
(*** include-it-raw ***)

(**
## Where frameworks differ

What happens at 0/0, how classes are averaged, what a smoothed or weighted mean is: [Conventions](../conventions.html) lists it.
*)

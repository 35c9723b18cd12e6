(**
---
title: Data and checkpoints
category: Tutorials
categoryindex: 2
index: 10
---
# Data and checkpoints

Data comes through pipelines, which are values; a run goes to a file and comes back from it, bit for bit.
*)
#I "../../src/DL.Dsl.FSharp/bin/Release/net10.0"
#r "DL.Core.CSharp.dll"
#r "Spectre.Console.dll"
#r "DL.Dsl.FSharp.dll"

open System.IO
open DL
open DL.Core
open DL.Core.Data

(**
## Pipelines

A pipeline describes a sequence and makes nothing until it is gone through. The same pipeline gives the same elements every time, whatever thread prepares them, since all chance comes from keys:
*)
let numbers = Pipeline.init 10 id |> Pipeline.shuffle (Key.ofSeed 1) |> Pipeline.map (fun n -> n * n) |> Pipeline.take 5
printfn "%A" (Pipeline.toSeq numbers |> List.ofSeq)
printfn "%A" (Pipeline.toSeq numbers |> List.ofSeq)
printfn "%A in the next epoch" (Pipeline.epoch 1 numbers |> List.ofSeq)
(*** include-output ***)

(**
Batches of examples for steps of one's own, prepared on another thread while the last one is computed with:
*)
let struct (train, test) = Examples.digits () |> Examples.split 0.1 0

let batches = Pipeline.ofExamples train |> Pipeline.shuffle (Key.ofSeed 0) |> Pipeline.batch 64 |> Pipeline.prefetch 2

let net = dense 64 --> relu --> dropout 0.2 --> dense 10
let model = net |> Model.init Single (Key.ofSeed 0) (Shape.vec 64)
let rule: Rule<Vec, Label> = Rule.create Loss.crossEntropy (Optimizer.adam 2e-3)
let session = Session(rule, Trainer.start rule model)

for epoch in 0..2 do
    let losses = [ for batch in Pipeline.epoch epoch batches -> session.Step(batch.Inputs, batch.Targets) ]
    printfn "%d batches, mean loss %.3f" losses.Length (List.average losses)
(*** include-output ***)

(**
`Trainer.fitBatches` takes the pipeline as it is, with all a trainer has: epoch 1 of the run goes through epoch 1 of the pipeline, and so on. The trainer's `BatchSize` and `Seed` have no part in it, and its `Augment` is refused, since the pipeline does all that; what is held out stays a set of examples. A pipeline without an end says how many batches make an epoch: `Pipeline.forever`, then `Pipeline.take 100`. A run that was stopped goes on by `Trainer.resumeBatches`, which goes through the batches of the epoch under way again without a step on those it has taken.
*)
let settings: Trainer<Vec, Vec, Label> =
    { Trainer.create Loss.crossEntropy (Optimizer.adam 2e-3) with
        Epochs = 3
        Metrics = [ Metric.accuracy ]
        Validation = Some test
        Progress = Progress.Silent }

let onBatches = model |> Trainer.fitBatches settings batches

for epoch in onBatches.History do
    printfn "epoch %d: loss %.3f, accuracy on the test examples %.3f" epoch.Number epoch.Loss (epoch.Metric "accuracy")
(*** include-output ***)

(**
## Augmentation

Examples are changed on their way into a batch, each by a key of its own: that of the epoch and of its place. Changes of images take a batch at a time:
*)
let change = Augment.all [ Augment.crop (8, 8) 1; Augment.rotate 10.0 ]
let pictures = Examples.create (Batch.image (Batch.tensor(train.Inputs).Reshape(-1, 1, 8, 8))) train.Targets

let changed = Pipeline.ofExamples pictures |> Pipeline.batchKeyed 64 (Key.ofSeed 2) (Augment.inputs change)
printfn "%d batches of images" (Pipeline.toSeq changed |> Seq.length)
(*** include-output ***)

(**
Texts and sounds change their length too, so that they are changed one by one, before there is a batch. Each change is a function of a key and an element; `Augment.inTurn` gives each of several a key of its own:
*)
let table = Map [ "cat", [| "kitten"; "tomcat" |]; "mat", [| "rug" |] ]

let reworded =
    Augment.inTurn [ AugmentText.synonyms table 1; AugmentText.delete 0.1; AugmentText.swap 1 ]
    |> AugmentText.ofWords

let texts = Pipeline.ofSeq [ "the cat sat on the mat"; "a rat ate the cat" ] |> Pipeline.mapKeyed (Key.ofSeed 3) reworded
printfn "%A, then %A" (Pipeline.epoch 0 texts |> List.ofSeq) (Pipeline.epoch 1 texts |> List.ofSeq)

let tone = Array.init 8000 (fun i -> float32 (sin (0.2 * float i)))
let varied = Augment.inTurn [ AugmentSound.timeStretch (0.8, 1.25); AugmentSound.pitchShift 2.0; AugmentSound.noise 20.0 ]
let sounds = Pipeline.init 3 (fun _ -> tone) |> Pipeline.mapKeyed (Key.ofSeed 4) varied
printfn "%A samples" (Pipeline.toSeq sounds |> Seq.map Array.length |> List.ofSeq)
(*** include-output ***)

(**
## Tokenizers

A byte-pair tokenizer learns the pieces a text is best cut into, and gives every text back exactly:
*)
let text = "the cat sat on the mat; the rat sat on the cat; " |> String.replicate 5
let tokenizer = BytePairTokenizer.Train(text, 270)
let ids = tokenizer.Encode "the cat sat"
let piece (id: int) = let one = [| id |] in tokenizer.Decode one
printfn "%A" (ids |> Array.map piece)
printfn "%s" (tokenizer.Decode ids)
(*** include-output ***)

(**
## A run that stops and goes on

`Trainer.fit` gives a fit: parameters, state, moments, step, history, place in the data. `Checkpoint.save` writes it to a safetensors file, whole or not at all: a temporary file beside it is written, flushed to the disk, and takes its name. `Trainer.resume` goes on as if nothing had happened.
*)
let trainer: Trainer<Vec, Vec, Label> =
    { Trainer.create Loss.crossEntropy (Optimizer.adam 2e-3) with
        Epochs = 4
        Progress = Progress.Silent }

let file = Path.Combine(Path.GetTempPath(), "dl-tutorial.safetensors")

let afterSeventy: Callback<Vec, Vec> =
    function
    | StepTaken(report, _) when report.Step = 70 -> Next.Stop
    | _ -> Next.Continue

let stopped = model |> Trainer.fit { trainer with Callbacks = [ afterSeventy ] } train
Checkpoint.save file stopped.Fit
printfn "%O in epoch %d, %d bytes" stopped.Ending (stopped.History.Length + 1) (FileInfo file).Length

let resumed = Checkpoint.load file model |> Trainer.resume trainer train
let whole = model |> Trainer.fit trainer train
let same = Array.forall2 (fun (a: Tensor) (b: Tensor) -> a.SameBits b) whole.Model.Params resumed.Model.Params
printfn "the same bits as without a stop: %b" same
(*** include-output ***)

(**
In a script one line does both, `Checkpoint.loadOrStart file rule model`, with `Checkpoint.everyEpoch file` among the callbacks and `Cancellation = Interrupt.token ()` for Ctrl-C.

## Weights of others

A state dictionary has torch's names and layouts, so that a safetensors file of PyTorch loads by name: `Weights.load`. Arrays of NumPy come and go as npy and npz.
*)
for name, tensor in Model.stateDict model do
    printfn "%-10s %O" name tensor.Shape
(*** include-output ***)
(*** hide ***)
File.Delete file

(**
---
title: A Transformer
category: Tutorials
categoryindex: 2
index: 7
---
# A Transformer

Recurrent layers carry what they saw along the steps. Attention looks it up. This page starts with one attention layer that learns to turn a sequence round, draws what it looks at, and ends with the blocks of GPT, BERT and the Transformer. Every number and picture below was computed when the page was made.
*)
#I "../../src/DL.Dsl.FSharp/bin/Release/net10.0"
#r "DL.Core.CSharp.dll"
#r "Spectre.Console.dll"
#r "DL.Dsl.FSharp.dll"

open System
open DL
open DL.Core
open DL.Models

(**
## Attention

Every step asks a question, its query $q$; every step offers an answer, its value $v$, under a key $k$. What a step gets is a mean of all values, weighted by how well its query fits their keys:

$$ y_t = \sum_s w_{t,s}\, v_s, \qquad w_{t,s} = \frac{\exp(q_t \cdot k_s / \sqrt d)}{\sum_r \exp(q_t \cdot k_r / \sqrt d)} . $$

`selfAttention 2` does so in two heads, each with a part of the features. Nothing in it knows which step comes first: permute the steps, and the outputs are permuted. So positions are added before.

The task: ten digits in, the same digits out in reverse.
*)
let time = 10
let rows seed count = Array.init count (fun i -> let random = Random(seed + i) in Array.init time (fun _ -> random.Next 10))

let examples (rows: int[][]) =
    let tokens (all: int[][]) = Batch.tokens (Tensor.Of<int>(Array.concat all, all.Length, time))
    Examples.create (tokens rows) (tokens (Array.map Array.rev rows))

let train, test = examples (rows 0 4000), examples (rows 1000000 500)
let before = embedding 10 32 --> learnedPositions time
let net = before --> selfAttention 2 --> perToken (dense 10)

let fit epochs rate net =
    let trainer =
        { Trainer.create Loss.tokenCrossEntropy (Optimizer.adam rate) with
            Epochs = epochs
            Metrics = [ Metric.tokenAccuracy; Metric.exactMatch ]
            Validation = Some test
            Progress = Progress.Silent }

    net |> Model.init Single (Key.ofSeed 0) (Shape.tokens time) |> Trainer.fit trainer train

let trained = fit 12 1e-2 net
let last = List.last trained.History

for name, value in last.Metrics do
    printfn "%s %.3f" name value
(*** include-output ***)

(**
What does it look at? `Inside.attention` gives the weights of every head, and a picture shows them: a row for each query, a column for each key, white where the weight is 1.
*)
let one = Examples.take [| 0 |] test
let weights = Inside.attention before Attend.defaults 2 trained.Model one.Inputs

let show pictures =
    let png = pictures |> List.map (Picture.enlarge 12) |> Picture.grid 2 |> Picture.png

    "<p><img alt=\"Weights of two heads, query by key\" src=\"data:image/png;base64,"
    + Convert.ToBase64String png
    + "\"></p>"

weights |> Inside.attentionMaps 0 |> show
(*** include-it-raw ***)

(**
The bright line from the right above to the left below is the reversal: the first step asks for the last, the last for the first.

What a step may see is a setting: `Attend.causal` hides later steps, `Attend.window 16` all but the last sixteen, and `Visible` takes a function from two positions of your own.

## A block

A Transformer's block is attention and a small network at every step, each added to what it took, with norms. In this language it is written as it is said:
*)
let block features heads : Layer<Seq, Seq> =
    residual (layerNorm --> causalSelfAttention heads)
    --> residual (layerNorm --> perToken (dense (4 * features) --> gelu --> dense features))

let gpt = embedding 11 32 --> learnedPositions 24 --> repeat 2 (block 32 4) --> layerNorm --> perToken (dense 11)
printfn "%s" (gpt |> Model.init Single (Key.ofSeed 0) (Shape.tokens 20) |> Model.summary)
(*** include-output ***)

(**
`causalSelfAttention` hides from every step what comes later, so that a text can be continued. Here the text is ten digits, a bar, and the digits reversed; only what stands behind the bar is to be learned, so the targets before it are -1, which do not count.
*)
let bar = 10
let texts (rows: int[][]) = rows |> Array.map (fun row -> Array.concat [ row; [| bar |]; Array.rev row ])

let continued (rows: int[][]) =
    let all = texts rows
    let tokens (ids: int[][]) = Batch.tokens (Tensor.Of<int>(Array.concat ids, ids.Length, 2 * time))
    let target (row: int[]) = Array.init (2 * time) (fun t -> if t < time then -1 else row[t + 1])
    Examples.create (tokens (all |> Array.map (fun row -> row[.. 2 * time - 1]))) (tokens (Array.map target all))

let writer =
    let trainer =
        { Trainer.create Loss.tokenCrossEntropy (Optimizer.adamW 0.01 3e-3) with
            Epochs = 6
            Progress = Progress.Silent }

    gpt
    |> Model.init Single (Key.ofSeed 0) (Shape.tokens (2 * time))
    |> Trainer.fit trainer (continued (rows 0 4000))

(**
To continue a text, a `Cursor` keeps keys and values of the steps seen: the next token costs one step, not a pass over all of them. That both give the same is a law. A decoder goes on in the same way beside a source that was encoded once: `Cursor.translating` for one, `Cursor.beside` for several.
*)
let settings = { Generate.greedy with MaxTokens = time }
let start = Cursor.start writer.Model

let reverse (digits: int[]) = Generate.tokens settings (Key.ofSeed 0) Cursor.step start (Array.append digits [| bar |]) |> Array.ofSeq

let unseen = rows 1000000 200
let right = unseen |> Array.filter (fun row -> reverse row = Array.rev row) |> Array.length
printfn "%A -> %A" unseen[0] (reverse unseen[0])
printfn "%d of %d written without a mistake" right unseen.Length
(*** include-output ***)

(**
## The models

`DL.Models` has the networks of the papers as pages of such composition: `Gpt.network`, `Bert.encoder`, `Bert.masked` and `Bert.classifier`, `Transformer.network` from one text to another, `Vit.network` over the patches of an image. Their parameters are counted in tests.
*)
let small =
    { Gpt.gpt2 with
        Vocabulary = 1000
        Positions = 64
        Features = 64
        Blocks = 2
        Heads = 4 }

for sizes in [ small; { small with Tied = false } ] do
    let model = Gpt.network sizes |> Model.init Single (Key.ofSeed 0) (Shape.tokens 16)
    printfn "GPT in small, tied %b: %d parameters" sizes.Tied (Model.parameters model)
(*** include-output ***)

(**
What does not fit is told before any work:
*)
try
    embedding 10 30 --> selfAttention 4 |> Model.init Single (Key.ofSeed 0) (Shape.tokens 8) |> ignore
with e ->
    printfn "%s" e.Message
(*** include-output ***)

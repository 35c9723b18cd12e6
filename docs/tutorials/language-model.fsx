(**
---
title: A language model from nothing
category: Tutorials
categoryindex: 2
index: 6
---
# A language model from nothing

A language model reads a text and says what comes next. This page makes one that learns to spell numbers, character by character, from ids to text. Every number below was computed when the page was made.
*)
#I "../../src/DL.Dsl.FSharp/bin/Release/net10.0"
#r "DL.Core.CSharp.dll"
#r "Spectre.Console.dll"
#r "DL.Dsl.FSharp.dll"

open System
open DL
open DL.Core
open DL.Core.Data

(**
## Text as ids

The text is the numbers below a thousand, written in words, in an order of their own. Two hundred of them are kept out, to see whether the model learned to spell or only to repeat.
*)
let small =
    [| "zero"
       "one"
       "two"
       "three"
       "four"
       "five"
       "six"
       "seven"
       "eight"
       "nine"
       "ten"
       "eleven"
       "twelve"
       "thirteen"
       "fourteen"
       "fifteen"
       "sixteen"
       "seventeen"
       "eighteen"
       "nineteen" |]

let tens = [| ""; ""; "twenty"; "thirty"; "forty"; "fifty"; "sixty"; "seventy"; "eighty"; "ninety" |]

let rec spelled n =
    if n < 20 then small[n]
    elif n < 100 then tens[n / 10] + (if n % 10 = 0 then "" else "-" + small[n % 10])
    else small[n / 100] + " hundred" + (if n % 100 = 0 then "" else " and " + spelled (n % 100))

let order = Shuffle.Permutation(1000, 1UL, 0UL)
let known, unseen = order[..799] |> Array.map spelled, order[800..] |> Array.map spelled
let text = String.Join("\n", known) + "\n"

let characters = CharacterTokenizer.Of text
printfn "%d characters of %d kinds" text.Length characters.Vocabulary.Count
let ids = characters.Encode "forty-two\n"
printfn "%A" ids
(*** include-output ***)

(**
## Windows

An example is a window of the text, and its target is the same window one character later: at every step the model is asked for the next character. Windows at random places are a pure function of a key.
*)
let time = 40
let whole = characters.Encode text
let windows = Examples.ofWindows (TextWindows.Random(whole, time, 4000, Random.Key(1UL, 0u, 0u)))

(**
## The network

`embedding` gives every id a vector, `gru` carries a state along the steps, and `perToken` puts a dense layer on every step. `embedding` is a `Layer<Tokens, Seq>`, `gru` a `Layer<Seq, Seq>`: what has no order of steps does not compile.
*)
let vocabulary = characters.Vocabulary.Count
let net = embedding vocabulary 16 --> gru 64 --> perToken (dense vocabulary)
let model = net |> Model.init Single (Key.ofSeed 0) (Shape.tokens time)
printfn "%s" (Model.summary model)
(*** include-output ***)

(**
The loss is the mean of $-\log p(\text{next character})$, and its exponential is the perplexity: among how many characters, all as likely, the model still wavers. A model that knows nothing wavers among all of them.
*)
let trainer =
    let plain = Trainer.create Loss.tokenCrossEntropy (Optimizer.adam 5e-3)

    { plain with
        Rule = { plain.Rule with ClipNorm = Some 1.0 }
        Epochs = 4
        BatchSize = 32
        Metrics = [ Metric.perplexity ]
        Validation = Some(Examples.take [| 0..99 |] windows)
        Progress = Progress.Silent }

let trained = model |> Trainer.fit trainer windows

for epoch in trained.History do
    printfn "epoch %d: loss %.3f, perplexity %.3f" epoch.Number epoch.Loss (snd epoch.Metrics.Head)
(*** include-output ***)

(**
The gradient goes back through all steps of a window; how, is [derived for the LSTM](../derivations/lstm.html). `ClipNorm` bounds it, since it may grow on the way.

## Writing

To write, the model goes along its own text. A `Cursor` is a model at a place of a sequence: it remembers the state of recurrent layers, so that the next character costs one step. `Generate.text` asks it for scores, draws a character, and goes on; the same key gives the same text.
*)
let start = Cursor.start trained.Model

let write temperature key =
    let settings = { Generate.defaults with Temperature = temperature; MaxTokens = 400 }

    Generate.text characters settings (Key.ofSeed key) Cursor.step start "\n" |> String.concat ""

let lines (written: string) = written.Split '\n' |> Array.filter ((<>) "")
write 0.7 1 |> lines |> Array.truncate 8 |> Array.iter (printfn "%s")
(*** include-output ***)

(**
How many of the lines are numbers, and how many of these it never saw? A low temperature sharpens the distribution, a high one flattens it.
*)
let valid = Set.ofSeq (Seq.init 1000 spelled)
let held = Set.ofArray unseen

for temperature in [ 0.3; 0.7; 1.0; 1.5 ] do
    let written =
        [| for key in 1..6 do
               yield! (let all = lines (write temperature key) in all[.. all.Length - 2]) |]

    let right = written |> Array.filter valid.Contains
    let fresh = right |> Array.filter held.Contains |> Array.distinct

    printfn
        "temperature %.1f: %3d lines, %3.0f %% numbers, %2d of them new"
        temperature
        written.Length
        (100.0 * float right.Length / float written.Length)
        fresh.Length
(*** include-output ***)

(**
Instead of drawing, one may look for the most probable continuation. A beam search keeps the best few beginnings at every step. `RepetitionPenalty` and `NoRepeat` are there as in drawing, for a search that goes in circles:
*)
let beams =
    { Generate.beams with
        Width = 3
        Stop = List.ofArray (characters.Encode "\n")
        MaxTokens = 40 }

for found in Generate.beam beams Cursor.step start (characters.Encode "\nnine hundred and ") do
    let continuation = Array.ofSeq found.Tokens
    printfn "%-12s log probability %.2f" (characters.Decode continuation) found.LogProbability
(*** include-output ***)

(**
## Texts of different lengths

Here every window is full. Where texts end at different places, `Padded.tokens` puts them in one batch, and their lengths travel with it: recurrent layers keep their state there, attention does not look there, losses and means do not count it. A law holds every layer to that.
*)
let batch = Padded.tokens [| characters.Encode "six"; characters.Encode "seventeen" |]
printfn "%O, lengths %A" (Batch.shape batch) (Padded.lengths batch)
(*** include-output ***)

(**
The script `examples/fsharp/shakespeare.fsx` does the same with Shakespeare, by an LSTM and by a GPT. The next page, [a Transformer](transformer.html), is about the second.
*)

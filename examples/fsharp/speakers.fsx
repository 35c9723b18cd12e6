// Who says this line? A classifier of Shakespeare's lines, and what it gains when BERT has read all the plays before.
//   dotnet fsi examples/fsharp/speakers.fsx [epochs of reading] [folder]
// The folder (or DL_DATA/text) holds tinyshakespeare.txt; without it the script says so.
#I "../../src/DL.Dsl.FSharp/bin/Release/net10.0"
#r "DL.Core.CSharp.dll"
#r "DL.Dsl.FSharp.dll"

open System
open System.IO
open DL
open DL.Core.Data
open DL.Models

let arguments = fsi.CommandLineArgs |> Array.tail
let reading = if arguments.Length > 0 then int arguments[0] else 1

let folder =
    match Array.tryItem 1 arguments, Environment.GetEnvironmentVariable "DL_DATA" with
    | Some path, _ -> path
    | None, null -> Path.Combine(__SOURCE_DIRECTORY__, "../../../shared/data/text")
    | None, data -> Path.Combine(data, "text")

let file = Path.Combine(folder, "tinyshakespeare.txt")

if not (File.Exists file) then
    printfn "skipped: no tinyshakespeare.txt in %s (name a folder, or set DL_DATA)" folder
    exit 0

let text = Texts.Read file
let lines = Play.Lines text
let task = SpeakerTask.Of(lines, 4, 0.2, 0UL)
let characters = CharacterTokenizer.Of text
let time = 64

// Two ids more: the one a text begins with, whose vector stands for the text, and the one that hides a character.
let first = characters.Vocabulary.Count
let hidden = first + 1
let encode (line: string) = Array.append [| first |] (characters.Encode(line.Substring(0, min line.Length (time - 1))))
let padded (rows: int[][]) = Padded.tokensOf time rows

/// BERT takes pairs: ids, and the part of the text each belongs to; here there is one part.
let bertInput (rows: int[][]) = Batch.pair (padded rows) (padded (rows |> Array.map (fun row -> Array.zeroCreate row.Length)))

let labelled (set: LabelledLines) = set.Lines |> Array.map encode, Batch.labels set.Labels
let trainRows, trainLabels = labelled task.Train
let testRows, testLabels = labelled task.Test

let fit epochs batch rate loss data model =
    let plain = Trainer.create loss (Optimizer.adamW 0.01 rate)
    let steps = epochs * ((Examples.count data + batch - 1) / batch)

    let trainer =
        { plain with
            Rule =
                { plain.Rule with
                    ClipNorm = Some 1.0
                    Schedule = Some(Schedule.cosine (max 1 steps) 0.0 rate) }
            Epochs = epochs
            BatchSize = batch }

    (Trainer.fit trainer data model).Model

let accuracy model inputs = Metric.accuracy.Measure (Model.predict model inputs) testLabels

printfn "%d lines of %s" (trainRows.Length + testRows.Length) (String.concat ", " task.Speakers)
printfn "%-32s %.3f" "always the most frequent" task.MajorityAccuracy

let recurrent =
    TextClassifier.recurrent (hidden + 1) 32 (lstm 64) task.Speakers.Count
    |> Model.init Single (Key.ofSeed 0) (Shape.tokens time)
    |> fit 5 32 3e-3 Loss.crossEntropy (Examples.create (padded trainRows) trainLabels)

printfn "%-32s %.3f" "LSTM in both directions" (accuracy recurrent (padded testRows))

let bert =
    { Vocabulary = hidden + 1
      Positions = time
      Segments = 1
      Blocks =
        { Transformer.paper with
            Features = 96
            Heads = 4
            Inner = 192
            Blocks = 3
            Dropout = 0.1
            Activation = gelu
            PreNorm = true } }

let shape = Shape.pair (Shape.tokens time) (Shape.tokens time)
let classifier = Bert.classifier bert task.Speakers.Count |> Model.init Single (Key.ofSeed 0) shape
let tune model = fit 5 32 1e-3 Loss.crossEntropy (Examples.create (bertInput trainRows) trainLabels) model
let scratch = tune classifier
printfn "%-32s %.3f" "BERT from scratch" (accuracy scratch (bertInput testRows))

// Reading: every seventh character or so is hidden, and told from those around it. The lines it is tested on are left out.
let unknown = Set.ofArray task.Test.Lines
let known = lines |> Seq.map _.Line |> Seq.filter (unknown.Contains >> not) |> Seq.map encode |> Array.ofSeq

let masked seed =
    let random = Random(seed: int)
    let hide = known |> Array.map (Array.map (fun id -> id <> first && random.NextDouble() < 0.15))
    let inputs = Array.map2 (Array.map2 (fun id hide -> if hide then hidden else id)) known hide
    let targets = Array.map2 (Array.map2 (fun id hide -> if hide then id else -1)) known hide
    Examples.create (bertInput inputs) (padded targets)

let reader = Bert.masked bert |> Model.init Single (Key.ofSeed 1) shape
let read = Seq.fold (fun model epoch -> fit 1 64 1e-3 Loss.tokenCrossEntropy (masked epoch) model) reader [ 1..reading ]
let struct (informed, _) = classifier |> Model.takeFrom read
printfn "%-32s %.3f" "BERT that read the plays before" (accuracy (tune informed) (bertInput testRows))

// A language model of characters: an LSTM and a GPT learn Shakespeare, and write.
//   dotnet fsi examples/fsharp/shakespeare.fsx [steps] [folder]
// The folder (or DL_DATA/text) holds tinyshakespeare.txt; without it the script says so. 1000 steps take minutes, the default 150 a moment.
#I "../../src/DL.Dsl.FSharp/bin/Release/net10.0"
#r "DL.Core.CSharp.dll"
#r "DL.Dsl.FSharp.dll"

open System
open System.IO
open DL
open DL.Core.Data
open DL.Core.Random
open DL.Models

let arguments = fsi.CommandLineArgs |> Array.tail
let steps = if arguments.Length > 0 then int arguments[0] else 150

let folder =
    match Array.tryItem 1 arguments, Environment.GetEnvironmentVariable "DL_DATA" with
    | Some path, _ -> path
    | None, null -> Path.Combine(__SOURCE_DIRECTORY__, "../../../shared/data/text")
    | None, data -> Path.Combine(data, "text")

if not (File.Exists(Path.Combine(folder, "tinyshakespeare.txt"))) then
    printfn "skipped: no tinyshakespeare.txt in %s (name a folder, or set DL_DATA)" folder
    exit 0

let text = Texts.TinyShakespeare folder
let characters = CharacterTokenizer.Of text.Train
let vocabulary = characters.Vocabulary.Count
let time, batch = 64, 32

let train, validation = characters.Encode text.Train, characters.Encode text.Validation
let windows = Examples.ofWindows (TextWindows.Random(train, time, steps * batch, Key.ofSeed 1))
let heldOut = Examples.ofWindows (TextWindows.Consecutive(validation, time))

/// Trains for the given number of steps, prints the loss on the text held out, and writes.
let run name optimizer (net: Layer<Tokens, Seq>) =
    let trainer =
        let plain = Trainer.create Loss.tokenCrossEntropy optimizer

        { plain with
            Rule = { plain.Rule with ClipNorm = Some 1.0 }
            Epochs = 1
            BatchSize = batch }

    let model = net |> Model.init Single (Key.ofSeed 0) (Shape.tokens time)
    let trained = model |> Trainer.fit trainer windows
    let struct (loss, _) = trained.Model |> Trainer.measure trainer heldOut
    let seconds = trained.History |> List.sumBy _.Elapsed.TotalSeconds

    printfn "%s: %d parameters, %d steps in %.0f s" name (Model.parameters model) steps seconds
    printfn "held out: %.4f nats a character, perplexity %.3f" loss (exp loss)

    let settings = { Generate.defaults with Temperature = 0.8; MaxTokens = 200 }

    let prompt = "ROMEO:\n"
    printf "%s" prompt

    // The text comes character by character, as it is drawn; each sees the last ones.
    for piece in Generate.text characters settings (Key.ofSeed 7) (Cursor.overLast time trained.Model) [||] prompt do
        printf "%s" piece

    printfn "\n"

run "LSTM" (Optimizer.adam 2e-3) (LanguageModel.lstm vocabulary 64 256 2)

run
    "GPT"
    (Optimizer.adamW 0.01 1e-3)
    (Gpt.network
        { Gpt.gpt2 with
            Vocabulary = vocabulary
            Positions = time
            Features = 128
            Blocks = 4
            Heads = 4
            Tied = false })

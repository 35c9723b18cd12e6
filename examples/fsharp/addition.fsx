// From one sequence to another: a GRU with additive attention reads two numbers and writes their sum, last digit first.
//   dotnet fsi examples/fsharp/addition.fsx [epochs]
// "417+85" becomes "205": the digits of 502, turned round.
#I "../../src/DL.Dsl.FSharp/bin/Release/net10.0"
#r "DL.Core.CSharp.dll"
#r "DL.Dsl.FSharp.dll"

open System
open DL
open DL.Models

let epochs =
    match fsi.CommandLineArgs |> Array.tail |> Array.tryHead with
    | Some n -> int n
    | None -> 20

let symbols = "0123456789+"
let stop, start = symbols.Length, symbols.Length + 1
let ids (text: string) = text |> Seq.map (fun c -> symbols.IndexOf c) |> Array.ofSeq
let turned (text: string) = String(Array.rev (text.ToCharArray()))

/// A pair of numbers of up to three digits, and what is to be written.
let problem (random: Random) =
    let number () = random.Next(int (10.0 ** float (random.Next(1, 4))))
    let a, b = number (), number ()
    $"{a}+{b}", turned (string (a + b))

let random = Random 1
let trained = Array.init 24000 (fun _ -> problem random)
let known = trained |> Array.map fst |> Set.ofArray
let unseen = Seq.initInfinite (fun _ -> problem random) |> Seq.filter (fun (question, _) -> not (known.Contains question))
let test = unseen |> Seq.distinct |> Seq.take 500 |> Array.ofSeq

let longest = 7

/// Question, answer with its start, and answer with its stop: padded, and the lengths travel along.
let examples (pairs: (string * string)[]) =
    let rows f = Padded.tokensOf longest (Array.map f pairs)
    let source = rows (fun (question, _) -> ids question)
    let sofar = rows (fun (_, answer) -> Array.append [| start |] (ids answer))
    let target = rows (fun (_, answer) -> Array.append (ids answer) [| stop |])
    Examples.create (Batch.pair source sofar) target

let trainer =
    let plain = Trainer.create Loss.tokenCrossEntropy (Optimizer.adam 3e-3)
    let steps = epochs * ((trained.Length + 127) / 128)

    { plain with
        Rule =
            { plain.Rule with
                ClipNorm = Some 1.0
                Schedule = Some(Schedule.cosine steps 1e-5 3e-3) }
        Epochs = epochs
        BatchSize = 128 }

let model =
    Seq2Seq.network (start + 1) (start + 1) 32 128
    |> Model.init Single (Key.ofSeed 0) (Shape.pair (Shape.tokens longest) (Shape.tokens longest))

let fitted = model |> Trainer.fit trainer (examples trained)

/// The answer, symbol by symbol, each the most probable.
let answer (question: string) =
    let reading = Cursor.translating (ids question) fitted.Model
    let settings = { Generate.greedy with Stop = [ stop ]; MaxTokens = longest }
    let written = Generate.tokens settings (Key.ofSeed 0) Cursor.step reading [| start |]
    written |> Seq.map (fun id -> if id < stop then string symbols[id] else "?") |> String.concat ""

let answers = test |> Array.map (fst >> answer)
let right = Array.map2 (fun (_, expected) given -> expected = given) test answers |> Array.filter id |> Array.length
printfn "%d parameters" (Model.parameters model)

for (question, _), given in Array.zip test answers |> Array.take 5 do
    printfn "%9s = %s" question (turned given)

printfn "exact match %.3f on %d questions never seen" (float right / float test.Length) test.Length

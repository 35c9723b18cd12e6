module DL.Properties.Data.TextsTests

open System
open System.IO
open FsCheck.FSharp
open Xunit
open DL.Core.Data
open DL.Core.Formats
open DL.Properties.Data.Support

/// Runs an action on a file of the given bytes.
let private withFile (bytes: byte[]) (action: string -> 'a) =
    let path = Path.GetTempFileName()

    try
        File.WriteAllBytes(path, bytes)
        action path
    finally
        File.Delete path

[<Fact>]
let ``a text is read whole, plain and compressed, without a byte order mark`` () =
    let text = String.replicate 20_000 "né\r\n中\U0001F600 "
    Assert.Equal(text, withFile (bytesOf text) Texts.Read)
    Assert.Equal(text, withFile (gzip (bytesOf text)) (fun path -> Texts.Read(path, ReadLimits(MaxExpansion = 10_000))))
    Assert.Equal("a\uFEFF", withFile (bytesOf "\uFEFFa\uFEFF") Texts.Read)
    Assert.Equal("", withFile [||] Texts.Read)

[<Fact>]
let ``what is no text is refused`` () =
    formatError (fun () -> withFile [| 65uy; 0xC3uy; 0x28uy |] Texts.Read) |> mentions [ "UTF-8" ]
    formatError (fun () -> withFile [| 65uy; 0xE4uy; 0xB8uy |] Texts.Read) |> mentions [ "UTF-8" ]

    formatError (fun () -> withFile (bytesOf "abc") (fun path -> Texts.Read(path, ReadLimits(MaxElements = 2L))))
    |> mentions [ "at most 2"; "MaxElements" ]

    formatError (fun () -> withFile (bytesOf "abc") (fun path -> Texts.Read(path, ReadLimits(MaxBytes = 2L))))
    |> mentions [ "MaxBytes" ]

    formatError (fun () -> Texts.TinyShakespeare "no/such/folder") |> mentions [ "tinyshakespeare.txt" ]
    argumentError (fun () -> Texts.Read "") |> ignore

[<Fact>]
let ``the end is held out, and no character is cut in two`` () =
    let split = Texts.HoldOut("abcdefghij", 0.25)
    Assert.Equal(("abcdefg", "hij"), (split.Train, split.Validation))
    let pairs = Texts.HoldOut("\U0001F600\U0001F601", 0.25)
    Assert.Equal(("\U0001F600", "\U0001F601"), (pairs.Train, pairs.Validation))

    for share in [ 0.0; 1.0; nan; -0.5 ] do
        argumentError (fun () -> Texts.HoldOut("abc", share)) |> mentions [ "heldOut" ]

    argumentError (fun () -> Texts.HoldOut("a", 0.5)) |> mentions [ "both parts" ]

[<Fact>]
let ``lines of a play belong to the name above them`` () =
    let text = "cut off\n\nKING:\nSpeak:\r\n\n\n  Say on. \n\nQUEEN:\n\nFOOL:\nNay.\n"
    let lines = Play.Lines text |> Seq.map (fun l -> l.Speaker, l.Line) |> List.ofSeq
    Assert.Equal<(string * string) list>([ "KING", "Speak:"; "KING", "Say on."; "FOOL", "Nay." ], lines)
    formatError (fun () -> Play.Lines "no names\nhere") |> mentions [ "name" ]
    formatError (fun () -> Play.Lines "") |> ignore

let private spoken =
    gen {
        let line = Gen.zip (Gen.elements [ "A"; "B"; "C"; "D" ]) (Gen.map string<int> (Gen.choose (1, 25)))
        let! lines = Gen.listOf line
        // Every speaker has two lines of their own, so that a share can be held out.
        let own =
            [ for speaker in [ "D"; "C"; "B"; "A" ] do
                  for i in 0..1 -> speaker, $"{speaker}{i}" ]

        return own @ lines
    }

[<Fact>]
let ``the speakers of most lines are taken, and no line is on both sides`` () =
    forAll (Gen.zip3 spoken (Gen.choose (2, 4)) (Gen.choose (0, 1000))) (fun (lines, speakers, seed) ->
        let play = lines |> List.map SpokenLine |> ResizeArray
        let task = SpeakerTask.Of(play, speakers, 0.3, uint64 seed)
        let again = SpeakerTask.Of(play, speakers, 0.3, uint64 seed)
        let expected = lines |> List.countBy fst |> List.sortBy (fun (_, n) -> -n) |> List.truncate speakers |> List.map fst
        let pairs (part: LabelledLines) = Array.zip (part.Labels |> Array.map (fun id -> task.Speakers[id])) part.Lines |> List.ofArray
        let all = pairs task.Train @ pairs task.Test
        let majority = task.Train.Labels |> Array.countBy id |> Array.sortBy (fun (id, n) -> -n, id) |> Array.head |> fst
        let hits = task.Test.Labels |> Array.filter ((=) majority) |> Array.length

        List.ofSeq task.Speakers = expected
        && List.sort all = List.sort (lines |> List.filter (fun (speaker, _) -> List.contains speaker expected))
        && Set.isEmpty (Set.intersect (set task.Train.Lines) (set task.Test.Lines))
        && task.MajorityAccuracy = float hits / float task.Test.Labels.Length
        && again.Test.Lines = task.Test.Lines
        && again.Train.Labels = task.Train.Labels)

[<Fact>]
let ``a task that cannot be made is refused`` () =
    let play = [ "A", "1"; "A", "2"; "B", "3" ] |> List.map SpokenLine |> ResizeArray
    argumentError (fun () -> SpeakerTask.Of(play, 3, 0.3, 0UL)) |> mentions [ "from 2 to the 2"; "got 3" ]
    argumentError (fun () -> SpeakerTask.Of(play, 1, 0.3, 0UL)) |> mentions [ "got 1" ]
    argumentError (fun () -> SpeakerTask.Of(play, 2, 0.0, 0UL)) |> mentions [ "heldOut" ]
    argumentError (fun () -> SpeakerTask.Of(play, 2, 0.01, 0UL)) |> ignore

[<Fact>]
let ``Tiny Shakespeare itself is read`` () =
    match Environment.GetEnvironmentVariable "DL_DATA" with
    | null -> Assert.Skip "no data: DL_DATA names no folder"
    | folder ->
        let text = Texts.TinyShakespeare(Path.Combine(folder, "text"))
        Assert.Equal((1_003_854, 111_540), (text.Train.Length, text.Validation.Length))
        let characters = CharacterTokenizer.Of(text.Train + text.Validation)
        Assert.Equal(65, characters.Vocabulary.Count)
        Assert.Equal("\n !$&',-.3:;?ABC", String.concat "" (Seq.truncate 16 characters.Vocabulary.Tokens))
        Assert.StartsWith("First Citizen:\nBefore we proceed", characters.Decode(characters.Encode text.Train))
        let task = SpeakerTask.Of(Play.Lines(text.Train + text.Validation), 5, 0.1, 1UL)
        Assert.Equal<string seq>([ "GLOUCESTER"; "DUKE VINCENTIO"; "KING RICHARD II"; "LEONTES"; "CORIOLANUS" ], task.Speakers)
        Assert.InRange(task.MajorityAccuracy, 0.15, 0.35)

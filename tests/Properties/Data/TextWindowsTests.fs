module DL.Properties.Data.TextWindowsTests

open System
open FsCheck.FSharp
open Xunit
open DL.Core.Data
open DL.Core.Random
open DL.Properties.Data.Support

/// A text of numbered tokens, so that a window says where it was taken, and the length of a window.
let private cases =
    gen {
        let! length = Gen.choose (1, 12)
        let! more = Gen.choose (1, 40)
        return [| 0 .. length + more - 1 |], length
    }

let private row (batch: TokenBatch) r = batch.Inputs[r * batch.Length .. (r + 1) * batch.Length - 1]
let private isShifted (batch: TokenBatch) = Array.forall2 (fun x y -> y = x + 1) batch.Inputs batch.Targets
let private isRun (xs: int[]) = Array.pairwise xs |> Array.forall (fun (a, b) -> b = a + 1)

[<Fact>]
let ``random windows are runs of the text with the next token as target, the same for a key`` () =
    forAll (Gen.zip3 cases (Gen.choose (1, 9)) (Gen.choose (0, Int32.MaxValue))) (fun ((text, length), rows, seed) ->
        let key = Key(uint64 seed, 1u, 2u)
        let batch = TextWindows.Random(text, length, rows, key)
        let again = TextWindows.Random(text, length, rows, key)

        batch.Rows = rows
        && batch.Length = length
        && batch.Inputs.Length = rows * length
        && isShifted batch
        && Seq.forall (fun r -> isRun (row batch r)) (seq { 0 .. rows - 1 })
        && Array.max batch.Targets < text.Length
        && again.Inputs = batch.Inputs
        && again.Targets = batch.Targets)

[<Fact>]
let ``random windows start anywhere equally often, the last place among them`` () =
    let text, draws = [| 0..9 |], 14_000

    let starts =
        (TextWindows.Random(text, 3, draws, Key(4UL, 0u, 0u))).Inputs
        |> Array.chunkBySize 3
        |> Array.countBy Array.head
        |> Map.ofArray

    Assert.Equal<int seq>([ 0..6 ], starts.Keys)
    let error = sqrt (float draws * (1.0 / 7.0) * (6.0 / 7.0))

    for count in starts.Values do
        Assert.InRange(float count, float draws / 7.0 - 5.0 * error, float draws / 7.0 + 5.0 * error)

    let next = TextWindows.Random(text, 3, 20, Key(4UL, 0u, 1u))
    Assert.NotEqual<int[]>((TextWindows.Random(text, 3, 20, Key(4UL, 0u, 0u))).Inputs, next.Inputs)

[<Fact>]
let ``consecutive windows make every token a target once, but the first and a short rest`` () =
    forAll cases (fun (text, length) ->
        let batch = TextWindows.Consecutive(text, length)
        let covered = batch.Rows * length

        batch.Rows = (text.Length - 1) / length
        && batch.Inputs = text[.. covered - 1]
        && batch.Targets = text[1..covered])

[<Fact>]
let ``slices of a batch are its rows`` () =
    let text = [| 0..10 |]
    let batch = TextWindows.Consecutive(text, 2)
    let two = batch.Slice(1, 2)
    Assert.Equal<int[]>([| 2; 3; 4; 5 |], two.Inputs)
    Assert.Equal<int[]>([| 3; 4; 5; 6 |], two.Targets)
    Assert.Equal((2, 2, 0), (two.Rows, two.Length, batch.Slice(5, 0).Rows))

    for first, count in [ -1, 1; 0, 6; 5, 1; 2, Int32.MaxValue; 0, -1 ] do
        argumentError (fun () -> batch.Slice(first, count)) |> mentions [ "5"; $"{count} from row {first}" ]

[<Fact>]
let ``windows that do not fit are refused`` () =
    let three = [| 1; 2; 3 |]
    argumentError (fun () -> TextWindows.Random(three, 3, 1, Key())) |> mentions [ "more than the 3"; "got 3" ]
    argumentError (fun () -> TextWindows.Consecutive(three, 0)) |> mentions [ "length"; "0" ]
    argumentError (fun () -> TextWindows.Consecutive(Array.empty<int>, 1)) |> mentions [ "got 0" ]
    argumentError (fun () -> TextWindows.Random(three, 2, 0, Key())) |> mentions [ "rows"; "0" ]

    shapeError (fun () -> TextWindows.Random(Array.zeroCreate<int> 100_001, 100_000, 50_000, Key()))
    |> mentions [ "50000 x 100000" ]

[<Fact>]
let ``padded rows are the rows and padding`` () =
    forAll (Gen.zip (Gen.arrayOf (Gen.arrayOf (Gen.choose (1, 9)))) (Gen.choose (0, 3))) (fun (rows, more) ->
        let longest = if rows.Length = 0 then 0 else rows |> Array.map _.Length |> Array.max
        let common = longest + more
        let padded = Padding.Right(rows, -7, common)
        let expected = rows |> Array.collect (fun r -> Array.append r (Array.create (common - r.Length) -7))

        padded.Ids = expected
        && padded.Lengths = Array.map Array.length rows
        && (padded.Rows, padded.Length) = (rows.Length, common)
        && (Padding.Right rows).Length = longest)

[<Fact>]
let ``rows that are too long to be padded are named`` () =
    argumentError (fun () -> Padding.Right([| [| 1 |]; [| 1; 2; 3 |] |], 0, 2))
    |> mentions [ "sequences[1]"; "at most 2"; "got 3" ]

    argumentError (fun () -> Padding.Right([||], 0, -1)) |> mentions [ "length"; "-1" ]
    shapeError (fun () -> Padding.Right(Array.create 3 [||], 0, Int32.MaxValue)) |> mentions [ "3 x" ]

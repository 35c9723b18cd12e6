module DL.Properties.Data.SourcesTests

open System
open System.IO
open FsCheck.FSharp
open Xunit
open DL
open DL.Core
open DL.Core.Data
open DL.Core.Formats
open DL.Core.Random
open DL.Properties.Data.Support

/// Runs an action on files of the given bytes.
let private withFiles (contents: byte[] list) (action: string list -> 'a) =
    let paths = contents |> List.map (fun _ -> Path.GetTempFileName())

    try
        List.iter2 (fun (path: string) (bytes: byte[]) -> File.WriteAllBytes(path, bytes)) paths contents
        action paths
    finally
        List.iter File.Delete paths

let private withFile bytes action = withFiles [ bytes ] (List.head >> action)

/// A record of CIFAR: labels, and pixels that tell their channel, row and column.
let private record (labels: int list) offset =
    Array.append
        (labels |> List.map byte |> Array.ofList)
        (Array.init 3072 (fun i -> byte ((i / 1024 * 50 + i % 1024 / 32 + i % 32 * 3 + offset) % 256)))

[<Fact>]
let ``CIFAR is labels and planes of pixels, from one file or several`` () =
    let first = Array.concat [ record [ 3 ] 0; record [ 9 ] 1 ]
    let second = record [ 0 ] 2
    let images = withFiles [ first; gzip second ] Sources.cifar10
    Assert.Equal<int[]>([| 3; 9; 0 |], (Batch.tensor images.Targets).ToArray<int>())
    Assert.Equal(Shape.image (3, 32, 32), Batch.shape images.Inputs)
    let x = Batch.tensor images.Inputs

    for n, c, i, j in [ 0, 0, 0, 0; 1, 2, 31, 31; 2, 1, 5, 30 ] do
        Assert.Equal(float (float32 ((c * 50 + i + j * 3 + n) % 256) / 255f), x.Item(ReadOnlySpan<int> [| n; c; i; j |]))

    let raw = Cifar.Read10(stream first)
    Assert.True((raw.ToTensor() :> Tensor).SameBits(DL.Core.Ops.Rows.Forward(x, [| 0; 1 |])))
    let hundred = Array.concat [ record [ 19; 99 ] 0; record [ 0; 7 ] 1 ]
    Assert.Equal<int[]>([| 99; 7 |], (Cifar.Read100(stream hundred)).Labels)
    Assert.Equal<int[]>([| 19; 0 |], (Cifar.Read100(stream hundred, CifarLabels.Coarse)).Labels)
    Assert.Equal<int[]>([| 99; 7 |], (Batch.tensor (withFile hundred (Sources.cifar100 CifarLabels.Fine)).Targets).ToArray<int>())
    Assert.Equal(10, Cifar.Names.Count)

[<Fact>]
let ``what is no CIFAR is refused with its record`` () =
    formatError (fun () -> Cifar.Read10(stream [||])) |> mentions [ "3073"; "0 bytes" ]

    formatError (fun () -> Cifar.Read10(stream (Array.zeroCreate 3074), source = "a.bin"))
    |> mentions [ "a.bin"; "3074 bytes" ]

    formatError (fun () -> Cifar.Read10(stream (Array.append (record [ 9 ] 0) (record [ 10 ] 0))))
    |> mentions [ "record 1"; "0 to 9"; "got 10" ]

    formatError (fun () -> Cifar.Read100(stream (record [ 20; 0 ] 0))) |> mentions [ "record 0"; "0 to 19" ]

    formatError (fun () -> Cifar.Read100(stream (record [ 0; 100 ] 0), CifarLabels.Coarse))
    |> mentions [ "0 to 99" ]

    formatError (fun () -> Cifar.Read10(stream (record [ 1 ] 0), ReadLimits(MaxBytes = 3072L)))
    |> mentions [ "MaxBytes" ]

    formatError (fun () -> Sources.cifar10 [ "no/such.bin" ]) |> mentions [ "no/such.bin" ]
    argumentError (fun () -> Sources.cifar10 []) |> ignore
    shapeError (fun () -> LabelledImages([| 1uy |], [| 1 |], 1, 1, 2)) |> mentions [ "1 x 1 x 2" ]
    shapeError (fun () -> LabelledImages([||], [||], 1, 0, 2)) |> ignore

[<Fact>]
let ``lines are what lies between their ends`` () =
    let pieces = Gen.elements [ "a"; "é"; "中\U0001F600"; " "; "\n"; "\r\n"; "\n"; "\r"; "\u2028"; "" ]

    forAll (Gen.map (String.concat "") (Gen.listOf pieces)) (fun text ->
        let expected = text.Split '\n' |> Array.mapi (fun i line -> i, line)
        let last = expected.Length - 1

        let lines =
            expected
            |> Array.filter (fun (i, line) -> i < last || line <> "")
            |> Array.map (fun (i, line) -> if i < last && line.EndsWith '\r' then line.Substring(0, line.Length - 1) else line)

        withFile (bytesOf text) Texts.Lines = lines
        && withFile (bytesOf ("\uFEFF" + text + "\n")) Texts.Lines = withFile (bytesOf (text + "\n")) Texts.Lines)

    let long = String.replicate 30_000 "中 "

    Assert.Equal<string[]>(
        [| long; "b"; long |],
        withFile (gzip (bytesOf $"{long}\nb\n{long}")) (fun path -> Texts.Lines(path, ReadLimits(MaxExpansion = 100_000)))
    )

[<Fact>]
let ``lines that are no text or too long are named`` () =
    formatError (fun () -> withFile [| 65uy; 10uy; 0xC3uy; 10uy; 66uy |] Texts.Lines)
    |> mentions [ "line 2"; "UTF-8" ]

    formatError (fun () -> withFile (bytesOf "a\nbcd\n") (fun path -> Texts.Lines(path, ReadLimits(MaxLineLength = 2))))
    |> mentions [ "line 2"; "MaxLineLength" ]

    formatError (fun () -> withFile (bytesOf "a\nb\nc") (fun path -> Texts.Lines(path, ReadLimits(MaxElements = 2L))))
    |> mentions [ "line 3"; "MaxElements" ]

    formatError (fun () -> Texts.Lines "no/such.txt") |> ignore

[<Fact>]
let ``one-hot vectors are the formula, and come back`` () =
    forAll (Gen.zip (Gen.choose (1, 5)) (Gen.choose (0, 8))) (fun (classes, n) ->
        let ids = Array.init n (fun i -> (i * i + 1) % classes)

        [ ElementType.Float32; ElementType.Float64 ]
        |> List.forall (fun t ->
            let y = OneHot.Encode(Tensor.Of<int>(ids, n, 1), classes, t)

            y.Shape = DL.Core.Shape([| n; 1; classes |])
            && y.ElementType = t
            && y.ToArray<float>() = Labels.OneHot(ids, classes)
            && (OneHot.Decode y).ToArray<int>() = ids))

    Assert.Equal<int[]>([| 1; 0 |], (OneHot.Decode(Tensor.Of<float>([| 0.1; 0.7; 0.7; 2.0; 1.0; 2.0 |], 2, 3))).ToArray<int>())
    let ids = Tensor.Of<int>([| 0; 3 |])

    argumentError (fun () -> OneHot.Decode(Tensor.Of<float>([| 0.1; 0.7; nan; 2.0 |], 2, 2)))
    |> mentions [ "x[2]"; "NaN" ]

    argumentError (fun () -> OneHot.Encode(ids, 3)) |> mentions [ "x[1]"; "0 to 2"; "got 3" ]
    argumentError (fun () -> OneHot.Encode(ids, 0)) |> ignore
    argumentError (fun () -> OneHot.Encode(ids, 4, ElementType.Int32)) |> ignore
    argumentError (fun () -> OneHot.Encode(ids.To ElementType.Float32, 4)) |> mentions [ "int32" ]
    argumentError (fun () -> OneHot.Decode ids) |> ignore
    shapeError (fun () -> OneHot.Decode(Tensor.Of<float>(Array.empty<float>, 2, 0))) |> ignore

[<Fact>]
let ``buckets hold each row once, and little padding`` () =
    let lengths = Gen.arrayOf (Gen.choose (0, 40))

    forAll
        (Gen.zip lengths (Gen.zip3 (Gen.choose (1, 9)) (Gen.choose (0, 100)) (Gen.choose (0, 5))))
        (fun (lengths, (size, seed, spread)) ->
            let key = Key(uint64<int> seed, 0u, 0u)
            let batches = Bucketing.Batches(lengths, size, key, float spread)
            let range = if lengths.Length = 0 then 0 else Array.max lengths - Array.min lengths

            let padded =
                batches
                |> Array.sumBy (fun rows ->
                    rows |> Array.sumBy (fun r -> (rows |> Array.map (fun q -> lengths[q]) |> Array.max) - lengths[r]))

            Array.sort (Array.concat batches) = [| 0 .. lengths.Length - 1 |]
            && (batches |> Array.filter (fun rows -> rows.Length <> size)).Length <= 1
            && batches |> Array.forall (fun rows -> rows.Length <= size)
            && Bucketing.PaddedSteps(lengths, batches) = int64 padded
            && padded <= size * (range + spread) + lengths.Length * spread
            && batches = Bucketing.Batches(lengths, size, key, float spread))

/// Whether some row of one batch must come before some row of another, being shorter by more than the spread.
let private before (lengths: int[]) spread (first: int[]) (second: int[]) =
    Seq.allPairs first second |> Seq.exists (fun (a, b) -> lengths[a] + spread < lengths[b])

[<Fact>]
let ``rows trade places within the spread alone`` () =
    let lengths = Gen.arrayOfLength 30 (Gen.choose (0, 20))

    forAll (Gen.zip3 lengths (Gen.choose (0, 100)) (Gen.choose (0, 4))) (fun (lengths, seed, spread) ->
        let batches = Bucketing.Batches(lengths, 3, Key(uint64<int> seed, 0u, 0u), float spread)

        Seq.allPairs batches batches
        |> Seq.forall (fun (a, b) -> a = b || not (before lengths spread a b && before lengths spread b a)))

[<Fact>]
let ``buckets differ from epoch to epoch, and feed a pipeline`` () =
    let lengths = Array.init 200 (fun i -> i * 7919 % 50)
    let key = Key(1UL, 0u, 0u)
    let epochs = [ for e in 0..2 -> Pipeline.buckets 8 5.0 key lengths |> Pipeline.epoch e |> List.ofSeq ]
    Assert.Equal(3, (List.distinct epochs).Length)

    Assert.Equal(
        3,
        (epochs
         |> List.map (fun batches -> batches |> List.map (Array.sort >> List.ofArray) |> List.sort)
         |> List.distinct)
            .Length
    )

    for batches in epochs do
        Assert.Equal<int[]>([| 0..199 |], Array.sort (Array.concat batches))

    argumentError (fun () -> Pipeline.buckets 0 0.0 key lengths) |> mentions [ "batchSize" ]
    argumentError (fun () -> Pipeline.buckets 1 -1.0 key lengths) |> mentions [ "spread" ]
    argumentError (fun () -> Pipeline.buckets 1 0.0 key [| 1; -1 |]) |> mentions [ "lengths[1]" ]
    argumentError (fun () -> Bucketing.PaddedSteps(lengths, [| [| 200 |] |])) |> mentions [ "0 to 199" ]

module DL.Properties.Data.GzipTests

open System.IO
open System.IO.Compression
open System.Text
open FsCheck.FSharp
open Xunit
open DL.Core.Formats
open DL.Properties.Data.Support

let private values (bytes: byte[]) = Csv.Read(stream bytes, CsvOptions(Header = Header.Absent)).Values

let private numbers = Gen.map (List.toArray >> Array.map float) (Gen.nonEmptyListOf (Gen.choose (-9999, 9999)))

let private text (xs: float[]) = xs |> Array.map (fun x -> $"{x}\n") |> String.concat "" |> bytesOf

/// A member with every optional field of RFC 1952 in its header.
let private decorated (bytes: byte[]) =
    let plain = gzip bytes
    let header = Array.append [| 0x1Fuy; 0x8Buy; 8uy; 0x1Euy |] plain[4..9]

    Array.concat
        [ header
          [| 3uy; 0uy; 1uy; 2uy; 3uy |]
          bytesOf "name.csv\000"
          bytesOf "a remark\000"
          [| 9uy; 9uy |]
          plain[10..] ]

/// A member of no bytes, as some tools end a file with; GZipStream writes none at all.
let private empty = Array.concat [ [| 0x1Fuy; 0x8Buy; 8uy |]; Array.zeroCreate 7; [| 3uy |]; Array.zeroCreate 9 ]

[<Fact>]
let ``several members, empty ones among them, and every header field are read`` () =
    forAll (Gen.zip numbers numbers) (fun (a, b) ->
        let all = Array.append a b

        values (Array.concat [ gzip (text a); gzip (text b) ]) = all
        && values (Array.concat [ empty; gzip (text a); empty; decorated (text b); empty; empty ]) = all
        && values (Array.append (gzip (text a)) (gzip (text a))) = Array.append a a)

[<Fact>]
let ``a cut at any byte is an error`` () =
    let whole = gzip (text [| for i in 1..300 -> float (i * i) |])

    for length in 1 .. whole.Length - 1 do
        Assert.True(isFormatError (fun () -> values whole[.. length - 1]), $"cut to {length} of {whole.Length} bytes")

[<Fact>]
let ``a changed bit in the data or the trailer is an error`` () =
    let whole = gzip (text [| for i in 1..300 -> float (i * i) |])

    for at in 10 .. whole.Length - 1 do
        let changed = Array.copy whole
        changed[at] <- changed[at] ^^^ 1uy
        Assert.True(isFormatError (fun () -> values changed), $"bit 0 of byte {at} of {whole.Length}")

[<Fact>]
let ``a wrong checksum and a block that does not decode keep the decoder's error`` () =
    let whole = gzip (text [| 1.0; 2.0 |])
    let checksum = Array.copy whole
    checksum[whole.Length - 6] <- ~~~checksum[whole.Length - 6]

    Assert.IsType<InvalidDataException>((formatError (fun () -> values checksum)).InnerException) |> ignore

    let block = Array.append whole[..9] (Array.create 50 0xFFuy)

    Assert.IsType<InvalidDataException>((formatError (fun () -> values block)).InnerException) |> ignore

/// 64 MiB in 64 KiB, after some bytes of a format's own: well past the point where the ratio is judged.
let private bomb (head: byte[]) (fill: byte[]) =
    use target = new MemoryStream()

    using (new GZipStream(target, CompressionLevel.SmallestSize, leaveOpen = true)) (fun zip ->
        zip.Write(head, 0, head.Length)
        let block = Array.init (1 <<< 20) (fun i -> fill[i % fill.Length])

        for _ in 1..64 do
            zip.Write(block, 0, block.Length))

    target.ToArray()

[<Fact>]
let ``a bomb ends in an error and bounded memory, whichever reader meets it`` () =
    let bounded action = Assert.InRange(allocatedUntilError action, 0L, 150_000_000L)

    let zeros = bomb [||] [| 0uy |]
    let rows = bomb [||] (bytesOf "0\n")
    let array = bomb [| 0uy; 0uy; 8uy; 1uy; 7uy; 255uy; 255uy; 255uy |] [| 0uy |]
    bounded (fun () -> Csv.Read(stream zeros))
    bounded (fun () -> Idx.Read(stream zeros))
    bounded (fun () -> Csv.Read(stream rows))
    bounded (fun () -> Idx.Read(stream array))

[<Fact>]
let ``the limit on bytes counts decompressed ones`` () =
    let packed = gzip (Encoding.ASCII.GetBytes(String.replicate 1000 "1\n"))
    Assert.Equal(1000, Csv.Read(stream packed, limits = ReadLimits(MaxBytes = 2000L)).Rows)

    formatError (fun () -> Csv.Read(stream packed, limits = ReadLimits(MaxBytes = 1999L)))
    |> mentions [ "1999"; "MaxBytes" ]

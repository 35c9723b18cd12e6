module DL.Properties.Formats.SafetensorsTests

open System
open System.Text
open FsCheck.FSharp
open Xunit
open DL.Core
open DL.Core.Formats
open DL.Properties.Data.Support
open DL.Properties.Formats.Support

let private read (bytes: byte[]) = Safetensors.Read(stream bytes)

let private texts = Gen.elements [ []; [ "format", "pt" ]; [ "b", ""; "a", "{\"x\": \"ü\"}" ] ]

let private same (tensors: (string * Tensor) list) (metadata: (string * string) list) (file: SafetensorsFile) =
    file.Tensors.Count = tensors.Length
    && tensors |> List.forall (fun (name, t) -> t.SameBits file[name] && t.Shape = file[name].Shape)
    && file.Metadata.Count = metadata.Length
    && metadata |> List.forall (fun (name, text) -> file.Metadata[name] = text)
    && file.IsChecked

[<Fact>]
let ``what was written is read back, bit for bit, from any stream`` () =
    forAll (Gen.zip named texts) (fun (tensors, metadata) ->
        let bytes = safetensors tensors metadata

        same tensors metadata (read bytes) && same tensors metadata (Safetensors.Read(new Dripping(bytes))))

[<Fact>]
let ``equal contents give equal bytes in any order, aligned to their elements`` () =
    forAll named (fun tensors ->
        let bytes = safetensors tensors [ "x", "y"; "a", "b" ]
        let header = BitConverter.ToInt64(bytes, 0)

        bytes.AsSpan().SequenceEqual(safetensors (List.rev tensors) [ "a", "b"; "x", "y" ]) && header % 8L = 0L)

[<Fact>]
let ``a matrix that is turned while it is written is its transpose`` () =
    let sizes = Gen.zip (Gen.choose (0, 70)) (Gen.oneof [ Gen.choose (0, 70); Gen.choose (900, 1100) ])

    forAll (Gen.zip sizes (Gen.elements [ ElementType.Float32; ElementType.Float64; ElementType.Int32 ])) (fun ((rows, columns), element) ->
        let whole = (Tensor.Of([| for i in 1 .. rows * columns -> float32 i |], rows, columns)).To element

        [ whole; Ops.Transpose.Forward whole ]
        |> List.forall (fun t ->
            let bytes = written (fun s -> Safetensors.Write(s, [ StoredTensor("t", t, true) ], null))
            let back = read bytes
            back["t"].SameBits(Ops.Transpose.Forward t)))

/// A stream that is written forward only.
type private Forward() =
    inherit IO.MemoryStream()
    override _.CanSeek = false

[<Fact>]
let ``what is written to a stream that cannot go back is the same`` () =
    forAll named (fun tensors ->
        use forward = new Forward()
        Safetensors.Write(forward, pairs tensors)
        forward.ToArray().AsSpan().SequenceEqual(safetensors tensors []))

[<Fact>]
let ``what is larger than every piece passes whole`` () =
    let large = Tensor.Of(Array.init 1_200_000 (fun i -> float32 i * 0.5f), 1200, 1000)
    let tensors = [ "small", Tensor.Of [| 1; 2; 3 |] :> Tensor; "large", large ]
    let bytes = safetensors tensors []
    Assert.True(same tensors [] (read bytes))

    let blocked =
        { new IO.MemoryStream(bytes) with
            override _.CanSeek = false }

    Assert.True(same tensors [] (Safetensors.Read blocked))

let private example =
    safetensors [ "0.weight", Tensor.Of([| 1f; 2f; 3f; 4f; 5f; 6f |], 2, 3); "count", Tensor.Of([| 7 |], [||]) ] [ "format", "dl" ]

[<Fact>]
let ``a cut at any byte and a byte too many are errors, for streams of either kind`` () =
    for length in 0 .. example.Length - 1 do
        Assert.True(isFormatError (fun () -> read example[.. length - 1]), $"cut to {length}")
        Assert.True(isFormatError (fun () -> Safetensors.Read(new Dripping(example[.. length - 1]))), $"dripping, cut to {length}")

    let longer = Array.append example [| 0uy |]
    Assert.True(isFormatError (fun () -> read longer))
    Assert.True(isFormatError (fun () -> Safetensors.Read(new Dripping(longer))))

[<Fact>]
let ``any change of any byte is an error`` () =
    for at in 0 .. example.Length - 1 do
        for change in 1uy .. 255uy do
            let changed = Array.copy example
            changed[at] <- changed[at] ^^^ change
            Assert.True(isFormatError (fun () -> read changed), $"byte {at} changed by {change}")

[<Fact>]
let ``damage of a file without checksum ends in an error or in other contents, never in a crash`` () =
    let bytes = framed """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""" (Array.zeroCreate 8)

    forAll (Gen.zip (Gen.choose (0, bytes.Length - 1)) (Gen.choose (1, 255))) (fun (at, change) ->
        let changed = Array.copy bytes
        changed[at] <- changed[at] ^^^ byte change

        isFormatError (fun () -> read changed) || (read changed).Tensors.Count = 1)

let private entry name dtype shape (from: int64) (until: int64) =
    $"\"{name}\":{{\"dtype\":\"{dtype}\",\"shape\":{shape},\"data_offsets\":[{from},{until}]}}"

let private whole entries = "{" + String.concat "," entries + "}"

[<Fact>]
let ``a header that is not strictly right is named`` () =
    let error (header: string) (size: int) parts =
        formatError (fun () -> Safetensors.Read(stream (framed header (Array.zeroCreate size)), source = "x.safetensors"))
        |> mentions ("x.safetensors" :: parts)

    error "" 0 [ "JSON object"; "nothing" ]
    error " {}" 0 [ "byte 20" ]
    error "[]" 0 [ "JSON object" ]
    error "{" 0 [ "JSON" ]
    error "{} x" 0 [ "JSON" ]
    error "{}" 1 [ "0 bytes of data"; "got 1" ]
    error "{\"a\":1}" 0 [ "'a'"; "Number" ]
    error (whole [ entry "a" "F32" "[2]" 0L 8L; entry "a" "F32" "[2]" 8L 16L ]) 16 [ "'a' again" ]
    error """{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}""" 8 [ "'dtype' again" ]
    error """{"a":{"dtype":"F32","shape":[2]}}""" 8 [ "data_offsets" ]
    error """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}""" 8 [ "data_offsets" ]
    error """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}}""" 8 [ "data_offsets" ]
    error """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}}""" 8 [ "'x'" ]
    error (whole [ entry "a" "F8_E4M3" "[2]" 0L 2L ]) 2 [ "F8_E4M3" ]
    error (whole [ entry "a" "F32" "[2]" 0L 7L ]) 8 [ "8 bytes"; "0 to 7" ]
    error (whole [ entry "a" "F32" "[2]" 8L 0L ]) 8 [ "8 to 0" ]
    error (whole [ entry "a" "F32" "[-2]" 0L 8L ]) 8 [ "whole numbers" ]
    error (whole [ entry "a" "F32" "[2.0]" 0L 8L ]) 8 [ "whole numbers" ]
    error (whole [ entry "a" "F32" "[1,1,1,1,1,1,1,1,2]" 0L 8L ]) 8 [ "at most 8 numbers" ]
    error (whole [ entry "a" "F32" "[4294967296,4294967296]" 0L 0L ]) 0 [ "elements" ]
    error (whole [ entry "a" "F32" "[65536,65536,65536,65536]" 0L 0L ]) 0 [ "elements" ]
    error (whole [ entry "a" "F32" "[2]" 0L 8L; entry "b" "F32" "[2]" 4L 12L ]) 12 [ "'b' to begin at byte 8"; "got 4" ]
    error (whole [ entry "a" "F32" "[2]" 0L 8L; entry "b" "F32" "[2]" 9L 17L ]) 17 [ "'b' to begin at byte 8"; "got 9" ]
    error (whole [ entry "a" "F32" "[2]" 4L 12L ]) 12 [ "'a' to begin at byte 0" ]
    error (whole [ entry "a" "F32" "[2]" 0L 8L ]) 12 [ "8 bytes of data"; "got 12" ]
    error """{"__metadata__":{"a":1}}""" 0 [ "'a'"; "Number" ]
    error """{"__metadata__":{"a":"1","a":"1"}}""" 0 [ "'a' again" ]
    error """{"__metadata__":{},"__metadata__":{}}""" 0 [ "again" ]
    error """{"__metadata__":{"dl.crc32c":"00000000"}}""" 0 [ "dl.checked" ]
    error """{"__metadata__":{"dl.checked":"crc32c"}}""" 0 [ "dl.crc32c" ]
    error """{"__metadata__":{"dl.checked":"crc32c","dl.crc32c":"00000000"}}""" 0 [ "checksum 00000000" ]
    error "{\"\\ud800\":1}" 0 [ "JSON" ]

    formatError (fun () -> read (Array.append (BitConverter.GetBytes 3L) [| 0x7Buy; 0xFFuy; 0x7Duy |]))
    |> mentions [ "UTF-8" ]

    formatError (fun () -> read (BitConverter.GetBytes 100_000_001L)) |> mentions [ "100000000" ]
    formatError (fun () -> read (BitConverter.GetBytes -1L)) |> mentions [ "18446744073709551615" ]
    formatError (fun () -> Safetensors.Read "no/such.safetensors") |> mentions [ "no/such.safetensors" ]

[<Fact>]
let ``what a header claims costs nothing`` () =
    let claim = framed (whole [ entry "a" "F64" "[100000000]" 0L 800000000L ]) (Array.zeroCreate 10)
    let longHeader = Array.append (BitConverter.GetBytes 99_000_000L) (Encoding.ASCII.GetBytes "{\"a\":")
    let bounded action = Assert.InRange(allocatedUntilError action, 0L, 2_000_000L)

    for bytes in [ claim; longHeader ] do
        bounded (fun () -> read bytes)
        bounded (fun () -> Safetensors.Read(new Dripping(bytes)))

[<Fact>]
let ``tensors may be announced in any order and lie without names`` () =
    let header = whole [ entry "b" "I32" "[1]" 4L 8L; entry "empty" "F32" "[0,3]" 4L 4L; entry "a" "I32" "[]" 0L 4L ] + "   "
    let file = read (framed header (Array.append (BitConverter.GetBytes 5) (BitConverter.GetBytes 6)))
    Assert.Equal((5.0, 6.0, 0), (file["a"].At 0, file["b"].At 0, file["empty"].Count))
    Assert.False file.IsChecked
    argumentError (fun () -> file["c"]) |> mentions [ "'c'"; "empty" ]

[<Fact>]
let ``every type of number is read, and none that does not fit`` () =
    let one dtype (data: byte[]) = read (framed (whole [ entry "a" dtype "[1]" 0L (int64 data.Length) ]) data)

    let value dtype data = (one dtype data).["a"].At 0

    for dtype, data, expected in
        [ "F64", BitConverter.GetBytes 0.1, 0.1
          "F32", BitConverter.GetBytes 0.1f, float 0.1f
          "F16", BitConverter.GetBytes(Half.op_Explicit 1.5f: Half), 1.5
          "BF16", [| 0x40uy; 0xC0uy |], -3.0
          "I64", BitConverter.GetBytes -7L, -7.0
          "I32", BitConverter.GetBytes Int32.MinValue, float Int32.MinValue
          "I16", BitConverter.GetBytes -3s, -3.0
          "I8", [| 0xFEuy |], -2.0
          "U64", BitConverter.GetBytes 9UL, 9.0
          "U32", BitConverter.GetBytes 9u, 9.0
          "U16", BitConverter.GetBytes 65535us, 65535.0
          "U8", [| 200uy |], 200.0
          "BOOL", [| 1uy |], 1.0 ] do
        Assert.Equal(expected, value dtype data)

    for dtype, data, parts in
        [ "I64", BitConverter.GetBytes(1L <<< 31), [ "2147483648"; "32 bits" ]
          "U64", BitConverter.GetBytes(1UL <<< 31), [ "2147483648" ]
          "U32", BitConverter.GetBytes(1u <<< 31), [ "2147483648" ]
          "BOOL", [| 2uy |], [ "0 or 1"; "got 2" ] ] do
        formatError (fun () -> one dtype data) |> mentions ("'a', element 0" :: parts)

[<Fact>]
let ``names and texts that no reader would take are refused before anything is written`` () =
    let t = Tensor.Of [| 1f |] :> Tensor
    let refused tensors metadata parts = argumentError (fun () -> safetensors tensors metadata) |> mentions parts
    refused [ "a", t; "a", t ] [] [ "'a' again" ]
    refused [ "__metadata__", t ] [] [ "reserves" ]
    refused [] [ "dl.crc32c", "" ] [ "reserves" ]
    refused [] [ "a", ""; "a", "" ] [ "'a' again" ]
    refused [ string (char 0xD800), t ] [] [ "surrogate" ]
    argumentError (fun () -> Safetensors.Write(stream [||], pairs [ "a", t ])) |> ignore

[<Fact>]
let ``limits hold to the byte and the element`` () =
    let bytes = framed (whole [ entry "a" "U8" "[3]" 0L 3L ]) [| 1uy; 2uy; 3uy |]
    let limited limits () = Safetensors.Read(stream bytes, limits = limits)
    let exact = ReadLimits(MaxBytes = int64 bytes.Length, MaxElements = 3L, MaxDimensions = 1)
    Assert.Equal(3, (limited exact ()).["a"].Count)
    formatError (limited (ReadLimits(MaxBytes = int64 bytes.Length - 1L))) |> mentions [ "MaxBytes" ]
    formatError (limited (ReadLimits(MaxElements = 2L))) |> mentions [ "MaxElements" ]

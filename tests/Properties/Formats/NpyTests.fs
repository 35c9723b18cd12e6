module DL.Properties.Formats.NpyTests

open System
open System.IO
open System.IO.Compression
open System.Text
open FsCheck.FSharp
open Xunit
open DL.Core
open DL.Core.Formats
open DL.Properties.Data.Support
open DL.Properties.Formats.Support

let private npy (t: Tensor) = written (fun s -> Npy.Write(s, t))
let private npz compress tensors = written (fun s -> Npz.Write(s, pairs tensors, compress))
let private read (bytes: byte[]) = Npy.Read(stream bytes)

[<Fact>]
let ``an array that was written is read back, bit for bit, from any stream`` () =
    forAll tensors (fun t ->
        let bytes = npy t
        [ read bytes; read (gzip bytes); Npy.Read(new Dripping(bytes)) ] |> List.forall t.SameBits)

let private same (tensors: (string * Tensor) list) (file: Collections.Generic.IReadOnlyDictionary<string, Tensor>) =
    List.ofSeq file.Keys = List.map fst tensors && tensors |> List.forall (fun (name, t) -> t.SameBits file[name])

[<Fact>]
let ``an archive that was written is read back, stored or deflated, from any stream`` () =
    forAll (Gen.zip named (Gen.elements [ true; false ])) (fun (tensors, compress) ->
        let bytes = npz compress tensors

        same tensors (Npz.Read(stream bytes))
        && same tensors (Npz.Read(new Dripping(bytes)))
        && bytes.AsSpan().SequenceEqual(npz compress tensors))

[<Fact>]
let ``numpy's files are read, and written byte for byte`` () =
    let expected (t: Tensor) = Tensor.Of([| for i in 0..5 -> float (i - 2) / 4.0 |], 2, 3).To t.ElementType

    for KeyValue(name, t) in Npz.Read(stream (asset "numpy.npz")) do
        match name with
        | "scalar" -> Assert.Equal((0, 7.5), (t.Shape.Rank, t.At 0))
        | "empty" -> Assert.Equal<int[]>([| 0; 3 |], t.Shape.Extents.ToArray())
        | "truth" -> Assert.Equal<int[]>([| 1; 0; 1 |], t.ToArray<int>())
        | "u1"
        | "i8"
        | "i2" -> Assert.Equal<int[]>([| 0; 1; 2; 3; 4; 5 |], t.ToArray<int>())
        | _ -> Assert.True(t.SameBits(expected t), name)

    let f4 = Tensor.Of([| for i in 0..5 -> float32 (i - 2) / 4f |], 2, 3)
    Assert.Equal<byte[]>(asset "f4.npy", npy f4)

    for version in [ "version2.npy"; "version3.npy"; "fortran.npy" ] do
        Assert.True((read (asset version)).SameBits f4, version)

let private example = npy (Tensor.Of([| 1f; 2f; 3f; 4f; 5f; 6f |], 2, 3))
let private archive compress = npz compress [ "a", Tensor.Of([| 1f; 2f; 3f |]); "b", Tensor.Of([| 1; 2 |], 1, 2) ]

[<Fact>]
let ``a cut at any byte and a byte too many are errors`` () =
    for length in 0 .. example.Length - 1 do
        Assert.True(isFormatError (fun () -> read example[.. length - 1]), $"cut to {length}")
        Assert.True(isFormatError (fun () -> Npy.Read(new Dripping(example[.. length - 1]))), $"dripping, cut to {length}")

    Assert.True(isFormatError (fun () -> read (Array.append example [| 0uy |])))

    for whole in [ archive true; archive false ] do
        for length in 0 .. whole.Length - 1 do
            Assert.True(isFormatError (fun () -> Npz.Read(stream whole[.. length - 1])), $"archive cut to {length}")

[<Fact>]
let ``a changed byte ends in an error or in another array, never in a crash`` () =
    for whole, load in
        [ example, (fun bytes -> read bytes |> ignore)
          archive true, (fun bytes -> Npz.Read(stream bytes) |> ignore)
          archive false, (fun bytes -> Npz.Read(stream bytes) |> ignore) ] do
        for at in 0 .. whole.Length - 1 do
            for change in [ 1uy; 2uy; 0x80uy; 0xFFuy ] do
                let changed = Array.copy whole
                changed[at] <- changed[at] ^^^ change

                try
                    load changed
                with :? DataFormatException ->
                    ()

[<Fact>]
let ``a changed byte of an array in an archive is an error`` () =
    let whole = archive false
    let start = whole.AsSpan().IndexOf(ReadOnlySpan [| 0x93uy; byte 'N' |])

    for at in start .. start + example.Length - 13 do
        let changed = Array.copy whole
        changed[at] <- changed[at] ^^^ 1uy
        Assert.True(isFormatError (fun () -> Npz.Read(stream changed)), $"byte {at}")

let private headed (text: string) =
    let text = text + "\n"

    Array.concat
        [ [| 0x93uy |]
          Encoding.ASCII.GetBytes "NUMPY\001\000"
          BitConverter.GetBytes(uint16 text.Length)
          Encoding.Latin1.GetBytes text ]

[<Fact>]
let ``a header that is not strictly right is named`` () =
    let error (text: string) parts = formatError (fun () -> Npy.Read(stream (headed text), source = "x.npy")) |> mentions ("x.npy" :: parts)

    error "" [ "'{'" ]
    error "{'descr'" [ "':'" ]
    error "{}" [ "descr, fortran_order and shape" ]
    error "{'descr': '<f4', 'fortran_order': False}" [ "descr, fortran_order" ]
    error "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': ()}" [ "'descr' again" ]
    error "{'descr': '>f4', 'fortran_order': False, 'shape': ()}" [ "'>f4'"; "astype" ]
    error "{'descr': '|O', 'fortran_order': False, 'shape': ()}" [ "'|O'" ]
    error "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': ()}" [ "text in quotes" ]
    error "{'descr': '<f4', 'fortran_order': 0, 'shape': ()}" [ "True or False" ]
    error "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}" [ "extent" ]
    error "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296,)}" [ "extent" ]
    error "{'descr': '<f4', 'fortran_order': False, 'shape': (65536, 65536, 65536, 65536)}" [ "MaxElements" ]
    error "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1, 1, 1, 1, 1)}" [ "MaxDimensions" ]
    error "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x" [ "end of the header" ]
    error "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': 1}" [ "'x'" ]
    error "{'descr': '<f4', 'fortran_order': False, 'shape': (1000,)}" [ "4000 more bytes" ]
    formatError (fun () -> read (bytesOf "PK\003\004....")) |> mentions [ "npy header" ]
    formatError (fun () -> Npy.Read "no/such.npy") |> mentions [ "no/such.npy" ]

    Assert.Equal(
        2f,
        (read (Array.append (headed "{\"shape\":(),'fortran_order':False,'descr':'<f4',}") (BitConverter.GetBytes 2f))).At 0
        |> float32
    )

[<Fact>]
let ``what a header claims costs nothing`` () =
    let claim = headed "{'descr': '<f8', 'fortran_order': False, 'shape': (100000000,), }"

    for source in [ stream claim; new Dripping(claim); stream (gzip claim) ] do
        Assert.InRange(allocatedUntilError (fun () -> Npy.Read source), 0L, 2_000_000L)

let private zipped (entries: (string * byte[]) list) =
    written (fun target ->
        use zip = new ZipArchive(target, ZipArchiveMode.Create, leaveOpen = true)

        for name, bytes in entries do
            use entry = zip.CreateEntry(name, CompressionLevel.SmallestSize).Open()
            entry.Write(bytes, 0, bytes.Length))

[<Fact>]
let ``an archive of anything else is refused`` () =
    let error bytes parts = formatError (fun () -> Npz.Read(stream bytes)) |> mentions parts
    error [||] [ "npz archive" ]
    error example [ "npz archive" ]
    error (zipped [ "a.txt", [||] ]) [ "a.txt"; ".npy" ]
    error (zipped [ ".npy", example ]) [ ".npy" ]
    error (zipped [ "a.npy", example; "a.npy", example ]) [ "again" ]
    error (zipped [ "a.npy", Array.append example [| 0uy |] ]) [ "a.npy"; "more bytes" ]

[<Fact>]
let ``a bomb ends in an error and bounded memory`` () =
    let head = headed "{'descr': '|u1', 'fortran_order': False, 'shape': (67108864,), }"
    let bomb = zipped [ "a.npy", Array.append head (Array.zeroCreate (64 <<< 20)) ]
    Assert.InRange(bomb.Length, 0, 100_000)
    Assert.InRange(allocatedUntilError (fun () -> Npz.Read(stream bomb)), 0L, 400_000_000L)
    formatError (fun () -> Npz.Read(stream bomb)) |> mentions [ "MaxExpansion" ]

    formatError (fun () -> Npz.Read(stream (archive true), ReadLimits(MaxBytes = 150L)))
    |> mentions [ "MaxBytes" ]

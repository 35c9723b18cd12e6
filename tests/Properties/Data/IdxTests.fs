module DL.Properties.Data.IdxTests

open System
open System.Buffers.Binary
open System.IO
open FsCheck.FSharp
open Xunit
open DL.Core.Data
open DL.Core.Formats
open DL.Properties.Data.Support

let private bigEndian (size: int) (write: byte[] -> unit) =
    let bytes = Array.zeroCreate size
    write bytes
    bytes

let private int32BE (x: int) = bigEndian 4 (fun b -> BinaryPrimitives.WriteInt32BigEndian(b, x))

let idx (code: byte) (dims: int list) (elements: byte[]) =
    Array.concat [ [| 0uy; 0uy; code; byte dims.Length |]; Array.collect int32BE (List.toArray dims); elements ]

let private read (bytes: byte[]) = Idx.Read(stream bytes)

/// Each type with an encoder of a value it can hold.
let private encoders =
    [ 0x08uy, 0, 255, (fun v -> [| byte v |])
      0x09uy, -128, 127, (fun v -> [| byte (sbyte v) |])
      0x0Buy, -32768, 32767, (fun v -> bigEndian 2 (fun b -> BinaryPrimitives.WriteInt16BigEndian(b, int16 v)))
      0x0Cuy, Int32.MinValue, Int32.MaxValue, int32BE
      0x0Duy, -1000, 1000, (fun v -> bigEndian 4 (fun b -> BinaryPrimitives.WriteSingleBigEndian(b, float32 v)))
      0x0Euy, -1000, 1000, (fun v -> bigEndian 8 (fun b -> BinaryPrimitives.WriteDoubleBigEndian(b, float v))) ]

let private arrays =
    gen {
        let! code, low, high, encode = Gen.elements encoders
        let! rank = Gen.choose (1, 4)
        let! dims = Gen.listOfLength rank (Gen.choose (0, 4))

        let! values = Gen.arrayOfLength (List.fold (*) 1 dims) (Gen.oneof [ Gen.choose (low, high); Gen.elements [ low; high ] ])

        return dims, values, idx code dims (Array.collect encode values)
    }

[<Fact>]
let ``every type is read exactly, plain, compressed and in drips`` () =
    forAll arrays (fun (dims, values, bytes) ->
        [ read bytes; read (gzip bytes); Idx.Read(new Dripping(gzip bytes)) ]
        |> List.forall (fun array ->
            Seq.toList array.Dims = dims
            && array.Count = values.Length
            && array.ToDoubles() = Array.map float values
            && array.ToSingles() = Array.map float32 values))

[<Fact>]
let ``a cut anywhere and a byte too many are errors`` () =
    let cut = Gen.zip arrays (Gen.choose (0, 1000))

    forAll cut (fun ((_, _, bytes), at) ->
        let part (whole: byte[]) = whole[.. at % whole.Length - 1]

        isFormatError (fun () -> read (part bytes))
        && isFormatError (fun () -> read (part (gzip bytes)))
        && isFormatError (fun () -> read (Array.append bytes [| 0uy |]))
        && isFormatError (fun () -> read (Array.append (gzip bytes) [| 0uy |])))

[<Fact>]
let ``integers and bytes are given only where the elements are`` () =
    Assert.Equal<byte[]>([| 7uy |], (read (idx 0x08uy [ 1 ] [| 7uy |])).ToBytes())
    Assert.Equal<int[]>([| -1 |], (read (idx 0x09uy [ 1 ] [| 255uy |])).ToInt32s())

    argumentError (fun () -> (read (idx 0x09uy [ 1 ] [| 255uy |])).ToBytes()) |> ignore

    argumentError (fun () -> (read (idx 0x0Euy [ 0 ] [||])).ToInt32s()) |> ignore

[<Fact>]
let ``a foreign header is named`` () =
    formatError (fun () -> read (bytesOf "P5 28 28 255")) |> mentions [ "IDX header"; "50352032" ]

    formatError (fun () -> read (idx 0x0Auy [ 1 ] [| 1uy |])) |> mentions [ "00000a01" ]

    formatError (fun () -> read (idx 0x08uy [] [| 1uy |])) |> mentions [ "rank" ]

    formatError (fun () -> read (idx 0x08uy [ for _ in 1..9 -> 1 ] [| 1uy |])) |> mentions [ "MaxDimensions" ]

    formatError (fun () -> Idx.Read "no/such/file-idx1-ubyte") |> mentions [ "no/such/file-idx1-ubyte" ]

[<Fact>]
let ``what a header claims costs nothing`` () =
    let claims =
        [ idx 0x08uy [ 100_000_000 ] (Array.zeroCreate 10)
          idx 0x08uy [ Int32.MaxValue ] (Array.zeroCreate 10)
          idx 0x08uy [ -1 ] (Array.zeroCreate 10)
          idx 0x0Euy [ Int32.MaxValue; Int32.MaxValue; Int32.MaxValue ] (Array.zeroCreate 10)
          gzip (idx 0x0Euy [ 10_000_000 ] (Array.zeroCreate 10)) ]

    for bytes in claims do
        Assert.InRange(allocatedUntilError (fun () -> read bytes), 0L, 1_000_000L)

[<Fact>]
let ``images and labels that do not belong together are refused`` () =
    let mnist images labels = Dataset.Mnist(stream images, stream labels)

    let image = idx 0x08uy [ 2; 1; 2 ] [| 0uy; 51uy; 255uy; 0uy |]
    let data = mnist image (idx 0x08uy [ 2 ] [| 3uy; 9uy |])
    Assert.Equal<float[]>([| 0.0; 0.2; 1.0; 0.0 |], data.Features)
    Assert.Equal<int[]>([| 3; 9 |], data.Labels)

    formatError (fun () -> mnist image (idx 0x08uy [ 3 ] [| 3uy; 9uy; 1uy |])) |> mentions [ "2 labels"; "got 3" ]

    formatError (fun () -> mnist image (idx 0x08uy [ 2 ] [| 3uy; 10uy |])) |> mentions [ "label 1"; "got 10" ]

    formatError (fun () -> mnist (idx 0x08uy [ 2 ] [| 3uy; 9uy |]) image) |> mentions [ "images"; "[2]" ]

    formatError (fun () -> mnist (idx 0x08uy [ 0; 1; 1 ] [||]) (idx 0x08uy [ 0 ] [||]))
    |> mentions [ "at least one image" ]

[<Fact>]
let ``MNIST itself is read`` () =
    match Environment.GetEnvironmentVariable "DL_DATA" with
    | null -> Assert.Skip "no data: DL_DATA names no folder"
    | folder ->
        let file name = Path.Combine(folder, "mnist", name)

        let data = Dataset.Mnist(file "t10k-images-idx3-ubyte.gz", file "t10k-labels-idx1-ubyte.gz")

        Assert.Equal((10000, 784, 10), (data.Rows, data.FeatureCount, data.ClassCount))
        Assert.Equal<int seq>([ 28; 28 ], data.FeatureShape)
        Assert.Equal<int[]>([| 7; 2; 1; 0; 4 |], data.Labels[..4])
        Assert.Equal(1.0, Array.max data.Features)

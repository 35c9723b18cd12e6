module DL.Properties.Data.PicturesTests

open System
open System.IO
open System.IO.Compression
open FsCheck.FSharp
open Xunit
open DL
open DL.Core
open DL.Core.Data
open DL.Core.Formats
open DL.Properties.Data.Support

let private read (bytes: byte[]) = Pictures.Read(stream bytes)
let private bigEndian (n: int) = [| byte (n >>> 24); byte (n >>> 16); byte (n >>> 8); byte n |]

let private chunk (name: string) (body: byte[]) =
    let covered = Array.append (bytesOf name) body
    Array.concat [ bigEndian body.Length; covered; bigEndian (int (Crc32.Append(0u, covered))) ]

let private deflated (bytes: byte[]) =
    use target = new MemoryStream()
    using (new ZLibStream(target, CompressionLevel.Optimal, leaveOpen = true)) (fun zip -> zip.Write(bytes, 0, bytes.Length))
    target.ToArray()

let private file (chunks: byte[] list) = Array.concat ([| 0x89uy; 0x50uy; 0x4Euy; 0x47uy; 13uy; 10uy; 26uy; 10uy |] :: chunks)

let private header width height bits color interlaced =
    chunk
        "IHDR"
        (Array.concat
            [ bigEndian width
              bigEndian height
              [| byte bits; byte color; 0uy; 0uy; (if interlaced then 1uy else 0uy) |] ])

/// The bytes of a row of samples.
let private packed bits (samples: int[]) =
    match bits with
    | 16 -> samples |> Array.collect (fun s -> [| byte (s >>> 8); byte s |])
    | 8 -> samples |> Array.map byte
    | _ ->
        samples
        |> Array.chunkBySize (8 / bits)
        |> Array.map (fun group -> group |> Array.mapi (fun i s -> s <<< (8 - bits - i * bits)) |> Array.sum |> byte)

/// A row under a filter, from the definition of each.
let private filtered filter step (row: byte[]) (above: byte[]) =
    let left i = if i < step then 0 else int row[i - step]
    let corner i = if i < step then 0 else int above[i - step]

    let predicted i =
        match filter with
        | 0 -> 0
        | 1 -> left i
        | 2 -> int above[i]
        | 3 -> (left i + int above[i]) / 2
        | _ ->
            let p = left i + int above[i] - corner i
            [ left i; int above[i]; corner i ] |> List.minBy (fun v -> abs (p - v))

    Array.append [| byte filter |] (row |> Array.mapi (fun i b -> byte (int b - predicted i)))

/// Where the passes of an image lie: first row and column, and steps.
let private passes interlaced =
    if interlaced then
        [ 0, 0, 8, 8; 0, 4, 8, 8; 4, 0, 8, 4; 0, 2, 4, 4; 2, 0, 4, 2; 0, 1, 2, 2; 1, 0, 2, 1 ]
    else
        [ 0, 0, 1, 1 ]

type private Kind = { Color: int; Bits: int; Samples: int }

let private kinds =
    [ for bits in [ 1; 2; 4; 8; 16 ] -> { Color = 0; Bits = bits; Samples = 1 } ]
    @ [ for bits in [ 1; 2; 4; 8 ] -> { Color = 3; Bits = bits; Samples = 1 } ]
    @ [ for color, samples in [ 2, 3; 4, 2; 6, 4 ] do
            for bits in [ 8; 16 ] -> { Color = color; Bits = bits; Samples = samples } ]

let private palette bits = Array.init (3 * (1 <<< bits)) (fun i -> byte (i * 37))

/// An image of random samples, [height][width * samples], and its file with random filters.
let private encoded kind width height interlaced seed =
    let random = Random(seed: int)
    let samples = Array.init height (fun _ -> Array.init (width * kind.Samples) (fun _ -> random.Next(1 <<< kind.Bits)))

    let rows =
        [| for top, left, down, right in passes interlaced do
               let columns = [| left..right .. width - 1 |]

               if columns.Length > 0 then
                   let lines =
                       [ for i in top..down .. height - 1 ->
                             columns
                             |> Array.collect (fun j -> samples[i][j * kind.Samples .. (j + 1) * kind.Samples - 1])
                             |> packed kind.Bits ]

                   let zero = lines |> List.map (fun line -> Array.zeroCreate<byte> line.Length) |> List.truncate 1

                   for above, line in List.zip (List.truncate lines.Length (zero @ lines)) lines do
                       filtered (random.Next 5) (max 1 (kind.Samples * kind.Bits / 8)) line above |]
        |> Array.concat

    let data = deflated rows
    let half = data.Length / 2

    let bytes =
        file
            [ header width height kind.Bits kind.Color interlaced
              chunk "gAMA" (bigEndian 45455)
              if kind.Color = 3 then
                  chunk "PLTE" (palette kind.Bits)
              chunk "IDAT" data[.. half - 1]
              chunk "IDAT" data[half..]
              chunk "IEND" [||] ]

    let pixels =
        samples
        |> Array.concat
        |> Array.collect (fun s ->
            if kind.Color = 3 then
                let colors = palette kind.Bits
                Array.init 3 (fun c -> float32 colors[3 * s + c] / 255f)
            else
                [| float32 (float s / float ((1 <<< kind.Bits) - 1)) |])

    struct (bytes, pixels)

let private images =
    gen {
        let! kind = Gen.elements kinds
        let! width = Gen.choose (1, 17)
        let! height = Gen.choose (1, 17)
        let! interlaced = Gen.elements [ false; true ]
        let! seed = Gen.choose (0, 10000)
        return kind, width, height, interlaced, seed
    }

[<Fact>]
let ``a PNG of every kind, filter and order is read to the bit`` () =
    for kind in kinds do
        for interlaced in [ false; true ] do
            let struct (bytes, pixels) = encoded kind 11 9 interlaced 5
            Assert.Equal<float32[]>(pixels, (read bytes).Pixels)

    forAll images (fun (kind, width, height, interlaced, seed) ->
        let struct (bytes, pixels) = encoded kind width height interlaced seed
        let picture = read bytes

        picture.Pixels = pixels
        && (picture.Height, picture.Width) = (height, width)
        && picture.Channels = (if kind.Color = 3 then 3 else kind.Samples))

[<Fact>]
let ``what the library writes as PNG it reads`` () =
    forAll (Gen.zip3 (Gen.choose (1, 9)) (Gen.choose (1, 9)) (Gen.elements [ 1; 3 ])) (fun (height, width, channels) ->
        let bytes = Array.init (height * width * channels) (fun i -> byte (i * 91))
        let picture = read (Png.Encode(bytes, height, width, channels))
        picture.ToBytes() = bytes && picture.Channels = channels)

[<Fact>]
let ``damage to a PNG is found`` () =
    let struct (good, _) = encoded { Color = 2; Bits = 8; Samples = 3 } 5 4 false 1

    for at in 0 .. good.Length - 1 do
        let damaged = Array.copy good
        damaged[at] <- damaged[at] ^^^ 0x24uy
        formatError (fun () -> read damaged) |> ignore
        formatError (fun () -> read (Array.truncate at good)) |> ignore

    formatError (fun () -> read (Array.append good [| 0uy |])) |> mentions [ "end of the data" ]

[<Fact>]
let ``what is no PNG is refused with its chunk`` () =
    let refused chunks parts = formatError (fun () -> read (file chunks)) |> mentions parts
    let gray = header 2 1 8 0 false
    let data bytes = chunk "IDAT" (deflated bytes)
    let last = chunk "IEND" [||]
    refused [] [ "cut short" ]
    refused [ data [| 0uy |] ] [ "IHDR" ]
    refused [ gray; gray ] [ "IHDR"; "first of all" ]
    refused [ header 0 1 8 0 false; last ] [ "one row" ]
    refused [ header -1 -1 16 6 false; last ] [ "MaxElements" ]
    refused [ header 100000 1000 8 0 false; chunk "IDAT" [||]; last ] [ "cannot hold" ]
    refused [ header 2 1 3 0 false ] [ "depth" ]
    refused [ header 2 1 16 3 false ] [ "depth" ]
    refused [ header 2 1 8 5 false ] [ "kind" ]
    refused [ gray; last ] [ "IDAT" ]
    refused [ gray; data [| 0uy; 1uy |]; last ] [ "3 bytes"; "after 2" ]
    refused [ gray; data [| 0uy; 1uy; 2uy; 3uy |]; last ] [ "more" ]
    refused [ gray; data [| 5uy; 1uy; 2uy |]; last ] [ "row 0"; "filter" ]
    refused [ gray; chunk "IDAT" [| 0x78uy; 0x9Cuy; 0xFFuy; 1uy; 2uy |]; last ] [ "IDAT" ]
    refused [ gray; chunk "ABCD" [||]; data [| 0uy; 1uy; 2uy |]; last ] [ "ABCD" ]
    refused [ header 2 1 8 3 false; data [| 0uy; 0uy; 1uy |]; last ] [ "PLTE" ]
    refused [ header 2 1 8 3 false; chunk "PLTE" [| 1uy; 2uy; 3uy |]; data [| 0uy; 0uy; 1uy |]; last ] [ "palette"; "got 1" ]
    refused [ header 2 1 8 3 false; chunk "PLTE" [| 1uy; 2uy |] ] [ "PLTE" ]
    // Whole data but for the checksum behind them.
    let cut = deflated [| 0uy; 1uy; 2uy |]
    cut[cut.Length - 1] <- cut[cut.Length - 1] ^^^ 1uy
    refused [ gray; chunk "IDAT" cut; last ] [ "IDAT" ]

    formatError (fun () -> Pictures.Read(stream (file [ gray; data [| 0uy; 1uy; 2uy |]; last ]), ReadLimits(MaxElements = 1L)))
    |> mentions [ "MaxElements" ]

[<Fact>]
let ``plain and raw maps of gray and colour are read`` () =
    let text (s: string) = read (bytesOf s)
    Assert.Equal<float32[]>([| 0f; 0.5f; 1f |], (text "P2\n# a comment\n3 1\n# another\n2\n0 1 2\n").Pixels)
    let plain = text "P3 1 2 255 255 0 0\n0 0 51"
    Assert.Equal<float32[]>([| 1f; 0f; 0f; 0f; 0f; 0.2f |], plain.Pixels)
    Assert.Equal((2, 1, 3), (plain.Height, plain.Width, plain.Channels))
    let raw = read (Array.append (bytesOf "P5 2 2 255\n") [| 0uy; 51uy; 10uy; 255uy |])
    Assert.Equal<float32[]>([| 0f; 0.2f; 10f / 255f; 1f |], raw.Pixels)
    let wide = read (Array.append (bytesOf "P6 1 1 65535 ") [| 255uy; 255uy; 0uy; 0uy; 0x80uy; 0uy |])
    Assert.Equal<float32[]>([| 1f; 0f; float32 (32768.0 / 65535.0) |], wide.Pixels)

[<Fact>]
let ``what is no map is refused with its place`` () =
    let refused (s: string) parts =
        formatError (fun () -> Pictures.Read(stream (bytesOf s), source = "a.pgm")) |> mentions ("a.pgm" :: parts)

    refused "" [ "nothing" ]
    refused "P4 1 1 1" [ "byte 0" ]
    refused "P2 2" [ "whole number"; "end of the data" ]
    refused "P2 x 1 1 1" [ "byte 3" ]
    refused "P2 0 1 1" [ "one row" ]
    refused "P2 1 1 0 0" [ "largest value" ]
    refused "P2 1 1 65536 0" [ "at most 65535" ]
    refused "P2 1 1 7 8" [ "at most 7" ]
    refused "P2 2 1 7 1" []
    refused "P2 1 1 7 1 1" [ "more" ]
    refused "P2 2000000000 2000000000 255 0" [ "MaxElements" ]
    refused "P5 2 1 255 a" [ "cut short" ]
    refused "P5 1 1 255 ab" [ "more" ]
    refused "P5 1 1 255" [ "blank" ]
    refused "P5 1 1 7 \b" [ "0 to 7"; "got 8" ]
    Assert.True(allocatedUntilError (fun () -> read (bytesOf "P6 10000 4000 255 a")) < 1_000_000L)

[<Fact>]
let ``pictures of one size become a batch, without their opacity`` () =
    let paths = [ for _ in 0..2 -> Path.GetTempFileName() ]

    try
        Png.Save(paths[0], [| 0uy; 51uy |], 1, 2, 1)
        let struct (opaque, pixels) = encoded { Color = 4; Bits = 8; Samples = 2 } 2 1 false 3
        File.WriteAllBytes(paths[1], opaque)
        let batch = Sources.pictures paths[0..1]
        Assert.Equal(Shape.image (1, 1, 2), Batch.shape batch)
        Assert.Equal<float32[]>([| 0f; 0.2f; pixels[0]; pixels[2] |], (Batch.tensor batch).ToArray<float32>())
        Png.Save(paths[2], [| 0uy; 51uy |], 2, 1, 1)

        formatError (fun () -> Sources.pictures [ paths[0]; paths[2] ])
        |> mentions [ paths[2]; "1 x 2 x 1"; "2 x 1 x 1" ]
    finally
        List.iter File.Delete paths

    argumentError (fun () -> Sources.pictures []) |> ignore
    argumentError (fun () -> Picture([||], 0, 1, 1)) |> ignore
    argumentError (fun () -> Picture([||], 1, 1, 5)) |> ignore
    shapeError (fun () -> Picture([| 1f |], 1, 2, 1)) |> ignore
    let path = Path.GetTempFileName()

    try
        let clipped = Picture([| -1f; 0.5f; 2f |], 1, 3, 1)
        Png.Save(path, clipped.ToBytes(), 1, 3, 1)
        Assert.Equal<byte[]>([| 0uy; 128uy; 255uy |], (Pictures.Read path).ToBytes())
    finally
        File.Delete path

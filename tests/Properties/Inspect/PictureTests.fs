/// Pictures and pages, read back by a reading of PNG written here from the specification.
module DL.Properties.Inspect.PictureTests

open System
open System.IO
open System.IO.Compression
open System.Text
open FsCheck.FSharp
open Xunit
open DL
open DL.Core
open DL.Core.Formats
open DL.Properties.Data.Support

let private int32At (bytes: byte[]) offset = Seq.fold (fun n i -> n * 256 + int bytes[offset + i]) 0 [ 0..3 ]

/// The checksum bit by bit, from the definition of the polynomial.
let private crc (bytes: byte[]) =
    let shift c = if c &&& 1u = 1u then (c >>> 1) ^^^ 0xEDB88320u else c >>> 1
    let step c (b: byte) = Seq.fold (fun c _ -> shift c) (c ^^^ uint32 b) [ 1..8 ]
    ~~~(Array.fold step 0xFFFFFFFFu bytes)

let rec private chunks (bytes: byte[]) offset =
    if offset = bytes.Length then
        []
    else
        let length = int32At bytes offset
        let covered = Array.sub bytes (offset + 4) (length + 4)
        Assert.Equal(crc covered, uint32 (int32At bytes (offset + 8 + length)))
        (Encoding.ASCII.GetString(covered, 0, 4), Array.skip 4 covered) :: chunks bytes (offset + 12 + length)

/// Height, width, channels and pixels of a PNG file whose rows are not filtered.
let private decode (bytes: byte[]) =
    Assert.Equal<byte[]>([| 137uy; 80uy; 78uy; 71uy; 13uy; 10uy; 26uy; 10uy |], Array.truncate 8 bytes)
    let parts = chunks bytes 8
    Assert.Equal<string list>([ "IHDR"; "IDAT"; "IEND" ], List.map fst parts)
    let head = snd parts[0]
    let width, height = int32At head 0, int32At head 4
    let channels = if head[9] = 0uy then 1 else 3
    Assert.Equal<byte[]>([| 8uy; (if channels = 1 then 0uy else 2uy); 0uy; 0uy; 0uy |], Array.skip 8 head)
    use zlib = new ZLibStream(stream (snd parts[1]), CompressionMode.Decompress)
    use data = new MemoryStream()
    zlib.CopyTo data
    let rows = data.ToArray() |> Array.chunkBySize (width * channels + 1)
    Assert.Equal(height, rows.Length)
    Assert.All(rows, fun row -> Assert.Equal(0uy, row[0]))
    struct (height, width, channels, rows |> Array.collect (Array.skip 1))

let private images =
    gen {
        let! height = Gen.choose (1, 20)
        let! width = Gen.choose (1, 20)
        let! channels = Gen.elements [ 1; 3 ]
        let! pixels = Gen.arrayOfLength (height * width * channels) (Gen.choose (0, 255) |> Gen.map byte)
        return (height, width, channels, pixels)
    }

[<Fact>]
let ``what is written is read back`` () =
    forAll images (fun (h, w, c, pixels) ->
        let struct (h', w', c', read) = decode (Png.Encode(ReadOnlySpan pixels, h, w, c))
        (h, w, c) = (h', w', c') && read = pixels)

[<Fact>]
let ``bad sizes are refused`` () =
    for h, w, c in [ 0, 1, 1; 1, -1, 1; 1, 1, 2; 70000, 70000, 3 ] do
        argumentError (fun () -> Png.Encode(ReadOnlySpan [| 0uy |], h, w, c)) |> ignore

    shapeError (fun () -> Png.Encode(ReadOnlySpan [| 0uy |], 1, 2, 1)) |> ignore

let private inFolder (test: string -> unit) =
    let folder = Directory.CreateTempSubdirectory "dl-inspect-"

    try
        test folder.FullName
    finally
        folder.Delete true

let private tensor (extents: int list) (values: float list) : Tensor = Tensor.Of<float>(Array.ofList values, List.toArray extents)

[<Fact>]
let ``a file is written whole or not at all`` () =
    inFolder (fun folder ->
        let path = Path.Combine(folder, "a.png")
        let picture = Picture.ofTensor (tensor [ 1; 2 ] [ 0.0; 5.0 ])
        Picture.save path picture
        Picture.save path picture
        Assert.Equal<string[]>([| path |], Directory.GetFiles folder)
        let struct (_, _, _, pixels) = decode (File.ReadAllBytes path)
        Assert.Equal<byte[]>([| 0uy; 255uy |], pixels)

        argumentError (fun () -> Picture.save (Path.Combine(folder, "none", "a.png")) picture)
        |> mentions [ "a file that can be written" ]

        argumentError (fun () -> Picture.save folder picture) |> ignore
        argumentError (fun () -> Picture.save "" picture) |> ignore
        Assert.Equal<string[]>([| path |], Directory.GetFileSystemEntries folder))

[<Fact>]
let ``a tensor is scaled to its own range or to a given one`` () =
    let own = Picture.ofTensor (tensor [ 2; 2 ] [ -1.0; 0.0; 1.0; 3.0 ])

    Assert.Equal<float list>(
        [ 0.0; 0.25; 0.5; 1.0 ],
        [ for y in 0..1 do
              for x in 0..1 -> own[y, x, 0] ]
    )

    let given = Picture.ofTensorIn (0.0, 2.0) (tensor [ 1; 3 ] [ -1.0; 1.0; 3.0 ])
    Assert.Equal<float list>([ 0.0; 0.5; 1.0 ], [ for x in 0..2 -> given[0, x, 0] ])
    Assert.Equal(0.0, (Picture.ofTensor (tensor [ 1; 1 ] [ 7.0 ]))[0, 0, 0])
    let colour = Picture.ofTensorIn (0.0, 5.0) (tensor [ 3; 1; 2 ] [ 0.0; 1.0; 2.0; 3.0; 4.0; 5.0 ])

    Assert.Equal<float list>(
        [ 0.0; 0.4; 0.8; 0.2; 0.6; 1.0 ],
        [ for x in 0..1 do
              for c in 0..2 -> colour[0, x, c] ]
    )

[<Fact>]
let ``tensors that are no images are refused`` () =
    for extents in [ [ 4 ]; [ 2; 1; 2 ]; [ 1; 1; 2; 2 ] ] do
        shapeError (fun () -> Picture.ofTensor (tensor extents [ 1.0; 2.0; 3.0; 4.0 ])) |> ignore

    shapeError (fun () -> Picture.ofTensor (tensor [ 0; 3 ] [])) |> ignore
    argumentError (fun () -> Picture.ofTensor (tensor [ 1; 1 ] [ nan ])) |> mentions [ "finite" ]
    argumentError (fun () -> Picture.ofTensorIn (1.0, 1.0) (tensor [ 1; 1 ] [ 1.0 ])) |> ignore

[<Fact>]
let ``a grid puts each picture in its place, white between them`` () =
    let level value = Picture.ofTensorIn (0.0, 10.0) (tensor [ 2; 3 ] (List.replicate 6 value))
    let grid = Picture.grid 2 [ for i in 1..3 -> level (float i) ]
    Assert.Equal((5, 7, 1), (grid.Height, grid.Width, grid.Channels))

    let expected y x =
        match y / 3, x / 4 with
        | _ when y = 2 || x = 3 || (y > 2 && x > 3) -> 1.0
        | 0, 0 -> 0.1
        | 0, _ -> 0.2
        | _ -> 0.3

    for y in 0..4 do
        for x in 0..6 do
            Assert.Equal(expected y x, grid[y, x, 0])

    let large = Picture.enlarge 3 grid
    Assert.Equal((15, 21), (large.Height, large.Width))
    Assert.Equal(grid[4, 2, 0], large[14, 8, 0])
    Assert.Equal((2, 3), (let g = Picture.grid 9 [ level 1.0 ] in g.Height, g.Width))
    argumentError (fun () -> Picture.grid 2 []) |> ignore
    argumentError (fun () -> Picture.grid 0 [ level 1.0 ]) |> ignore
    argumentError (fun () -> Picture.enlarge 0 grid) |> ignore
    shapeError (fun () -> Picture.grid 2 [ level 1.0; Picture.ofTensor (tensor [ 1; 1 ] [ 1.0 ]) ]) |> ignore

[<Fact>]
let ``a page holds its pictures and charts, and no markup of its texts`` () =
    let picture = Picture.ofTensor (tensor [ 1; 1 ] [ 1.0 ])

    let html =
        Report.create "a < b"
        |> Report.section "<first>"
        |> Report.text "\"&\""
        |> Report.picture "one" picture
        |> Report.chart "two" (Chart.lines ("x", "y") [ ("<curve>", [ 0.0, 1.0 ]) ])
        |> Report.table [ "head" ] [ [ "<cell>" ] ]
        |> Report.html

    for part in
        [ "<h1>a &lt; b</h1>"
          "&lt;first&gt;"
          "&quot;&amp;&quot;"
          "<svg"
          "&lt;curve&gt;"
          "<td>&lt;cell&gt;</td>" ] do
        Assert.Contains(part, html)

    Assert.Contains("data:image/png;base64," + Convert.ToBase64String(Picture.png picture), html)
    shapeError (fun () -> Report.create "t" |> Report.table [ "a" ] [ [ "b"; "c" ] ]) |> ignore

[<Fact>]
let ``every number is counted in one interval`` () =
    Assert.Equal<int[]>([| 2; 1; 2 |], Chart.count 3 (0.0, 3.0) [| 0.0; 0.5; 1.0; 2.0; 3.0 |])
    argumentError (fun () -> Chart.count 0 (0.0, 1.0) [||]) |> ignore
    argumentError (fun () -> Chart.count 2 (0.0, 1.0) [| 2.0 |]) |> ignore
    argumentError (fun () -> Chart.lines ("x", "y") [ ("c", [ 0.0, nan ]) ]) |> ignore
    argumentError (fun () -> Chart.histogram 5 "x" [ ("none", [||]) ]) |> ignore
    // Distances that would overflow, and some that are nothing.
    argumentError (fun () -> Chart.lines ("x", "y") [ ("c", [ -1e308, 1.0; 1e308, 2.0 ]) ]) |> ignore

    for far in [ 1e300; 1e17; 4.94e-324; 1e-310 ] do
        let chart = Chart.lines ("x", "y") [ ("c", [ -far, far; far, -far ]); ("d", [ far, far ]) ]
        Assert.DoesNotContain("NaN", chart.Svg)
        Assert.DoesNotContain("Infinity", chart.Svg)

let private xml (chart: Chart) = System.Xml.Linq.XDocument.Parse chart.Svg

[<Fact>]
let ``charts of many curves, ROC curves and confusion matrices are well-formed and inside their frame`` () =
    let many = [ for i in 1..13 -> $"curve {i} <&>", [ for x in 0..50 -> float x, float (x * i) ] ]
    let positive, scores = [| true; false; true |], [| 1.0; 0.0; 0.5 |]
    let roc = DL.Core.Metrics.RocCurve.Of(positive, scores)
    let truth, predicted = [| 0; 1; 2 |], [| 0; 2; 2 |]
    let matrix = DL.Core.Metrics.ConfusionMatrix.Of(truth, predicted, 3, [| "cat"; "a dog"; "<bird>" |])

    for chart in [ Chart.lines ("x", "y") many; Chart.roc [ "a", roc; "b", roc ]; Chart.confusion matrix ] do
        let root = (xml chart).Root |> nonNull
        let box = (root.Attribute(System.Xml.Linq.XName.Get "viewBox") |> nonNull).Value.Split ' ' |> Array.map float

        for element in root.Descendants() do
            for name, limit in [ "x", box[2]; "y", box[3] ] do
                match element.Attribute(System.Xml.Linq.XName.Get name) with
                | null -> ()
                | found -> Assert.InRange(float found.Value, 0.0, limit)

    Assert.Contains("a (1.000)", (Chart.roc [ "a", roc ]).Svg)

    let wide = DL.Core.Metrics.ConfusionMatrix.FromCounts(Array2D.zeroCreate 31 31)

    argumentError (fun () -> Chart.confusion wide) |> ignore
    argumentError (fun () -> Chart.roc []) |> ignore

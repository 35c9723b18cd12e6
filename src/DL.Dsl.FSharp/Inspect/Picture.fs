namespace DL

open System
open DL.Core
open DL.Core.Formats

/// <summary>An image to look at: rows of pixels from the top, each a gray or a red, green and blue from 0 (dark) to 1. A value.</summary>
[<Sealed>]
type Picture internal (height: int, width: int, channels: int, pixels: float[]) =
    /// <summary>The number of rows.</summary>
    member _.Height = height
    /// <summary>The number of columns.</summary>
    member _.Width = width
    /// <summary>1 for gray, 3 for colours.</summary>
    member _.Channels = channels

    /// <summary>The number at a row, a column and a channel, from 0 to 1; a gray picture has it in every channel.</summary>
    member _.Item
        with get (row: int, column: int, channel: int): float = pixels[(row * width + column) * channels + min channel (channels - 1)]

/// <summary>Pictures: from tensors, side by side, to files.</summary>
[<RequireQualifiedAccess>]
module Picture =
    let private extents where (t: Tensor) =
        match t.Shape.Extents.ToArray() with
        | [| h; w |] when h > 0 && w > 0 -> struct (1, h, w)
        | [| c; h; w |] when (c = 1 || c = 3) && h > 0 && w > 0 -> struct (c, h, w)
        | _ -> raise (ShapeException(where, "shape [height; width] or [1 or 3; height; width], not empty", $"{t.Shape}"))

    let private finite where (values: float[]) =
        match values |> Array.tryFindIndex (Double.IsFinite >> not) with
        | Some i -> raise (InvalidArgumentException($"{where}, element {i}", "a finite number", $"{values[i]}"))
        | None -> values

    let private make struct (channels, height, width) (scale: float -> float) (values: float[]) =
        let pixel i =
            let area = height * width
            scale values[i % channels * area + i / channels]

        Picture(height, width, channels, Array.init values.Length pixel)

    let private scaled low high (value: float) = Math.Clamp((value - low) / (high - low), 0.0, 1.0)

    /// <summary>The picture <c>(x - min) / (max - min)</c> of a tensor; all black when its numbers are all the same.</summary>
    /// <param name="t">A tensor of shape <c>[H; W]</c>, or <c>[C; H; W]</c> with 1 or 3 channels.</param>
    /// <exception cref="T:DL.Core.ShapeException">It has another shape, or no elements.</exception>
    /// <exception cref="T:DL.Core.InvalidArgumentException">A number is not finite.</exception>
    let ofTensor (t: Tensor) : Picture =
        let extents = extents "Picture.ofTensor" t
        let values = finite "Picture.ofTensor" (t.ToArray<float>())
        let low, high = Array.min values, Array.max values
        make extents (if low = high then (fun _ -> 0.0) else scaled low high) values

    /// <summary>The picture <c>(x - low) / (high - low)</c> of a tensor; what lies outside the range is drawn at its border.</summary>
    /// <param name="low">What is drawn black.</param>
    /// <param name="high">What is drawn white, above <c>low</c>.</param>
    /// <param name="t">A tensor of shape <c>[H; W]</c>, or <c>[C; H; W]</c> with 1 or 3 channels.</param>
    /// <exception cref="T:DL.Core.ShapeException">The tensor has another shape, or no elements.</exception>
    /// <exception cref="T:DL.Core.InvalidArgumentException">A number is not finite, or low is not below high.</exception>
    let ofTensorIn (low: float, high: float) (t: Tensor) : Picture =
        let extents = extents "Picture.ofTensorIn" t

        if not (Double.IsFinite(high - low) && low < high) then
            raise (InvalidArgumentException("Picture.ofTensorIn", "a finite range, low below high", $"{low} to {high}"))

        make extents (scaled low high) (finite "Picture.ofTensorIn" (t.ToArray<float>()))

    /// <summary>The tensor of one example of a batch tensor: its first axis is taken at a position.</summary>
    /// <exception cref="T:DL.Core.ShapeException">There is no such position.</exception>
    let internal row (index: int) (t: Tensor) : Tensor =
        if t.Shape.Rank < 1 || index < 0 || index >= t.Shape[0] then
            raise (ShapeException("Picture", $"a tensor with a position {index} in its first axis", $"shape {t.Shape}"))

        let picked: Tensor = DL.Core.Ops.Rows.Forward(t, [| index |])
        picked.Reshape(t.Shape.Tail())

    /// <summary>Pictures of all examples of a batch, of one range.</summary>
    /// <param name="range">What is drawn black, and what is drawn white.</param>
    /// <param name="channels">The channels of one example, 1 or 3.</param>
    /// <param name="height">Its rows.</param>
    /// <param name="width">Its columns.</param>
    /// <param name="batch">Examples of as many numbers: images, or vectors that are images row by row.</param>
    /// <exception cref="T:DL.Core.DLException">The sizes do not fit, or as <c>ofTensorIn</c>.</exception>
    let ofBatch (range: float * float) (channels: int, height: int, width: int) (batch: Batch<'x>) : Picture list =
        let t = Batch.tensor batch
        [ for i in 0 .. t.Shape[0] - 1 -> ofTensorIn range ((row i t).Reshape(channels, height, width)) ]

    let private build height width channels pixel =
        let value i = pixel (i / channels / width) (i / channels % width) (i % channels)
        Picture(height, width, channels, Array.init (height * width * channels) value)

    /// <summary>Every pixel as a square of <c>factor</c> x <c>factor</c>.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">The factor is below 1.</exception>
    let enlarge (factor: int) (picture: Picture) : Picture =
        if factor < 1 then
            raise (InvalidArgumentException("Picture.enlarge", "a factor of at least 1", $"{factor}"))

        build (picture.Height * factor) (picture.Width * factor) picture.Channels (fun row column channel ->
            picture[row / factor, column / factor, channel])

    /// <summary>Pictures of one size side by side, row after row, a white pixel between them; the rest of the last row is white.</summary>
    /// <param name="columns">How many stand in a row, at least 1.</param>
    /// <param name="pictures">At least one; a colour makes the whole a colour picture.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There are no pictures or no columns.</exception>
    /// <exception cref="T:DL.Core.ShapeException">Their sizes differ.</exception>
    let grid (columns: int) (pictures: Picture list) : Picture =
        if columns < 1 || pictures.IsEmpty then
            raise (InvalidArgumentException("Picture.grid", "at least 1 column and 1 picture", $"{columns} and {pictures.Length}"))

        let all = Array.ofList pictures
        let h, w = all[0].Height, all[0].Width

        all
        |> Array.iteri (fun i p ->
            if p.Height <> h || p.Width <> w then
                raise (ShapeException($"Picture.grid, picture {i}", $"{h} x {w}, as the first", $"{p.Height} x {p.Width}")))

        let columns = min columns all.Length
        let rows = (all.Length + columns - 1) / columns
        let channels = all |> Seq.map _.Channels |> Seq.max

        build (rows * (h + 1) - 1) (columns * (w + 1) - 1) channels (fun y x channel ->
            let index = y / (h + 1) * columns + x / (w + 1)
            let row, column = y % (h + 1), x % (w + 1)
            if row = h || column = w || index >= all.Length then 1.0 else all[index][row, column, channel])

    /// <summary>The picture as the bytes of a PNG file, 8 bits a channel: <c>round(255 x)</c>.</summary>
    let png (picture: Picture) : byte[] =
        let h, w, c = picture.Height, picture.Width, picture.Channels
        let level i = picture[i / c / w, i / c % w, i % c] * 255.0 |> Math.Round |> byte
        Png.Encode(ReadOnlySpan(Array.init (h * w * c) level), h, w, c)

    /// <summary>Writes the picture as a PNG file, whole or not at all.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">The file cannot be written.</exception>
    let save (path: string) (picture: Picture) : unit = WholeFile.Write(path, ReadOnlySpan(png picture))

namespace DL

open System
open DL.Core
open DL.Core.Metrics
open DL.Core.Random

/// <summary>Pictures of several digits, with what is where: data for segmentation and detection.</summary>
[<NoEquality; NoComparison>]
type Scenes =
    {
        /// <summary>The pictures, of one channel.</summary>
        Images: Batch<Image>
        /// <summary>The label of every pixel: 0 for background, else 1 + the digit.</summary>
        Masks: Batch<Mask>
        /// <summary>Every digit with the box around its ink, in shares of the picture.</summary>
        Boxes: LabelledBox list
    }

/// <summary>Composing pictures from images of single things.</summary>
[<RequireQualifiedAccess>]
module Scenes =
    // Fainter pixels belong to the background, in the mask and for the box.
    let private ink = 0.3f
    let private drawsPerThing = 40

    /// A thing enlarged or shrunk to a side, by the nearest pixel.
    let private resized (pixels: float32[]) side target =
        Array.init (target * target) (fun i -> pixels[i / target * side / target * side + i % target * side / target])

    /// The box of the ink, as first and last row and column, where there is any.
    let private extent (pixels: float32[]) side =
        let lit = [ for i in 0 .. pixels.Length - 1 -> i ] |> List.filter (fun i -> pixels[i] > ink)

        match lit with
        | [] -> None
        | _ ->
            let rows, columns = lit |> List.map (fun i -> i / side), lit |> List.map (fun i -> i % side)
            Some(List.min rows, List.max rows, List.min columns, List.max columns)

    type private Canvas =
        { Side: int
          Pixels: float32[]
          Labels: int[]
          mutable Placed: Box list }

    let private place (canvas: Canvas) (pixels: float32[]) size (label: int) row column =
        for i in 0 .. pixels.Length - 1 do
            let at = (row + i / size) * canvas.Side + column + i % size

            if pixels[i] > canvas.Pixels[at] then
                canvas.Pixels[at] <- pixels[i]

            if pixels[i] > ink then
                canvas.Labels[at] <- label + 1

    /// Tries places drawn one after the other until one is free; a thing that finds none is left out.
    let private tryPlace (canvas: Canvas) (uniform: int -> float) (pixels: float32[]) size label =
        match extent pixels size with
        | None -> None
        | Some(top, bottom, left, right) ->
            let room = float (canvas.Side - size + 1)
            let share (n: int) = float n / float canvas.Side

            [ 2..2 .. drawsPerThing - 2 ]
            |> List.tryPick (fun draw ->
                let row, column = int (uniform draw * room), int (uniform (draw + 1) * room)
                let box = Box(share (column + left), share (row + top), share (column + right + 1), share (row + bottom + 1))

                if canvas.Placed |> List.exists (fun other -> Boxes.IntersectionOverUnion(box, other) > 0.02) then
                    None
                else
                    place canvas pixels size label row column
                    canvas.Placed <- box :: canvas.Placed
                    Some box)

    let private scene (things: float32[]) (labels: int[]) side canvasSide most (numbers: float[]) image =
        let canvas =
            { Side = canvasSide
              Pixels = Array.zeroCreate (canvasSide * canvasSide)
              Labels = Array.zeroCreate (canvasSide * canvasSide)
              Placed = [] }

        let count = 1 + int (numbers[0] * float most)

        let found =
            [ for k in 0 .. count - 1 do
                  let uniform i = numbers[1 + k * drawsPerThing + i]
                  let which = int (uniform 0 * float labels.Length)
                  let size = max 1 (int (float side * (0.75 + 0.5 * uniform 1)))
                  let pixels = resized things[which * side * side .. (which + 1) * side * side - 1] side size

                  match tryPlace canvas uniform pixels size labels[which] with
                  | Some box -> LabelledBox(image, labels[which], box)
                  | None -> () ]

        canvas, found

    /// <summary>So many pictures, each of one to <c>most</c> things at random places, three quarters to five quarters of their size; they hardly overlap.</summary>
    /// <param name="key">The draw: equal keys compose equal pictures.</param>
    /// <param name="side">The rows and columns of a picture, at least five quarters of a thing's.</param>
    /// <param name="most">The most things in a picture.</param>
    /// <param name="count">The number of pictures.</param>
    /// <param name="things">Square images as vectors of pixels from 0 to 1, and their classes.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">A number is below 1, there is no thing, things are not square, or the picture is too small.</exception>
    let compose (key: Key) (side: int) (most: int) (count: int) (things: Examples<Vec, Label>) : Scenes =
        let pixels = (Batch.held things.Inputs).ToArray<float32>()
        let labels = (Batch.held things.Targets).ToArray<int>()
        let area = if labels.Length = 0 then 0 else pixels.Length / labels.Length
        let thing = int (sqrt (float area))
        let refuse expected got = raise (InvalidArgumentException("Scenes.compose", expected, got))

        if min most count < 1 then
            refuse "at least one thing and one picture" $"{most} and {count}"

        if area = 0 || thing * thing <> area then
            refuse "square things, at least one" $"{labels.Length} of {area} pixels"

        if side < (5 * thing + 3) / 4 then
            refuse $"pictures of at least {(5 * thing + 3) / 4} x {(5 * thing + 3) / 4} for things of {thing} x {thing}" $"{side} x {side}"

        let draws = 1 + most * drawsPerThing

        let uniform =
            (Initializers.Uniform(key, ElementType.Float64, Shape [| count; draws |], 0.0, 1.0)).ToArray<float>()
            |> Array.chunkBySize draws

        let made = uniform |> Array.mapi (fun i numbers -> scene pixels labels thing side most numbers i)
        let images = Tensor.Of<float32>(made |> Array.collect (fun (c, _) -> c.Pixels), count, 1, side, side)
        let masks = Tensor.Of<int>(made |> Array.collect (fun (c, _) -> c.Labels), count, side, side)

        { Images = Batch.image images
          Masks = Batch.mask masks
          Boxes = made |> Seq.collect snd |> List.ofSeq }

/// Images in another size, under direct formulas.
module DL.Properties.Ops.Resampling

open System
open DL.Core
open DL.Core.Ops
open DL.Laws

/// How much a pixel of the source counts in a pixel of the result, along one axis.
let private weight interpolation from to' i h =
    let hat position = max 0.0 (1.0 - abs (position - float h))

    match interpolation with
    | Interpolation.Nearest -> if h = int (floor (float i * float from / float to' + 1e-9)) then 1.0 else 0.0
    | Interpolation.Bilinear -> (float i + 0.5) * float from / float to' - 0.5 |> max 0.0 |> min (float (from - 1)) |> hat
    | _ -> hat (if to' = 1 then 0.0 else float i * float (from - 1) / float (to' - 1))

let private resampled interpolation (rows, columns) (sizes: int list) (x: Dual[]) =
    let n, height, width, channels = sizes[0], sizes[1], sizes[2], sizes[3]

    [| for image in 0 .. n - 1 do
           for i in 0 .. rows - 1 do
               for j in 0 .. columns - 1 do
                   for c in 0 .. channels - 1 do
                       Dual.sum
                           [| for h in 0 .. height - 1 do
                                  for w in 0 .. width - 1 do
                                      let share = weight interpolation height rows i h * weight interpolation width columns j w

                                      if share > 0.0 then
                                          x[((image * height + h) * width + w) * channels + c] * Dual.Constant share |] |]

let private images: Extent list =
    [ OneOf [ 1; 2; 3; 0 ]; OneOf [ 1; 2; 5 ]; OneOf [ 1; 3; 4; 7 ]; OneOf [ 1; 7; 16; 17; 33 ] ]

let private upsample interpolation title (size: int -> int -> int * int) : Operation =
    let ofSizes (sizes: int list) = size sizes[1] sizes[2]

    let back (x: Tensor) _ dy = Upsample2d.Backward(dy, x.Shape, interpolation)
    let of' (x: Tensor) = size x.Shape[1] x.Shape[2]

    { Operation.unary
          "Upsample2d"
          (fun x ->
              let rows, columns = of' x
              Upsample2d.Forward(x, rows, columns, interpolation))
          back
          (fun sizes -> resampled interpolation (ofSizes sizes) sizes) with
        Variant = $"{interpolation}, {title}"
        Sizes = images
        Homogeneous = 0 }

/// The numbers of x by the definition: input channel c r^2 + i r + j is pixel (i, j) of channel c.
let private shuffled factor (sizes: int list) (x: Dual[]) =
    let n, height, width, channels = sizes[0], sizes[1], sizes[2], sizes[3]

    [| for image in 0 .. n - 1 do
           for row in 0 .. height * factor - 1 do
               for column in 0 .. width * factor - 1 do
                   for c in 0 .. channels - 1 do
                       let source = (c * factor + row % factor) * factor + column % factor

                       x[((image * height + row / factor) * width + column / factor) * channels * factor * factor + source] |]

let private shuffle factor : Operation =
    { Operation.unary
          "PixelShuffle"
          (fun x -> PixelShuffle.Forward(x, factor))
          (fun _ _ dy -> PixelShuffle.Backward(dy, factor))
          (shuffled factor) with
        Variant = $"by {factor}"
        Sizes = images
        Inputs = fun sizes -> [ [ sizes[0]; sizes[1]; sizes[2]; sizes[3] * factor * factor ] ]
        Homogeneous = 0 }

let private interpolations = [ Interpolation.Nearest; Interpolation.Bilinear; Interpolation.BilinearCorners ]

/// The operations of this file.
let operations: Operation list =
    [ for interpolation in interpolations do
          upsample interpolation "twice" (fun h w -> 2 * h, 2 * w)
          upsample interpolation "three times in height" (fun h w -> 3 * h, w)
          upsample interpolation "to 5x9" (fun _ _ -> 5, 9)
          upsample interpolation "to 3x2" (fun _ _ -> 3, 2)
          upsample interpolation "to one pixel" (fun _ _ -> 1, 1)
      for factor in [ 1; 2; 3 ] do
          shuffle factor ]

let private numbers seed (extents: int list) : Tensor = Numbers.tensor Ordinary seed extents

let private furthest (x: Tensor) (y: Tensor) = Array.fold2 (fun m a b -> max m (abs (a - b))) 0.0 (x.ToArray<float>()) (y.ToArray<float>())

let private back =
    Law.fact "the inverse comes back, both ways, exactly" "PixelShuffle" (fun () ->
        Evidence.worst
            [ for element in [ ElementType.Float32; ElementType.Float64; ElementType.Int32 ] do
                  for factor in [ 1; 2; 3 ] do
                      let x = (numbers 1UL [ 2; 6; 12; 36 ]).To element
                      let there: Tensor = PixelShuffle.Forward(x, factor)
                      let block: Tensor = PixelShuffle.Backward(x, factor)
                      Evidence.exact $"there and back, {element}" (PixelShuffle.Backward(there, factor).SameBits x)
                      Evidence.exact $"back and there, {element}" (PixelShuffle.Forward(block, factor).SameBits x) ])

let private constants =
    Law.fact "keeps constants" "Upsample2d" (fun () ->
        Evidence.worst
            [ for interpolation in interpolations do
                  for rows, columns in [ 1, 1; 3, 2; 7, 13; 14, 12 ] do
                      let filled a b : Tensor = Tensor.Filled(ElementType.Float64, Shape [| 2; a; b; 5 |], 3.0)

                      let y = Upsample2d.Forward(filled 7 6, rows, columns, interpolation)
                      Evidence.within $"{interpolation} to {rows}x{columns}" 1e-14 (furthest y (filled rows columns)) ])

let private same =
    Law.fact "the same size is the same image, exactly" "Upsample2d" (fun () ->
        let x = numbers 1UL [ 2; 7; 6; 5 ]

        Evidence.worst
            [ for interpolation in interpolations ->
                  Evidence.exact $"{interpolation}" (Upsample2d.Forward(x, 7, 6, interpolation).SameBits x) ])

let private corners =
    Law.fact "keeps the corners, and what is linear in rows and columns" "Upsample2d" (fun () ->
        let plane rows columns : Tensor =
            let at i j = 2.0 * float i / float (rows - 1) - 3.0 * float j / float (columns - 1)

            Tensor.Of<float>(
                ReadOnlySpan<float>
                    [| for i in 0 .. rows - 1 do
                           for j in 0 .. columns - 1 -> at i j |],
                Shape [| 1; rows; columns; 1 |]
            )

        Evidence.worst
            [ for rows, columns in [ 2, 2; 9, 4; 5, 13 ] ->
                  let y = Upsample2d.Forward(plane 5 6, rows, columns, Interpolation.BilinearCorners)
                  Evidence.within $"to {rows}x{columns}" 1e-14 (furthest y (plane rows columns)) ])

let private average =
    Law.fact "the nearest pixel, larger by whole numbers, is undone by the mean" "Upsample2d" (fun () ->
        let x = numbers 1UL [ 2; 4; 5; 17 ]
        let y = Upsample2d.Forward(x, 8, 15)
        let mean = AveragePool2d.Forward(y, Window(2, 3, StrideHeight = 2, StrideWidth = 3))
        Evidence.within "mean of the copies" 1e-15 (furthest mean x))

/// Rows of four numbers, whose results were worked out by hand.
let private known =
    Law.fact "known answers" "Upsample2d" (fun () ->
        let row: Tensor = Tensor.Of<float>(ReadOnlySpan<float> [| 1.0; 2.0; 3.0; 4.0 |], Shape [| 1; 1; 4; 1 |])
        let to' columns interpolation = (Upsample2d.Forward(row, 1, columns, interpolation)).ToArray<float>()
        let twice = [| 1.0; 1.25; 1.75; 2.25; 2.75; 3.25; 3.75; 4.0 |]

        Evidence.worst
            [ Evidence.exact "areas, twice" (to' 8 Interpolation.Bilinear = twice)
              Evidence.exact "areas, half" (to' 2 Interpolation.Bilinear = [| 1.5; 3.5 |])
              Evidence.exact "points, from 4 to 7" (to' 7 Interpolation.BilinearCorners = [| 1.0; 1.5; 2.0; 2.5; 3.0; 3.5; 4.0 |])
              Evidence.exact "nearest, from 4 to 6" (to' 6 Interpolation.Nearest = [| 1.0; 1.0; 2.0; 3.0; 3.0; 4.0 |])
              Evidence.exact "nearest, from 4 to 3" (to' 3 Interpolation.Nearest = [| 1.0; 2.0; 3.0 |]) ])

/// Whether a call fails with an error of the library's own.
let private refuses (call: unit -> Tensor) =
    try
        call () |> ignore
        false
    with :? DLException ->
        true

let private refused =
    Law.fact "bad sizes are refused" "Upsample2d" (fun () ->
        let x = numbers 1UL [ 1; 4; 4; 6 ]
        let flat = numbers 1UL [ 4; 4 ]
        let none: Tensor = Tensor.Zeros(ElementType.Float64, Shape [| 1; 0; 4; 6 |])

        Evidence.worst
            [ Evidence.exact "no row" (refuses (fun () -> Upsample2d.Forward(x, 0, 4)))
              Evidence.exact "an image without pixels" (refuses (fun () -> Upsample2d.Forward(none, 4, 4)))
              Evidence.exact "rank 2" (refuses (fun () -> Upsample2d.Forward(flat, 4, 4)))
              Evidence.exact "no such interpolation" (refuses (fun () -> Upsample2d.Forward(x, 4, 4, enum<Interpolation> 9)))
              Evidence.exact "a gradient of another batch" (refuses (fun () -> Upsample2d.Backward(x, Shape [| 2; 2; 2; 6 |])))
              Evidence.exact "channels no multiple" (refuses (fun () -> PixelShuffle.Forward(x, 2)))
              Evidence.exact "pixels no multiple" (refuses (fun () -> PixelShuffle.Backward(x, 3)))
              Evidence.exact "factor 0" (refuses (fun () -> PixelShuffle.Forward(x, 0))) ])

/// The laws of this file.
let laws: Law list = [ back; constants; same; corners; average; known; refused ]

/// Poolings over regions of images under direct loops, sample by sample.
module DL.Properties.Ops.Regions

open System
open DL.Core
open DL.Core.Ops
open DL.Laws

/// Image, left, top, right and bottom of every region: inside, over the border, outside, without extent, on whole and half pixels.
let private drawn (seed: uint64) (sizes: int list) scale =
    let n, height, width, count = sizes[0], sizes[1], sizes[2], (if sizes[0] = 0 then 0 else sizes[4])
    let numbers = (Numbers.tensor Ordinary (seed + 77UL) [ count; 5 ]).ToArray<float>()

    let span kind at size extent =
        let middle, half = (0.5 + 0.6 * at) * float extent, abs size * 0.4 * float extent
        let low, high = (middle - half) / scale, (middle + half) / scale

        match kind % 4 with
        | 0 -> round low, round high
        | 1 -> floor (2.0 * low) / 2.0, ceil (2.0 * high) / 2.0
        | 2 when size > 0.8 -> low, low
        | _ -> low, high

    [| for r in 0 .. count - 1 do
           let z k = numbers[5 * r + k]
           let kind = r + int (seed % 4UL)
           let left, right = span kind (z 1) (z 2) width
           let top, bottom = span kind (z 3) (z 4) height
           yield! [| float (int (abs (z 0) * 7.0) % n); left; top; right; bottom |] |> Array.map (float32 >> float) |]

let private regions element (numbers: float[]) : Tensor =
    let wide = Tensor.Of<float>(ReadOnlySpan<float> numbers, Shape [| numbers.Length / 5; 5 |])
    if element = ElementType.Float64 then wide else wide.To element

/// One output for every region, bin and channel, from a function of the region's scaled numbers.
let private everyBin
    (sizes: int list)
    (rows, columns)
    scale
    (numbers: float[])
    (bin: float[] -> int -> int -> (int -> int -> Dual) -> Dual)
    (x: Dual[])
    =
    let height, width, channels = sizes[1], sizes[2], sizes[3]

    [| for region in Array.chunkBySize 5 numbers do
           let scaled = region |> Array.mapi (fun k v -> if k = 0 then v else v * scale)
           let image = int region[0]

           for i in 0 .. rows - 1 do
               for j in 0 .. columns - 1 do
                   for c in 0 .. channels - 1 do
                       bin scaled i j (fun h w -> x[((image * height + h) * width + w) * channels + c]) |]

/// The pixels of bin i of m along an axis.
let private pixels extent (start: float) (finish: float) m i =
    let whole (v: float) = int (Math.Round(v, MidpointRounding.AwayFromZero))
    let size = max 1 (whole finish - whole start + 1)
    let first, last = whole start + i * size / m, whole start + ((i + 1) * size - 1) / m

    [ for p in first..last do
          if p >= 0 && p < extent then
              p ]

let private largest (sizes: int list) (rows, columns) (region: float[]) i j (at: int -> int -> Dual) =
    let inside =
        [ for h in pixels sizes[1] region[2] region[4] rows i do
              for w in pixels sizes[2] region[1] region[3] columns j -> at h w ]

    if inside.IsEmpty then
        Dual.Constant 0.0
    else
        inside |> List.reduce (fun a b -> if b.Value > a.Value then b else a)

/// The sample positions of bin i of m along an axis.
let private samples ratio aligned (start: float) (finish: float) m i =
    let origin = start - (if aligned then 0.5 else 0.0)
    let bin = (if aligned then finish - start else max (finish - start) 1.0) / float m
    let count = if ratio > 0 then ratio else int (ceil bin)
    [ for s in 0 .. count - 1 -> origin + float i * bin + (float s + 0.5) * bin / float count ]

/// The two pixels around a sample and what each counts; nothing for a sample off the image.
let private taps extent position =
    if position < -1.0 || position > float extent then
        []
    else
        let inside = position |> max 0.0 |> min (float (extent - 1))
        let low = int inside
        [ for p in low .. min (low + 1) (extent - 1) -> p, 1.0 - abs (inside - float p) ]

let private mean (sizes: int list) (rows, columns) ratio aligned (region: float[]) i j (at: int -> int -> Dual) =
    let tall = samples ratio aligned region[2] region[4] rows i
    let wide = samples ratio aligned region[1] region[3] columns j

    let all =
        [| for p in tall do
               for q in wide do
                   for h, a in taps sizes[1] p do
                       for w, b in taps sizes[2] q -> at h w * Dual.Constant(a * b) |]

    if all.Length = 0 then Dual.Constant 0.0 else Dual.sum all / float (tall.Length * wide.Length)

let private images: Extent list =
    [ OneOf [ 1; 2; 3; 0 ]
      OneOf [ 1; 2; 5; 9 ]
      OneOf [ 1; 3; 4; 8 ]
      OneOf [ 1; 7; 16; 17; 33; 65 ]
      OneOf [ 1; 3; 5; 0 ] ]

/// The regions of a case.
let regionsOf (case: OperationCase) scaled element : Tensor = regions element (drawn case.Seed case.Sizes (if scaled then 0.25 else 1.0))

let private operation name variant scale forward backward formula : Operation =
    let of' (case: OperationCase) = drawn case.Seed case.Sizes scale

    { Name = name
      Variant = variant
      Sizes = images
      Numbers = [ Ordinary; Kinks; Ties; EqualRows; ConstantRows; UnequalRows; Large ]
      Inputs = fun sizes -> [ List.take 4 sizes ]
      Domain = fun _ x -> x
      Forward = fun case x -> [| forward x[0] (regions x[0].ElementType (of' case)) |]
      Backward = fun case x _ dy -> [| backward x[0] (regions x[0].ElementType (of' case)) dy[0] |]
      Formula = fun case x -> [| formula case.Sizes (of' case) x[0] |]
      Homogeneous = 0 }

let private pool (variant, (rows, columns), scale) =
    operation
        "RoiPool"
        variant
        scale
        (fun x r -> RoiPool.Forward(x, r, rows, columns, scale))
        (fun x r dy -> RoiPool.Backward(dy, x, r, scale))
        (fun sizes numbers -> everyBin sizes (rows, columns) scale numbers (largest sizes (rows, columns)))

let private align (variant, (rows, columns), scale, ratio, aligned) =
    operation
        "RoiAlign"
        variant
        scale
        (fun x r -> RoiAlign.Forward(x, r, rows, columns, scale, ratio, aligned))
        (fun x r dy -> RoiAlign.Backward(dy, x.Shape, r, scale, ratio, aligned))
        (fun sizes numbers -> everyBin sizes (rows, columns) scale numbers (mean sizes (rows, columns) ratio aligned))

/// The operations of this file.
let operations: Operation list =
    [ yield!
          [ "2x2", (2, 2), 1.0
            "3x1, scaled", (3, 1), 0.25
            "to one pixel", (1, 1), 1.0
            "7x5, more bins than pixels", (7, 5), 0.3 ]
          |> List.map pool
      yield!
          [ "2x2, two samples", (2, 2), 1.0, 2, true
            "2x2, not aligned", (2, 2), 1.0, 2, false
            "3x1, scaled, samples by size", (3, 1), 0.25, 0, true
            "2x3, not aligned, samples by size", (2, 3), 0.3, 0, false
            "to one pixel, one sample", (1, 1), 1.0, 1, true ]
          |> List.map align ]

let private numbers seed (extents: int list) : Tensor = Numbers.tensor Ordinary seed extents
let private furthest (x: Tensor) (y: Tensor) = Array.fold2 (fun m a b -> max m (abs (a - b))) 0.0 (x.ToArray<float>()) (y.ToArray<float>())

/// One region for every image of a batch.
let private whole (x: Tensor) edge =
    regions
        ElementType.Float64
        [| for n in 0 .. x.Shape[0] - 1 do
               yield! [| float n; 0.0; 0.0; float x.Shape[2] - edge; float x.Shape[1] - edge |] |]

let private asPooling =
    Law.fact "the whole image is pooled as by adaptive pooling" "RoiPool" (fun () ->
        let x = numbers 1UL [ 3; 7; 9; 21 ]

        Evidence.worst
            [ for rows, columns in [ 1, 1; 2, 3; 7, 9; 3, 4 ] ->
                  let pooled = RoiPool.Forward(x, whole x 1.0, rows, columns)
                  Evidence.exact $"to {rows}x{columns}" (pooled.SameBits(MaxPool2d.AdaptiveForward(x, rows, columns))) ])

let private asImage =
    Law.fact "the whole image, one bin and one sample a pixel, is the image, exactly" "RoiAlign" (fun () ->
        let x = numbers 1UL [ 3; 7; 9; 21 ]
        Evidence.exact "7x9" ((RoiAlign.Forward(x, whole x 0.0, 7, 9, 1.0, 1)).SameBits x))

let private asMean =
    Law.fact "the whole image, cut evenly, is its mean pooling" "RoiAlign" (fun () ->
        let x = numbers 1UL [ 2; 6; 8; 17 ]
        let pooled = AveragePool2d.Forward(x, Window(3, 2, StrideHeight = 3, StrideWidth = 2))
        Evidence.within "2x4" 1e-14 (furthest pooled (RoiAlign.Forward(x, whole x 0.0, 2, 4))))

let private plane =
    Law.fact "a plane is read exactly between the pixels" "RoiAlign" (fun () ->
        let height, width = 9, 12

        let x: Tensor =
            Tensor.Of<float>(
                ReadOnlySpan<float>
                    [| for h in 0 .. height - 1 do
                           for w in 0 .. width - 1 -> 2.0 * float h - 0.5 * float w |],
                Shape [| 1; height; width; 1 |]
            )

        let left, top, right, bottom = 2.3, 1.1, 9.9, 7.6
        let y = RoiAlign.Forward(x, regions ElementType.Float64 [| 0.0; left; top; right; bottom |], 3, 4)

        let expected =
            [| for i in 0..2 do
                   for j in 0..3 ->
                       2.0 * (top + (float i + 0.5) * (bottom - top) / 3.0 - 0.5)
                       - 0.5 * (left + (float j + 0.5) * (right - left) / 4.0 - 0.5) |]

        Evidence.within
            "means at the middles of the bins"
            1e-12
            (Array.fold2 (fun m a b -> max m (abs (a - b))) 0.0 expected (y.ToArray<float>())))

/// Known answers, worked out by hand from the definition.
let private known =
    Law.fact "known answers" "RoiAlign" (fun () ->
        let x: Tensor = Tensor.Of<float>(ReadOnlySpan<float> [| 1.0; 2.0; 3.0; 4.0 |], Shape [| 1; 1; 4; 1 |])

        let read aligned ratio left right =
            (RoiAlign.Forward(x, regions ElementType.Float64 [| 0.0; left; 0.0; right; 1.0 |], 1, 2, 1.0, ratio, aligned)).ToArray<float>()

        let largest left right = (RoiPool.Forward(x, regions ElementType.Float64 [| 0.0; left; 0.0; right; 0.0 |], 1, 2)).ToArray<float>()

        Evidence.worst
            [ Evidence.exact "aligned, halves" (read true 1 0.0 4.0 = [| 1.5; 3.5 |])
              Evidence.exact "not aligned" (read false 1 0.0 2.0 = [| 1.5; 2.5 |])
              Evidence.exact "past the border" (read true 1 3.0 7.0 = [| 4.0; 0.0 |])
              Evidence.exact "not aligned, without extent: one pixel" (read false 1 1.0 1.0 = [| 2.25; 2.75 |])
              Evidence.exact "aligned, without extent: no sample" (read true 0 1.0 1.0 = [| 0.0; 0.0 |])
              Evidence.exact "largest, an odd number of pixels shared" (largest 0.0 2.0 = [| 2.0; 3.0 |])
              Evidence.exact "largest, halves away from 0" (largest 0.5 1.5 = [| 2.0; 3.0 |])
              Evidence.exact "largest, off the image" (largest 3.0 6.0 = [| 4.0; 0.0 |]) ])

/// Whether a call fails with an error of the library's own.
let private refuses (call: unit -> Tensor) =
    try
        call () |> ignore
        false
    with :? DLException ->
        true

let private refused title (pool: Tensor -> Tensor -> int -> float -> Tensor) =
    Law.fact "bad regions and sizes are refused" title (fun () ->
        let x = numbers 1UL [ 2; 4; 4; 3 ]
        let region numbers = regions ElementType.Float64 numbers
        let fails what x r rows scale = Evidence.exact what (refuses (fun () -> pool x r rows scale))
        let good = region [| 1.0; 0.0; 0.0; 3.0; 3.0 |]

        Evidence.worst
            [ fails "no such image" x (region [| 2.0; 0.0; 0.0; 3.0; 3.0 |]) 2 1.0
              fails "a negative image" x (region [| -1.0; 0.0; 0.0; 3.0; 3.0 |]) 2 1.0
              fails "half an image" x (region [| 0.5; 0.0; 0.0; 3.0; 3.0 |]) 2 1.0
              fails "image not a number" x (region [| nan; 0.0; 0.0; 3.0; 3.0 |]) 2 1.0
              for k in 1..4 do
                  for v in [ nan; infinity; -infinity; 1e30 ] do
                      fails $"corner {k} of {v}" x (region [| for i in 0..4 -> if i = k then v else 0.0 |]) 2 1.0
              fails "left and right exchanged" x (region [| 0.0; 3.0; 0.0; 1.0; 3.0 |]) 2 1.0
              fails "top and bottom exchanged" x (region [| 0.0; 0.0; 3.0; 3.0; 1.0 |]) 2 1.0
              fails "no rows" x good 0 1.0
              fails "no scale" x good 2 0.0
              fails "scale not a number" x good 2 nan
              fails "rank 2" (numbers 1UL [ 4; 4 ]) good 2 1.0
              fails "regions of four numbers" x (numbers 1UL [ 1; 4 ]) 2 1.0
              fails "an image without pixels" (numbers 1UL [ 2; 0; 4; 3 ]) good 2 1.0
              fails "regions of integers" x (good.To ElementType.Int32) 2 1.0
              fails "an image of integers" (x.To ElementType.Int32) good 2 1.0 ])

let private gradients =
    Law.fact "a gradient of another shape or type is refused" "RoiPool" (fun () ->
        let x = numbers 1UL [ 2; 4; 4; 3 ]
        let good = regions ElementType.Float64 [| 1.0; 0.0; 0.0; 3.0; 3.0 |]

        let wrong (dy: Tensor) what =
            Evidence.worst
                [ Evidence.exact $"RoiPool, {what}" (refuses (fun () -> RoiPool.Backward(dy, x, good)))
                  Evidence.exact $"RoiAlign, {what}" (refuses (fun () -> RoiAlign.Backward(dy, x.Shape, good, 1.0, -1))) ]

        Evidence.worst
            [ wrong (numbers 1UL [ 2; 2; 2; 3 ]) "another number of regions"
              wrong (numbers 1UL [ 1; 2; 2; 4 ]) "other channels"
              wrong ((numbers 1UL [ 1; 2; 2; 3 ]).To ElementType.Int32) "integers"
              Evidence.exact "mixed" (refuses (fun () -> RoiPool.Backward((numbers 1UL [ 1; 2; 2; 3 ]).To ElementType.Float32, x, good)))
              Evidence.exact "too many samples" (refuses (fun () -> RoiAlign.Forward(x, good, 2, 2, 1.0, 1025)))
              Evidence.exact "rank 2" (refuses (fun () -> RoiAlign.Backward(numbers 1UL [ 2; 2 ], x.Shape, good))) ])

let private threads =
    Law.fact "the number of threads does not change a bit" "RoiAlign" (fun () ->
        let x = (numbers 1UL [ 2; 24; 24; 130 ]).To ElementType.Float32
        let r = regions ElementType.Float32 (drawn 5UL [ 2; 24; 24; 130; 40 ] 1.0)

        let run count =
            DL.Properties.Cases.withThreads count (fun () ->
                let y, top = RoiAlign.Forward(x, r, 7, 7), RoiPool.Forward(x, r, 7, 7)
                [ y; top; RoiAlign.Backward(y, x.Shape, r); RoiPool.Backward(top, x, r) ])

        let one = run 1

        Evidence.exact
            "1, 2 and 3 threads"
            ([ 2; 3 ] |> List.forall (fun count -> List.forall2 (fun (a: Tensor) b -> a.SameBits b) one (run count))))

/// The laws of this file.
let laws: Law list =
    [ asPooling
      asImage
      asMean
      plane
      known
      refused "RoiPool" (fun x r rows scale -> RoiPool.Forward(x, r, rows, 2, scale))
      refused "RoiAlign" (fun x r rows scale -> RoiAlign.Forward(x, r, rows, 2, scale))
      gradients
      threads ]

/// Poolings under their direct loops.
module DL.Properties.Ops.Pooling

open System
#nowarn "9" // Pointers of arrays are given to kernels.

open DL.Core
open DL.Core.Kernels
open DL.Core.Ops
open DL.Laws

/// How many positions a window has along an axis.
let private positions extent size stride before after dilation ceil =
    let span = (size - 1) * dilation + 1
    let whole = (extent + before + after - span) / stride + 1
    let more = ceil && (extent + before + after - span) % stride <> 0 && whole * stride < extent + before
    if more then whole + 1 else whole

/// The indices a position covers along an axis: inside the image, and inside the padded one.
let private covered extent size stride before after dilation i =
    let all = [ for t in 0 .. size - 1 -> i * stride - before + t * dilation ]
    all |> List.filter (fun p -> p >= 0 && p < extent), all |> List.filter (fun p -> p < extent + after) |> List.length

let private axes (w: Window) ceil height width =
    let axis extent size stride before after dilation =
        [| for i in 0 .. positions extent size stride before after dilation ceil - 1 -> covered extent size stride before after dilation i |]

    axis height w.Height w.StrideHeight w.PadTop w.PadBottom w.DilationHeight,
    axis width w.Width w.StrideWidth w.PadLeft w.PadRight w.DilationWidth

let private adaptive extent count =
    [| for i in 0 .. count - 1 ->
           let inside = [ i * extent / count .. ((i + 1) * extent + count - 1) / count - 1 ]
           inside, inside.Length |]

/// Every output from the numbers of its window, in the order of rows and columns, and the count with padding.
let private pool (sizes: int list) (rows, columns) (reduce: Dual list -> int -> Dual) (x: Dual[]) =
    let n, height, width, channels = sizes[0], sizes[1], sizes[2], sizes[3]

    [| for image in 0 .. n - 1 do
           for is, tall in rows do
               for js, wide in columns do
                   for c in 0 .. channels - 1 do
                       let numbers =
                           [ for i in is do
                                 for j in js -> x[((image * height + i) * width + j) * channels + c] ]

                       reduce numbers (tall * wide) |]

let private largest (numbers: Dual list) _ = numbers |> List.reduce (fun a b -> if b.Value > a.Value then b else a)
let private mean (numbers: Dual list) count = Dual.sum (Array.ofList numbers) / float count
let private meanInside (numbers: Dual list) _ = mean numbers numbers.Length

type private Setting = { Window: Window; Ceil: bool; Least: int }

let private sized least : Extent list =
    [ OneOf [ 1; 2; 3; 0 ]; OneOf [ least; least + 1; 7 ]; OneOf [ least; 5; 8 ]; OneOf [ 1; 7; 16; 17; 33 ] ]

let private operation name variant least forward backward formula : Operation =
    { Operation.unary name forward backward formula with
        Variant = variant
        Sizes = sized least
        Numbers = [ Ordinary; Kinks; Ties; EqualRows; ConstantRows; UnequalRows; Large ] }

let private settings =
    let setting least ceil window = { Window = window; Ceil = ceil; Least = least }

    [ "2x2", setting 2 false (Window.Square(2, 2))
      "3x3 overlapping", setting 3 false (Window.Square(3, 1))
      "3x3 stride 2 padded", setting 1 false (Window.Square(3, 2, 1))
      "2x3, stride over the window", setting 3 false (Window(2, 3, StrideHeight = 3, StrideWidth = 4))
      "padding on each side its own",
      setting 3 false (Window(3, 3, StrideHeight = 2, StrideWidth = 3, PadTop = 2, PadLeft = 1, PadRight = 2))
      "dilated", setting 5 false (Window.Square(2, 2, 0, 3))
      "ceil", setting 2 true (Window.Square(2, 2))
      "ceil, padded", setting 2 true (Window.Square(3, 2, 1)) ]

let private max' (variant, s) =
    operation
        "MaxPool2d"
        variant
        s.Least
        (fun x -> MaxPool2d.Forward(x, s.Window, s.Ceil))
        (fun x _ dy -> MaxPool2d.Backward(dy, x, s.Window, s.Ceil))
        (fun sizes -> pool sizes (axes s.Window s.Ceil sizes[1] sizes[2]) largest)

let private average counts (variant, s) =
    { operation
          "AveragePool2d"
          (if counts then variant else $"{variant}, padding not counted")
          s.Least
          (fun x -> AveragePool2d.Forward(x, s.Window, counts, s.Ceil))
          (fun x _ dy -> AveragePool2d.Backward(dy, x.Shape, s.Window, counts, s.Ceil))
          (fun sizes -> pool sizes (axes s.Window s.Ceil sizes[1] sizes[2]) (if counts then mean else meanInside)) with
        Homogeneous = 0 }

let private adaptively (rows, columns) =
    let spans (sizes: int list) = adaptive sizes[1] rows, adaptive sizes[2] columns

    [ operation
          "MaxPool2d"
          $"adaptive {rows}x{columns}"
          1
          (fun x -> MaxPool2d.AdaptiveForward(x, rows, columns))
          (fun x _ dy -> MaxPool2d.AdaptiveBackward(dy, x))
          (fun sizes -> pool sizes (spans sizes) largest)
      { operation
            "AveragePool2d"
            $"adaptive {rows}x{columns}"
            1
            (fun x -> AveragePool2d.AdaptiveForward(x, rows, columns))
            (fun x _ dy -> AveragePool2d.AdaptiveBackward(dy, x.Shape))
            (fun sizes -> pool sizes (spans sizes) mean) with
          Homogeneous = 0 } ]

/// The operations of this file.
let operations: Operation list =
    [ yield! settings |> List.map max'
      yield! settings |> List.map (average true)
      yield! settings |> List.map (average false)
      yield! [ 1, 1; 2, 3; 5, 9 ] |> List.collect adaptively ]

let private numbers seed (extents: int list) : Tensor = Numbers.tensor Ordinary seed extents
let private total (t: Tensor) = Array.sum (t.ToArray<float>())
let private windows = [ Window.Square(2, 2); Window.Square(3, 1); Window.Square(3, 2, 1) ]

let private monotone =
    Law.fact "max pooling commutes with monotone maps, exactly" "MaxPool2d" (fun () ->
        let x = numbers 1UL [ 2; 7; 6; 5 ]

        Evidence.worst
            [ for w in windows ->
                  let pooledFirst: Tensor = Exp.Forward(MaxPool2d.Forward(x, w))
                  Evidence.exact $"{w}" (pooledFirst.SameBits(MaxPool2d.Forward(Exp.Forward x, w))) ])

let private kept =
    Law.fact "no gradient is lost" "MaxPool2d" (fun () ->
        let x = numbers 1UL [ 2; 8; 8; 5 ]

        Evidence.worst
            [ for w in windows do
                  let y = MaxPool2d.Forward(x, w)
                  let dy = numbers 2UL (List.ofArray (y.Shape.Extents.ToArray()))
                  let lost (dx: Tensor) = abs (total dx - total dy)
                  Evidence.within $"max, {w}" 1e-12 (lost (MaxPool2d.Backward(dy, x, w)))
                  Evidence.within $"mean, {w}" 1e-12 (lost (AveragePool2d.Backward(dy, x.Shape, w, false))) ])

let private constants =
    Law.fact "a mean keeps constants" "AveragePool2d" (fun () ->
        let x = Tensor.Filled(ElementType.Float64, Shape [| 2; 7; 6; 5 |], 3.0)

        Evidence.worst
            [ for w in windows ->
                  let y = (AveragePool2d.Forward(x, w, false)).ToArray<float>()
                  Evidence.within $"{w}" 1e-14 (y |> Array.fold (fun m v -> max m (abs (v - 3.0))) 0.0) ])

let private notNumbers =
    Law.fact "a NaN reaches the windows it lies in and no other" "MaxPool2d" (fun () ->
        let at i j = (i * 4 + j) * 3
        let x = Array.init 48 float
        x[at 1 2] <- nan
        let pooled: Tensor = MaxPool2d.Forward(Tensor.Of<float>(x, [| 1; 4; 4; 3 |]), Window.Square(2, 2))
        let y = pooled.ToArray<float>()
        Evidence.exact "channel 0 of the second window" (y |> Array.mapi (fun i v -> Double.IsNaN v = (i = 3)) |> Array.forall id))

let private refused =
    Law.fact "a window in the padding alone is refused" "MaxPool2d" (fun () ->
        let refuse (w: Window) =
            try
                MaxPool2d.Forward(numbers 1UL [ 1; 4; 4; 2 ], w) |> ignore
                false
            with :? InvalidArgumentException ->
                true

        Evidence.worst
            [ Evidence.exact "padding as wide as the window" (refuse (Window.Square(2, 1, 2)))
              Evidence.exact "taps on both sides of the image" (refuse (Window(2, 2, DilationHeight = 9, PadTop = 7, PadBottom = 7))) ])

let private margin = 32

/// A pooling of two images of 4 x 6, and its way back, between numbers that must stay: whether they did, and nothing else.
let private withinBounds largest channels =
    let height, width = 4, 6
    let rows, columns = PoolAxis.Adaptive(height, height / 2), PoolAxis.Adaptive(width, width / 2)
    let inputs, outputs = 2 * height * width * channels, height * width * channels / 2
    let x = Array.init (inputs + 2 * margin) (fun i -> 100.0f + float32 (i % 5))
    let y, dx = Array.create (outputs + 2 * margin) 7.0f, Array.create (inputs + 2 * margin) 7.0f
    use px = fixed &x[margin]
    use py = fixed &y[margin]
    use pdx = fixed &dx[margin]

    if largest then
        Pooling.Forward<float32, MaxPool<float32>>(rows, columns, px, 2, height, width, channels, py)
        Pooling.Backward<float32, MaxPool<float32>>(rows, columns, px, px, 2, height, width, channels, pdx)
    else
        Pooling.Forward<float32, MeanPool<float32>>(rows, columns, px, 2, height, width, channels, py)
        Pooling.Backward<float32, MeanPool<float32>>(rows, columns, px, px, 2, height, width, channels, pdx)

    let intact written (image: float32[]) =
        let outside = Array.append image[.. margin - 1] image[margin + written ..]
        outside |> Array.forall ((=) 7.0f) && image[margin .. margin + written - 1] |> Array.forall ((<>) 7.0f)

    intact outputs y && intact inputs dx

// Pixels of few channels are written a whole vector at a time.
let private bounds =
    Law.fact "nothing before or behind an image is written" "pooling" (fun () ->
        Evidence.worst
            [ for channels in 1..17 do
                  Evidence.exact $"means of {channels} channels" (withinBounds false channels)
                  Evidence.exact $"maxima of {channels} channels" (withinBounds true channels) ])

/// The laws of this file.
let laws: Law list = [ monotone; kept; constants; notNumbers; refused; bounds ]

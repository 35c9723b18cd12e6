/// Convolutions under their direct loops.
module DL.Properties.Ops.Convolutions

open System
open DL.Core
open DL.Core.Ops
open DL.Laws

/// One setting of a convolution: its window, its groups, and the sizes it is tried on.
type private Setting =
    { Window: Window
      Groups: int
      Height: int list
      Width: int list
      Inputs: int list
      Outputs: int list }

let private shapeOf (sizes: int list) =
    match sizes with
    | [ n; h; w; inputs; outputs ] -> struct (n, h, w, inputs, outputs)
    | _ -> failwith "five sizes"

let private positions (w: Window) height width =
    (height + w.PadTop + w.PadBottom - (w.Height - 1) * w.DilationHeight - 1) / w.StrideHeight + 1,
    (width + w.PadLeft + w.PadRight - (w.Width - 1) * w.DilationWidth - 1) / w.StrideWidth + 1

/// What an output sums: the offsets into x and w of every tap inside the image.
let private taps (s: Setting) (sizes: int list) image row column output =
    let struct (_, height, width, inputs, outputs) = shapeOf sizes
    let w, channels, made = s.Window, inputs * s.Groups, outputs * s.Groups
    let group = output / outputs

    seq {
        for u in 0 .. w.Height - 1 do
            for v in 0 .. w.Width - 1 do
                let i = row * w.StrideHeight + u * w.DilationHeight - w.PadTop
                let j = column * w.StrideWidth + v * w.DilationWidth - w.PadLeft

                if i >= 0 && i < height && j >= 0 && j < width then
                    for c in 0 .. inputs - 1 do
                        struct (((image * height + i) * width + j) * channels + group * inputs + c,
                                ((u * w.Width + v) * inputs + c) * made + output)
    }

let private direct (s: Setting) (sizes: int list) (x: Dual[]) (w: Dual[]) (b: Dual[]) =
    let struct (n, height, width, _, outputs) = shapeOf sizes
    let rows, columns = positions s.Window height width

    [| for image in 0 .. n - 1 do
           for row in 0 .. rows - 1 do
               for column in 0 .. columns - 1 do
                   for output in 0 .. outputs * s.Groups - 1 do
                       let products = [| for struct (i, k) in taps s sizes image row column output -> x[i] * w[k] |]
                       if products.Length = 0 then b[output] else Dual.sum products + b[output] |]

let private conv2d variant (s: Setting) : Operation =
    { Name = "Conv2d"
      Variant = variant
      Sizes = [ OneOf [ 1; 2; 3; 0 ]; OneOf s.Height; OneOf s.Width; OneOf s.Inputs; OneOf s.Outputs ]
      Numbers = [ Ordinary; Kinks; Ties; EqualRows; ConstantRows; UnequalRows; Large ]
      Inputs =
        fun sizes ->
            let struct (n, height, width, inputs, outputs) = shapeOf sizes

            [ [ n; height; width; inputs * s.Groups ]
              [ s.Window.Height; s.Window.Width; inputs; outputs * s.Groups ]
              [ outputs * s.Groups ] ]
      Domain = fun _ x -> x
      Forward = fun _ x -> [| Conv2d.Forward(x[0], x[1], s.Window, x[2], s.Groups) |]
      Backward =
        fun _ x _ dy ->
            [| Conv2d.BackwardInput(dy[0], x[1], s.Window, x[0].Shape[1], x[0].Shape[2], s.Groups)
               Conv2d.BackwardWeight(x[0], dy[0], x[1], s.Window, s.Groups)
               Linear.BackwardBias(dy[0], x[2]) |]
      Formula = fun case x -> [| direct s case.Sizes x[0] x[1] x[2] |]
      Homogeneous = 0 }

/// The adjoint of the direct loop, spread out by hand.
let private adjoint (s: Setting) more (sizes: int list) (x: Dual[]) (w: Dual[]) (b: Dual[]) =
    let struct (n, rows, columns, inputs, outputs) = shapeOf sizes
    let grow extent size stride before after dilation = (extent - 1) * stride - before - after + (size - 1) * dilation + 1 + more
    let win = s.Window
    let height = grow rows win.Height win.StrideHeight win.PadTop win.PadBottom win.DilationHeight
    let width = grow columns win.Width win.StrideWidth win.PadLeft win.PadRight win.DilationWidth
    let whole = [ n; height; width; outputs; inputs ]
    let products = Array.init (n * height * width * outputs * s.Groups) (fun _ -> ResizeArray<Dual>())

    for image in 0 .. n - 1 do
        for row in 0 .. rows - 1 do
            for column in 0 .. columns - 1 do
                for c in 0 .. inputs * s.Groups - 1 do
                    let at = ((image * rows + row) * columns + column) * inputs * s.Groups + c

                    for struct (i, k) in taps s whole image row column c do
                        products[i].Add(x[at] * w[k])

    let channels = outputs * s.Groups

    products
    |> Array.mapi (fun i p -> if p.Count = 0 then b[i % channels] else Dual.sum (p.ToArray()) + b[i % channels])

let private transposed variant more (s: Setting) : Operation =
    { conv2d variant s with
        Name = "Conv2dTranspose"
        Inputs =
            fun sizes ->
                let struct (n, height, width, inputs, outputs) = shapeOf sizes

                [ [ n; height; width; inputs * s.Groups ]
                  [ s.Window.Height; s.Window.Width; outputs; inputs * s.Groups ]
                  [ outputs * s.Groups ] ]
        Forward = fun _ x -> [| Conv2dTranspose.Forward(x[0], x[1], s.Window, x[2], s.Groups, more, more) |]
        Backward =
            fun _ x _ dy ->
                [| Conv2dTranspose.BackwardInput(dy[0], x[1], s.Window, s.Groups)
                   Conv2dTranspose.BackwardWeight(x[0], dy[0], x[1], s.Window, s.Groups)
                   AddBias.Backward dy[0] |]
        Formula = fun case x -> [| adjoint s more case.Sizes x[0] x[1] x[2] |] }

let private window side = Window.Square side

let private plain w =
    { Window = w
      Groups = 1
      Height = [ 3; 5 ]
      Width = [ 4; 7 ]
      Inputs = [ 1; 3 ]
      Outputs = [ 2; 5 ] }

/// The operations of this file.
let operations: Operation list =
    [ conv2d
          "3x3, around the width of vectors"
          { plain (Window.Square(3, 1, 1)) with
              Height = [ 1; 2 ]
              Width = [ 1; 3 ]
              Inputs = [ 1; 7; 16; 17 ]
              Outputs = [ 1; 15; 16; 17; 33 ] }
      conv2d
          "5x5 from few channels"
          { plain (Window.Square(5, 1, 2)) with
              Height = [ 3; 9 ]
              Width = [ 4; 11 ]
              Inputs = [ 1; 2; 6 ]
              Outputs = [ 1; 6; 17 ] }
      conv2d
          "4x3 of an image of one channel, padded on its own sides"
          { plain (Window(4, 3, PadTop = 5, PadBottom = 1, PadLeft = 4, PadRight = 0)) with
              Height = [ 1; 12 ]
              Width = [ 2; 13 ]
              Inputs = [ 1 ]
              Outputs = [ 3; 8 ] }
      conv2d
          "7x7 of three channels, stride 2"
          { plain (Window.Square(7, 2, 3)) with
              Height = [ 2; 9 ]
              Width = [ 8; 13 ]
              Inputs = [ 3 ]
              Outputs = [ 5 ] }
      conv2d "3x3 over rows of more than a tile" { plain (window 3) with Width = [ 10; 19; 27 ] }
      conv2d
          "2x3, stride over the window"
          { plain (Window(2, 3, StrideHeight = 3, StrideWidth = 4)) with
              Height = [ 2; 6 ]
              Width = [ 3; 9 ] }
      conv2d "3x2, stride under the window" { plain (Window(3, 2, StrideHeight = 2)) with Height = [ 3; 6; 7 ] }
      conv2d
          "columns in no window"
          { plain (Window(1, 1, StrideHeight = 2, StrideWidth = 3)) with
              Width = [ 1; 5; 6 ] }
      conv2d "padding on each side its own" (plain (Window(3, 3, PadTop = 1, PadBottom = 0, PadLeft = 2, PadRight = 3)))
      conv2d
          "padding over half the window"
          { plain (Window.Square(2, 1, 3)) with
              Height = [ 1; 2 ]
              Width = [ 1; 3 ] }
      conv2d
          "dilated, strided and padded"
          { plain (Window.Square(3, 2, 2, 2)) with
              Height = [ 3; 6 ]
              Width = [ 5; 8 ] }
      conv2d
          "in 2 groups"
          { plain (Window.Square(3, 1, 1)) with
              Groups = 2
              Inputs = [ 1; 2; 17 ]
              Outputs = [ 1; 3; 17 ] }
      conv2d "in 3 groups, strided" { plain (Window.Square(2, 2)) with Groups = 3 }
      yield!
          [ for channels in [ 1; 7; 23; 24; 25 ] do
                conv2d
                    $"depthwise, {channels} channels"
                    { plain (Window.Square(3, 1, 1)) with
                        Groups = channels
                        Width = [ 4; 9; 16 ]
                        Inputs = [ 1 ]
                        Outputs = [ 1 ] } ]
      conv2d
          "depthwise, strided"
          { plain (Window.Square(3, 2, 1)) with
              Groups = 5
              Inputs = [ 1 ]
              Outputs = [ 1 ]
              Width = [ 9; 17 ] }
      conv2d
          "two outputs of every channel"
          { plain (Window.Square(2, 1)) with
              Groups = 4
              Inputs = [ 1 ]
              Outputs = [ 2 ] }
      transposed "2x2 stride 2" 0 (plain (Window.Square(2, 2)))
      transposed "3x3 stride 2 padded, one more" 1 (plain (Window.Square(3, 2, 1)))
      transposed "in 2 groups, dilated" 0 { plain (Window.Square(2, 1, 1, 2)) with Groups = 2 }
      transposed "stride over the window" 0 (plain (Window(1, 2, StrideHeight = 2, StrideWidth = 3))) ]

/// Convolutions that are products of matrices.
let products: Operation list =
    [ conv2d
          "1x1"
          { plain (window 1) with
              Inputs = [ 1; 3; 17 ]
              Outputs = [ 1; 5; 33 ] } ]

let private numbers seed (extents: int list) : Tensor = Numbers.tensor Ordinary seed extents

let private both (check: ElementType -> Evidence list) =
    Evidence.worst
        [ for element in [ ElementType.Float32; ElementType.Float64 ] do
              yield! check element ]

let private close where (a: Tensor) (b: Tensor) =
    let x, y = a.ToArray<float>(), b.ToArray<float>()
    let scale = Array.fold (fun m v -> max m (abs v)) 1.0 y
    let bound = if a.ElementType = ElementType.Float64 then 1e-13 else 1e-5
    Evidence.within where bound (Array.fold2 (fun m p q -> max m (abs (p - q))) 0.0 x y / scale)

let private channels from count (t: Tensor) : Tensor = Slice.Forward(t, -1, from, count)

let private blocks =
    Law.fact "groups are blocks of channels" "Conv2d" (fun () ->
        both (fun element ->
            let x, w = (numbers 1UL [ 2; 5; 6; 8 ]).To element, (numbers 2UL [ 3; 3; 4; 6 ]).To element
            let win = Window.Square(3, 1, 1)
            let whole = Conv2d.Forward(x, w, win, null, 2)
            let part k : Tensor = Conv2d.Forward(channels (4 * k) 4 x, channels (3 * k) 3 w, win)
            [ close "two groups and two convolutions" whole (Concat.Forward(-1, part 0, part 1)) ]))

let private stuffed =
    Law.fact "a dilated window is one stuffed with zeros" "Conv2d" (fun () ->
        both (fun element ->
            let x, w = (numbers 1UL [ 2; 9; 8; 3 ]).To element, (numbers 2UL [ 2; 3; 3; 5 ]).To element
            let flat = w.ToArray<float>()

            let wide =
                Array.init (3 * 5 * 15) (fun i ->
                    let u, v, rest = i / 75, i / 15 % 5, i % 15
                    if u % 2 = 0 && v % 2 = 0 then flat[(u / 2 * 3 + v / 2) * 15 + rest] else 0.0)

            let stuffed = (Tensor.Of<float>(ReadOnlySpan<float> wide, Shape [| 3; 5; 3; 5 |])).To element
            let dilated = Conv2d.Forward(x, w, Window(2, 3, DilationHeight = 2, DilationWidth = 2))
            [ close "dilated and stuffed" dilated (Conv2d.Forward(x, stuffed, Window(3, 5))) ]))

let private delta =
    Law.fact "the window with a one in its middle is the identity, exactly" "Conv2d" (fun () ->
        both (fun element ->
            let x = (numbers 3UL [ 2; 5; 7; 4 ]).To element
            let one = Array.init (9 * 16) (fun i -> if i / 16 = 4 && i % 16 / 4 = i % 4 then 1.0 else 0.0)
            let w = (Tensor.Of<float>(ReadOnlySpan<float> one, Shape [| 3; 3; 4; 4 |])).To element
            [ Evidence.exact "x" ((Conv2d.Forward(x, w, Window.Square(3, 1, 1))).SameBits x) ]))

let private moves =
    Law.fact "a moved image gives the moved output, exactly" "Conv2d" (fun () ->
        both (fun element ->
            let x, w = (numbers 4UL [ 1; 9; 9; 3 ]).To element, (numbers 5UL [ 3; 3; 3; 5 ]).To element
            let part r c n (t: Tensor) : Tensor = Slice.Forward(Slice.Forward(t, 1, r, n), 2, c, n)
            let whole = Conv2d.Forward(x, w, Window.Square 3)

            [ for r in 0..2 do
                  for c in 0..2 do
                      let moved = Conv2d.Forward(part r c 7 x, w, Window.Square 3)
                      Evidence.exact $"by {r} and {c}" (moved.SameBits(part r c 5 whole)) ]))

let private fused =
    Law.fact "an activation in the same pass is one after it, exactly" "Conv2d" (fun () ->
        both (fun element ->
            let x, w = (numbers 6UL [ 2; 6; 5; 3 ]).To element, (numbers 7UL [ 3; 3; 3; 18 ]).To element
            let b = (numbers 8UL [ 18 ]).To element
            let y: Tensor = Conv2d.Forward(x, w, Window.Square(3, 1, 1), b)
            let with' activation : Tensor = Conv2d.Forward(x, w, Window.Square(3, 1, 1), b, 1, activation)

            [ Evidence.exact "relu" ((with' Activation.Relu).SameBits(Relu.Forward y))
              Evidence.exact "sigmoid" ((with' Activation.Sigmoid).SameBits(Sigmoid.Forward y))
              Evidence.exact "tanh" ((with' Activation.Tanh).SameBits(Tanh.Forward y)) ]))

let private raises<'e when 'e :> exn> where (work: unit -> unit) =
    let thrown =
        try
            work ()
            false
        with :? 'e ->
            true

    Evidence.exact where thrown

let private refused =
    Law.fact "what does not fit is refused" "Conv2d" (fun () ->
        let zeros (e: int list) : Tensor = Tensor.Zeros(ElementType.Float32, Shape(ReadOnlySpan<int>(List.toArray e)))
        let run x w (window: Window) groups () = Conv2d.Forward(zeros x, zeros w, window, null, groups) |> ignore

        Evidence.worst
            [ raises<ShapeException> "groups that do not divide" (run [ 1; 4; 4; 5 ] [ 3; 3; 2; 4 ] (Window.Square 3) 2)
              raises<ShapeException> "outputs that groups do not divide" (run [ 1; 4; 4; 4 ] [ 3; 3; 2; 5 ] (Window.Square 3) 2)
              raises<ShapeException> "a window over the image" (run [ 1; 2; 4; 3 ] [ 3; 3; 3; 4 ] (Window.Square 3) 1)
              raises<ShapeException> "weights of another size" (run [ 1; 4; 4; 3 ] [ 2; 3; 3; 4 ] (Window.Square 3) 1)
              raises<ShapeException> "weights of other channels" (run [ 1; 4; 4; 3 ] [ 3; 3; 4; 4 ] (Window.Square 3) 1)
              raises<ShapeException> "an image of rank 3" (run [ 4; 4; 3 ] [ 3; 3; 3; 4 ] (Window.Square 3) 1)
              raises<ShapeException> "an output past the largest count" (run [ 1; 1; 1; 1 ] [ 1; 1; 1; 64 ] (Window.Square(1, 1, 4000)) 1)
              raises<InvalidArgumentException> "a stride of 0" (run [ 1; 4; 4; 3 ] [ 3; 3; 3; 4 ] (Window.Square(3, 0)) 1)
              raises<InvalidArgumentException> "a negative padding" (run [ 1; 4; 4; 3 ] [ 3; 3; 3; 4 ] (Window.Square(3, 1, -1)) 1)
              raises<InvalidArgumentException> "no group" (run [ 1; 4; 4; 3 ] [ 3; 3; 3; 4 ] (Window.Square 3) 0) ])

/// The largest error, and the largest one beside the sum of the sizes of what is summed.
let private errors (got: Tensor) (exact: Tensor) (sizes: Tensor) =
    let got, exact, sizes = got.ToArray<float>(), exact.ToArray<float>(), sizes.ToArray<float>()
    let error = Array.map2 (fun g e -> abs (g - e)) got exact
    Array.max error / Array.max sizes, Array.map2 (fun e s -> e / (s + 1e-30)) error sizes |> Array.max

/// Winograd's transform trades multiplications for rounding, which it shares out among neighbouring outputs: bounded beside the largest sum.
let private transformed =
    let bound = 1e-5

    let check seed (n, height, width, inputs, outputs, pads: Window) =
        let single: Tensor -> Tensor = fun t -> t.To ElementType.Float32
        let size: Tensor -> Tensor = fun t -> t.Map abs
        let x, w = numbers seed [ n; height; width; inputs ], numbers (seed + 1UL) [ 3; 3; inputs; outputs ]
        let y: Tensor = Conv2d.Forward(x, w, pads)
        let dy = numbers (seed + 2UL) (List.ofArray (y.Shape.Extents.ToArray()))
        let forward f exact (x: Tensor) (w: Tensor) : Tensor = Conv2d.Forward(f x, f w, pads, null, 1, Activation.Identity, exact)
        let backward f exact (dy: Tensor) (w: Tensor) : Tensor = Conv2d.BackwardInput(f dy, f w, pads, height, width, 1, exact)
        let weight f exact (x: Tensor) (dy: Tensor) : Tensor = Conv2d.BackwardWeight(f x, f dy, f w, pads, 1, exact)

        [ for name, run, a, b in [ "y", forward, x, w; "dx", backward, dy, w; "dw", weight, x, dy ] do
              let exact, sizes = run id false a b, run id false (size a) (size b)
              let where what = $"{name} {what}of {n}x{height}x{width}x{inputs} to {outputs}"
              Evidence.within (where "") bound (fst (errors (run single false a b) exact sizes))
              Evidence.within (where "exact ") 2e-6 (snd (errors (run single true a b) exact sizes)) ]

    let sides t b l r = Window(3, 3, PadTop = t, PadBottom = b, PadLeft = l, PadRight = r)

    Law.fact "3 x 3 taps in float32 lie within 1e-5 of the largest sum, exact ones within their rounding" "Conv2d" (fun () ->
        Evidence.worst
            [ yield! check 1UL (2, 16, 16, 16, 16, sides 1 1 1 1)
              yield! check 2UL (1, 33, 17, 17, 31, sides 1 1 1 1)
              yield! check 3UL (3, 13, 22, 64, 33, sides 0 0 0 0)
              yield! check 4UL (2, 9, 30, 24, 70, sides 2 0 1 2)
              yield! check 5UL (1, 56, 8, 32, 16, sides 0 2 3 1)
              yield! check 6UL (5, 4, 4, 130, 65, sides 1 1 1 1) ])

/// The laws of this file.
let laws: Law list = [ transformed; blocks; stuffed; delta; moves; fused; refused ]

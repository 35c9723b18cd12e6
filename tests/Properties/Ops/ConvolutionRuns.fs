/// How convolutions are run does not show: threads, and weights kept from one use to the next.
module DL.Properties.Ops.ConvolutionRuns

open DL.Core
open DL.Core.Ops
open DL.Laws
open DL.Properties.Cases

let private drawn seed (extents: int list) : Tensor = Numbers.tensor Ordinary seed extents

// Threads share images, rows of few images, outputs where weights outweigh the images, and tiles of one block.
let private anyThreads =
    Law.fact "the bits do not depend on the number of threads" "Conv2d" (fun () ->
        let single seed sizes = (drawn seed sizes).To ElementType.Float32

        let run (images, side, inputs, outputs, groups, stride, activation) exact threads : Tensor list =
            let window = Window.Square(3, stride, 1)
            let x, w = single 1UL [ images; side; side + 1; inputs ], single 2UL [ 3; 3; inputs / groups; outputs ]

            withThreads threads (fun () ->
                let y: Tensor = Conv2d.Forward(x, w, window, single 3UL [ outputs ], groups, activation, exact)
                let dx = Conv2d.BackwardInput(y, w, window, side, side + 1, groups, exact)
                [ y; dx; Conv2d.BackwardWeight(x, y, w, window, groups, exact) ])

        Evidence.worst
            [ for case in
                  [ 3, 18, 20, 24, 1, 1, Activation.Identity
                    1, 16, 32, 40, 1, 1, Activation.Relu
                    1, 4, 64, 100, 1, 1, Activation.Sigmoid
                    2, 5, 40, 130, 2, 2, Activation.Relu
                    5, 3, 48, 170, 1, 1, Activation.Tanh
                    41, 6, 40, 33, 1, 2, Activation.Identity ] do
                  for exact in [ true; false ] do
                      for threads in [ 2; 3; 5 ] do
                          for one, more in List.zip (run case exact 1) (run case exact threads) do
                              Evidence.exact $"{case}, exact {exact}, {threads} threads" (one.SameBits more) ])

// Many pixels of few outputs are summed where they lie, fetched ahead: no other shapes here are large enough for it.
let private tall =
    Law.fact "a pointwise convolution of many pixels is a product of its pixels" "Conv2d" (fun () ->
        let one (images, height, width) inputs outputs (kind: ElementType) =
            let rounded seed sizes = (drawn seed sizes).To kind
            let x, w = rounded 1UL [ images; height; width; inputs ], rounded 2UL [ 1; 1; inputs; outputs ]
            let dy = rounded 3UL [ images; height; width; outputs ]
            let exact (t: Tensor) (columns: int) = (t.To ElementType.Float64).Reshape([| t.Count / columns; columns |])
            let pixels, weight = exact x inputs, exact w outputs
            let struct (_, expected, _) = Linear.Backward(exact dy outputs, pixels, weight, null, Linear.Forward(pixels, weight))
            let on threads : Tensor = withThreads threads (fun () -> Conv2d.BackwardWeight(x, dy, w, Window(1, 1)))
            let got = on 1
            let tolerance = if kind = ElementType.Float64 then 1e-13 else 1e-5
            let case = $"{images} images, {inputs} to {outputs}, {kind}"

            [ close $"{case}: the gradient of the weights" tolerance expected (exact got outputs)
              close $"{case}: the outputs" tolerance (Linear.Forward(pixels, weight)) (exact (Conv2d.Forward(x, w, Window(1, 1))) outputs)
              Evidence.exact $"{case}: 3 threads give the same bits" (got.SameBits(on 3)) ]
            |> Evidence.worst

        Evidence.worst
            [ for inputs in [ 1; 9; 17; 64; 100 ] do
                  for outputs in [ 1; 31; 33; 128; 129 ] do
                      one (3, 46, 45) inputs outputs ElementType.Float32
                      one (3, 46, 45) inputs outputs ElementType.Float64
              // More images than parts they are shared out in.
              for inputs, outputs in [ 1, 33; 20, 8 ] do
                  one (35, 46, 45) inputs outputs ElementType.Float32
                  one (35, 46, 45) inputs outputs ElementType.Float64 ])

// Images are shared out in parts, each summed by itself: one image, one a part, and several a part, by every kernel there is.
let private additive =
    Law.fact "the gradient of the weights of a batch is the sum of those of its images" "Conv2d" (fun () ->
        let one (images, height, width, inputs, outputs, taps, stride, groups, exact) (kind: ElementType) =
            let rounded seed sizes = (drawn seed sizes).To kind
            let window = Window.Square(taps, stride, taps / 2)
            let x, w = rounded 1UL [ images; height; width; inputs ], rounded 2UL [ taps; taps; inputs / groups; outputs ]
            let dy = (rounded 3UL [ images; (height - 1) / stride + 1; (width - 1) / stride + 1; outputs ])

            let gradient (x: Tensor) (dy: Tensor) = numbers (Conv2d.BackwardWeight(x, dy, w, window, groups, exact))

            let each = [ for i in 0 .. images - 1 -> gradient (Slice.Forward(x, 0, i, 1)) (Slice.Forward(dy, 0, i, 1)) ]

            let sum = each |> List.reduce (Array.map2 (+))
            let whole = gradient x dy
            let scale = sum |> Array.map abs |> Array.max
            let worst = Array.map2 (fun a b -> abs (a - b)) sum whole |> Array.max
            let bound = if kind = ElementType.Float64 then 1e-13 else 2e-5

            Evidence.within
                $"{images} images, {inputs} to {outputs}, {taps} taps, stride {stride}, {groups} groups, {kind}"
                bound
                (worst / scale)

        Evidence.worst
            [ for images in [ 1; 3; 16; 17; 37 ] do
                  for kind in [ ElementType.Float32; ElementType.Float64 ] do
                      one (images, 9, 8, 1, 6, 5, 1, 1, false) kind
                      one (images, 9, 8, 3, 7, 3, 1, 1, true) kind
                      one (images, 9, 8, 20, 24, 3, 1, 1, true) kind
                      one (images, 9, 8, 20, 24, 3, 1, 1, false) kind
                      one (images, 9, 8, 20, 24, 3, 2, 1, true) kind
                      one (images, 9, 8, 24, 24, 3, 1, 24, true) kind
                      one (images, 9, 8, 24, 36, 3, 1, 3, true) kind
                      one (images, 9, 8, 33, 5, 1, 1, 1, true) kind ])

// Kernels are chosen by the number of outputs: few are made as planes, more as the lanes of a vector.
let private independent =
    Law.fact "an output does not depend on those beside it" "Conv2d" (fun () ->
        let one (images, height, width, inputs, outputs, high, wide, before, after) (kind: ElementType) =
            let rounded seed sizes = (drawn seed sizes).To kind
            let window = Window(high, wide, PadTop = before, PadBottom = after, PadLeft = before, PadRight = after)
            let x, w, more = rounded 1UL [ images; height; width; inputs ], rounded 2UL [ high; wide; inputs; outputs ], 40
            let both: Tensor = Concat.Forward(3, w, rounded 4UL [ high; wide; inputs; more ])
            let bias, moreBias = rounded 5UL [ outputs ], rounded 6UL [ more ]
            let forward (w: Tensor) (b: Tensor) : Tensor = Conv2d.Forward(x, w, window, b, 1, Activation.Tanh, true)
            let y, wider = forward w bias, forward both (Concat.Forward(0, bias, moreBias))
            let slopes seed channels = rounded seed [ images; y.Shape[1]; y.Shape[2]; channels ]
            let dy, moreDy = slopes 3UL outputs, slopes 7UL more
            let dw: Tensor = Conv2d.BackwardWeight(x, dy, w, window, 1, true)
            let dboth = Conv2d.BackwardWeight(x, Concat.Forward(3, dy, moreDy), both, window, 1, true)
            let tolerance = if kind = ElementType.Float64 then 1e-13 else 1e-5
            let case = $"{images} of {height} x {width}, {inputs} to {outputs}, {high} x {wide}, {kind}"

            [ close $"{case}: the outputs" tolerance (Slice.Forward(wider, 3, 0, outputs)) y
              close $"{case}: the gradient of the weights" tolerance (Slice.Forward(dboth, 3, 0, outputs)) dw ]
            |> Evidence.worst

        Evidence.worst
            [ for outputs in 1..9 do
                  for kind in [ ElementType.Float32; ElementType.Float64 ] do
                      one (1, 8, 8, 1, outputs, 5, 5, 2, 2) kind
                      one (3, 9, 11, 1, outputs, 3, 2, 0, 1) kind
                      one (2, 70, 3, 2, outputs, 1, 3, 1, 1) kind
                      one (2, 4, 37, 4, outputs, 4, 5, 3, 0) kind
                      one (1, 1, 90, 3, outputs, 1, 2, 0, 0) kind ])

/// Weights that are used again are kept as the kernels read them: in every layout the bits are those of fresh weights.
let private again =
    Law.fact "weights used again give the same bits" "Conv2d" (fun () ->
        let x = (drawn 1UL [ 2; 16; 15; 32 ]).To ElementType.Float32
        let fresh () = (drawn 2UL [ 3; 3; 32; 40 ]).To ElementType.Float32
        let kept = fresh ()

        let uses: (string * (Tensor -> Tensor)) list =
            [ "transformed", (fun w -> Conv2d.Forward(x, w, Window.Square(3, 1, 1)))
              "exact", (fun w -> Conv2d.Forward(x, w, Window.Square(3, 1, 1), null, 1, Activation.Identity, true))
              "strided", (fun w -> Conv2d.Forward(x, w, Window.Square(3, 2, 1)))
              "another image", (fun w -> Conv2d.Forward(Slice.Forward(x, 1, 3, 7), w, Window.Square(3, 2, 1))) ]

        Evidence.worst
            [ for name, run in uses @ List.rev uses @ uses do
                  for time in 1..3 do
                      Evidence.exact $"{name}, time {time}" ((run kept).SameBits(run (fresh ()))) ])

/// The laws of this file.
let laws: Law list = [ additive; again; anyThreads; independent; tall ]

/// Wrong Backwards of operations over images.
module DL.Properties.Mutants.Images

open DL.Core
open DL.Core.Ops
open DL.Laws
open DL.Properties.Ops

let private find name variant (operations: Operation list) = operations |> List.find (fun o -> o.Name = name && o.Variant = variant)

let private wrong (operation: Operation) (backward: Tensor -> Tensor -> Tensor -> Tensor) =
    operation,
    { operation with
        Backward = fun _ x y dy -> [| backward x[0] y[0] dy[0] |] }

let private halves = Window.Square(2, 2)
let private largest = find "MaxPool2d" "2x2" Pooling.operations
let private overlapping = find "MaxPool2d" "3x3 overlapping" Pooling.operations
let private mean = find "AveragePool2d" "3x3 stride 2 padded" Pooling.operations
let private inside = find "AveragePool2d" "3x3 stride 2 padded, padding not counted" Pooling.operations
let private nearest = find "Upsample2d" "Nearest, twice" Resampling.operations
let private bilinear = find "Upsample2d" "Bilinear, to 5x9" Resampling.operations
let private shuffle = find "PixelShuffle" "by 2" Resampling.operations

/// Every number that equals its window's largest takes the gradient.
let private everyTie (x: Tensor) (y: Tensor) (dy: Tensor) : Tensor =
    let rows, columns, channels = y.Shape[1], y.Shape[2], y.Shape[3]
    let from, top, gradient = x.ToArray<float>(), y.ToArray<float>(), dy.ToArray<float>()

    let at i =
        let c, pixel = i % channels, i / channels
        let w, h, image = pixel % x.Shape[2], pixel / x.Shape[2] % x.Shape[1], pixel / x.Shape[2] / x.Shape[1]

        if h / 2 < rows && w / 2 < columns then
            Some(((image * rows + h / 2) * columns + w / 2) * channels + c)
        else
            None

    let dx =
        from
        |> Array.mapi (fun i v ->
            match at i with
            | Some o when top[o] = v -> gradient[o]
            | _ -> 0.0)

    (Tensor.Of<float>(System.ReadOnlySpan<float> dx, x.Shape)).To x.ElementType

/// Windows that overlap share a gradient instead of adding theirs.
let private limited (x: Tensor) (_: Tensor) (dy: Tensor) : Tensor =
    let dx = MaxPool2d.Backward(dy, x, Window.Square(3, 1))
    let least, most = (dy.ToArray<float>() |> Array.fold min 0.0), (dy.ToArray<float>() |> Array.fold max 0.0)
    let cut = dx.ToArray<float>() |> Array.map (fun v -> min most (max least v))
    (Tensor.Of<float>(System.ReadOnlySpan<float> cut, x.Shape)).To x.ElementType

let private padded = Window.Square(3, 2, 1)

/// The gradients of a convolution with one of them taken by another way: from x, w, dy and the right ones.
let private spoilt variant (change: Tensor -> Tensor -> Tensor -> Tensor[] -> Tensor[]) =
    let right = find "Conv2d" variant Convolutions.operations

    right,
    { right with
        Backward = fun case x y dy -> change x[0] x[1] dy[0] (right.Backward case x y dy) }

let private flipped (w: Tensor) : Tensor =
    let s, n = w.Shape, w.Shape[2] * w.Shape[3]
    let from = w.ToArray<float>()
    let taps = s[0] * s[1]

    (Tensor.Of<float>(System.ReadOnlySpan<float>(Array.init from.Length (fun i -> from[(taps - 1 - i / n) * n + i % n])), s)).To
        w.ElementType

let private overRows = "3x3 over rows of more than a tile"
let private under = "3x2, stride under the window"
let private ownSides = "padding on each side its own"

let private back dy w window (x: Tensor) : Tensor = Conv2d.BackwardInput(dy, w, window, x.Shape[1], x.Shape[2])

let private convolutions =
    [ "Conv2d: window not turned round in dx", spoilt overRows (fun x w dy g -> [| back dy (flipped w) (Window.Square 3) x; g[1]; g[2] |])
      "Conv2d: window turned round in dw", spoilt overRows (fun _ _ _ g -> [| g[0]; flipped g[1]; g[2] |])
      "Conv2d: dw of the mean over positions",
      spoilt overRows (fun _ _ dy g -> [| g[0]; Scale.Forward(g[1], 1.0 / float (max 2 dy.Shape.Rows)); g[2] |])
      "Conv2d: stride forgotten in dw",
      spoilt under (fun x w dy g ->
          let dense: Tensor = Upsample2d.Forward(dy, x.Shape[1] - 2, x.Shape[2] - 1)
          [| g[0]; Conv2d.BackwardWeight(x, dense, w, Window(3, 2)); g[2] |])
      "Conv2d: padding of the other side in dx",
      spoilt ownSides (fun x w dy g -> [| back dy w (Window(3, 3, PadTop = 0, PadBottom = 1, PadLeft = 3, PadRight = 2)) x; g[1]; g[2] |])
      "Conv2d: bias gradient of the first position",
      spoilt overRows (fun _ _ dy g ->
          let first =
              if dy.Count = 0 then
                  g[2]
              else
                  (Slice.Forward(Slice.Forward(Slice.Forward(dy, 0, 0, 1), 1, 0, 1), 2, 0, 1)).Reshape g[2].Shape

          [| g[0]; g[1]; first |]) ]

let private poolings =
    [ "MaxPool2d: every tie takes the gradient", wrong largest everyTie
      "MaxPool2d: an even share instead of the largest", wrong largest (fun x _ dy -> AveragePool2d.Backward(dy, x.Shape, halves))
      "MaxPool2d: overlapping windows do not add", wrong overlapping limited
      "AveragePool2d: padding left out of the count", wrong mean (fun x _ dy -> AveragePool2d.Backward(dy, x.Shape, padded, false))
      "AveragePool2d: padding counted", wrong inside (fun x _ dy -> AveragePool2d.Backward(dy, x.Shape, padded, true))
      "Upsample2d: one copy instead of the sum of all", wrong nearest (fun x _ dy -> Upsample2d.Forward(dy, x.Shape[1], x.Shape[2]))
      "Upsample2d: resampled back instead of transposed",
      wrong bilinear (fun x _ dy -> Upsample2d.Forward(dy, x.Shape[1], x.Shape[2], Interpolation.Bilinear))
      "Upsample2d: other corners", wrong bilinear (fun x _ dy -> Upsample2d.Backward(dy, x.Shape, Interpolation.BilinearCorners))
      "PixelShuffle: pixels before channels",
      wrong shuffle (fun x _ dy ->
          let s = x.Shape
          let split: Tensor = dy.Reshape(s[0], s[1], 2, s[2], 2, s[3] / 4)
          (Transpose.Forward(split, 0, 1, 3, 2, 4, 5)).Reshape s) ]

/// What is wrong, the right operation, the wrong one.
let mutants: (string * Operation * Operation) list =
    [ for fault, (right, mutant) in convolutions @ poolings -> fault, right, mutant ]

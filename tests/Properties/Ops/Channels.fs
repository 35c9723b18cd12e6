/// What treats the channels of images apart: group norm, scaling, spatial dropout; and convolution along time.
module DL.Properties.Ops.Channels

open System
open DL.Core
open DL.Core.Ops
open DL.Core.Random
open DL.Laws
open DL.Properties.Cases

let private around = OneOf [ 1; 2; 15; 16; 17; 23; 24; 25 ]

let private scaleChannels: Operation =
    { Name = "ScaleChannels"
      Variant = ""
      Sizes = [ OneOf [ 1; 2; 3; 0 ]; OneOf [ 1; 2; 7; 65; 0 ]; around ]
      Numbers = Numbers.all
      Inputs = fun sizes -> [ sizes; [ sizes[0]; sizes[2] ] ]
      Domain = fun _ x -> x
      Forward = fun _ x -> [| ScaleChannels.Forward(x[0], x[1]) |]
      Backward =
        fun _ x _ dy ->
            let struct (dx, ds) = ScaleChannels.Backward(dy[0], x[0], x[1])
            [| dx; ds |]
      Formula =
        fun case x ->
            let pixels, channels = case.Sizes[1], case.Sizes[2]
            [| x[0] |> Array.mapi (fun i v -> v * x[1][i / (pixels * channels) * channels + i % channels]) |]
      Homogeneous = 0 }

let private groupNorm variant groups epsilon : Operation =
    let forward (x: Tensor[]) = GroupNorm.Forward(x[0], x[1], x[2], groups, epsilon)

    { Name = "GroupNorm"
      Variant = variant
      Sizes = [ OneOf [ 1; 2; 3; 0 ]; OneOf [ 1; 2; 7; 129 ]; OneOf([ 1; 2; 8; 9 ]) ]
      Numbers = Numbers.all
      Inputs =
        fun sizes ->
            let channels = groups * sizes[2]
            [ [ sizes[0]; sizes[1]; channels ]; [ channels ]; [ channels ] ]
      Domain = fun _ x -> x
      Forward =
        fun _ x ->
            let struct (y, _, _) = forward x
            [| y |]
      Backward =
        fun _ x _ dy ->
            let struct (_, mean, variance) = forward x
            let struct (dx, dgamma, dbeta) = GroupNorm.Backward(dy[0], x[0], x[1], x[2], mean, variance, groups, epsilon)
            [| dx; dgamma; dbeta |]
      Formula =
        fun case x ->
            let n, pixels, width = case.Sizes[0], case.Sizes[1], case.Sizes[2]
            let channels = groups * width
            let place image g k = (image * pixels + k / width) * channels + g * width + k % width
            let y = Array.zeroCreate x[0].Length

            for image in 0 .. n - 1 do
                for g in 0 .. groups - 1 do
                    Array.init (pixels * width) (fun k -> x[0][place image g k])
                    |> Reference.standardize epsilon
                    |> Array.iteri (fun k v -> y[place image g k] <- v)

            [| Reference.affine x[1] x[2] y |]
      Homogeneous = -1 }

let private key (seed: uint64) = Key(seed, 5u, 1u)

let private kept p (case: OperationCase) =
    let ones: Tensor = Tensor.Filled(ElementType.Float64, Shape(ReadOnlySpan<int> [| case.Sizes[0]; case.Sizes[2] |]), 1.0)
    numbers (Dropout.Forward(ones, p, key case.Seed))

let private channelDropout p : Operation =
    { scaleChannels with
        Name = "ChannelDropout"
        Variant = $"p {p}"
        Inputs = List.singleton
        Forward = fun case x -> [| ChannelDropout.Forward(x[0], p, key case.Seed) |]
        Backward = fun case _ _ dy -> [| ChannelDropout.Backward(dy[0], p, key case.Seed) |]
        Formula =
            fun case x ->
                let mask, pixels, channels = kept p case, case.Sizes[1], case.Sizes[2]
                [| x[0] |> Array.mapi (fun i v -> mask[i / (pixels * channels) * channels + i % channels] * v) |] }

/// A convolution along time by direct loops: groups of channels, a window of one row.
let private conv1d variant (w: Window) groups : Operation =
    let shape (sizes: int list) = sizes[0], sizes[1], sizes[2], sizes[3]

    { Name = "Conv1d"
      Variant = variant
      Sizes = [ OneOf [ 1; 2; 0 ]; OneOf [ 5; 8; 19 ]; OneOf [ 1; 3; 16; 17 ]; OneOf [ 1; 2; 17 ] ]
      Numbers = [ Ordinary; Kinks; Ties; EqualRows; ConstantRows; UnequalRows; Large ]
      Inputs =
        fun sizes ->
            let n, time, inputs, outputs = shape sizes
            [ [ n; time; inputs * groups ]; [ w.Width; inputs; outputs * groups ]; [ outputs * groups ] ]
      Domain = fun _ x -> x
      Forward = fun _ x -> [| Conv1d.Forward(x[0], x[1], w, x[2], groups) |]
      Backward =
        fun _ x _ dy ->
            [| Conv1d.BackwardInput(dy[0], x[1], w, x[0].Shape[1], groups)
               Conv1d.BackwardWeight(x[0], dy[0], x[1], w, groups)
               Linear.BackwardBias(dy[0], x[2]) |]
      Formula =
        fun case x ->
            let n, time, inputs, outputs = shape case.Sizes
            let positions = (time + w.PadLeft + w.PadRight - (w.Width - 1) * w.DilationWidth - 1) / w.StrideWidth + 1

            let output image i o =
                let products =
                    [| for v in 0 .. w.Width - 1 do
                           let t = i * w.StrideWidth + v * w.DilationWidth - w.PadLeft

                           if t >= 0 && t < time then
                               for c in 0 .. inputs - 1 do
                                   x[0][(image * time + t) * inputs * groups + o / outputs * inputs + c]
                                   * x[1][(v * inputs + c) * outputs * groups + o] |]

                if products.Length = 0 then x[2][o] else Dual.sum products + x[2][o]

            [| [| for image in 0 .. n - 1 do
                      for i in 0 .. positions - 1 do
                          for o in 0 .. outputs * groups - 1 do
                              output image i o |] |]
      Homogeneous = 0 }

/// The operations of this file that do not multiply matrices.
let operations: Operation list =
    [ scaleChannels
      groupNorm "in 1 group" 1 1e-5
      groupNorm "in 3 groups" 3 1e-5
      groupNorm "in 8 groups" 8 1e-2
      channelDropout 0.3
      channelDropout 0.9
      conv1d "3" (Window(1, 3)) 1
      conv1d "causal and dilated" (Window(1, 3, PadLeft = 4, DilationWidth = 2)) 1
      conv1d "4, stride 2, in 2 groups" (Window(1, 4, StrideWidth = 2, PadLeft = 1, PadRight = 2)) 2 ]

let private filled (x: Tensor) n value : Tensor = Tensor.Filled(x.ElementType, Shape(ReadOnlySpan<int> [| n |]), value)

let private grouped groups (x: Tensor) : Tensor =
    let n = x.Shape.Last
    let struct (y, _, _) = GroupNorm.Forward(x, filled x n 1.0, filled x n 0.0, groups)
    y

let private layerNorm (x: Tensor) : Tensor =
    let n = x.Shape.Last
    let struct (y, _, _) = LayerNorm.Forward(x, filled x n 1.0, filled x n 0.0)
    y

/// The laws of this file.
let laws: Law list =
    let law name = law "GroupNorm" name Several [ Ordinary; UnequalRows; EqualRows ]

    [ law "1 group is layer norm over the whole image" (fun v ->
          let x = (matrix v 0 7).Reshape(v.Length, 7)
          let image = x.Reshape(1, v.Length, 7)
          close "both" 1e-12 (layerNorm (x.Reshape(1, v.Length * 7))) ((grouped 1 image).Reshape(1, v.Length * 7)))
      law "as many groups as channels norm every channel alone" (fun v ->
          let x = (matrix v 0 7).Reshape(v.Length, 7)
          let alone = Transpose.Forward(layerNorm (Transpose.Forward x))
          close "both" 1e-12 alone ((grouped 7 (x.Reshape(1, v.Length, 7))).Reshape(v.Length, 7)))
      DL.Properties.Cases.law "ChannelDropout" "a channel is dropped whole, whatever it holds" Several [ Ordinary ] (fun v ->
          let x = ((matrix v 0 9).Reshape(v.Length, 9)).Map(fun n -> if n > 0.0 then nan else n)
          let image = x.Reshape(1, v.Length, 9)
          let y = numbers (ChannelDropout.Forward(image, 0.5, key v.Seed)) |> Array.chunkBySize 9 |> Array.transpose
          let mask = numbers (Dropout.Forward(Tensor.Filled(ElementType.Float64, Shape [| 1; 9 |], 1.0), 0.5, key v.Seed))
          Evidence.exact "zeros" (Array.forall2 (fun m column -> m > 0.0 || Array.forall ((=) 0.0) column) mask y)) ]

/// The library's gradients, number by number, beside every oracle there is.
module DL.Properties.Oracles.Agreement

open System
open DL.Core
open DL.Core.Losses
open DL.Core.Ops
open DL.Laws
open DL.Properties.Cases

let private oracles: IGradientOracle list =
    [ DualOracle.DualOracle()
#if DIFFSHARP
      DiffSharpOracle()
#endif
      ]

let private one name forward backward : string * (Tensor list -> Tensor -> Tensor list) =
    name, fun x dy -> [ backward dy x[0] (forward x[0]) ]

/// From the inputs and the gradient of the output to the gradients of the inputs.
let private gradients: (string * (Tensor list -> Tensor -> Tensor list)) list =
    [ one "relu" Relu.Forward (fun dy _ y -> Relu.Backward(dy, y))
      one "leakyRelu" (fun x -> LeakyRelu.Forward(x, 0.01)) (fun dy x _ -> LeakyRelu.Backward(dy, x, 0.01))
      one "sigmoid" Sigmoid.Forward (fun dy _ y -> Sigmoid.Backward(dy, y))
      one "tanh" Tanh.Forward (fun dy _ y -> Tanh.Backward(dy, y))
      one "softplus" Softplus.Forward (fun dy x _ -> Softplus.Backward(dy, x))
      one "silu" Silu.Forward (fun dy x _ -> Silu.Backward(dy, x))
      one "softmax" (fun x -> Softmax.Forward x) (fun dy _ y -> Softmax.Backward(dy, y))
      one "logSoftmax" (fun x -> LogSoftmax.Forward x) (fun dy _ y -> LogSoftmax.Backward(dy, y))
      "linear",
      fun x dy ->
          let y = Linear.Forward(x[0], x[1], x[2])
          let struct (dx, dw, db) = Linear.Backward(dy, x[0], x[1], x[2], y)
          [ dx; dw; nonNull db ]
      "layerNorm",
      fun x dy ->
          let struct (_, mean, rstd) = LayerNorm.Forward(x[0], x[1], x[2], 1e-5)
          let struct (dx, dgamma, dbeta) = LayerNorm.Backward(dy, x[0], x[1], x[2], mean, rstd)
          [ dx; dgamma; dbeta ]
      "meanSquaredError",
      fun x dy ->
          let struct (_, gradient) = MeanSquaredError.Evaluate(x[0], x[1])
          let mine = Scale.Forward(gradient, dy.At 0)
          [ mine; Scale.Forward(mine, -1.0) ] ]

let private shapes name n : struct (int list list * int list) =
    match name with
    | "linear" -> struct ([ [ 3; n ]; [ n; 4 ]; [ 4 ] ], [ 3; 4 ])
    | "layerNorm" -> struct ([ [ 3; n ]; [ n ]; [ n ] ], [ 3; n ])
    | "meanSquaredError" -> struct ([ [ 3; n ]; [ 3; n ] ], [])
    | _ -> struct ([ [ 3; n ] ], [ 3; n ])

let private agree (oracle: IGradientOracle) (name: string, gradient: Tensor list -> Tensor -> Tensor list) : Law =
    // Without numbers at kinks, where oracles choose as they like, and wide enough for a variance.
    law name $"every number of the gradient as by {oracle.Name}" (OneOf [ 3; 5; 8; 9 ]) [ Ordinary ] (fun v ->
        let struct (inputs, output) = shapes name v.Length
        let tensor n extents = Numbers.tensor Ordinary ((Draw v.Seed).Branch(n).Bits()) extents
        let x = inputs |> List.mapi tensor
        let dy = tensor 50 output
        let extents (t: Tensor) = t.Shape.Extents.ToArray()
        let judged = oracle.Vjp(name, x |> List.map (fun t -> extents t, numbers t), numbers dy)

        List.map2 (fun (mine: Tensor) theirs -> close "an input's gradient" 1e-11 mine (like mine theirs)) (gradient x dy) judged
        |> Evidence.worst)

/// The laws of this file.
let laws: Law list =
    [ for oracle in oracles do
          for name, gradient in gradients do
              if oracle.Supports name then
                  agree oracle (name, gradient) ]

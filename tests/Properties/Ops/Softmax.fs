/// Softmax, log-softmax and log-sum-exp along every axis, under their formulas.
module DL.Properties.Ops.Softmax

open DL.Core.Ops
open DL.Laws

let private over name axis forward backward formula : Operation =
    { Operation.unary name (fun x -> forward x axis) (fun x y dy -> backward dy x y axis) (fun extents ->
          Reference.along extents axis formula) with
        Variant = $"over axis {axis}"
        Sizes = List.init 3 (fun i -> if i = axis then Positive else Free)
        Numbers = Numbers.all |> List.except [ Huge ] }

/// The operations of this file.
let operations: Operation list =
    [ for axis in 0..2 do
          over "Softmax" axis (fun x a -> Softmax.Forward(x, a)) (fun dy _ y a -> Softmax.Backward(dy, y, a)) Reference.softmax
          over "LogSoftmax" axis (fun x a -> LogSoftmax.Forward(x, a)) (fun dy _ y a -> LogSoftmax.Backward(dy, y, a)) Reference.logSoftmax

          over "LogSumExp" axis (fun x a -> LogSumExp.Forward(x, a)) (fun dy x y a -> LogSumExp.Backward(dy, x, y, a)) (fun run ->
              [| Reference.logSumExp run |]) ]

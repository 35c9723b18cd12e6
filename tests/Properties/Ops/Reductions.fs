/// Sums, means and maxima under their formulas.
module DL.Properties.Ops.Reductions

open DL.Core
open DL.Core.Ops
open DL.Laws

let private whole name forward backward formula : Operation =
    { Operation.unary name forward (fun x _ dy -> backward dy x) (fun _ x -> [| formula x |]) with
        Variant = "of all"
        Sizes = [ Positive; Positive ] }

let private overAxis name axis forward backward formula : Operation =
    { Operation.unary name (fun x -> forward x axis) (fun x _ dy -> backward dy x axis) (fun extents ->
          Reference.along extents axis (fun run -> [| formula run |])) with
        Variant = $"over axis {axis}"
        Sizes = List.init 3 (fun i -> if i = axis then Positive else Free) }

/// The first maximum takes the whole gradient.
let private maximum (run: Dual[]) = run |> Array.reduce (fun best x -> if x.Value > best.Value then x else best)

let private homogeneous (operation: Operation) = { operation with Homogeneous = 0 }

/// The operations of this file.
let operations: Operation list =
    [ whole "Sum" Sum.Forward (fun dy x -> Sum.Backward(dy, x.Shape)) Dual.sum
      whole "Mean" Mean.Forward (fun dy x -> Mean.Backward(dy, x.Shape)) Dual.mean
      whole "Max" Max.Forward (fun dy x -> Max.Backward(dy, x)) maximum
      for axis in 0..2 do
          overAxis "Sum" axis (fun x a -> Sum.Forward(x, a)) (fun dy x a -> Sum.Backward(dy, x.Shape, a)) Dual.sum
          overAxis "Mean" axis (fun x a -> Mean.Forward(x, a)) (fun dy x a -> Mean.Backward(dy, x.Shape, a)) Dual.mean
          overAxis "Max" axis (fun x a -> Max.Forward(x, a)) (fun dy x a -> Max.Backward(dy, x, a)) maximum ]
    |> List.map homogeneous

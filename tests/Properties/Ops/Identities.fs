/// Identities between activations.
module DL.Properties.Ops.Identities

open DL.Core
open DL.Core.Ops
open DL.Laws
open DL.Properties.Cases

let private negative (x: Tensor) = Scale.Forward(x, -1.0)

let private sizes (x: Tensor) = like x (numbers x |> Array.map (fun v -> 1.0 + abs v))

/// left = right, relative to 1 + |x|.
let private identity subject name (left: Tensor -> Tensor) (right: Tensor -> Tensor) : Law =
    law subject name Free (Numbers.all |> List.except [ Huge ]) (fun v ->
        let x = vector v 0
        let error = Array.map3 (fun a b s -> abs (a - b) / s) (numbers (left x)) (numbers (right x)) (numbers (sizes x))
        Evidence.within "both sides" 1e-14 (Array.fold Evidence.worse 0.0 error))

let private odd name (f: Tensor -> Tensor) = identity name "f(x) - f(-x) = x" (fun x -> Subtract.Forward(f x, f (negative x))) id

/// The laws of this file.
let laws: Law list =
    [ odd "Relu" Relu.Forward
      odd "Gelu" Gelu.Forward
      odd "GeluTanh" GeluTanh.Forward
      odd "Silu" Silu.Forward
      odd "Softplus" Softplus.Forward
      odd "HardSwish" HardSwish.Forward
      identity "Sigmoid" "sigmoid(x) + sigmoid(-x) = 1" (fun x -> Add.Forward(Sigmoid.Forward x, Sigmoid.Forward(negative x))) (fun x ->
          Tensor.Filled(x.ElementType, x.Shape, 1.0))
      identity "Tanh" "tanh x = 2 sigmoid(2x) - 1" Tanh.Forward (fun x ->
          like x (numbers (Sigmoid.Forward(Scale.Forward(x, 2.0))) |> Array.map (fun s -> 2.0 * s - 1.0)))
      identity "Silu" "silu x = x sigmoid x" Silu.Forward (fun x -> Multiply.Forward(x, Sigmoid.Forward x))
      identity "LeakyRelu" "leakyRelu x = relu x - alpha relu(-x)" (fun x -> LeakyRelu.Forward(x, 0.3)) (fun x ->
          Subtract.Forward(Relu.Forward x, Scale.Forward(Relu.Forward(negative x), 0.3))) ]

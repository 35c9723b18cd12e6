/// The affine map, with and without bias and activation, under its formula.
module DL.Properties.Ops.Linear

open DL.Core
open DL.Core.Ops
open DL.Laws

let private affine rows inputs outputs (x: Dual[]) (w: Dual[]) (bias: Dual[]) =
    Array.init (rows * outputs) (fun at ->
        let r, j = at / outputs, at % outputs
        let products = Array.init inputs (fun k -> x[r * inputs + k] * w[k * outputs + j])
        let sum = Dual.sum products
        if bias.Length = 0 then sum else sum + bias[j])

let private formulas =
    [ Activation.Identity, id
      Activation.Relu, Reference.relu
      Activation.Sigmoid, Reference.sigmoid
      Activation.Tanh, Reference.tanh ]

let private linear activation formula (withBias: bool) : Operation =
    let bias (x: Tensor[]) : Tensor | null = if withBias then x[2] else null

    { Name = "Linear"
      Variant = $"""{(string activation).ToLowerInvariant()}{if withBias then "" else ", no bias"}"""
      Sizes = [ Free; Free; Positive ]
      Numbers = [ Ordinary; Kinks; Ties; EqualRows; ConstantRows; UnequalRows; Large ]
      Inputs =
        fun sizes ->
            [ [ sizes[0]; sizes[1] ]
              [ sizes[1]; sizes[2] ]
              if withBias then
                  [ sizes[2] ] ]
      Domain = fun _ x -> x
      Forward = fun _ x -> [| Linear.Forward(x[0], x[1], bias x, activation) |]
      Backward =
        fun _ x y dy ->
            let struct (dx, dw, db) = Linear.Backward(dy[0], x[0], x[1], bias x, y[0], activation)
            [| dx; dw; yield! Option.toList (Option.ofObj db) |]
      Formula =
        fun case x ->
            let b = if withBias then x[2] else [||]
            [| affine case.Sizes[0] case.Sizes[1] case.Sizes[2] x[0] x[1] b |> Array.map formula |]
      Homogeneous = if activation = Activation.Identity then 0 else -1 }

/// The operations of this file.
let operations: Operation list =
    [ for activation, formula in formulas do
          linear activation formula true

      linear Activation.Identity id false ]

/// Rows narrower than a vector get their bias in another way when they are many.
let laws: Law list =
    [ Law.fact "a row alone comes out as among others" "Linear" (fun () ->
          let draw (element: ElementType) salt extents : Tensor =
              (Numbers.tensor Large ((Draw 1UL).Branch(salt).Bits()) extents).To element

          let agree (x: Tensor) w (bias: Tensor | null) activation =
              let all = Linear.Forward(x, w, bias, activation)
              let row i (t: Tensor) : Tensor = Slice.Forward(t, 0, i, 1)
              let alone i = Linear.Forward(row i x, w, bias, activation)
              Evidence.exact $"{w.Shape}, {activation}" (List.forall (fun i -> (alone i).SameBits(row i all)) [ 0; 17; 39 ])

          Evidence.worst
              [ for element in [ ElementType.Float32; ElementType.Float64 ] do
                    for outputs in 1..33 do
                        let x, w = draw element 1 [ 40; 1 ], draw element 2 [ 1; outputs ]

                        for activation, _ in formulas do
                            agree x w (draw element 3 [ outputs ]) activation
                            agree x w null activation ]) ]

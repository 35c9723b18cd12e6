/// Weights that are changed in place: whatever was kept of them from earlier use is not used again.
module DL.Properties.Optimizers.InPlace

open DL
open DL.Core
open DL.Core.Ops
open DL.Core.Optimizers
open DL.Laws
open DL.Properties.Cases

let private numbers seed element (extents: int list) : Tensor =
    (Numbers.tensor Ordinary ((Draw seed).Branch(extents.Length).Bits()) extents).To element

/// Sixteen numbers for a batch norm, the same tensor at every use.
let private sixteen =
    let filled (element: ElementType) (value: float) : Tensor = Tensor.Filled(element, Shape [| 16 |], value)
    let single = filled ElementType.Float32 0.0, filled ElementType.Float32 1.0
    let twice = filled ElementType.Float64 0.0, filled ElementType.Float64 1.0
    fun element -> if element = ElementType.Float32 then single else twice

/// What is computed with weights of a shape, sizes at which prediction keeps them in a layout of its own.
let private uses: (string * int list * (uint64 -> ElementType -> Tensor -> Tensor)) list =
    let image seed element : Tensor = numbers seed element [ 2; 9; 8; 8 ]

    [ "Linear", [ 256; 300 ], (fun seed element w -> Linear.Forward(numbers seed element [ 9; 256 ], w))
      "Conv2d", [ 3; 3; 8; 16 ], (fun seed element w -> Conv2d.Forward(image seed element, w, Window(3, 3)))
      "Conv2d strides", [ 3; 3; 8; 16 ], (fun seed element w -> Conv2d.Forward(image seed element, w, Window(3, 3, StrideHeight = 2)))
      "Conv2d 1x1", [ 1; 1; 256; 300 ], (fun seed element w -> Conv2d.Forward(numbers seed element [ 2; 3; 3; 256 ], w, Window(1, 1)))
      "Conv2d folded",
      [ 3; 3; 8; 16 ],
      (fun seed element w ->
          let zeros, ones = sixteen element
          let struct (weight, bias) = FoldedWeights.Of(w, null, ones, zeros, zeros, ones)
          Conv2d.Forward(image seed element, weight, Window(3, 3), bias)) ]

let private steps: (string * (Tensor -> Tensor -> unit)) list =
    let zeros (w: Tensor) : Tensor = Tensor.Zeros(w.ElementType, w.Shape)

    [ "Sgd", (fun w g -> Sgd.Step(w, g, 0.1))
      "Momentum", (fun w g -> Momentum.Step(w, g, zeros w, MomentumSettings(0.1)))
      "Adam", (fun w g -> Adam.Step(w, g, zeros w, zeros w, AdamSettings 0.1, 1))
      "AdamW", (fun w g -> AdamW.Step(w, g, zeros w, zeros w, AdamWSettings 0.1, 1))
      "LazyAdam", (fun w g -> LazyAdam.Step(w, g, zeros w, zeros w, AdamSettings 0.1, 1))
      "AdaGrad", (fun w g -> AdaGrad.Step(w, g, zeros w, AdaGradSettings 0.1))
      "RmsProp", (fun w g -> RmsProp.Step(w, g, zeros w, RmsPropSettings 0.1))
      "Adadelta", (fun w g -> Adadelta.Step(w, g, zeros w, zeros w, AdadeltaSettings 0.1))
      "ExponentialAverage", (fun w g -> ExponentialAverage.Step(w, g, 0.5))
      "ClipByValue", (fun w _ -> ClipByValue.Apply([| w |], 0.1))
      "ClipByGlobalNorm", (fun w _ -> ClipByGlobalNorm.Apply([| w |], 0.1) |> ignore) ]

/// After as many uses as it likes and a step, a use gives the bits that fresh weights give; and twice the same ones.
let private seen name extents (use': uint64 -> ElementType -> Tensor -> Tensor) =
    law name "after a step in place the new weights are used" (OneOf [ 1 ]) [ Ordinary ] (fun v ->
        let draw = (Draw v.Seed).Branch 5
        let element = if draw.Below 2 = 0 then ElementType.Float32 else ElementType.Float64
        let weights, gradient = numbers v.Seed element extents, numbers (v.Seed + 1UL) element extents

        Evidence.worst
            [ for round in 1..3 do
                  for _ in 1 .. draw.Below 4 do
                      use' v.Seed element weights |> ignore

                  let step, change = steps[draw.Below steps.Length]
                  change weights gradient
                  let expected: Tensor = use' v.Seed element (weights.To element)

                  for time in 1..3 do
                      Evidence.exact $"round {round}, {step}, use {time} after it" ((use' v.Seed element weights).SameBits expected) ])

/// The laws of this file.
let laws: Law list = [ for name, extents, use' in uses -> seen name extents use' ]

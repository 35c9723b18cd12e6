/// The elementwise operations under their formulas.
module DL.Properties.Ops.Elementwise

open DL.Core.Ops
open DL.Laws

let private each (f: Dual -> Dual) = fun (_: int list) -> Array.map f

let private fromInput name forward backward formula = Operation.unary name forward (fun x _ dy -> backward dy x) (each formula)

let private fromOutput name forward backward formula = Operation.unary name forward (fun _ y dy -> backward dy y) (each formula)

let private slopes: Operation list =
    [ for alpha in [ 0.01; 0.3 ] do
          { fromInput
                "LeakyRelu"
                (fun x -> LeakyRelu.Forward(x, alpha))
                (fun dy x -> LeakyRelu.Backward(dy, x, alpha))
                (Reference.leakyRelu alpha) with
              Variant = $"alpha {alpha}"
              Homogeneous = 0 }

      for alpha in [ 1.0; 0.5 ] do
          { fromInput "Elu" (fun x -> Elu.Forward(x, alpha)) (fun dy x -> Elu.Backward(dy, x, alpha)) (Reference.elu alpha) with
              Variant = $"alpha {alpha}" } ]

let private swiglu: Operation =
    { Name = "Swiglu"
      Variant = ""
      Sizes = [ Free; Free ]
      Numbers = Numbers.all |> List.except [ Huge ]
      Inputs = fun sizes -> [ sizes; sizes ]
      Domain = fun _ x -> x
      Forward = fun _ x -> [| Swiglu.Forward(x[0], x[1]) |]
      Backward =
        fun _ x _ dy ->
            let struct (da, db) = Swiglu.Backward(dy[0], x[0], x[1])
            [| da; db |]
      Formula = fun _ x -> [| Array.map2 (fun a b -> Reference.silu a * b) x[0] x[1] |]
      Homogeneous = 1 }

/// The operations of this file.
let operations: Operation list =
    [ { fromOutput "Relu" Relu.Forward (fun dy y -> Relu.Backward(dy, y)) Reference.relu with
          Homogeneous = 0 }
      fromOutput "Relu6" Relu6.Forward (fun dy y -> Relu6.Backward(dy, y)) Reference.relu6
      fromOutput "Sigmoid" Sigmoid.Forward (fun dy y -> Sigmoid.Backward(dy, y)) Reference.sigmoid
      fromOutput "Tanh" Tanh.Forward (fun dy y -> Tanh.Backward(dy, y)) Reference.tanh
      { fromOutput "Exp" Exp.Forward (fun dy y -> Exp.Backward(dy, y)) Reference.exp with
          Numbers = [ Ordinary; Kinks; Ties; EqualRows; Small ] }
      fromInput "Gelu" Gelu.Forward (fun dy x -> Gelu.Backward(dy, x)) Reference.gelu
      fromInput "GeluTanh" GeluTanh.Forward (fun dy x -> GeluTanh.Backward(dy, x)) Reference.geluTanh
      fromInput "Silu" Silu.Forward (fun dy x -> Silu.Backward(dy, x)) Reference.silu
      fromInput "Softplus" Softplus.Forward (fun dy x -> Softplus.Backward(dy, x)) Reference.softplus
      fromInput "HardSigmoid" HardSigmoid.Forward (fun dy x -> HardSigmoid.Backward(dy, x)) Reference.hardSigmoid
      fromInput "HardSwish" HardSwish.Forward (fun dy x -> HardSwish.Backward(dy, x)) Reference.hardSwish
      swiglu
      yield! slopes ]

/// Sums, differences, products, multiples and the bias of rows, under their formulas.
module DL.Properties.Ops.Arithmetic

open DL.Core
open DL.Core.Ops
open DL.Laws

let private binary
    name
    forward
    (backward: Tensor -> Tensor -> Tensor -> struct (Tensor * Tensor))
    (formula: Dual -> Dual -> Dual)
    : Operation =
    { Name = name
      Variant = ""
      Sizes = [ Free; Free ]
      Numbers = Numbers.all
      Inputs = fun sizes -> [ sizes; sizes ]
      Domain = fun _ x -> x
      Forward = fun _ x -> [| forward x[0] x[1] |]
      Backward =
        fun _ x _ dy ->
            let struct (da, db) = backward dy[0] x[0] x[1]
            [| da; db |]
      Formula = fun _ x -> [| Array.map2 formula x[0] x[1] |]
      Homogeneous = 0 }

let private scale factor : Operation =
    { Operation.unary "Scale" (fun x -> Scale.Forward(x, factor)) (fun _ _ dy -> Scale.Backward(dy, factor)) (fun _ ->
          Array.map (fun x -> factor * x)) with
        Variant = $"by {factor}"
        Homogeneous = 0 }

let private addBias: Operation =
    { Name = "AddBias"
      Variant = ""
      Sizes = [ Free; Positive ]
      Numbers = Numbers.all
      Inputs = fun sizes -> [ sizes; [ sizes[1] ] ]
      Domain = fun _ x -> x
      Forward = fun _ x -> [| AddBias.Forward(x[0], x[1]) |]
      Backward = fun _ _ _ dy -> [| dy[0]; AddBias.Backward dy[0] |]
      Formula = fun case x -> [| Reference.rows case.Sizes[1] (Array.mapi (fun i v -> v + x[1][i])) x[0] |]
      Homogeneous = 0 }

/// A sum and the ReLU after it.
let private addRelu: Operation =
    let sum =
        binary "Add" (fun a b -> Add.Forward(a, b, Activation.Relu)) (fun dy _ _ -> Add.Backward dy) (fun a b -> Reference.relu (a + b))

    { sum with
        Variant = "relu"
        Homogeneous = -1
        Backward =
            fun _ _ y dy ->
                let struct (da, db) = Add.Backward(Relu.Backward(dy[0], y[0]))
                [| da; db |] }

/// The operations of this file.
let operations: Operation list =
    [ binary "Add" (fun a b -> Add.Forward(a, b)) (fun dy _ _ -> Add.Backward dy) (+)
      addRelu
      binary "Subtract" (fun a b -> Subtract.Forward(a, b)) (fun dy _ _ -> Subtract.Backward dy) (-)
      binary "Multiply" (fun a b -> Multiply.Forward(a, b)) (fun dy a b -> Multiply.Backward(dy, a, b)) (*)
      scale 0.25
      scale -3.0
      addBias ]

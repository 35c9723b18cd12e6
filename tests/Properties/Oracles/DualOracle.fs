/// The dual numbers as an oracle of whole gradients: one direction for every number of every input.
module DL.Properties.Oracles.DualOracle

open DL.Laws

let private formulas: Map<string, (int[] * Dual[]) list -> Dual[]> =
    let unary f = fun (inputs: (int[] * Dual[]) list) -> Array.map f (snd inputs.Head)
    let rows f = fun (inputs: (int[] * Dual[]) list) -> Reference.rows (Array.last (fst inputs.Head)) f (snd inputs.Head)

    Map
        [ "relu", unary Reference.relu
          "leakyRelu", unary (Reference.leakyRelu 0.01)
          "sigmoid", unary Reference.sigmoid
          "tanh", unary Reference.tanh
          "softplus", unary Reference.softplus
          "silu", unary Reference.silu
          "softmax", rows Reference.softmax
          "logSoftmax", rows Reference.logSoftmax
          "linear",
          fun inputs ->
              let shape = fst inputs[1]
              let products = Reference.product shape[0] shape[1] (snd inputs[0]) (snd inputs[1])
              products |> Array.mapi (fun i v -> v + (snd inputs[2])[i % shape[1]])
          "layerNorm",
          fun inputs ->
              let n = (snd inputs[1]).Length

              snd inputs[0]
              |> Reference.rows n (Reference.standardize 1e-5)
              |> Reference.affine (snd inputs[1]) (snd inputs[2])
          "meanSquaredError",
          fun inputs -> [| Array.map2 (fun (a: Dual) b -> (a - b) * (a - b)) (snd inputs[0]) (snd inputs[1]) |> Dual.mean |] ]

/// Forward mode, one number after another.
type DualOracle() =
    interface IGradientOracle with
        member _.Name = "dual numbers"
        member _.Supports operation = formulas.ContainsKey operation

        member _.Vjp(operation, inputs, upstream) =
            let along input at =
                let direction i j = if i = input && j = at then 1.0 else 0.0

                let y =
                    inputs
                    |> List.mapi (fun i (shape, x) -> shape, Array.mapi (fun j v -> Dual.Variable(v, direction i j)) x)
                    |> formulas[operation]

                Array.fold2 (fun sum u (d: Dual) -> sum + u * d.Tangent) 0.0 upstream y

            inputs |> List.mapi (fun i (_, x) -> Array.init x.Length (along i))

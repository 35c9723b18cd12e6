/// Additive attention under the direct loops of its formula.
module DL.Properties.Ops.AttentionAdditive

open DL.Core.Ops
open DL.Laws

let private draws (case: OperationCase) salt =
    let draw = (Draw case.Seed).Branch salt
    fun most -> if draw.Below 3 = 0 then most else draw.Below(most + 1)

/// How many keys and queries the examples of a case have.
let private lengths padded (case: OperationCase) =
    let keys, queries = draws case 821, draws case 822
    let each f = Array.init case.Sizes[0] (fun _ -> f ())

    if padded then
        each (fun () -> keys case.Sizes[2]), each (fun () -> queries case.Sizes[1])
    else
        each (fun () -> case.Sizes[2]), each (fun () -> case.Sizes[1])

let private formula padded (case: OperationCase) (x: Dual[][]) : Dual[] =
    let n, queries, keys, a, width = case.Sizes[0], case.Sizes[1], case.Sizes[2], case.Sizes[3], case.Sizes[4]
    let there, asking = lengths padded case
    let y = Array.create (n * queries * width) (Dual.Constant 0.0)

    for e in 0 .. n - 1 do
        for i in 0 .. asking[e] - 1 do
            let score j =
                Array.init a (fun c -> x[3][c] * Reference.tanh (x[0][(e * queries + i) * a + c] + x[1][(e * keys + j) * a + c]))
                |> Dual.sum

            let weights = Array.init there[e] score |> Reference.softmax

            for c in 0 .. width - 1 do
                y[(e * queries + i) * width + c] <- weights |> Array.mapi (fun j p -> p * x[2][(e * keys + j) * width + c]) |> Dual.sum

    y

let private additive variant padded sizes numbers : Operation =
    let given case : (int array | null) * (int array | null) = if padded then lengths padded case else null, null

    { Name = "AdditiveAttention"
      Variant = variant
      Sizes = sizes
      Numbers = numbers
      Inputs =
        fun sizes ->
            let n, queries, keys, a, width = sizes[0], sizes[1], sizes[2], sizes[3], sizes[4]
            [ [ n; queries; a ]; [ n; keys; a ]; [ n; keys; width ]; [ a ] ]
      Domain = fun _ x -> x
      Forward =
        fun case x ->
            let there, asking = given case
            let struct (y, _) = AdditiveAttention.Forward(x[0], x[1], x[2], x[3], there, asking)
            [| y |]
      Backward =
        fun case x _ dy ->
            let there, asking = given case
            let struct (_, weights) = AdditiveAttention.Forward(x[0], x[1], x[2], x[3], there, asking)
            let struct (dq, dk, dv, dw) = AdditiveAttention.Backward(dy[0], x[0], x[1], x[2], x[3], weights, there, asking)
            [| dq; dk; dv; dw |]
      Formula = fun case x -> [| formula padded case x |]
      Homogeneous = 2 }

let private few = OneOf [ 1; 2; 0 ]
let private short = OneOf [ 1; 2; 3; 5; 9 ]
let private broken = OneOf [ 1; 3; 7; 8; 15; 16; 17; 33; 64 ]

/// The operations of this file.
let operations: Operation list =
    [ additive "" false [ few; short; short; broken; broken ] [ Ordinary; Kinks; EqualRows; Small ]
      additive "one query" false [ OneOf [ 3 ]; OneOf [ 1 ]; OneOf [ 1; 8; 33 ]; broken; broken ] [ Ordinary ]
      additive "lengths" true [ OneOf [ 3; 1 ]; short; short; broken; broken ] [ Ordinary ] ]

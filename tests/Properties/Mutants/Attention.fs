/// Wrong Backwards of attention and of positions.
module DL.Properties.Mutants.Attention

open System
open DL.Core
open DL.Core.Ops
open DL.Laws
open DL.Properties.Ops.Attention

/// What a hand-written Backward does, rightly or wrongly.
type private Hand =
    {
        Scale: float -> float
        RowSum: bool
        /// Whether query i sees key j, from what is right.
        Sees: (int -> int -> int -> bool) -> int -> int -> int -> bool
        /// What the gradient of a weight is multiplied by, from what is right.
        Kept: float -> float
        /// The gradients of keys and of values, from those that are right.
        Pair: float[] * float[] -> float[] * float[]
    }

let private right = { Scale = id; RowSum = true; Sees = id; Kept = id; Pair = id }

let private numbers (t: Tensor) = t.ToArray<float>()
let private like (t: Tensor) (x: float[]) : Tensor = (Tensor.Of<float>(ReadOnlySpan<float> x, t.Shape)).To t.ElementType

/// One head of every example, in direct loops.
let private back (hand: Hand) limits (case: OperationCase) (x: Tensor[]) (dy: Tensor) : Tensor[] =
    let s = sizesOf case
    let q, k, v, u = numbers x[0], numbers x[1], numbers x[2], numbers dy
    let dq, dk, dv = Array.map ((*) 0.0) q, Array.map ((*) 0.0) k, Array.map ((*) 0.0) v
    let a, b = s.KeyWidth, s.ValueWidth
    let forward, backward, kept = sees limits case, hand.Sees(sees limits case), kept limits case
    let scale = if limits.Dot then 1.0 else 1.0 / sqrt (float a)
    let dot p i r j n = Seq.sum (seq { for c in 0 .. n - 1 -> Array.get p (i * n + c) * Array.get r (j * n + c) })

    for n in 0 .. s.N - 1 do
        for i in 0 .. s.Queries - 1 do
            let row = n * s.Queries + i

            let all =
                [| for j in 0 .. s.Keys - 1 do
                       if forward n i j then
                           j |]

            let scores = all |> Array.map (fun j -> scale * dot q row k (n * s.Keys + j) a)
            let e = scores |> Array.map (fun z -> exp (z - Array.max scores))
            let weights = Array.zip all (e |> Array.map (fun z -> z / Array.sum e)) |> dict
            let weight j = if weights.ContainsKey j then weights[j] else 1.0 / float s.Keys

            let seen =
                [| for j in 0 .. s.Keys - 1 do
                       if backward n i j then
                           j |]

            let slope j = hand.Kept(kept n i j) * dot u row v (n * s.Keys + j) b
            let mean = if hand.RowSum then seen |> Array.sumBy (fun j -> weight j * slope j) else 0.0

            for j in seen do
                let key = n * s.Keys + j
                let ds = hand.Scale scale * weight j * (slope j - mean)

                for c in 0 .. a - 1 do
                    dq[row * a + c] <- dq[row * a + c] + ds * k[key * a + c]
                    dk[key * a + c] <- dk[key * a + c] + ds * q[row * a + c]

                for c in 0 .. b - 1 do
                    dv[key * b + c] <- dv[key * b + c] + kept n i j * weight j * u[row * b + c]

    let dk, dv = hand.Pair(dk, dv)
    [| like x[0] dq; like x[1] dk; like x[2] dv |]

let private find (operations: Operation list) name variant = operations |> List.find (fun o -> o.Name = name && o.Variant = variant)

/// The operation with the hand-written Backward, right and wrong.
let private wrong fault variant limits hand =
    let operation = find operations "Attention" variant

    let by hand =
        { operation with
            Backward = fun case x _ dy -> back hand limits case x dy[0] }

    $"Attention: {fault}", by right, by hand

let private one = plain 1
let private causal = { one with Causal = true; Offset = Some 2 }
let private dropped = { one with Causal = true; Dropout = 0.5 }
let private fromTwo = "1 head, causal from 2"
let private acrossTiles = "1 head, causal, dropout across tiles"

let private hands: (string * Operation * Operation) list =
    [ wrong "without the scale" "one head" one { right with Scale = fun _ -> 1.0 }
      wrong "scaled twice" "one head" one { right with Scale = fun s -> s * s }
      wrong "without the sum over the row" "one head" one { right with RowSum = false }
      wrong
          "gradients of keys and values exchanged"
          "one head"
          one
          { right with
              Pair = fun (dk, dv) -> if dk.Length = dv.Length then dv, dk else dk, dv }
      wrong "values without a gradient" "one head" one { right with Pair = fun (dk, dv) -> dk, Array.map ((*) 0.0) dv }
      wrong "the mask on the wrong side" fromTwo causal { right with Sees = fun _ _ i j -> j >= i + 2 }
      wrong "sees one key too few" fromTwo causal { right with Sees = fun sees n i j -> sees n i j && j <> i + 2 }
      wrong "sees one key too many" fromTwo causal { right with Sees = fun sees n i j -> sees n i j || j = i + 3 }
      wrong "positions counted from the first key" fromTwo causal { right with Sees = fun sees n i j -> sees n i j && j <= i }
      wrong "dropped weights have a gradient" acrossTiles dropped { right with Kept = fun _ -> 1.0 }
      wrong "weights that stay not enlarged" acrossTiles dropped { right with Kept = fun m -> if m = 0.0 then 0.0 else 1.0 } ]

let private spoilt fault (operation: Operation) (change: OperationCase -> Tensor[] -> Tensor -> Tensor[] -> Tensor[]) =
    $"{operation.Name}: {fault}",
    operation,
    { operation with
        Backward = fun case x y dy -> change case x dy[0] (operation.Backward case x y dy) }

let private additive = find DL.Properties.Ops.AttentionAdditive.operations "AdditiveAttention" ""

/// The gradients where the Backward reads other inputs than it should.
let private misread (change: Tensor[] -> Tensor[]) _ (x: Tensor[]) dy (_: Tensor[]) : Tensor[] =
    let struct (_, weights) = AdditiveAttention.Forward(x[0], x[1], x[2], x[3])
    let z = change x
    let struct (dq, dk, dv, dw) = AdditiveAttention.Backward(dy, z[0], z[1], z[2], z[3], weights)
    [| dq; dk; dv; dw |]

let private filled value (t: Tensor) : Tensor = Tensor.Filled(t.ElementType, t.Shape, value)
let private rotary = find DL.Properties.Ops.Positions.operations "RotaryPositions" "3 heads from 5, 10000"

let private others: (string * Operation * Operation) list =
    [ spoilt "w forgotten in dq and dk" additive (misread (fun x -> [| x[0]; x[1]; x[2]; filled 1.0 x[3] |]))
      spoilt "tanh of the queries alone" additive (misread (fun x -> [| x[0]; filled 0.0 x[1]; x[2]; x[3] |]))
      spoilt "slope of tanh forgotten" additive (fun case x dy g ->
          let flat = misread (fun x -> [| filled 0.0 x[0]; filled 0.0 x[1]; x[2]; x[3] |]) case x dy g
          [| flat[0]; flat[1]; g[2]; g[3] |])
      spoilt "turned forth instead of back" rotary (fun _ _ dy _ -> [| RotaryPositions.Forward(dy, 3, 5) |])
      spoilt "turned back from position 0" rotary (fun _ _ dy _ -> [| RotaryPositions.Backward(dy, 3) |])
      spoilt "turned as one head" rotary (fun _ _ dy _ -> [| RotaryPositions.Backward(dy, 1, 5) |]) ]

/// What is wrong, the right operation, the wrong one.
let mutants: (string * Operation * Operation) list = hands @ others

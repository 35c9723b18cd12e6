/// Dropout under its formula, and the laws of its mask.
module DL.Properties.Ops.Dropout

open System
open DL.Core
open DL.Core.Ops
open DL.Core.Random
open DL.Laws
open DL.Properties.Cases

let private key (seed: uint64) = Key(seed, 3u, 1u)

/// The mask a key draws, told by ones.
let private mask p (seed: uint64) (x: Tensor) =
    let ones: Tensor = Tensor.Filled(x.ElementType, x.Shape, 1.0)
    numbers (Dropout.Forward(ones, p, key seed)) |> Array.map (fun v -> if v = 0.0 then 0.0 else 1.0)

let private drawn p : Operation =
    let kept (case: OperationCase) =
        let like = Tensor.Zeros(ElementType.Float64, Shape(ReadOnlySpan<int>(List.toArray case.Sizes)))
        mask p case.Seed like

    { Operation.unary "Dropout" id (fun _ _ dy -> dy) (fun _ x -> x) with
        Variant = $"p {p}"
        Forward = fun case x -> [| Dropout.Forward(x[0], p, key case.Seed) |]
        Backward = fun case _ _ dy -> [| Dropout.Backward(dy[0], p, key case.Seed) |]
        Formula = fun case x -> [| Array.map2 (fun m v -> m / (1.0 - p) * v) (kept case) x[0] |]
        Homogeneous = 0 }

let private given p : Operation =
    let kept (case: OperationCase) n =
        let draw = (Draw case.Seed).Branch 920
        Array.init n (fun _ -> float (draw.Below 2))

    { drawn p with
        Variant = $"p {p}, mask given"
        Forward = fun case x -> [| Dropout.Forward(x[0], p, like x[0] (kept case x[0].Count)) |]
        Backward = fun case x _ dy -> [| Dropout.Backward(dy[0], p, like x[0] (kept case x[0].Count)) |]
        Formula = fun case x -> [| Array.map2 (fun m v -> m / (1.0 - p) * v) (kept case x[0].Length) x[0] |] }

/// The operations of this file.
let operations: Operation list = [ drawn 0.3; drawn 0.9; given 0.5 ]

let private law name = law "Dropout" name Free [ Ordinary; Kinks ]

/// The laws of this file.
let laws: Law list =
    [ law "p = 0 is the identity, p = 1 is nothing" (fun v ->
          let x = vector v 0

          Evidence.worst
              [ Evidence.exact "p = 0" (Dropout.Forward(x, 0.0, key v.Seed).SameBits x)
                Evidence.exact "p = 1" (numbers (Dropout.Forward(x, 1.0, key v.Seed)) |> Array.forall ((=) 0.0)) ])
      law "equal keys draw equal masks, in float32 and float64" (fun v ->
          let x = vector v 0
          let narrow = x.To ElementType.Float32
          Evidence.exact "the same mask" (mask 0.4 v.Seed x = mask 0.4 v.Seed x && mask 0.4 v.Seed x = mask 0.4 v.Seed narrow))
      law "a draw kept in bits is the draw of the key, and fits no other count" (fun v ->
          let refuses (other: Tensor) p kept =
              try
                  Dropout.KeepBits(other, p, kept) |> ignore
                  false
              with :? ShapeException ->
                  true

          Evidence.worst
              [ for p in [ 0.0; 0.3; 0.5; 1.0 ] do
                    for element in [ ElementType.Float32; ElementType.Float64 ] do
                        let x = (vector v 0).To element
                        let kept = Dropout.DrawBits(x, p, key v.Seed)
                        let longer: Tensor = Tensor.Zeros(element, Shape [| v.Length + 40 |])
                        Evidence.exact $"p = {p} in {element}" (Dropout.KeepBits(x, p, kept).SameBits(Dropout.Forward(x, p, key v.Seed)))
                        Evidence.exact "another count" (refuses longer p kept) ])
      Law.fact "drops p of all numbers and keeps the mean" "Dropout" (fun () ->
          let n = 1 <<< 20
          let x: Tensor = Tensor.Filled(ElementType.Float32, Shape(ReadOnlySpan<int> [| n |]), 1.0)
          let y = numbers (Dropout.Forward(x, 0.3, key 5UL))
          let dropped = y |> Array.filter ((=) 0.0) |> Array.length |> float
          let deviation = sqrt (0.3 * 0.7 * float n)

          Evidence.worst
              [ Evidence.within "dropped, in standard deviations from p n" 5.0 (abs (dropped - 0.3 * float n) / deviation)
                Evidence.within "the mean, in standard deviations from 1" 5.0 (abs (Array.sum y - float n) / (deviation / 0.7)) ]) ]

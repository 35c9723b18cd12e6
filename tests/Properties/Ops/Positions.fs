/// Positions as turns: rotary and sinusoidal.
module DL.Properties.Ops.Positions

open System
open DL.Core
open DL.Core.Ops
open DL.Laws
open DL.Properties.Cases

let private rotary heads offset theta : Operation =
    let angle (half: int) t i = float (t + offset) * theta ** (-float i / float half)

    // A far position's angle, and what is made of it, is no surer than the roundoff of its size.
    let sure a value = { Dual.Constant value with ValueRounding = 1.0 + abs a }

    let formula (sizes: int list) (x: Dual[]) =
        let positions, half = sizes[1], sizes[2]
        let width = 2 * half

        x
        |> Array.mapi (fun at v ->
            let i, t = at % width, at / (width * heads) % positions
            let a = angle half t (i % half)
            let c, s = sure a (cos a), sure a (sin a)
            if i < half then c * v - s * x[at + half] else c * v + s * x[at - half])

    { Name = "RotaryPositions"
      Variant = $"{heads} heads from {offset}, {theta}"
      Sizes = [ OneOf [ 1; 2; 0 ]; OneOf [ 1; 2; 5; 17; 35 ]; OneOf [ 1; 4; 7; 8; 9; 16; 17; 32 ] ]
      Numbers = [ Ordinary; Kinks; Large; Huge ]
      Inputs = fun sizes -> [ [ sizes[0]; sizes[1]; 2 * heads * sizes[2] ] ]
      Domain = fun _ x -> x
      Forward = fun _ x -> [| RotaryPositions.Forward(x[0], heads, offset, theta) |]
      Backward = fun _ _ _ dy -> [| RotaryPositions.Backward(dy[0], heads, offset, theta) |]
      Formula = fun case x -> [| formula case.Sizes x[0] |]
      Homogeneous = 0 }

/// The operations of this file.
let operations: Operation list = [ rotary 1 0 10000.0; rotary 3 5 10000.0; rotary 2 1000 500000.0 ]

let private rotaryLaw name = law "RotaryPositions" name (OneOf [ 2; 8; 18; 32; 64 ]) [ Ordinary; Kinks ]
let private turned (v: Vector) (x: Tensor) at = RotaryPositions.Forward(x.Reshape(1, 1, v.Length), 1, at)
let private along (a: Tensor) (b: Tensor) = Array.map2 (*) (numbers a) (numbers b) |> Array.sum
let private norm (x: Tensor) = sqrt (along x x)

let private turning: Law list =
    [ rotaryLaw "dot products depend on the distance alone" (fun v ->
          let q, k = vector v 0, vector v 1
          let near = along (turned v q 7) (turned v k 3)
          let far = along (turned v q 1007) (turned v k 1003)
          Evidence.within "<q at 7, k at 3> and <q at 1007, k at 1003>" 1e-12 (abs (near - far) / (1.0 + norm q * norm k)))
      rotaryLaw "lengths stay, and backward turns back" (fun v ->
          let x = matrix v 0 5
          let y = RotaryPositions.Forward(x.Reshape(1, 5, v.Length), 1, 40)
          let back = RotaryPositions.Backward(y, 1, 40)

          Evidence.worst
              [ Evidence.within "the length" 1e-13 (abs (norm x - norm y) / (1.0 + norm x))
                close "there and back" 1e-14 (back.Reshape(x.Shape)) x ])
      rotaryLaw "a position's bits do not depend on where a sequence starts" (fun v ->
          let x = (matrix v 0 9).Reshape(1, 9, v.Length)
          let whole = RotaryPositions.Forward(x, 1, 30)
          let part at = RotaryPositions.Forward(Slice.Forward(x, 1, at, 1), 1, 30 + at)
          Evidence.exact "position by position" (Seq.forall (fun at -> (part at).SameBits(Slice.Forward(whole, 1, at, 1))) [ 0..8 ]))
      rotaryLaw "position 0 is the identity" (fun v ->
          let x = vector v 0
          Evidence.exact "nothing turned" ((turned v x 0).Reshape(x.Shape).SameBits x)) ]

let private table positions width offset = SinusoidalPositions.Table(positions, width, offset, ElementType.Float64)

let private sinusoidal: Law list =
    let law name check = law "SinusoidalPositions" name Positive [ Ordinary ] check

    [ law "is the formula" (fun v ->
          let d, offset = v.Length, int (v.Seed % 50UL)

          let formula =
              Array.init (9 * d) (fun at ->
                  let t, c = float (at / d + offset), at % d
                  let a = t / 10000.0 ** (float (c / 2 * 2) / float d)
                  if c % 2 = 0 then sin a else cos a)

          Evidence.within
              "sine at even, cosine at odd"
              1e-13
              (Array.map2 (fun a b -> abs (a - b)) formula (numbers (table 9 d offset)) |> Array.max))
      law "position t + k is position t turned by an angle of k" (fun v ->
          let d, k = v.Length, int (v.Seed % 30UL)
          let p, later = numbers (table 20 d 0), numbers (table 20 d k)

          let error =
              [| for t in 0..19 do
                     for i in 0..2 .. d - 2 do
                         let a = float k / 10000.0 ** (float i / float d)
                         let s, c = p[t * d + i], p[t * d + i + 1]
                         abs (later[t * d + i] - (cos a * s + sin a * c))
                         abs (later[t * d + i + 1] - (cos a * c - sin a * s)) |]

          Evidence.within "turned by k" 1e-13 (Array.fold max 0.0 error))
      law "an offset is a slice" (fun v ->
          let d, k = v.Length, int (v.Seed % 30UL)
          Evidence.exact "the same rows" ((table 4 d k).SameBits(Slice.Forward(table (k + 4) d 0, 0, k, 4)))) ]

let private rejects (name: string) (run: unit -> obj) =
    try
        run () |> ignore
        Evidence.exact $"{name} is refused" false
    with :? DLException as e ->
        Evidence.exact $"{name} is named: {e.Message}" (e.Message.Contains name)

let private errors: Law =
    Law.fact "wrong arguments are named" "RotaryPositions" (fun () ->
        let x: Tensor = Tensor.Zeros(ElementType.Float32, Shape [| 2; 3; 12 |])

        Evidence.worst
            [ rejects "5 heads" (fun () -> RotaryPositions.Forward(x, 5))
              rejects "even" (fun () -> RotaryPositions.Forward(x, 4))
              rejects "offset" (fun () -> RotaryPositions.Forward(x, 2, -1))
              rejects "theta" (fun () -> RotaryPositions.Forward(x, 2, 0, Double.NaN))
              rejects "positions" (fun () -> RotaryPositions.Forward(x.Reshape(6, 12), 2))
              rejects "width" (fun () -> SinusoidalPositions.Table(2, -1)) ])

/// The laws of this file.
let laws: Law list = errors :: turning @ sinusoidal

/// The judges under laws of their own: dual numbers, differences, generated cases.
module DL.Properties.Kit.Judges

open FsCheck
open FsCheck.FSharp
open DL.Laws
open DL.Properties.Cases

let private fact name check = Law.fact name "the law kit" check

/// A function of one number as the judges see it, and where it is smooth.
let private functions: (string * (Dual -> Dual) * float list) list =
    [ "exp", exp, [ -2.0; 0.3; 3.0 ]
      "log", log, [ 0.2; 1.0; 40.0 ]
      "sqrt", sqrt, [ 0.2; 9.0 ]
      "tanh", tanh, [ -1.0; 0.1; 4.0 ]
      "abs", abs, [ -2.0; 3.0 ]
      "quotient", (fun x -> x / (x * x + 1.0)), [ -3.0; 0.5 ]
      "normal", Dual.normal, [ -3.0; -0.4; 0.0; 1.3; 3.0 ]
      "gelu", Reference.gelu, [ -3.0; 0.2 ]
      "geluTanh", Reference.geluTanh, [ -3.0; 0.2; 39.0 ]
      "softplus", Reference.softplus, [ -6.0; 0.1; 30.0 ]
      "silu", Reference.silu, [ -4.0; 2.0 ]
      "elu", Reference.elu 0.5, [ -1.0; 2.0 ] ]

let private at (f: Dual -> Dual) x = f (Dual.Variable(x, 1.0))

let private agree (factor: float) (f: Dual -> Dual) x =
    let y = at f x
    Differences.distance (fun h -> (at f (x + h)).Value) (factor * y.Tangent) (abs y.Tangent + 1e-3 * abs y.Value)

let private samples (generator: Gen<'a>) = generator |> Gen.sample 2000

let rec private size (architecture: Architecture) =
    1
    + match architecture with
      | Dense n -> n
      | Chain(f, g) -> size f + size g
      | Add(n, f, g) -> size f + size g + n
      | Concat parts -> List.sumBy size parts
      | Repeat(count, n, f)
      | Shared(count, n, f) -> count + n + size f
      | Residual(n, f)
      | Highway(n, f) -> n + size f
      | DenseConnection f
      | Frozen f
      | Named f
      | PerToken f
      | Scan f -> size f
      | Dropout p -> if p = 0.3 then 0 else 1
      | Images layers -> layers.Length
      | Identity -> -1
      | Simple _ -> 0

/// The laws of this file.
let laws: Law list =
    [ fact "dual numbers and differences agree" (fun () ->
          [ for name, f, points in functions do
                for x in points do
                    Evidence.within $"{name} at {x}" 1e-8 (agree 1.0 f x) ]
          |> Evidence.worst)
      fact "a derivative wrong by a thousandth agrees at no step" (fun () ->
          [ for name, f, points in functions do
                for x in points do
                    Evidence.exact $"{name} at {x}" (agree 1.001 f x > 1e-4 || (at f x).Tangent = 0.0) ]
          |> Evidence.worst)
      fact "a difference that is not a number is no agreement" (fun () ->
          Evidence.exact "far away" (Differences.distance (fun _ -> nan) 1.0 1.0 = infinity))
      law "the law kit" "the rounding dual numbers tell covers that of float32" Positive [ Ordinary; UnequalRows ] (fun v ->
          let x = numbers (vector v 0)
          let y = x |> Array.map (fun n -> Dual.Variable(n, 1.0)) |> Dual.sum
          let narrow = x |> Array.fold (fun (s: float32) n -> s + float32 n) 0.0f
          Evidence.within "the error, in roundings told" 1.0 (abs (float narrow - y.Value) / (6e-8 * y.ValueRounding + 1e-30)))
      fact "lengths reach empty axes, one, and both sides of every register" (fun () ->
          let met = samples (Generators.length Free) |> set
          Evidence.exact "all" (Set.isSubset (set [ 0; 1; 7; 8; 9; 15; 16; 17; 24; 31; 33 ]) met))
      fact "random networks reach every combinator" (fun () ->
          let met = samples (Architecture.generate 4)
          let some part = met |> Array.exists (Architecture.exists part)

          Evidence.worst
              [ Evidence.exact "a chain" (some _.IsChain)
                Evidence.exact "a sum" (some _.IsAdd)
                Evidence.exact "a concatenation" (some _.IsConcat)
                Evidence.exact "a residual" (some _.IsResidual)
                Evidence.exact "a highway" (some _.IsHighway)
                Evidence.exact "a dense connection" (some _.IsDenseConnection)
                Evidence.exact "a repetition" (some _.IsRepeat)
                Evidence.exact "shared parameters" (some _.IsShared)
                Evidence.exact "frozen parameters" (some _.IsFrozen)
                Evidence.exact "names" (some _.IsNamed)
                Evidence.exact "tokens" (some _.IsPerToken)
                Evidence.exact "recurrence" (some _.IsScan)
                Evidence.exact "images" (some _.IsImages) ])
      fact "networks shrink to smaller ones only" (fun () ->
          let grows a = Architecture.shrink a |> Seq.tryFind (fun b -> size b >= size a) |> Option.map (fun b -> $"{a} to {b}")
          let grown = samples (Architecture.generate 3) |> Array.truncate 300 |> Array.tryPick grows
          Evidence.exact $"smaller, but {grown}" grown.IsNone)
      fact "numbers lie as their name says" (fun () ->
          let matrix numbers = (Numbers.tensor numbers 5UL [ 6; 40 ]).ToArray<float>()
          let rows numbers = matrix numbers |> Array.chunkBySize 40

          Evidence.worst
              [ Evidence.exact "exact zeros among kinks" (matrix Kinks |> Array.contains 0.0)
                Evidence.exact "ties" ((matrix Ties |> Array.distinct).Length <= 3)
                Evidence.exact "equal rows" ((rows EqualRows |> Array.distinct).Length = 1)
                Evidence.exact "constant rows" (rows ConstantRows |> Array.forall (fun r -> (Array.distinct r).Length = 1))
                Evidence.exact "rows around 1000" (rows UnequalRows |> Array.exists (fun r -> abs r[0] > 900.0))
                Evidence.exact "rows of ordinary size" (rows UnequalRows |> Array.exists (fun r -> abs r[0] < 10.0))
                Evidence.exact
                    "exact in float32"
                    (Numbers.all |> List.forall (fun n -> matrix n |> Array.forall (fun x -> float (float32 x) = x))) ]) ]

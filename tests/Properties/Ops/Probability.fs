/// What makes a softmax a softmax, whatever its formula.
module DL.Properties.Ops.Probability

open DL.Core
open DL.Core.Ops
open DL.Laws
open DL.Properties.Cases

let private law name = law "Softmax" name Positive (Numbers.all |> List.except [ Huge ])
let private rows = 3
let private byRow (t: Tensor) = numbers t |> Array.chunkBySize t.Shape.Last

/// The laws of this file.
let laws: Law list =
    [ law "rows are not negative and sum to 1" (fun v ->
          let y = Softmax.Forward(matrix v 0 rows)

          Evidence.worst
              [ Evidence.exact "no negative number" (numbers y |> Array.forall (fun p -> p >= 0.0))
                Evidence.within
                    "row sums"
                    (4.0 * 1.2e-16 * float (v.Length + 1))
                    (byRow y |> Array.map (fun r -> abs (Array.sum r - 1.0)) |> Array.fold Evidence.worse 0.0) ])
      law "a shift of a row changes nothing" (fun v ->
          let x = matrix v 0 rows
          let shifted = like x (Array.map ((+) 512.0) (numbers x))
          // The shifted numbers are rounded; the first are brought to the same rounding.
          let back = like x (Array.map (fun s -> s - 512.0) (numbers shifted))
          close "softmax of x and of x + 512" 1e-12 (Softmax.Forward back) (Softmax.Forward shifted))
      law "finite at 1e4" (fun v ->
          let x = like (matrix v 0 rows) (numbers (matrix v 0 rows) |> Array.map (fun n -> 1e4 * float (sign n)))
          let all = List.map numbers [ Softmax.Forward x; LogSoftmax.Forward x; LogSumExp.Forward x ]
          Evidence.exact "finite" (all |> Array.concat |> Array.forall System.Double.IsFinite))
      law "log-softmax is the logarithm of softmax" (fun v ->
          let x = matrix v 0 rows
          let y, l = numbers (Softmax.Forward x), numbers (LogSoftmax.Forward x)
          let error = Array.map2 (fun p q -> if p < 1e-280 then 0.0 else abs (log p - q) / (1.0 + abs q)) y l
          Evidence.within "log y and log-softmax" 1e-12 (Array.fold Evidence.worse 0.0 error))
      law "log-sum-exp lies between max and max + log n" (fun v ->
          let x = matrix v 0 rows
          let top = byRow x |> Array.map Array.max
          let inside m s = s >= m - 1e-12 * abs m && s <= m + log (float v.Length) + 1e-12 * (1.0 + abs m)
          Evidence.exact "between the two" (Array.forall2 inside top (numbers (LogSumExp.Forward x))))
      law "gradient rows sum to 0" (fun v ->
          let x = matrix v 0 rows
          let dx = Softmax.Backward(matrix { v with Numbers = Ordinary } 1 rows, Softmax.Forward x)
          Evidence.within "row sums" 1e-13 (byRow dx |> Array.map (Array.sum >> abs) |> Array.fold Evidence.worse 0.0))
      law "temperature: uniform when hot, the first maximum when cold" (fun v ->
          let x = matrix { v with Numbers = Ordinary } 0 rows
          let at t = Softmax.Forward(Scale.Forward(x, 1.0 / t)) |> byRow
          let hot = at 1e9 |> Array.collect (Array.map (fun p -> abs (p - 1.0 / float v.Length))) |> Array.fold max 0.0

          let cold =
              Array.map2 (fun (r: float[]) (p: float[]) -> abs (1.0 - p[Array.findIndex ((=) (Array.max r)) r])) (byRow x) (at 1e-9)
              |> Array.fold max 0.0

          Evidence.worst [ Evidence.within "uniform" 1e-6 hot; Evidence.within "one-hot" 1e-12 cold ]) ]

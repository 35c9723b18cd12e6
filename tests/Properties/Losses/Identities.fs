/// What losses are, whatever their formulas.
module DL.Properties.Losses.Identities

open DL.Core
open DL.Core.Losses
open DL.Core.Ops
open DL.Laws
open DL.Properties.Cases

let private value (struct (value: float, _: Tensor)) = value
let private gradient (struct (_: float, gradient: Tensor)) = gradient
let private rows = 5

let private ids (v: Vector) =
    let draw = (Draw v.Seed).Branch 77
    Array.init rows (fun _ -> draw.Below v.Length)

let private softened = Numbers.all |> List.except [ Huge ]
let private ofCrossEntropy name = law "CrossEntropy" name Positive softened

let private crossEntropy: Law list =
    [ ofCrossEntropy "is at least 0" (fun v ->
          let loss = CrossEntropy.Evaluate(matrix v 0 rows, Tensor.Of<int>(ids v)) |> value
          Evidence.exact $"{loss} is at least 0" (loss >= 0.0))
      ofCrossEntropy "gradient is (softmax - target) / n" (fun v ->
          let x = matrix v 0 rows
          let labels = ids v
          let target at = if labels[at / v.Length] = at % v.Length then 1.0 else 0.0
          let expected = numbers (Softmax.Forward x) |> Array.mapi (fun at p -> (p - target at) / float rows)
          close "the gradient" 1e-12 (CrossEntropy.Evaluate(x, Tensor.Of<int> labels) |> gradient) (like x expected))
      ofCrossEntropy "uniform logits give log C" (fun v ->
          let x = like (matrix v 0 rows) (Array.create (rows * v.Length) 0.75)
          let loss = CrossEntropy.Evaluate(x, Tensor.Of<int>(ids v)) |> value
          Evidence.within "the loss and log C" 1e-12 (abs (loss - log (float v.Length))))
      ofCrossEntropy "dropping ignored rows is ignoring them" (fun v ->
          let x = matrix v 0 rows
          let labels = ids v

          let kept =
              [| for r in 0 .. rows - 1 do
                     if labels[r] <> labels[0] then
                         r |]

          let ignoring =
              CrossEntropy.Evaluate(x, Tensor.Of<int> labels, Reduction.Mean, null, 0.0, System.Nullable labels[0]) |> value

          let dropping =
              if kept.Length = 0 then
                  0.0
              else
                  CrossEntropy.Evaluate(Rows.Forward(x, kept), Tensor.Of<int>(kept |> Array.map (fun r -> labels[r]))) |> value

          Evidence.within "both" 1e-12 (abs (ignoring - dropping) / (1.0 + abs dropping)))
      ofCrossEntropy "padded steps of sequences count nowhere, whatever their logits; with none left all is 0" (fun v ->
          let labels =
              Array.append (ids v) (ids { v with Seed = v.Seed + 1UL })
              |> Array.mapi (fun i id -> if i % 5 > 2 then -1 else id)

          let x = (matrix v 0 10).Reshape(2, 5, v.Length)
          let spoilt = like x (numbers x |> Array.mapi (fun i z -> if labels[i / v.Length] = -1 then nan else z))

          let masked (logits: Tensor) (labels: int[]) =
              CrossEntropy.Evaluate(logits, Tensor.Of<int>(labels, 2, 5), Reduction.Mean, null, 0.0, System.Nullable -1)

          let kept = [| 0..9 |] |> Array.filter (fun r -> labels[r] >= 0)

          let alone =
              CrossEntropy.Evaluate(Rows.Forward(x.Reshape(10, v.Length), kept), Tensor.Of<int>(kept |> Array.map (fun r -> labels[r])))

          let slopes = masked spoilt labels |> gradient
          let none = masked spoilt (Array.create 10 -1)
          let keptSlopes = Rows.Forward(slopes.Reshape(10, v.Length), kept)

          Evidence.worst
              [ Evidence.within
                    "the loss and that of the valid steps"
                    1e-12
                    (abs (value (masked spoilt labels) - value alone) / (1.0 + abs (value alone)))
                close "the gradient and that of the valid steps" 1e-12 keptSlopes (gradient alone)
                Evidence.exact
                    "a gradient of exactly 0 in padding"
                    (numbers slopes |> Array.indexed |> Array.forall (fun (i, d) -> labels[i / v.Length] >= 0 || d = 0.0))
                Evidence.exact "0 with no step left" (value none = 0.0 && numbers (gradient none) |> Array.forall ((=) 0.0)) ])
      ofCrossEntropy "ids are one-hot distributions, the mean is the sum over n" (fun v ->
          let x = matrix v 0 rows
          let labels = ids v
          let hot = like x (Array.init (rows * v.Length) (fun at -> if labels[at / v.Length] = at % v.Length then 1.0 else 0.0))
          let byId = CrossEntropy.Evaluate(x, Tensor.Of<int> labels) |> value
          let byHot = CrossEntropy.Evaluate(x, hot) |> value
          let sum = CrossEntropy.Evaluate(x, hot, Reduction.Sum) |> value
          let near a b = abs (a - b) / (1.0 + abs a)
          Evidence.within "the three" 1e-12 (max (near byId byHot) (near byId (sum / float rows)))) ]

let private binary: Law list =
    [ law "BinaryCrossEntropyWithLogits" "is binary cross entropy of the sigmoid" Positive [ Ordinary; Kinks ] (fun v ->
          let x = vector v 0
          let t = Sigmoid.Forward(vector { v with Numbers = Ordinary } 1)
          let logits = BinaryCrossEntropyWithLogits.Evaluate(x, t) |> value
          let probabilities = BinaryCrossEntropy.Evaluate(Sigmoid.Forward x, t) |> value
          Evidence.within "both" 1e-12 (abs (logits - probabilities) / (1.0 + abs logits)))
      law "BinaryCrossEntropyWithLogits" "is finite at 1e4" Positive [ Large ] (fun v ->
          let t = like (vector v 0) (Array.init v.Length (fun i -> float (i % 2)))
          let evaluated = BinaryCrossEntropyWithLogits.Evaluate((vector v 0).To ElementType.Float32, t.To ElementType.Float32)

          Evidence.exact
              "value and gradient"
              (System.Double.IsFinite(value evaluated) && numbers (gradient evaluated) |> Array.forall System.Double.IsFinite))
      law "BinaryCrossEntropyWithLogits" "is cross entropy of the two logits 0 and x" Positive [ Ordinary; Kinks; Large ] (fun v ->
          let x = numbers (vector v 0)
          let labels = Array.init v.Length (fun i -> i % 2)
          let pairs = Tensor.Of<float>(x |> Array.collect (fun l -> [| 0.0; l |]), v.Length, 2)
          let two = CrossEntropy.Evaluate(pairs, Tensor.Of<int> labels) |> value
          let one = BinaryCrossEntropyWithLogits.Evaluate(vector v 0, Tensor.Of<float>(Array.map float labels)) |> value
          Evidence.within "both" 1e-12 (abs (two - one) / (1.0 + abs two))) ]

let private squared: Law =
    law "MeanSquaredError" "symmetric, zero at equality, the mean is the sum over n" Positive Numbers.all (fun v ->
        let a, b = vector v 0, vector v 1
        let loss x y = MeanSquaredError.Evaluate(x, y) |> value
        let sum = MeanSquaredError.Evaluate(a, b, Reduction.Sum) |> value
        let there = loss a b

        Evidence.worst
            [ Evidence.exact "symmetric" (there = loss b a)
              Evidence.exact "zero at equality" (loss a a = 0.0)
              Evidence.within "mean and sum" 1e-12 (if sum = 0.0 then there else abs (there * float v.Length - sum) / sum) ])

let private farAndNear =
    Law.fact "distances of what is very far apart, or very near, are told" "Triplet, Contrastive" (fun () ->
        let row scale (x: float, y: float) : Tensor = Tensor.Of<float>([| scale * x; scale * y |], 1, 2)
        let off (x, y) (found: Tensor) = max (abs (found.At 0 - x)) (abs (found.At 1 - y))

        Evidence.worst
            [ for s in [ 1e-300; 1e-200; 1.0; 1e200; 1e300 ] do
                  // Distances of 5 and 12.
                  let a, p, n = row s (3.0, 0.0), row s (0.0, 4.0), row s (3.0, 12.0)
                  let struct (value, _, dp, dn) = Triplet.Evaluate(a, p, n, Reduction.Mean, 10.0 * s)
                  let struct (_, da, _) = Contrastive.Evaluate(a, p, Tensor.Of<int>([| 0 |], 1), Reduction.Mean, 10.0 * s)
                  Evidence.within $"a triplet at {s}" 1e-14 (abs (value / (3.0 * s) - 1.0))
                  Evidence.within $"the slope of its positive at {s}" 1e-14 (off (-0.6, 0.8) dp)
                  Evidence.within $"the slope of its negative at {s}" 1e-14 (off (0.0, -1.0) dn)
                  Evidence.within $"the slope of a pair at {s}" 1e-14 (off (-3.0, 4.0) (Scale.Forward(da, 1.0 / s))) ])

/// The laws of this file.
let laws: Law list = crossEntropy @ binary @ [ squared; farAndNear ]

/// How the losses of errors, rare classes, embeddings and distributions stand to each other, and what they do at the edges.
module DL.Properties.Losses.Relations

open System
open DL.Core
open DL.Core.Losses
open DL.Core.Ops
open DL.Laws
open DL.Properties.Cases

let private value (struct (value: float, _: Tensor)) = value
let private gradient (struct (_: float, gradient: Tensor)) = gradient
let private rows = 5
let private near (a: float) (b: float) = if a = b then 0.0 else abs (a - b) / (abs a + abs b)
let private same what a b = Evidence.within what 1e-12 (near a b)

let private ids (v: Vector) =
    let draw = (Draw v.Seed).Branch 78
    Array.init rows (fun _ -> draw.Below v.Length)

let private symmetric name (loss: Tensor -> Tensor -> Reduction -> struct (float * Tensor)) =
    law name "symmetric, zero at equality, the mean is the sum over n" Positive Numbers.all (fun v ->
        let a, b = vector v 0, vector v 1
        let there = loss a b Reduction.Mean |> value
        let equal = loss a a Reduction.Mean

        Evidence.worst
            [ Evidence.exact "symmetric" (there = value (loss b a Reduction.Mean))
              Evidence.exact "zero at equality" (value equal = 0.0 && numbers (gradient equal) |> Array.forall ((=) 0.0))
              same "mean and sum" (there * float v.Length) (value (loss a b Reduction.Sum)) ])

let private errors: Law list =
    [ symmetric "MeanAbsoluteError" (fun a b r -> MeanAbsoluteError.Evaluate(a, b, r))
      symmetric "Huber" (fun a b r -> Huber.Evaluate(a, b, r, 0.7))
      law
          "Huber"
          "half the squared error within delta, delta times the absolute error less delta^2 / 2 beyond"
          Positive
          [ Ordinary ]
          (fun v ->
              let delta = 0.5 + abs (numbers(vector v 3)[0])
              let p = vector v 0

              let shifted by = like p (Array.map2 (fun x e -> x + by e) (numbers p) (numbers (vector v 1)))
              let within, beyond = shifted (fun e -> delta * tanh e), shifted (fun e -> (if e < 0.0 then -1.0 else 1.0) * (delta + abs e))
              let huber t = Huber.Evaluate(p, t, Reduction.Mean, delta) |> value

              Evidence.worst
                  [ same "the square" (huber within) (0.5 * value (MeanSquaredError.Evaluate(p, within)))
                    same "the line" (huber beyond) (delta * value (MeanAbsoluteError.Evaluate(p, beyond)) - 0.5 * delta * delta) ]) ]

let private focal: Law list =
    [ law "Focal" "gamma 0 is cross entropy, larger gammas are less" Positive [ Ordinary; Ties; Large ] (fun v ->
          let x, labels = matrix v 0 rows, Tensor.Of<int>(ids v)
          let at gamma = Focal.Evaluate(x, labels, Reduction.Mean, gamma)
          let entropy = CrossEntropy.Evaluate(x, labels)

          Evidence.worst
              [ Evidence.within "the value" 1e-12 (abs (value (at 0.0) - value entropy) / (1.0 + value entropy))
                Evidence.within "the gradient" 1e-12 (distance (gradient (at 0.0)) (gradient entropy))
                Evidence.exact
                    "falling in gamma, at least 0"
                    (value (at 0.0) >= value (at 1.0) && value (at 1.0) >= value (at 2.5) && value (at 2.5) >= 0.0) ])
      law "BinaryFocal" "gamma 0 is binary cross entropy" Positive [ Ordinary; Kinks; Large ] (fun v ->
          let x, t = vector v 0, Sigmoid.Forward(vector { v with Numbers = Ordinary } 1)
          let focal, entropy = BinaryFocal.Evaluate(x, t, Reduction.Mean, 0.0), BinaryCrossEntropyWithLogits.Evaluate(x, t)

          Evidence.worst
              [ same "the value" (value focal) (value entropy)
                Evidence.within "the gradient" 1e-12 (distance (gradient focal) (gradient entropy)) ])
      law "BinaryFocal" "is focal loss of the two logits 0 and x" Positive [ Ordinary; Kinks ] (fun v ->
          let x = numbers (vector v 0)
          let labels = Array.init v.Length (fun i -> i % 2)
          let pairs = Tensor.Of<float>(x |> Array.collect (fun l -> [| 0.0; l |]), v.Length, 2)
          let weights = Tensor.Of<float>([| 0.75; 0.25 |])
          let two = Focal.Evaluate(pairs, Tensor.Of<int> labels, Reduction.Mean, 1.5, weights) |> value

          let one =
              BinaryFocal.Evaluate(vector v 0, Tensor.Of<float>(Array.map float labels), Reduction.Mean, 1.5, Nullable 0.25)
              |> value

          same "both" one two) ]

let private embeddings: Law list =
    [ law
          "Contrastive"
          "symmetric; a pair at distance 0 has no gradient, and no value where of a kind"
          Positive
          [ Ordinary; Ties; Small ]
          (fun v ->
              let a, b = matrix v 0 rows, matrix v 1 rows
              let labels = Tensor.Of<int>(Array.init rows (fun i -> i % 2))
              let struct (there, da, db) = Contrastive.Evaluate(a, b, labels, Reduction.Mean, 2.0)
              let struct (back, dc, dd) = Contrastive.Evaluate(b, a, labels, Reduction.Mean, 2.0)
              let struct (met, dm, dn) = Contrastive.Evaluate(a, a, labels, Reduction.Sum, 2.0)
              let nothing t = numbers t |> Array.forall ((=) 0.0)

              Evidence.worst
                  [ Evidence.exact "symmetric" (there = back && da.SameBits dd && db.SameBits dc)
                    Evidence.exact "no gradient at distance 0" (nothing dm && nothing dn)
                    // Rows 0, 2 and 4 are of two kinds: half the squared margin each.
                    Evidence.exact "half the squared margin for two kinds at distance 0" (met = 6.0) ])
      law "Triplet" "does not change when all are shifted alike" Positive [ Ordinary; Kinks ] (fun v ->
          let shift = Rows.Forward(matrix { v with Numbers = Ordinary } 3 1, Array.zeroCreate rows)
          let at k = matrix v k rows
          let moved k = Add.Forward(at k, shift)
          let struct (there, _, _, _) = Triplet.Evaluate(at 0, at 1, at 2)
          let struct (here, _, _, _) = Triplet.Evaluate(moved 0, moved 1, moved 2)
          Evidence.within "both" 1e-12 (abs (there - here) / (1.0 + abs there)))
      law
          "Triplet"
          "is the margin where positive and negative are the same, and 0 for a negative far enough"
          Positive
          [ Ordinary; Large ]
          (fun v ->
              let a, p = matrix v 0 rows, matrix v 1 rows
              let far = like a (numbers a |> Array.map (fun x -> x + 1e6))
              let struct (equal, da, _, _) = Triplet.Evaluate(a, p, p, Reduction.Mean, 0.5)
              let struct (satisfied, _, dp, dn) = Triplet.Evaluate(a, p, far, Reduction.Mean, 0.5)

              Evidence.worst
                  [ Evidence.exact "the margin" (equal = 0.5)
                    Evidence.exact "opposite pulls on the anchor cancel" (numbers da |> Array.forall ((=) 0.0))
                    Evidence.exact "nothing left" (satisfied = 0.0 && Array.append (numbers dp) (numbers dn) |> Array.forall ((=) 0.0)) ])
      law "UnitNormalDivergence" "at least 0, and 0 for the unit normal" Positive [ Ordinary; Kinks; Ties; Small ] (fun v ->
          let m, s = matrix v 0 rows, matrix v 1 rows
          let zero = like m (Array.zeroCreate m.Count)
          let struct (there, _, _) = UnitNormalDivergence.Evaluate(m, s)
          let struct (unit, dm, dv) = UnitNormalDivergence.Evaluate(zero, zero)
          let struct (single, _, _) = UnitNormalDivergence.Evaluate(zero.To ElementType.Float32, s.To ElementType.Float32)

          Evidence.worst
              [ Evidence.exact $"{there} and {single} are at least 0" (there >= 0.0 && single >= 0.0)
                Evidence.exact "0 for the unit normal" (unit = 0.0 && Array.append (numbers dm) (numbers dv) |> Array.forall ((=) 0.0)) ]) ]

/// One evaluation of every loss over [5; n]: its value and its gradients.
let private every: (string * (Tensor -> Tensor -> Tensor -> int[] -> float * Tensor list)) list =
    let one (struct (v: float, g: Tensor)) = v, [ g ]
    let three (struct (v: float, a: Tensor, b: Tensor)) = v, [ a; b ]
    let hard (t: Tensor) = t.Map(Func<float, float>(fun x -> if x > 0.0 then 1.0 else 0.0))

    [ "MeanAbsoluteError", (fun x t _ _ -> one (MeanAbsoluteError.Evaluate(x, t)))
      "Huber", (fun x t _ _ -> one (Huber.Evaluate(x, t)))
      "BinaryFocal", (fun x t _ _ -> one (BinaryFocal.Evaluate(x, hard t)))
      "Focal", (fun x _ _ y -> one (Focal.Evaluate(x, Tensor.Of<int> y)))
      "CrossEntropy", (fun x _ _ y -> one (CrossEntropy.Evaluate(x, Tensor.Of<int> y, smoothing = 0.1)))
      "Contrastive", (fun x t _ y -> three (Contrastive.Evaluate(x, t, Tensor.Of<int>(y |> Array.map (fun id -> id % 2)))))
      "Triplet",
      (fun x t u _ ->
          let struct (v, a, p, n) = Triplet.Evaluate(x, t, u)
          v, [ a; p; n ])
      "UnitNormalDivergence", (fun x t _ _ -> three (UnitNormalDivergence.Evaluate(x, t.Map(Func<float, float>(fun v -> -(abs v)))))) ]

let private finite: Law list =
    [ for name, evaluate in every do
          law name "is finite at 1e4 in float32 and at 1e30 in float64" Positive [ Large; Huge; Small ] (fun v ->
              let element = if v.Numbers = Huge then ElementType.Float64 else ElementType.Float32
              let at k = (matrix v k rows).To element
              let value, gradients = evaluate (at 0) (at 1) (at 2) (ids v)

              Evidence.exact
                  $"{value} and its gradients"
                  (Double.IsFinite value && gradients |> Seq.collect numbers |> Seq.forall Double.IsFinite)) ]

let private refused (part: string) (act: unit -> 'a) =
    try
        act () |> ignore
        Evidence.exact $"refused: {part}" false
    with :? DLException as e ->
        Evidence.exact $"'{part}' in: {e.Message}" (e.Message.Contains part)

let private refusals: Law list =
    let x, three =
        Tensor.Filled(ElementType.Float64, Shape [| 2; 3 |], 0.5), Tensor.Filled(ElementType.Float64, Shape [| 2; 4 |], 0.5)

    let labels (y: int list) = Tensor.Of<int>(Array.ofList y)
    let numbers (w: float list) = Tensor.Of<float>(Array.ofList w)

    [ Law.fact "shapes that differ are refused" "losses" (fun () ->
          Evidence.worst
              [ refused "[2; 3]" (fun () -> MeanAbsoluteError.Evaluate(x, three))
                refused "[2; 3]" (fun () -> Huber.Evaluate(x, three))
                refused "[2; 3]" (fun () -> BinaryFocal.Evaluate(x, three))
                refused "[2]" (fun () -> Focal.Evaluate(x, labels [ 0; 1; 2 ]))
                refused "[2; 3]" (fun () -> Contrastive.Evaluate(x, three, labels [ 0; 1 ]))
                refused "[2]" (fun () -> Contrastive.Evaluate(x, x, labels [ 0; 1; 1 ]))
                refused "[2; 3]" (fun () -> Triplet.Evaluate(x, x, three))
                refused "[2; 3]" (fun () -> UnitNormalDivergence.Evaluate(x, three))
                refused "Float32" (fun () -> Triplet.Evaluate(x, x, x.To ElementType.Float32)) ])
      Law.fact "labels out of range are named with their position" "losses" (fun () ->
          Evidence.worst
              [ refused "3 at position 1" (fun () -> Focal.Evaluate(x, labels [ 0; 3 ]))
                refused "-1 at position 0" (fun () -> CrossEntropy.Evaluate(x, labels [ -1; 2 ]))
                refused "2 at position 1" (fun () -> Contrastive.Evaluate(x, x, labels [ 0; 2 ])) ])
      Law.fact "settings out of range are refused" "losses" (fun () ->
          Evidence.worst
              [ for bad in [ 0.0; -1.0; nan; infinity ] do
                    refused "delta" (fun () -> Huber.Evaluate(x, x, delta = bad))
                    refused "margin" (fun () -> Contrastive.Evaluate(x, x, labels [ 0; 1 ], margin = bad))
                    refused "margin" (fun () -> Triplet.Evaluate(x, x, x, margin = bad))
                for bad in [ -1.0; nan; infinity ] do
                    refused "gamma" (fun () -> Focal.Evaluate(x, labels [ 0; 1 ], gamma = bad))
                    refused "gamma" (fun () -> BinaryFocal.Evaluate(x, x, gamma = bad))
                    refused "class 1" (fun () -> Focal.Evaluate(x, labels [ 0; 1 ], weights = numbers [ 1.0; bad; 1.0 ]))
                    refused "class 2" (fun () -> CrossEntropy.Evaluate(x, labels [ 0; 1 ], weights = numbers [ 1.0; 1.0; bad ]))
                refused "alpha" (fun () -> BinaryFocal.Evaluate(x, x, alpha = 1.5))
                refused "smoothing" (fun () -> CrossEntropy.Evaluate(x, labels [ 0; 1 ], smoothing = 1.5))
                refused "Mean or Sum" (fun () -> Triplet.Evaluate(x, x, x, Reduction.None))
                refused "[3]" (fun () -> Focal.Evaluate(x, labels [ 0; 1 ], weights = numbers [ 1.0 ])) ])
      Law.fact "a mean over nothing is 0" "losses" (fun () ->
          let empty = Tensor.Zeros(ElementType.Float32, Shape [| 0; 3 |])

          Evidence.worst
              [ for name, evaluate in every do
                    Evidence.exact name (fst (evaluate empty empty empty [||]) = 0.0) ]) ]

let private balanced: Law =
    law "ClassWeights" "every class weighs n over the number of classes" Positive [ Ordinary ] (fun v ->
        let draw = (Draw v.Seed).Branch 79
        let labels = Array.append [| 0 .. v.Length - 1 |] (Array.init (draw.Below 50) (fun _ -> draw.Below v.Length))
        let weights = ClassWeights.Balanced(ReadOnlySpan<int> labels, v.Length)
        let total c = labels |> Seq.filter ((=) c) |> Seq.sumBy (fun c -> weights[c])

        Evidence.worst
            [ for c in 0 .. v.Length - 1 do
                  same $"class {c}" (total c) (float labels.Length / float v.Length)
              refused $"of class {v.Length}" (fun () -> ClassWeights.Balanced(ReadOnlySpan<int> labels, v.Length + 1))
              refused "at position 0" (fun () -> ClassWeights.Balanced(ReadOnlySpan<int>([| v.Length |]), v.Length)) ])

// What PyTorch 1.13 gives in float64, without the 1e-6 its triplet adds: the value, and the gradient of the second row.
let private asTorch: Law =
    let grid f = Tensor.Of<float>(Array.init 20 (fun k -> f (float (k / 4)) (float (k % 4))), 5, 4)
    let z, t = grid (fun i j -> 2.0 * sin (1.7 * i + 0.3 * j * j + j)), grid (fun i j -> cos (i + 2.0 * j))
    let y, w = Tensor.Of<int>([| 0; 3; 1; 2; 3 |]), Tensor.Of<float>([| 0.5; 2.0; 0.0; 1.25 |])
    let rolled = Rows.Forward(t, [| 4; 0; 1; 2; 3 |])
    let hard = t.Map(Func<float, float>(fun x -> if x > 0.0 then 1.0 else 0.0))
    let q = Softmax.Forward(Scale.Forward(z, 0.7))

    let agrees what (expected: float list) (struct (v: float, g: Tensor)) =
        Evidence.worst
            [ same $"{what}, the value" expected.Head v
              for j, e in List.indexed expected.Tail do
                  Evidence.within $"{what}, the gradient" 1e-13 (abs (e - g.At(4 + j))) ]

    Law.fact "are PyTorch's numbers" "losses" (fun () ->
        let struct (triplet, da, _, _) = Triplet.Evaluate(z, t, rolled, Reduction.Mean, 1.5)
        let struct (divergence, dm, _) = UnitNormalDivergence.Evaluate(z, t)

        Evidence.worst
            [ agrees
                  "weights, smoothing and ignored id"
                  [ 1.8878460657727627; 0.18645514966364604; 0.0022125611003771016; 0.003757220371506183; -0.19242493113552928 ]
                  (CrossEntropy.Evaluate(z, y, Reduction.Mean, w, 0.2, Nullable 1))
              agrees
                  "their sum"
                  [ 5.663538197318288; 0.5593654489909381; 0.006637683301131302; 0.01127166111451855; -0.5772747934065879 ]
                  (CrossEntropy.Evaluate(z, y, Reduction.Sum, w, 0.2, Nullable 1))
              agrees
                  "weights and smoothing over distributions"
                  [ 1.2139324039471855
                    0.055166897505073115
                    -0.04584773584953588
                    0.0018478859756711238
                    -0.011167047631208356 ]
                  (CrossEntropy.Evaluate(z, q, Reduction.Mean, w, 0.2))
              agrees "huber" [ 0.5414723924199855; 0.035; 0.035; -0.035; 0.035 ] (Huber.Evaluate(z, t, Reduction.Mean, 0.7))
              agrees "l1" [ 1.0897398752323069; 0.05; 0.05; -0.05; 0.05 ] (MeanAbsoluteError.Evaluate(z, t))
              agrees
                  "triplet"
                  [ 1.793960070539986
                    -0.00792891550188668
                    0.010134814120332472
                    -0.010097480451026208
                    -0.018551362643586422 ]
                  (struct (triplet, da))
              agrees
                  "torchvision's focal"
                  [ 0.16042593157493984
                    -6.358354304688595e-05
                    0.015794680949976783
                    -0.013388950499629595
                    -0.0001023831126912117 ]
                  (BinaryFocal.Evaluate(z, hard, Reduction.Mean, 2.0, Nullable 0.25))
              agrees
                  "torchvision's focal of soft targets"
                  [ 0.13367950759217365
                    0.000861033399896052
                    0.006466847326463765
                    -0.00477116244914279
                    0.00022496141239987714 ]
                  (BinaryFocal.Evaluate(z, Sigmoid.Forward t, Reduction.Mean, 1.5, Nullable 0.25))
              agrees
                  "divergence"
                  [ 4.331194197598515; 0.39666592418098745; 0.056448003223946885; -0.392981045049733; 0.3594832383246506 ]
                  (struct (divergence, dm)) ])

/// The laws of this file.
let laws: Law list = errors @ focal @ embeddings @ finite @ refusals @ [ balanced; asTorch ]

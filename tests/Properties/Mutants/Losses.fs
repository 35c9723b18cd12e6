/// Wrong Backwards of losses.
module DL.Properties.Mutants.Losses

open DL.Core
open DL.Core.Losses
open DL.Core.Ops
open DL.Laws
open DL.Properties.Losses

let private all = Losses.operations @ Focus.operations @ Embeddings.operations @ CrossEntropy.operations

let private find name variant = all |> List.find (fun o -> o.Name = name && o.Variant = variant)

let private like (t: Tensor) (x: float[]) : Tensor = (Tensor.Of<float>(System.ReadOnlySpan<float> x, t.Shape)).To t.ElementType

let private spoilt name variant (change: OperationCase -> Tensor[] -> Tensor[] -> Tensor[] -> Tensor[]) =
    let right = find name variant

    right,
    { right with
        Backward = fun case x y dy -> change case x dy (right.Backward case x y dy) }

let private only i (change: Tensor -> Tensor) (gradients: Tensor[]) = gradients |> Array.mapi (fun k g -> if k = i then change g else g)

let private perExample = "per example"

/// Rows at distance 0 take a share all the same.
let private pushed (x: Tensor[]) (dy: Tensor) (g: Tensor[]) =
    let a, b, slope = x[0].ToArray<float>(), x[1].ToArray<float>(), g[1].ToArray<float>()
    let width = x[0].Shape.Last
    only 1 (fun t -> like t (Array.mapi2 (fun i p q -> if p = q then slope[i] + dy.At(i / width) else slope[i]) a b)) g

/// What is wrong, the right operation, the wrong one.
let mutants: (string * Operation * Operation) list =
    [ "MeanAbsoluteError: the slope is the error", spoilt "MeanAbsoluteError" "per element" (fun _ x _ _ -> [| x[0] |])
      "MeanAbsoluteError: missing 1/n",
      spoilt "MeanAbsoluteError" "mean" (fun case _ _ g -> only 0 (fun t -> Scale.Forward(t, float (List.reduce (*) case.Sizes))) g)
      "Huber: slope 1 instead of delta beyond it",
      spoilt "Huber" "delta 0.3, per element" (fun _ _ dy g ->
          let upstream = dy[0].ToArray<float>()
          only 0 (fun t -> like t (Array.map2 (fun d u -> if abs d >= 0.29 * abs u then d / 0.3 else d) (t.ToArray<float>()) upstream)) g)
      "Huber: the factor of smooth L1",
      spoilt "Huber" "delta 0.3, per element" (fun _ _ _ g -> only 0 (fun t -> Scale.Forward(t, 1.0 / 0.3)) g)
      "BinaryFocal: the factor held fixed",
      (let right = find "BinaryFocal" "gamma 2, alpha , per element"

       right,
       { right with
           Backward =
               fun case x _ dy ->
                   let entropy = find "BinaryCrossEntropyWithLogits" "per element"
                   let values, slopes = right.Forward case x, entropy.Backward case x (entropy.Forward case x) dy
                   let plain = entropy.Forward case x

                   let factor =
                       Array.map2 (fun v e -> if e = 0.0 then 0.0 else v / e) (values[0].ToArray<float>()) (plain[0].ToArray<float>())

                   [| like x[0] (Array.map2 (*) factor (slopes[0].ToArray<float>())) |] })
      "Focal: gamma forgotten on the way back",
      spoilt "Focal" "gamma 2, per example" (fun case x dy _ -> (find "Focal" "gamma 0, weights, per example").Backward case x [||] dy)
      "Focal: weights forgotten on the way back",
      spoilt "Focal" "gamma 2, weights, per example" (fun case x dy _ -> (find "Focal" "gamma 2, per example").Backward case x [||] dy)
      "CrossEntropy: weights forgotten on the way back",
      spoilt "CrossEntropy" "weights, per example" (fun case x dy _ -> (find "CrossEntropy" "ids, per example").Backward case x [||] dy)
      "CrossEntropy: smoothing forgotten on the way back",
      spoilt "CrossEntropy" "smoothing, per example" (fun case x dy _ -> (find "CrossEntropy" "ids, per example").Backward case x [||] dy)
      "Contrastive: both pulled the same way", spoilt "Contrastive" $"margin 12, {perExample}" (fun _ _ _ g -> [| g[0]; g[0] |])
      "Contrastive: a push at distance 0", spoilt "Contrastive" $"margin 1, {perExample}" (fun _ x dy g -> pushed x dy[0] g)
      "Triplet: the anchor follows the positive alone",
      spoilt "Triplet" $"margin 1, {perExample}" (fun _ _ _ g -> only 0 (fun _ -> Scale.Forward(g[1], -1.0)) g)
      "Triplet: positive and negative exchanged", spoilt "Triplet" $"margin 0.25, {perExample}" (fun _ _ _ g -> [| g[0]; g[2]; g[1] |])
      "UnitNormalDivergence: the variance's 1 forgotten",
      spoilt "UnitNormalDivergence" perExample (fun _ x dy g ->
          let width = x[0].Shape.Last
          only 1 (fun t -> like t (t.ToArray<float>() |> Array.mapi (fun i d -> d + 0.5 * dy[0].At(i / width)))) g)
      "UnitNormalDivergence: the mean's slope doubled",
      spoilt "UnitNormalDivergence" perExample (fun _ _ _ g -> only 0 (fun t -> Scale.Forward(t, 2.0)) g) ]
    |> List.map (fun (fault, (right, wrong)) -> fault, right, wrong)

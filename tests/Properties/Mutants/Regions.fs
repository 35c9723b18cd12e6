/// Wrong Backwards of poolings over regions.
module DL.Properties.Mutants.Regions

open System
open DL.Core
open DL.Core.Ops
open DL.Laws
open DL.Properties.Ops

let private find name variant = Regions.operations |> List.find (fun o -> o.Name = name && o.Variant = variant)

let private like (t: Tensor) (x: float[]) : Tensor = (Tensor.Of<float>(ReadOnlySpan<float> x, t.Shape)).To t.ElementType

/// The right operation, and one whose gradient is changed, from its input, the gradient of its output, and the right gradient.
let private spoilt name variant (change: Tensor -> Tensor -> Tensor -> Tensor) =
    let right = find name variant

    right,
    { right with
        Backward = fun case x y dy -> [| change x[0] dy[0] (Array.head (right.Backward case x y dy)) |] }

/// Pixels on which regions meet take the largest gradient instead of the sum of all.
let private limited (_: Tensor) (dy: Tensor) (dx: Tensor) =
    let upstream = dy.ToArray<float>()
    let least, most = Array.fold min 0.0 upstream, Array.fold max 0.0 upstream
    like dx (dx.ToArray<float>() |> Array.map (fun v -> min most (max least v)))

/// The first image takes the gradients of all.
let private firstImage (x: Tensor) (_: Tensor) (dx: Tensor) =
    let n = if x.Shape[0] = 0 then 0 else x.Count / x.Shape[0]
    let from = dx.ToArray<float>()
    like dx (Array.init from.Length (fun i -> if i < n then Seq.sum (seq { for k in i..n .. from.Length - 1 -> from[k] }) else 0.0))

/// Other settings on the way back than on the way there.
let private otherwise name variant (back: Tensor -> Tensor -> Tensor -> Tensor) =
    let right = find name variant

    right,
    { right with
        Backward = fun case x _ dy -> [| back x[0] (Regions.regionsOf case (variant.Contains "scaled") x[0].ElementType) dy[0] |] }

/// What is wrong, the right operation, the wrong one.
let mutants: (string * Operation * Operation) list =
    [ "RoiPool: regions that overlap do not add", spoilt "RoiPool" "to one pixel" limited
      "RoiPool: the image of a region forgotten", spoilt "RoiPool" "2x2" firstImage
      "RoiPool: every pixel of a bin takes its share", otherwise "RoiPool" "2x2" (fun x r dy -> RoiAlign.Backward(dy, x.Shape, r, 1.0, 2))
      "RoiPool: the scale forgotten", otherwise "RoiPool" "3x1, scaled" (fun x r dy -> RoiPool.Backward(dy, x, r))
      "RoiAlign: the half pixel forgotten",
      otherwise "RoiAlign" "2x2, two samples" (fun x r dy -> RoiAlign.Backward(dy, x.Shape, r, 1.0, 2, false))
      "RoiAlign: another number of samples",
      otherwise "RoiAlign" "2x2, two samples" (fun x r dy -> RoiAlign.Backward(dy, x.Shape, r, 1.0, 1))
      "RoiAlign: the mean of samples taken for their sum", spoilt "RoiAlign" "2x2, not aligned" (fun _ _ dx -> Scale.Forward(dx, 4.0))
      "RoiAlign: the nearest pixel takes it all", otherwise "RoiAlign" "to one pixel, one sample" (fun x r dy -> RoiPool.Backward(dy, x, r))
      "RoiAlign: the image of a region forgotten", spoilt "RoiAlign" "3x1, scaled, samples by size" firstImage ]
    |> List.map (fun (fault, (right, wrong)) -> fault, right, wrong)

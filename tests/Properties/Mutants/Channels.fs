/// Wrong Backwards of what treats channels apart.
module DL.Properties.Mutants.Channels

open DL.Core
open DL.Core.Ops
open DL.Laws
open DL.Properties.Ops

let private find name variant = Channels.operations |> List.find (fun o -> o.Name = name && o.Variant = variant)

/// The right operation, and one whose gradients are changed: from inputs, the output's gradient and the right gradients.
let private spoilt name variant (change: Tensor[] -> Tensor -> Tensor[] -> Tensor[]) =
    let right = find name variant

    right,
    { right with
        Backward = fun case x y dy -> change x dy[0] (right.Backward case x y dy) }

let private scale = spoilt "ScaleChannels" ""
let private grouped = spoilt "GroupNorm" "in 3 groups"

/// The gradients of group norm by other statistics or groups.
let private norm (x: Tensor[]) dy groups (statistics: int) =
    let struct (_, mean, variance) = GroupNorm.Forward(x[0], x[1], x[2], statistics)
    let struct (dx, dgamma, dbeta) = GroupNorm.Backward(dy, x[0], x[1], x[2], mean, variance, groups)
    [| dx; dgamma; dbeta |]

/// What is wrong, the right operation, the wrong one.
let mutants: (string * Operation * Operation) list =
    [ "ScaleChannels: dx not scaled", scale (fun _ dy g -> [| dy; g[1] |])
      "ScaleChannels: ds of the mean over pixels", scale (fun x _ g -> [| g[0]; Scale.Forward(g[1], 1.0 / float (max 2 x[0].Shape[1])) |])
      "ScaleChannels: ds without x",
      scale (fun x dy g ->
          let ones: Tensor = Tensor.Filled(x[0].ElementType, x[0].Shape, 1.0)
          let struct (_, ds) = ScaleChannels.Backward(dy, ones, x[1])
          [| g[0]; ds |])
      "GroupNorm: means over one channel instead of the group", grouped (fun x dy _ -> norm x dy x[0].Shape.Last 3)
      "GroupNorm: means over all channels instead of the group", grouped (fun x dy _ -> norm x dy 1 3)
      "GroupNorm: statistics taken for constants",
      grouped (fun x dy g ->
          let struct (_, ds) =
              ScaleChannels.Backward(dy, x[0], Tensor.Filled(dy.ElementType, Shape [| dy.Shape[0]; dy.Shape.Last |], 1.0))

          [| dy; ds; g[2] |])
      "ChannelDropout: every channel passes", spoilt "ChannelDropout" "p 0.3" (fun _ dy _ -> [| dy |])
      "Conv1d: dx one step late",
      spoilt "Conv1d" "causal and dilated" (fun x dy g ->
          let late = Window(1, 3, PadLeft = 3, PadRight = 1, DilationWidth = 2)
          [| Conv1d.BackwardInput(dy, x[1], late, x[0].Shape[1]); g[1]; g[2] |]) ]
    |> List.map (fun (fault, (right, mutant)) -> fault, right, mutant)

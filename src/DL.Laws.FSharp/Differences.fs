namespace DL.Laws

open DL
open DL.Core

/// <summary>Central differences in float64: a judge that knows nothing of a layer but its forward pass.</summary>
[<RequireQualifiedAccess>]
module Differences =
    let private steps = [ 1e-3; 1e-4; 1e-5; 1e-6; 1e-7 ]

    /// <summary>The distance of a claimed derivative from <c>f'(0)</c>, relative to a scale.</summary>
    /// <remarks>Richardson's extrapolation <c>(4 D(h) - D(2h)) / 3</c> of central differences, at step sizes from 1e-3 to 1e-7; the smallest
    /// distance counts. Rounding spoils the small steps and kinks or curvature the large ones, but a wrong derivative agrees at no step.</remarks>
    /// <param name="f">The function along one direction.</param>
    /// <param name="claimed">Its derivative at 0, as claimed.</param>
    /// <param name="scale">The sum of the sizes of the terms the claim is made of.</param>
    let distance (f: float -> float) (claimed: float) (scale: float) : float =
        let central h = (f h - f -h) / (2.0 * h)

        let error h = abs ((4.0 * central h - central (2.0 * h)) / 3.0 - claimed)

        // The smallest number, whatever else is not one.
        let smallest = steps |> List.map error |> List.fold (fun a b -> if b < a then b else a) infinity
        if smallest = 0.0 then 0.0 else smallest / scale

    let private moved (k: float) (x: Tensor) (v: Tensor) : Tensor =
        if Probe.isReal x then
            Probe.ofNumbers x (Array.map2 (fun a b -> a + k * b) (Probe.numbers x) (Probe.numbers v))
        else
            x

    /// <summary>The distance of a layer's pullback from its derivative along a random direction of input and parameters together,
    /// relative to the sum of all <c>|u v|</c>.</summary>
    let internal pullback (probe: Probe<'x, 'y>) (trial: Trial<'x>) : float =
        let pass = probe.Run
        let dy = Probe.upstream trial 0 pass.Output
        let struct (dx, dp) = pass.Pullback dy
        let draw = (Draw trial.Seed).Branch 500
        let vx = Batch.map (Probe.normal draw) probe.Input
        let vp = probe.Params |> Array.map (Probe.normal draw)

        let f k =
            let ps = Array.map2 (moved k) probe.Params vp
            let x = Batch.map2 (moved k) probe.Input vx
            let y = (probe.Layer.Apply probe.Mode ps probe.State x).Output
            let struct (sum, _) = Probe.dot (Batch.parts dy) (Batch.parts y)
            sum

        let struct (alongX, sizeX) = Probe.dot (Batch.parts vx) (Batch.parts dx)
        let struct (alongP, sizeP) = Probe.dot vp dp
        let struct (_, sizeY) = Probe.dot (Batch.parts dy) (Batch.parts pass.Output)
        let sizeU = Batch.parts dy |> Seq.collect Probe.numbers |> Seq.sumBy abs
        // What the differences are taken of rounds too, and so does a pullback whose terms cancel to zero.
        distance f (alongX + alongP) (sizeX + sizeP + 1e-3 * sizeY + 1e-6 * sizeU)

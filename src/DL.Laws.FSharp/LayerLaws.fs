namespace DL.Laws

open DL
open DL.Core

/// The laws of a layer's pullback, each as a function of a trial. Generic in the kinds, so that any layer can be held to them.
[<RequireQualifiedAccess>]
module internal LayerLaws =
    /// The pullback is the derivative.
    let derivative (layer: Layer<'x, 'y>) (trial: Trial<'x>) : Evidence =
        let single trial =
            inModes (fun mode ->
                Differences.pullback (Probe.make mode layer trial) trial
                |> Evidence.within $"pullback and central differences ({mode}), relative to the sum of |u v|" 1e-6)

        confirmed single trial

    /// pullback (a u + b w) = a pullback u + b pullback w.
    let linear (layer: Layer<'x, 'y>) (trial: Trial<'x>) : Evidence =
        let single mode =
            let pass = (Probe.make mode layer trial).Run
            let u, w = Probe.upstream trial 0 pass.Output, Probe.upstream trial 1 pass.Output

            let combine a b =
                Batch.map2 (fun s t -> Probe.ofNumbers s (Array.map2 (fun p q -> a * p + b * q) (Probe.numbers s) (Probe.numbers t)))

            let backU, backW, both = back pass u, back pass w, back pass (combine 3.0 -2.0 u w)

            let expected =
                List.map2
                    (fun s t -> Probe.ofNumbers s (Array.map2 (fun p q -> 3.0 * p - 2.0 * q) (Probe.numbers s) (Probe.numbers t)))
                    backU
                    backW

            let scale = Probe.largest backU + Probe.largest backW + 1e-3 * Probe.largest (Batch.parts u)
            let error = Probe.distance both expected

            Evidence.within
                $"pullback (3 u - 2 w) and 3 pullback u - 2 pullback w ({mode})"
                1e-10
                (if error = 0.0 then 0.0 else error / scale)

        inModes single

    /// The pullback of zero is zero, exactly.
    let zero (layer: Layer<'x, 'y>) (trial: Trial<'x>) : Evidence =
        let single mode =
            let pass = (Probe.make mode layer trial).Run
            let nothing = Batch.map (fun t -> Tensor.Zeros(t.ElementType, t.Shape)) pass.Output
            let all = back pass nothing |> Seq.collect Probe.numbers
            Evidence.exact $"the pullback of zero is zero, exactly ({mode})" (Seq.forall ((=) 0.0) all)

        inModes single

    /// Every parameter gets a gradient that is not zero, in one of several draws.
    let parametersLive (layer: Layer<'x, 'y>) (trial: Trial<'x>) : Evidence =
        let dead seed =
            let trial =
                { trial with
                    Seed = seed
                    Numbers = Ordinary
                    Examples = max 4 trial.Examples }

            let pass = (Probe.make Train layer trial).Run
            let struct (_, dp) = pass.Pullback(Probe.upstream trial 0 pass.Output)
            dp |> Seq.map (Probe.numbers >> Array.forall ((=) 0.0)) |> List.ofSeq

        let always = [ 0UL .. 4UL ] |> List.map (fun k -> dead (trial.Seed + k)) |> List.reduce (List.map2 (&&))

        List.zip (Layer.slots layer) always
        |> List.map (fun (name, never) -> Evidence.exact $"parameter {name} gets a gradient" (not never))
        |> Evidence.worst

    let private rowsOf (batch: Batch<'x>) (rows: int[]) : Batch<'x> =
        let pick (t: Tensor) : Tensor =
            let n = t.Count / max 1 t.Shape[0]
            let x = Probe.numbers t
            let shape = t.Shape.With(0, rows.Length)
            (Tensor.Of<float>(System.ReadOnlySpan<float>(rows |> Array.collect (fun r -> Array.sub x (r * n) n)), shape)).To t.ElementType

        Batch.map pick batch

    /// The gradient of an example depends on the gradient of its own output only: the others get exact zeros.
    let examplesApart (layer: Layer<'x, 'y>) (trial: Trial<'x>) : Evidence =
        let single mode =
            let pass = (Probe.make mode layer trial).Run
            let dy = Probe.upstream trial 0 pass.Output
            let chosen = int (trial.Seed % uint64 trial.Examples)

            let only (t: Tensor) : Tensor =
                let n = t.Count / max 1 t.Shape[0]
                Probe.numbers t |> Array.mapi (fun i v -> if i / n = chosen then v else 0.0) |> Probe.ofNumbers t

            let struct (dx, _) = pass.Pullback(Batch.map only dy)

            let others =
                [| for r in 0 .. trial.Examples - 1 do
                       if r <> chosen then
                           r |]

            let zeros = Batch.parts (rowsOf dx others) |> Seq.filter Probe.isReal |> Seq.collect Probe.numbers |> Seq.forall ((=) 0.0)

            Evidence.exact $"the other examples' gradients are exactly zero ({mode})" zeros

        if trial.Examples = 0 then Evidence.fine else inModes single

    /// The parameter gradients of a batch are the sums of those of its examples.
    let gradientsAdd (layer: Layer<'x, 'y>) (trial: Trial<'x>) : Evidence =
        let probe = Probe.make Predict layer trial
        let pass = probe.Run
        let dy = Probe.upstream trial 0 pass.Output
        let struct (_, dp) = pass.Pullback dy

        let one r =
            let alone = { probe with Input = rowsOf probe.Input [| r |] }
            let struct (_, dp) = alone.Run.Pullback(rowsOf dy [| r |])
            dp |> Array.map Probe.numbers

        let parts = List.init trial.Examples one

        // A gradient that is zero but for rounding, as that of a bias before a softmax, is small beside those of the other parameters.
        let least = 1e-3 * Probe.largest dp

        let error (i: int) (whole: Tensor) =
            let sum, size = Array.zeroCreate whole.Count, Array.zeroCreate whole.Count

            for part in parts do
                part[i]
                |> Array.iteri (fun j v ->
                    sum[j] <- sum[j] + v
                    size[j] <- size[j] + abs v)

            let scale = Array.fold max least size
            let e = Array.map2 (fun (a: float) b -> abs (a - b)) (Probe.numbers whole) sum |> Array.fold Evidence.worse 0.0
            if e = 0.0 then 0.0 else e / scale

        dp
        |> Seq.mapi error
        |> Seq.fold Evidence.worse 0.0
        |> Evidence.within "the gradient of a batch and the sum over its examples" 1e-10

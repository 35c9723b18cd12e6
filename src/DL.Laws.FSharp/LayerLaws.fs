namespace DL.Laws

open DL
open DL.Core

/// The laws of one layer, each as a function of a trial. Generic in the kinds, so that any layer can be held to them.
[<RequireQualifiedAccess>]
module internal LayerLaws =
    let private tensorsOf (dx: Batch<'x>) (dp: Grads) = (Batch.tensors dx |> List.filter Probe.isReal) @ List.ofArray dp

    let private back (pass: Pass<'x, 'y>) dy =
        let struct (dx, dp) = pass.Pullback dy
        tensorsOf dx dp

    let private inModes (evidence: Mode -> Evidence) = Evidence.worst [ evidence Train; evidence Predict ]

    // A number within rounding of a kink breaks a law of differences about once in a million draws; a mistake breaks it in nearly all.
    let private confirmed (evidence: Trial<'x> -> Evidence) (trial: Trial<'x>) =
        let first = evidence trial

        if Evidence.holds first then
            first
        else
            [ 1UL; 2UL ]
            |> List.map (fun k -> evidence { trial with Seed = trial.Seed + 7919UL * k })
            |> List.tryFind (Evidence.holds >> not)
            |> function
                | Some _ -> first
                | None -> Evidence.fine

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

            let scale = Probe.largest backU + Probe.largest backW + 1e-3 * Probe.largest (Batch.tensors u)
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

    /// Apply and pullback called twice give the same bits.
    let repeatable (layer: Layer<'x, 'y>) (trial: Trial<'x>) : Evidence =
        let single mode =
            let probe = Probe.make mode layer trial |> Probe.inPrecision ElementType.Float32
            let first, second = probe.Run, probe.Run
            let dy = Probe.upstream trial 0 first.Output

            Evidence.worst
                [ Evidence.exact
                      $"Apply called twice gives the same bits ({mode})"
                      (Probe.sameBits (Batch.tensors first.Output) (Batch.tensors second.Output)
                       && Probe.sameState first.State second.State)
                  Evidence.exact $"a pullback called twice gives the same bits ({mode})" (Probe.sameBits (back first dy) (back first dy)) ]

        inModes single

    /// Input, parameters, state and upstream gradient are as they were, and so is the output after the pullback.
    let untouched (layer: Layer<'x, 'y>) (trial: Trial<'x>) : Evidence =
        let single mode =
            let probe = Probe.make mode layer trial |> Probe.inPrecision ElementType.Float32

            let statistics =
                probe.State
                |> Array.choose (function
                    | Statistic t -> Some t
                    | Draws _ -> None)

            let pass = probe.Run
            let dy = Probe.upstream trial 0 pass.Output

            let named =
                [ "the input", Batch.tensors probe.Input
                  "parameters", List.ofArray probe.Params
                  "the state", List.ofArray statistics
                  "the output", Batch.tensors pass.Output
                  "the upstream gradient", Batch.tensors dy ]
            // Apply has run by now; a fresh probe of the same trial tells what its inputs were.
            let fresh = Probe.make mode layer trial |> Probe.inPrecision ElementType.Float32
            let before = named |> List.map (fun (_, tensors) -> Probe.copies tensors)

            let applied =
                Evidence.exact
                    $"Apply leaves input, parameters and state as they were ({mode})"
                    (Probe.sameBits (Batch.tensors probe.Input) (Batch.tensors fresh.Input)
                     && Probe.sameBits probe.Params fresh.Params
                     && Probe.sameState probe.State fresh.State)

            back pass dy |> ignore

            let kept =
                List.map2
                    (fun (name, now) old -> Evidence.exact $"the pullback leaves {name} as it was ({mode})" (Probe.sameBits now old))
                    named
                    before

            Evidence.worst (applied :: kept)

        inModes single

    /// The shapes Init tells are the shapes Apply gives, and as many parameters and cells as are named.
    let shapes (layer: Layer<'x, 'y>) (trial: Trial<'x>) : Evidence =
        let single mode =
            let setup = layer.Init (Key.ofSeed 1) trial.Shape
            let probe = Probe.make mode layer trial
            let pass = probe.Run
            let struct (dx, dp) = pass.Pullback(Probe.upstream trial 0 pass.Output)
            let shapes (ts: Tensor seq) = ts |> Seq.map (fun t -> t.Shape) |> List.ofSeq

            Evidence.worst
                [ Evidence.exact
                      $"Init's shape {setup.Shape} is Apply's, {Batch.shape pass.Output} ({mode})"
                      (setup.Shape = Batch.shape pass.Output)
                  Evidence.exact $"as many outputs as examples ({mode})" (Batch.count pass.Output = trial.Examples)
                  Evidence.exact "as many parameters as slots" (setup.Params.Length = layer.Slots.Length)
                  Evidence.exact
                      "as much state as cells"
                      (setup.State.Length = layer.Cells.Length && pass.State.Length = layer.Cells.Length)
                  Evidence.exact "names that differ" (let names = Layer.slots layer @ Layer.cells layer in List.distinct names = names)
                  Evidence.exact $"parameter gradients of the parameters' shapes ({mode})" (shapes dp = shapes probe.Params)
                  Evidence.exact
                      $"input gradients of the input's shapes ({mode})"
                      (shapes (Batch.tensors dx) = shapes (Batch.tensors probe.Input)) ]

        inModes single

    /// Prediction returns the state it was given.
    let predictionKeepsState (layer: Layer<'x, 'y>) (trial: Trial<'x>) : Evidence =
        let probe = Probe.make Predict layer trial
        Evidence.exact "prediction returns the state it was given" (Probe.sameState probe.State probe.Run.State)

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

    let private everything (probe: Probe<'x, 'y>) trial =
        let pass = probe.Run
        let dy = Probe.upstream trial 0 pass.Output
        Batch.tensors pass.Output, back pass dy

    let private jittered (draw: Draw) (t: Tensor) =
        if Probe.isReal t then
            Probe.numbers t |> Array.map (fun v -> v * (1.0 + 6e-8 * draw.Normal())) |> Probe.ofNumbers t
        else
            t

    /// float32 gives what float64 gives, within what rounding the input would change.
    let precision (layer: Layer<'x, 'y>) (trial: Trial<'x>) : Evidence =
        let single (trial: Trial<'x>) =
            // So few examples have no variance to speak of: what batch norm makes of them is rounding.
            let trial = { trial with Examples = max 6 trial.Examples }

            inModes (fun mode ->
                let wide = Probe.make mode layer trial |> Probe.inPrecision ElementType.Float32 |> Probe.inPrecision ElementType.Float64
                let y, dxp = everything wide trial
                let y32, dxp32 = everything (Probe.inPrecision ElementType.Float32 wide) trial

                let shaken k =
                    let draw = (Draw trial.Seed).Branch(700 + k)

                    everything
                        { wide with
                            Params = wide.Params |> Array.map (jittered draw)
                            State = wide.State |> Array.map (Probe.cell (jittered draw))
                            Input = Batch.map (jittered draw) wide.Input }
                        trial

                let others = List.init 3 shaken

                let error name (a: Tensor list) (b: Tensor list) (near: Tensor list list) =
                    let condition = near |> List.map (Probe.distance a) |> List.fold max 0.0
                    let scale = condition / 6e-8 + Probe.largest a
                    let e = Probe.distance a b
                    Evidence.within $"{name} in float32 and float64 ({mode})" 6e-6 (if e = 0.0 then 0.0 else e / scale)

                Evidence.worst [ error "the output" y y32 (List.map fst others); error "the gradients" dxp dxp32 (List.map snd others) ])

        confirmed single trial

    let private poisoned (arena: Arena) =
        let count = 1 <<< 20
        let shape = Shape [| count |]
        let block = arena.Allocate<float32> shape
        // Whatever reads memory before it is written meets NaN.
        block.Write().Fill nanf
        arena.Reset()

    /// In the reused memory of a training step the same bits come out as on the garbage-collected heap.
    let workspace (layer: Layer<'x, 'y>) (trial: Trial<'x>) : Evidence =
        let single mode =
            let probe = Probe.make mode layer trial |> Probe.inPrecision ElementType.Float32
            use arena = new Arena()
            poisoned arena

            let adopt (t: Tensor) : Tensor =
                match t with
                | :? Tensor<float32> as s -> s.Adopted arena
                | :? Tensor<int> as ids -> ids.Adopted arena
                | other -> other

            let inside =
                { probe with
                    Params = Array.map adopt probe.Params
                    State = probe.State |> Array.map (Probe.cell adopt)
                    Input = Batch.map adopt probe.Input }

            let y, dxp = everything probe trial
            let pass = inside.Run
            let dy = Probe.upstream trial 0 pass.Output |> Batch.map adopt
            let dxpInside = back pass dy

            Evidence.exact
                $"the workspace of a step and the heap give the same bits ({mode})"
                (Probe.sameBits y (Batch.tensors pass.Output) && Probe.sameBits dxp dxpInside)

        inModes single

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

            let zeros =
                Batch.tensors (rowsOf dx others)
                |> Seq.filter Probe.isReal
                |> Seq.collect Probe.numbers
                |> Seq.forall ((=) 0.0)

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

        let error (i: int) (whole: Tensor) =
            let sum, size = Array.zeroCreate whole.Count, Array.zeroCreate whole.Count

            for part in parts do
                part[i]
                |> Array.iteri (fun j v ->
                    sum[j] <- sum[j] + v
                    size[j] <- size[j] + abs v)

            let scale = Array.fold max 0.0 size
            let e = Array.map2 (fun (a: float) b -> abs (a - b)) (Probe.numbers whole) sum |> Array.fold Evidence.worse 0.0
            if e = 0.0 then 0.0 else e / scale

        dp
        |> Seq.mapi error
        |> Seq.fold Evidence.worse 0.0
        |> Evidence.within "the gradient of a batch and the sum over its examples" 1e-10

namespace DL.Laws

open DL
open DL.Core

/// The laws of a layer's conduct: what it returns beside numbers, what it leaves alone, and that neither memory nor precision matters.
[<RequireQualifiedAccess>]
module internal Conduct =
    /// Apply and pullback called twice give the same bits.
    let repeatable (layer: Layer<'x, 'y>) (trial: Trial<'x>) : Evidence =
        let single mode =
            let probe = Probe.make mode layer trial |> Probe.inPrecision ElementType.Float32
            let first, second = probe.Run, probe.Run
            let dy = Probe.upstream trial 0 first.Output

            Evidence.worst
                [ Evidence.exact
                      $"Apply called twice gives the same bits ({mode})"
                      (Probe.sameBits (Batch.parts first.Output) (Batch.parts second.Output)
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
                [ "the input", Batch.parts probe.Input
                  "parameters", List.ofArray probe.Params
                  "the state", List.ofArray statistics
                  "the output", Batch.parts pass.Output
                  "the upstream gradient", Batch.parts dy ]
            // Apply has run by now; a fresh probe of the same trial tells what its inputs were.
            let fresh = Probe.make mode layer trial |> Probe.inPrecision ElementType.Float32
            let before = named |> List.map (fun (_, tensors) -> Probe.copies tensors)

            let applied =
                Evidence.exact
                    $"Apply leaves input, parameters and state as they were ({mode})"
                    (Probe.sameBits (Batch.parts probe.Input) (Batch.parts fresh.Input)
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
                      (shapes (Batch.parts dx) = shapes (Batch.parts probe.Input)) ]

        inModes single

    /// Prediction returns the state it was given.
    let predictionKeepsState (layer: Layer<'x, 'y>) (trial: Trial<'x>) : Evidence =
        let probe = Probe.make Predict layer trial
        Evidence.exact "prediction returns the state it was given" (Probe.sameState probe.State probe.Run.State)

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

    /// Prediction alone, in memory that is reused from layer to layer, gives what Apply gives; and the same bits again, when weights have been kept.
    let prediction (layer: Layer<'x, 'y>) (trial: Trial<'x>) : Evidence =
        let probe = Probe.make Predict layer trial
        let expected = Batch.parts probe.Run.Output
        let scale = 1.0 + Probe.largest expected + Probe.largest (Batch.parts probe.Input)
        use arena = new Arena()

        let alone () =
            arena.Reusing <- true
            let y = Layer.answer layer probe.Params probe.State (Batch.map (Batch.into arena) probe.Input)
            let copies = Probe.copies (Batch.parts y)
            arena.Reset()
            copies

        let first = alone ()
        let error = Probe.distance expected first

        Evidence.worst
            [ Evidence.within "prediction alone and Apply" 1e-9 (if error = 0.0 then 0.0 else error / scale)
              for time in 2..4 do
                  Evidence.exact $"the same bits, time {time}" (Probe.sameBits first (alone ())) ]

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
                (Probe.sameBits y (Batch.parts pass.Output) && Probe.sameBits dxp dxpInside)

        inModes single

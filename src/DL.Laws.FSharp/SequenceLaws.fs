namespace DL.Laws

open System
open DL
open DL.Core

/// The laws of layers over sequences, each as a function of a trial; a layer over anything else meets them idly.
[<RequireQualifiedAccess>]
module internal SequenceLaws =
    let private isSequence (kind: Type) = kind = typeof<Seq> || kind = typeof<Tokens>

    let private halves (kind: Type) =
        let parts = kind.GetGenericArguments()
        struct (parts[0], parts[1])

    /// Applies a function to the tensors of sequences, another to the other ones.
    let rec private map (kind: Type) onSequence other (value: Value) =
        match value with
        | Two(a, b) ->
            let struct (first, second) = halves kind
            Two(map first onSequence other a, map second onSequence other b)
        | single ->
            let t = Batch.held { Value = single }
            if isSequence kind then onSequence t else other t

    let rec private sequences (kind: Type) value : Tensor list =
        match value with
        | Two(a, b) ->
            let struct (first, second) = halves kind
            sequences first a @ sequences second b
        | Nothing -> []
        | single -> if isSequence kind then [ Batch.held { Value = single } ] else []

    let private steps from count (batch: Batch<'x>) : Batch<'x> =
        { Value = map typeof<'x> (fun t -> One(Ops.Slice.Forward(t, 1, from, count))) One batch.Value }

    let private relative whole parts =
        let error = Probe.distance whole parts
        if error = 0.0 then 0.0 else error / (Probe.largest whole + 1e-3)

    /// Going on along a sequence, part after part, is one pass over all of it.
    let continued (layer: Layer<'x, 'y>) (trial: Trial<'x>) : Evidence =
        let probe = Probe.make Predict layer trial

        match layer.Continue, sequences typeof<'x> probe.Input.Value with
        | Ok along, first :: _ when isSequence typeof<'y> && first.Shape[1] > 1 ->
            let time = first.Shape[1]
            let cut = 1 + int (trial.Seed % uint64 (time - 1))
            let go memory from count = along.Extend probe.Params probe.State memory (steps from count probe.Input)
            let struct (y1, seen) = go along.Fresh 0 cut
            let struct (y2, last) = go seen cut (time - cut)
            // What was remembered at the cut is a value: the same steps again give the same.
            let struct (again, _) = go seen cut (time - cut)
            let joined = Ops.Concat.Forward(1, Batch.held y1, Batch.held y2)

            [ relative [ Batch.held probe.Run.Output ] [ joined ]
              |> Evidence.within $"{cut} steps and then {time - cut}, and all of them at once" 1e-12
              Evidence.exact "as much is remembered at the end as at the beginning" (last.Length = along.Fresh.Length)
              Evidence.exact "going on twice from one place gives the same bits" ((Batch.held again).SameBits(Batch.held y2)) ]
            |> Evidence.worst
        | _ -> Evidence.fine

    let private lengthOf (trial: Trial<'x>) time i = int ((trial.Seed / 7UL + uint64 i * 2654435761UL) % uint64 (time + 1))

    let private lengths (trial: Trial<'x>) (t: Tensor) = Array.init t.Shape[0] (lengthOf trial t.Shape[1])

    /// The tensor where steps count, and another where they are padding.
    let private mixed lengths (valid: Tensor) (padding: Tensor) : Tensor =
        let time, width = valid.Shape[1], (if valid.Shape.Rank = 3 then valid.Shape[2] else 1)
        let counts i = i / width % time < Array.item (i / (width * time)) lengths

        Array.map2
            (fun i (a, b) -> if counts i then a else b)
            [| 0 .. valid.Count - 1 |]
            (Array.zip (Probe.numbers valid) (Probe.numbers padding))
        |> Probe.ofNumbers valid

    let private padded (trial: Trial<'x>) (valid: Batch<'x>) (garbage: Batch<'x>) : Batch<'x> =
        let rec go kind (a: Value) (b: Value) =
            match a, b with
            | Two(a1, a2), Two(b1, b2) ->
                let struct (first, second) = halves kind
                Two(go first a1 b1, go second a2 b2)
            | a, b ->
                let s, t = Batch.held { Value = a }, Batch.held { Value = b }

                if isSequence kind then
                    let lengths = lengths trial s
                    Ragged(One(mixed lengths s t), lengths)
                else
                    a

        { Value = go typeof<'x> valid.Value garbage.Value }

    let private zeros (t: Tensor) = Tensor.Zeros(t.ElementType, t.Shape)

    /// Zeros where steps are padding.
    let private counted (like: Batch<'y>) (batch: Batch<'y>) : Batch<'y> =
        match Padded.lengths like with
        | Some lengths when isSequence typeof<'y> -> Batch.map (fun t -> mixed lengths t (zeros t)) batch
        | _ -> batch

    /// Applies a function to what goes along, another to what is constant.
    let rec private flowing (kind: Type) flow onSteps onConstant (value: Value) =
        match flow, value with
        | Flow.Pair(p, q), Two(a, b) ->
            let struct (first, second) = halves kind
            Two(flowing first p onSteps onConstant a, flowing second q onSteps onConstant b)
        | Flow.Constant, _ -> onConstant kind value
        | _ -> onSteps kind value

    let private untouched (_: Type) (value: Value) = value
    let private absent (_: Type) (_: Value) = Nothing

    /// Outputs for some steps and then for more, as the tensors of one pass: what is no sequence is as it is after all steps.
    let rec private joined (kind: Type) flow a b =
        match a, b with
        | Two(a1, a2), Two(b1, b2) ->
            let struct (first, second) = halves kind
            let struct (p, q) = Standing.parts flow
            joined first p a1 b1 @ joined second q a2 b2
        | a, b when isSequence kind && flow = Flow.Steps -> [ Ops.Concat.Forward(1, Batch.held { Value = a }, Batch.held { Value = b }) ]
        | _, b -> [ Batch.held { Value = b } ]

    let private accompanied (layer: Layer<'x, 'y>) (trial: Trial<'x>) flow (input: Batch<'x>) time (way: Accompanied<'x, 'y>) =
        let probe = { Probe.make Predict layer trial with Input = input }
        let cut = 1 + int (trial.Seed % uint64 (time - 1))
        let slice from count kind = map kind (fun t -> One(Ops.Slice.Forward(t, 1, from, count))) One
        let steps from count : Batch<'x> = { Value = flowing typeof<'x> flow (slice from count) untouched input.Value }
        let constant: Batch<'x> = { Value = flowing typeof<'x> flow absent untouched input.Value }
        let struct (_, go) = way.Settle probe.Params probe.State constant
        let struct (y1, seen) = go way.Fresh (steps 0 cut)
        let struct (y2, last) = go seen (steps cut (time - cut))
        let struct (again, _) = go seen (steps cut (time - cut))

        [ relative (Batch.parts probe.Run.Output) (joined typeof<'y> way.Out y1.Value y2.Value)
          |> Evidence.within $"{cut} steps and then {time - cut} beside what is constant, and all of them at once" 1e-12
          Evidence.exact "as much is remembered at the end as at the beginning" (last.Length = way.Fresh.Length)
          Evidence.exact "going on twice from one place gives the same bits" (Probe.sameBits (Batch.parts again) (Batch.parts y2)) ]
        |> Evidence.worst

    /// Going on along one part of a pair, part after part, beside another that is constant, is one pass over all of it; the constant one may be padded.
    let beside (layer: Layer<'x, 'y>) (trial: Trial<'x>) : Evidence =
        let input = (Probe.make Predict layer trial).Input

        let pad kind value =
            match value with
            | Two _ -> value
            | single when isSequence kind ->
                let t = Batch.held { Value = single }
                Ragged(One t, lengths trial t)
            | single -> single

        let both flow =
            let along = flowing typeof<'x> flow untouched absent input.Value |> sequences typeof<'x>

            match Standing.along flow layer, along with
            | Ok way, first :: _ when first.Shape[1] > 1 ->
                let over prepare =
                    let prepared: Batch<'x> = { Value = flowing typeof<'x> flow untouched prepare input.Value }
                    accompanied layer trial flow prepared first.Shape[1] way

                [ over untouched; over pad ]
            | _ -> []

        match input.Value with
        | Two _ ->
            [ Flow.Pair(Flow.Constant, Flow.Steps); Flow.Pair(Flow.Steps, Flow.Constant) ]
            |> List.collect both
            |> Evidence.worst
        | _ -> Evidence.fine

    // A product whose terms are all zeros has the sign of them, and so of the numbers in padding that a zero multiplied.
    let private unsigned (t: Tensor) : Tensor = Ops.Add.Forward(t, t.ZerosOf t.Shape)

    /// What lies in padding reaches no output that counts, no gradient of a parameter and no gradient of a step that counts, bit for bit but for the sign
    /// of a zero in the gradient of a parameter.
    let padding (layer: Layer<'x, 'y>) (trial: Trial<'x>) : Evidence =
        let probe = Probe.make Predict layer trial
        let other = Probe.input { trial with Seed = trial.Seed + 1UL } 3

        let single mode =
            let run garbage =
                let input = padded trial probe.Input garbage
                let pass = { probe with Mode = mode; Input = input }.Run
                let output = Wiring.carry layer input pass.Output
                let dy = counted output (Probe.upstream trial 0 pass.Output)
                let struct (dx, dp) = pass.Pullback dy
                Batch.parts (counted output output), dp, Batch.parts (padded trial dx (Batch.map zeros dx))

            let y, dp, dx = run probe.Input
            let y', dp', dx' = run other
            let real = List.filter Probe.isReal

            [ Evidence.exact $"padding reaches no output ({mode})" (Probe.sameBits y y')
              Evidence.exact
                  $"padding reaches no gradient of a parameter ({mode})"
                  (Probe.sameBits (Seq.map unsigned dp) (Seq.map unsigned dp'))
              Evidence.exact $"padding reaches no gradient of a step that counts ({mode})" (Probe.sameBits (real dx) (real dx')) ]
            |> Evidence.worst

        if (sequences typeof<'x> probe.Input.Value).IsEmpty then
            Evidence.fine
        else
            // A layer may refuse padding; then nothing leaks.
            try
                inModes single
            with :? ShapeException ->
                Evidence.fine

    /// One example, its padded sequences cut to their lengths.
    let private alone i (batch: Batch<'x>) : Batch<'x> =
        let row single = Ops.Slice.Forward(Batch.held { Value = single }, 0, i, 1)

        let rec cut value =
            match value with
            | Two(a, b) -> Two(cut a, cut b)
            | Ragged(steps, lengths) -> One(Ops.Slice.Forward(row steps, 1, 0, lengths[i]))
            | Nothing -> Nothing
            | single -> One(row single)

        { Value = cut batch.Value }

    /// A padded sequence gives in prediction what it gives alone, without its padding, and comes out as long; a vector that grows with the
    /// sequence, as of flattenSeq, has no such law.
    let shorter (layer: Layer<'x, 'y>) (trial: Trial<'x>) : Evidence =
        let probe = Probe.make Predict layer trial

        let compared () =
            let input = padded trial probe.Input probe.Input
            let output = Wiring.carry layer input { probe with Input = input }.Run.Output

            let one i =
                let own = alone i input

                if Batch.parts own |> Seq.exists (fun t -> t.Count = 0) then
                    Evidence.fine
                else
                    let expected, got = { probe with Input = own }.Run.Output, alone i output
                    let steps (batch: Batch<'y>) = sequences typeof<'y> batch.Value |> List.map (fun t -> t.Shape[1])
                    let shapes (batch: Batch<'y>) = Batch.parts batch |> Seq.map (fun t -> t.Shape) |> List.ofSeq

                    if steps expected <> steps got then
                        Evidence.exact $"example {i} has {steps expected} steps alone, {steps got} in a padded batch" false
                    elif shapes expected <> shapes got then
                        Evidence.fine
                    else
                        relative (Batch.parts expected) (Batch.parts got)
                        |> Evidence.within $"example {i} alone, and in a padded batch" 1e-9

            List.init trial.Examples one |> Evidence.worst

        if (sequences typeof<'x> probe.Input.Value).IsEmpty then
            Evidence.fine
        else
            // A layer may refuse padding, or sequences of another length.
            try
                compared ()
            with :? ShapeException ->
                Evidence.fine

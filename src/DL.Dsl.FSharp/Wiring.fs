namespace DL

open System
open DL.Core
open DL.Core.Ops

/// Positions, paths and the slicing of flat parameter arrays: what every combinator shares.
[<RequireQualifiedAccess>]
module internal Wiring =
    let inline width (f: Layer<'x, 'y>) = f.Slots.Length + f.Cells.Length

    let shift n (slots: Slot list) = if n = 0 then slots else slots |> List.map (fun s -> { s with Stage = s.Stage + n })

    let shiftRows n (rows: Row list) = if n = 0 then rows else rows |> List.map (fun r -> { r with Stage = r.Stage + n })

    /// Slots put below a name at position 0.
    let under prefix (stages: int) (slots: Slot list) =
        slots
        |> List.map (fun s ->
            let inner = if stages <= 1 then s.Name else $"{s.Stage}.{s.Name}"

            { s with
                Stage = 0
                Name = (if prefix = "" then inner else $"{prefix}.{inner}") })

    let rowsUnder prefix (stages: int) (rows: Row list) =
        rows
        |> List.map (fun r ->
            let inner = [ (if stages <= 1 then "" else string r.Stage); r.Path ] |> List.filter ((<>) "")

            { r with
                Stage = 0
                Path = String.Join(".", (if prefix = "" then inner else prefix :: inner)) })

    let private leading (path: string) =
        let dot = path.IndexOf '.'

        match dot > 0, Int32.TryParse(if dot > 0 then path.Substring(0, dot) else "") with
        | true, (true, n) -> ValueSome struct (n, path.Substring(dot + 1))
        | _ -> ValueNone

    /// Runs an Init; a shape error from inside is told with the path of the layer it comes from.
    let located (relocate: string -> string) (init: unit -> 'a) =
        try
            init ()
        with :? ShapeException as e ->
            let mend = if e.Mend = "" then null else e.Mend
            raise (ShapeException(relocate e.Where, e.Expected, e.Got, mend))

    /// The path of a layer at a position n further along the chain.
    let at n (path: string) =
        match leading path with
        | ValueSome struct (stage, rest) -> $"{stage + n}.{rest}"
        | ValueNone -> $"{n}.{path}"

    let below prefix (path: string) = if prefix = "" then path else $"{prefix}.{path}"

    /// The path below a name of what lies in a layer of so many positions: as in names of parameters, a single one is not counted.
    let inside prefix (stages: int) (path: string) =
        match leading path with
        | ValueSome struct (0, rest) when stages <= 1 -> below prefix rest
        | _ -> below prefix path

    let split (count: int) (total: int) (items: 'a[]) : struct ('a[] * 'a[]) =
        if total = 0 then struct (items, items)
        elif count = 0 then struct ([||], items)
        elif count = total then struct (items, [||])
        else struct (Array.sub items 0 count, Array.sub items count (total - count))

    let append (a: 'a[]) (b: 'a[]) =
        if a.Length = 0 then b
        elif b.Length = 0 then a
        else Array.append a b

    let add (a: Tensor) (b: Tensor) : Tensor = Add.Forward(a, b)

    /// The cotangents of two uses of one input, added when somebody asks.
    let sumLater (a: Batch<'x>) (b: Batch<'x>) : Batch<'x> =
        match a.Value, b.Value with
        | Two _, _
        | _, Two _ -> Batch.map2 add a b
        | _ -> Batch.delayed (fun () -> add (Batch.held a) (Batch.held b))

    let private refusePadding (layer: Layer<'x, 'y>) (before: int) (after: int) =
        raise (
            ShapeException(
                string layer.About,
                "a layer that keeps the number of steps, for a padded batch",
                $"{before} steps that became {after}",
                "Bring the sequences to one length before this layer."
            )
        )

    /// What a layer put out, with the lengths of what went in (of a pair, of its first sequence) where the layer itself says nothing of them.
    let carry (layer: Layer<'x, 'y>) (source: Batch<'x>) (output: Batch<'y>) : Batch<'y> =
        match source.Value, output.Value with
        | (One _ | Delayed _), _
        | _, (Two _ | Ragged _) -> output
        | _ when not Padded.isSequence<'y> || layer.HandsOn -> output
        | whole, _ ->
            match Padded.firstSequence typeof<'x> whole with
            | ValueSome(Ragged(steps, lengths)) ->
                let before, after = (Batch.held { Value = steps }).Shape[1], (Batch.held output).Shape[1]

                if before = after then Padded.put lengths output else refusePadding layer before after
            | _ -> output

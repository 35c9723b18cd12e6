namespace DL

open DL.Core

/// A tensor that is computed when it is first asked for: the gradient of an input nobody needs costs nothing.
[<Sealed; AllowNullLiteral>]
type internal Later(compute: unit -> Tensor) =
    let mutable compute = compute
    let mutable result: Tensor = Unchecked.defaultof<_>

    member _.Value =
        if isNull (box result) then
            result <- compute ()
            compute <- Unchecked.defaultof<_>

        result

type internal Value =
    | One of Tensor
    | Delayed of Later
    | Two of Value * Value
    /// What is not there yet: the steps of a sequence, before its first.
    | Nothing
    /// Sequences whose steps from the given lengths on are padding.
    | Ragged of Value * int[]

/// <summary>A batch of examples of kind 'x: one tensor whose first axis counts the examples, or a pair of batches.</summary>
/// <remarks>Images lie channels last in memory, as the kernels want them; <c>Batch.image</c> and <c>Batch.tensor</c> convert. Make one by <c>Batch.vec</c>, <c>Batch.image</c>, <c>Batch.seq</c>, <c>Batch.tokens</c>, <c>Batch.label</c> or <c>Batch.pair</c>.</remarks>
[<Struct; NoEquality; NoComparison>]
type Batch<'x> = internal { Value: Value }

/// <summary>Batches of examples.</summary>
[<RequireQualifiedAccess>]
module Batch =
    let rec private force value =
        match value with
        | One t -> t
        | Delayed later -> later.Value
        | Ragged(steps, _) -> force steps
        | Two _ -> raise (ShapeException("Batch", "a batch of a single part", "a pair"))
        | Nothing -> raise (ShapeException("Batch", "a batch of a single part", "nothing"))

    let internal ofTensor (tensor: Tensor) : Batch<'x> = { Value = One tensor }
    let internal nothing<'x> : Batch<'x> = { Value = Nothing }

    /// A batch whose tensor is computed when first asked for.
    let internal delayed (compute: unit -> Tensor) : Batch<'x> = { Value = Delayed(Later compute) }

    /// The tensor of a batch as it lies in memory.
    let internal held (batch: Batch<'x>) : Tensor = force batch.Value

    // With one channel, or one pixel, both orders are the same.
    let private exchange axes (same: bool) (extents: int[]) (t: Tensor) : Tensor =
        if same then t.Reshape extents else DL.Core.Ops.Transpose.Forward(t, (axes: int[]))

    /// From [N; C; H; W] to [N; H; W; C].
    let internal channelsLast (t: Tensor) : Tensor =
        let s = t.Shape
        exchange [| 0; 2; 3; 1 |] (s[1] = 1 || s[2] * s[3] = 1) [| s[0]; s[2]; s[3]; s[1] |] t

    /// From [N; H; W; C] to [N; C; H; W].
    let internal channelsFirst (t: Tensor) : Tensor =
        let s = t.Shape
        exchange [| 0; 3; 1; 2 |] (s[3] = 1 || s[1] * s[2] = 1) [| s[0]; s[3]; s[1]; s[2] |] t

    let private shown storage (t: Tensor) : Tensor =
        match storage with
        | ChannelsLast -> channelsFirst t
        | _ -> t

    /// <summary>The tensor of a batch whose kind is not a pair, the batch axis first; images as <c>[N; channels; height; width]</c>.</summary>
    /// <exception cref="T:DL.Core.ShapeException">The kind is a pair.</exception>
    let tensor (batch: Batch<'x>) : Tensor = shown Storage<'x>.Of (force batch.Value)

    let private ranked where rank (t: Tensor) : Batch<'x> =
        if t.Shape.Rank <> rank then
            raise (ShapeException(where, $"a tensor of rank {rank}, the batch axis first", $"shape {t.Shape}"))

        ofTensor t

    let private ids where rank (t: Tensor) : Batch<'x> =
        if t.ElementType <> ElementType.Int32 then
            raise (InvalidArgumentException(where, "a tensor of int32 ids", $"{t.ElementType}"))

        ranked where rank t

    /// <summary>Vectors from a tensor of shape <c>[N; features]</c>.</summary>
    /// <exception cref="T:DL.Core.ShapeException">The tensor is not of rank 2.</exception>
    let vec (tensor: Tensor) : Batch<Vec> = ranked "Batch.vec" 2 tensor

    /// <summary>Images from a tensor of shape <c>[N; channels; height; width]</c>.</summary>
    /// <exception cref="T:DL.Core.ShapeException">The tensor is not of rank 4.</exception>
    let image (tensor: Tensor) : Batch<Image> =
        let checkedBatch: Batch<Image> = ranked "Batch.image" 4 tensor
        ofTensor (channelsLast (held checkedBatch))

    /// <summary>Sequences from a tensor of shape <c>[N; time; features]</c>.</summary>
    /// <exception cref="T:DL.Core.ShapeException">The tensor is not of rank 3.</exception>
    let seq (tensor: Tensor) : Batch<Seq> = ranked "Batch.seq" 3 tensor

    /// <summary>Sequences of ids from an int32 tensor of shape <c>[N; time]</c>.</summary>
    let tokens (tensor: Tensor) : Batch<Tokens> = ids "Batch.tokens" 2 tensor

    /// <summary>Class labels from an int32 tensor of shape <c>[N]</c>.</summary>
    let label (tensor: Tensor) : Batch<Label> = ids "Batch.label" 1 tensor

    /// <summary>Maps of class labels from an int32 tensor of shape <c>[N; height; width]</c>.</summary>
    let mask (tensor: Tensor) : Batch<Mask> = ids "Batch.mask" 3 tensor

    /// <summary>Class labels from an array.</summary>
    let labels (ids: int[]) : Batch<Label> = label (Tensor.Of<int>(ids))

    /// <summary>Vectors from rows of float32 numbers, all equally long.</summary>
    /// <exception cref="T:DL.Core.ShapeException">The rows differ in length.</exception>
    let vectors (rows: float32[][]) : Batch<Vec> =
        let width = if rows.Length = 0 then 0 else rows[0].Length

        rows
        |> Array.iteri (fun i row ->
            if row.Length <> width then
                raise (ShapeException($"Batch.vectors, row {i}", $"{width} numbers", $"{row.Length}")))

        vec (Tensor.Of<float32>(Array.concat rows, rows.Length, width))

    /// <summary>A pair of batches of as many examples.</summary>
    let pair (first: Batch<'x>) (second: Batch<'y>) : Batch<'x * 'y> = { Value = Two(first.Value, second.Value) }

    /// <summary>The two batches of a pair.</summary>
    let split (batch: Batch<'x * 'y>) : struct (Batch<'x> * Batch<'y>) =
        match batch.Value with
        | Two(a, b) -> struct ({ Value = a }, { Value = b })
        | Nothing -> struct (nothing, nothing)
        | _ -> raise (ShapeException("Batch.split", "a pair", "a single part"))

    let rec private mapValue f value =
        match value with
        | Two(a, b) -> Two(mapValue f a, mapValue f b)
        | Ragged(steps, lengths) -> Ragged(mapValue f steps, lengths)
        | single -> One(f (force single))

    /// Applies a function to every part, which leaves examples and steps where they are.
    let internal map (f: Tensor -> Tensor) (batch: Batch<'x>) : Batch<'y> = { Value = mapValue f batch.Value }

    let rec private map2Value f a b =
        match a, b with
        | Two(a1, a2), Two(b1, b2) -> Two(map2Value f a1 b1, map2Value f a2 b2)
        | Ragged(_, lengths), _
        | _, Ragged(_, lengths) -> Ragged(One(f (force a) (force b)), lengths)
        | a, b -> One(f (force a) (force b))

    let internal map2 (f: Tensor -> Tensor -> Tensor) (a: Batch<'x>) (b: Batch<'x>) : Batch<'y> = { Value = map2Value f a.Value b.Value }

    /// The same tensor, with what is computed from it going into an arena.
    let internal into (arena: Arena) (t: Tensor) : Tensor =
        match t with
        | :? Tensor<float32> as single -> single.Adopted arena
        | :? Tensor<float> as wide -> wide.Adopted arena
        | ids -> (ids :?> Tensor<int>).Adopted arena

    let rec private leaves value =
        match value with
        | Two(a, b) -> leaves a @ leaves b
        | single -> [ force single ]

    /// A batch of the given shape's kind from the tensors of its parts, in order.
    let internal ofParts (tree: ShapeTree) (tensors: Tensor list) : Batch<'x> =
        let rec build tree tensors =
            match tree, tensors with
            | Leaf _, t :: rest -> struct (One t, rest)
            | Node(a, b), _ ->
                let struct (first, rest) = build a tensors
                let struct (second, rest) = build b rest
                struct (Two(first, second), rest)
            | Leaf _, [] -> raise (ShapeException("Batch", "a tensor for every part", "fewer"))

        let struct (value, _) = build tree tensors
        { Value = value }

    /// All tensors of a batch as they lie in memory, the parts of a pair in order.
    let internal parts (batch: Batch<'x>) : Tensor list = leaves batch.Value

    /// <summary>All tensors of a batch, the parts of a pair in order; images as <c>[N; channels; height; width]</c>.</summary>
    let tensors (batch: Batch<'x>) : Tensor list =
        let rec show storage value =
            match storage, value with
            | Parts(p, q), Two(a, b) -> show p a @ show q b
            | _, single -> [ shown storage (force single) ]

        show Storage<'x>.Of batch.Value

    /// A batch of zeros of the given shape, placed where a tensor's results go.
    let internal zerosLike (like: Tensor) (shape: Shape) : Batch<'x> = ofTensor (like.ZerosOf shape)

    let rec private takeValue (rows: int[]) (gather: Tensor -> Tensor) value =
        match value with
        | Two(a, b) -> Two(takeValue rows gather a, takeValue rows gather b)
        | Ragged(steps, lengths) -> Ragged(takeValue rows gather steps, rows |> Array.map (fun row -> lengths[row]))
        | single -> One(gather (force single))

    /// The examples at the given positions, in their order, each tensor seen through a function first.
    let internal takeBy (prepare: Tensor -> Tensor) (rows: int[]) (batch: Batch<'x>) : Batch<'x> =
        { Value = takeValue rows (fun t -> DL.Core.Ops.Rows.Forward(prepare t, rows)) batch.Value }

    /// <summary>The examples at the given positions, in their order.</summary>
    /// <exception cref="T:DL.Core.DLException">A position is out of range.</exception>
    let take (rows: int[]) (batch: Batch<'x>) : Batch<'x> = takeBy id rows batch

    let rec private appendValues (values: Value list) =
        match values.Head with
        | Ragged _ ->
            let lengthsOf value =
                match value with
                | Ragged(_, lengths) -> lengths
                | full -> Array.create (force full).Shape[0] (force full).Shape[1]

            let steps = values |> List.map force |> Array.ofList
            Ragged(One(DL.Core.Ops.Concat.Forward(0, steps)), values |> List.map lengthsOf |> Array.concat)
        | Two _ ->
            let parts =
                values
                |> List.map (function
                    | Two(a, b) -> struct (a, b)
                    | _ -> raise (ShapeException("Batch.append", "pairs", "a single part")))

            Two(appendValues (parts |> List.map (fun struct (a, _) -> a)), appendValues (parts |> List.map (fun struct (_, b) -> b)))
        | _ -> One(DL.Core.Ops.Concat.Forward(0, values |> List.map force |> Array.ofList))

    /// <summary>Batches one after the other, as one batch.</summary>
    /// <exception cref="T:DL.Core.ShapeException">There is none, or their shapes differ.</exception>
    let append (batches: Batch<'x> list) : Batch<'x> =
        match batches with
        | [] -> raise (ShapeException("Batch.append", "at least one batch", "none"))
        | [ one ] -> one
        | _ -> { Value = appendValues (batches |> List.map _.Value) }

    /// <summary>The number of examples.</summary>
    let count (batch: Batch<'x>) : int =
        let rec first value =
            match value with
            | Two(a, _) -> first a
            | Ragged(steps, _) -> first steps
            | single -> (force single).Shape[0]

        first batch.Value

    let rec private shapeTree storage value =
        match storage, value with
        | Parts(p, q), Two(a, b) -> Node(shapeTree p a, shapeTree q b)
        | ChannelsLast, single ->
            let s = (force single).Shape
            Leaf(Shape [| s[3]; s[1]; s[2] |])
        | _, single -> Leaf((force single).Shape.Tail())

    let rec private delays value =
        match value with
        | One _
        | Nothing -> false
        | Delayed _ -> true
        | Ragged(steps, _) -> delays steps
        | Two(a, b) -> delays a || delays b

    /// Gives the memory of a value back that was read and is needed no more, but for what lies in the input or in the result.
    let internal giveBack (value: Batch<'y>) (input: Batch<'x>) (result: Batch<'z>) =
        match value.Value, input.Value, result.Value with
        | One t, One x, One y ->
            if not (t.SharesMemory x || t.SharesMemory y) then
                t.Return()
        | v, x, y when delays v || delays x || delays y -> ()
        | _ ->
            let needed = parts input @ parts result

            for t in parts value do
                if not (needed |> List.exists t.SharesMemory) then
                    t.Return()

    /// <summary>The shape of one example.</summary>
    let shape (batch: Batch<'x>) : Shape<'x> = { Tree = shapeTree Storage<'x>.Of batch.Value }

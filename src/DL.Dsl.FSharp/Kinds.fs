namespace DL

open DL.Core

/// <summary>The kind of a vector of features: one example has shape <c>[features]</c>.</summary>
[<Sealed; AbstractClass>]
type Vec = class end

/// <summary>The kind of an image: one example has shape <c>[channels; height; width]</c>.</summary>
[<Sealed; AbstractClass>]
type Image = class end

/// <summary>The kind of a sequence of vectors: one example has shape <c>[time; features]</c>.</summary>
[<Sealed; AbstractClass>]
type Seq = class end

/// <summary>The kind of a sequence of integer ids: one example has shape <c>[time]</c>.</summary>
[<Sealed; AbstractClass>]
type Tokens = class end

/// <summary>The kind of a class label: one example is one integer, of shape <c>[]</c>.</summary>
[<Sealed; AbstractClass>]
type Label = class end

/// <summary>The kind of a map of class labels, one for every pixel: one example has shape <c>[height; width]</c>.</summary>
[<Sealed; AbstractClass>]
type Mask = class end

/// How the tensor of a kind lies in memory: images channels last, anything else as its shape is written.
type internal Storage =
    | AsWritten
    | ChannelsLast
    | Parts of Storage * Storage

    static member OfType(kind: System.Type) : Storage =
        if kind = typeof<Image> then
            ChannelsLast
        elif kind.IsGenericType && kind.GetGenericTypeDefinition() = typedefof<int * int> then
            let parts = kind.GetGenericArguments()
            Parts(Storage.OfType parts[0], Storage.OfType parts[1])
        else
            AsWritten

/// The storage of a kind, found once.
[<Sealed>]
type internal Storage<'x> private () =
    static member val Of = Storage.OfType typeof<'x>

type internal ShapeTree =
    | Leaf of Shape
    | Node of ShapeTree * ShapeTree

/// <summary>The shape of one example of kind 'x, without the batch axis. A pair of kinds has a shape for each part.</summary>
/// <remarks>Make one by <c>Shape.vec</c>, <c>Shape.image</c>, <c>Shape.seq</c>, <c>Shape.tokens</c> or <c>Shape.pair</c>.</remarks>
[<Struct; CustomEquality; NoComparison>]
type Shape<'x> =
    internal
        { Tree: ShapeTree }

    /// <summary>Shapes are equal when all their extents are.</summary>
    override this.Equals(other) =
        match other with
        | :? Shape<'x> as s -> s.Tree = this.Tree
        | _ -> false

    /// <inheritdoc/>
    override this.GetHashCode() = hash this.Tree

    /// <summary>The extents, <c>64</c>, <c>1x28x28</c>, or <c>(8, 4)</c> for a pair.</summary>
    override this.ToString() =
        let rec show tree =
            match tree with
            | Leaf s when s.Rank = 0 -> "scalar"
            | Leaf s -> s.Extents.ToArray() |> Array.map string |> String.concat "x"
            | Node(a, b) -> $"({show a}, {show b})"

        show this.Tree

/// <summary>Shapes of examples.</summary>
[<RequireQualifiedAccess>]
module Shape =
    let internal leaf (extents: int list) : Shape<'x> = { Tree = Leaf(Shape(List.toArray extents)) }

    /// <summary>The shape of a vector of <c>features</c> numbers.</summary>
    let vec (features: int) : Shape<Vec> = leaf [ features ]

    /// <summary>The shape of an image of <c>channels</c>, <c>height</c> and <c>width</c>.</summary>
    let image (channels: int, height: int, width: int) : Shape<Image> = leaf [ channels; height; width ]

    /// <summary>The shape of a sequence of <c>time</c> vectors of <c>features</c> numbers.</summary>
    let seq (time: int, features: int) : Shape<Seq> = leaf [ time; features ]

    /// <summary>The shape of a sequence of <c>time</c> ids.</summary>
    let tokens (time: int) : Shape<Tokens> = leaf [ time ]

    /// <summary>The shape of a class label.</summary>
    let label: Shape<Label> = leaf []

    /// <summary>The shape of a map of labels of <c>height</c> and <c>width</c>.</summary>
    let mask (height: int, width: int) : Shape<Mask> = leaf [ height; width ]

    /// <summary>The shape of a pair.</summary>
    let pair (first: Shape<'x>) (second: Shape<'y>) : Shape<'x * 'y> = { Tree = Node(first.Tree, second.Tree) }

    /// <summary>The two shapes of a pair.</summary>
    let split (shape: Shape<'x * 'y>) : struct (Shape<'x> * Shape<'y>) =
        match shape.Tree with
        | Node(a, b) -> struct ({ Tree = a }, { Tree = b })
        | Leaf s -> raise (ShapeException("Shape.split", "the shape of a pair", $"{s}"))

    /// <summary>The extents of one example whose kind is not a pair.</summary>
    /// <exception cref="T:DL.Core.ShapeException">The kind is a pair.</exception>
    let extents (shape: Shape<'x>) : int list =
        match shape.Tree with
        | Leaf s -> List.ofArray (s.Extents.ToArray())
        | Node _ -> raise (ShapeException("Shape.extents", "the shape of a single part", $"{shape}"))

    let internal core (shape: Shape<'x>) : Shape =
        match shape.Tree with
        | Leaf s -> s
        | Node _ -> raise (ShapeException("Shape", "the shape of a single part", $"{shape}"))

    /// The extent of the feature axis: the channels of an image, the last axis of anything else.
    let internal featureExtent (shape: Shape<'x>) : int =
        match Storage<'x>.Of with
        | ChannelsLast -> (core shape)[0]
        | _ -> (core shape).Last

    /// <summary>The number of features of a vector.</summary>
    let features (shape: Shape<Vec>) : int = (core shape)[0]

    /// The numbers of one example.
    let internal elements (shape: Shape<'x>) : int =
        let rec count tree =
            match tree with
            | Leaf s -> s.Count
            | Node(a, b) -> count a + count b

        count shape.Tree

    /// Whether shapes are equal but for the number of steps of sequences.
    let internal sameSteps (a: Shape<'x>) (b: Shape<'x>) : bool =
        let rec go (kind: System.Type) a b =
            match a, b with
            | Node(a1, a2), Node(b1, b2) ->
                let parts = kind.GetGenericArguments()
                go parts[0] a1 b1 && go parts[1] a2 b2
            | Leaf a, Leaf b when (kind = typeof<Seq> || kind = typeof<Tokens>) && a.Rank = b.Rank -> a.Without 0 = b.Without 0
            | a, b -> a = b

        go typeof<'x> a.Tree b.Tree

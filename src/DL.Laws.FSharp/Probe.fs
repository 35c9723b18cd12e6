namespace DL.Laws

open System
open DL
open DL.Core

/// <summary>One case of a layer's law: the shape of an example, the number of examples, and the numbers.</summary>
[<CustomEquality; NoComparison>]
type Trial<'x> =
    {
        /// <summary>The shape of one example.</summary>
        Shape: Shape<'x>
        /// <summary>The number of examples.</summary>
        Examples: int
        /// <summary>How the numbers lie.</summary>
        Numbers: Numbers
        /// <summary>Where the numbers come from.</summary>
        Seed: uint64
    }

    /// <summary>Trials are equal when all they are made of is.</summary>
    override this.Equals(other) =
        match other with
        | :? Trial<'x> as t -> t.Shape = this.Shape && t.Examples = this.Examples && t.Numbers = this.Numbers && t.Seed = this.Seed
        | _ -> false

    /// <inheritdoc/>
    override this.GetHashCode() = hash (this.Shape.GetHashCode(), this.Examples, this.Seed)

    /// <summary>Shape, examples, numbers and seed.</summary>
    override this.ToString() = $"input {this.Shape}, {this.Examples} examples, numbers {this.Numbers}, seed {this.Seed}"

/// A layer made concrete for one trial: parameters that are not the initial ones, a state that has seen a batch, and an input.
[<NoEquality; NoComparison>]
type internal Probe<'x, 'y> =
    { Layer: Layer<'x, 'y>
      Mode: Mode
      Params: Params
      State: State
      Input: Batch<'x> }

    member this.Run = this.Layer.Apply this.Mode this.Params this.State this.Input

[<RequireQualifiedAccess>]
module internal Probe =
    let ofNumbers (like: Tensor) (x: float[]) : Tensor = (Tensor.Of<float>(ReadOnlySpan<float> x, like.Shape)).To like.ElementType

    let numbers (t: Tensor) : float[] = t.ToArray<float>()

    let private integral (kind: Type) = kind = typeof<Tokens> || kind = typeof<Label>

    // Ids 0 and 1 lie in every vocabulary worth the name.
    let private leaf (kind: Type) (shape: Shape) examples numbers (draw: Draw) : Tensor =
        let extents =
            match Storage.OfType kind with
            | ChannelsLast -> [ examples; shape[1]; shape[2]; shape[0] ]
            | _ -> examples :: List.ofArray (shape.Extents.ToArray())

        if integral kind then
            let ids = Array.init (shape.Count * examples) (fun _ -> draw.Below 2)
            Tensor.Of<int>(ReadOnlySpan<int> ids, Shape(ReadOnlySpan<int>(List.toArray extents)))
        else
            // Rows are examples: equal pixels of one image would be kinks of a maximum, which differences must not meet.
            (Numbers.tensor numbers (draw.Bits()) [ examples; shape.Count ]).Reshape(List.toArray extents)

    let rec private value (kind: Type) tree examples numbers draw =
        match tree with
        | Leaf shape -> Value.One(leaf kind shape examples numbers draw)
        | Node(a, b) ->
            let parts = kind.GetGenericArguments()
            Value.Two(value parts[0] a examples numbers draw, value parts[1] b examples numbers draw)

    let input (trial: Trial<'x>) (stream: int) : Batch<'x> =
        { Value = value typeof<'x> trial.Shape.Tree trial.Examples trial.Numbers ((Draw trial.Seed).Branch stream) }

    let isReal (t: Tensor) = t.ElementType <> ElementType.Int32

    /// Normal numbers that float32 holds exactly, in a tensor's shape.
    let normal (draw: Draw) (like: Tensor) : Tensor = ofNumbers like (Array.init like.Count (fun _ -> float (float32 (draw.Normal()))))

    // Zero biases and unit gains hide mistakes: every parameter is moved a little.
    let private moved (draw: Draw) (p: Tensor) : Tensor =
        numbers p |> Array.map (fun w -> float (float32 (w + 0.3 * draw.Normal()))) |> ofNumbers p

    let make (mode: Mode) (layer: Layer<'x, 'y>) (trial: Trial<'x>) : Probe<'x, 'y> =
        let draw = Draw trial.Seed
        let setup = layer.Init (Key.ofSeed (int (trial.Seed % 1000003UL))) trial.Shape
        let ps = setup.Params |> Array.mapi (fun i -> moved (draw.Branch(10 + i)))
        let earlier = { trial with Examples = max 2 trial.Examples; Numbers = Ordinary }

        { Layer = layer
          Mode = mode
          Params = ps
          State = (layer.Apply Train ps setup.State (input earlier 1)).State
          Input = input trial 0 }

    let upstream (trial: Trial<'x>) (stream: int) (output: Batch<'y>) : Batch<'y> =
        let draw = (Draw trial.Seed).Branch(1000 + stream)
        Batch.map (normal draw) output

    let cell (f: Tensor -> Tensor) (cell: Cell) =
        match cell with
        | Statistic t -> Statistic(f t)
        | Draws key -> Draws key

    let copies (tensors: Tensor seq) : Tensor list = tensors |> Seq.map (fun t -> t.To t.ElementType) |> List.ofSeq

    let sameBits (a: Tensor seq) (b: Tensor seq) : bool =
        let a, b = List.ofSeq a, List.ofSeq b
        a.Length = b.Length && List.forall2 (fun (x: Tensor) y -> x.SameBits y) a b

    let sameState (a: State) (b: State) : bool =
        let same x y =
            match x, y with
            | Statistic s, Statistic t -> s.SameBits t
            | Draws j, Draws k -> j = k
            | _ -> false

        a.Length = b.Length && Array.forall2 same a b

    /// The sum of products over all parts that are not ids, and the same without signs.
    let dot (a: Tensor seq) (b: Tensor seq) : struct (float * float) =
        let mutable signed, size = 0.0, 0.0

        for x, y in Seq.zip a b do
            if isReal x then
                let p, q = numbers x, numbers y

                for i in 0 .. p.Length - 1 do
                    signed <- signed + p[i] * q[i]
                    size <- size + abs (p[i] * q[i])

        struct (signed, size)

    let largest (tensors: Tensor seq) : float =
        tensors |> Seq.filter isReal |> Seq.collect numbers |> Seq.fold (fun m v -> max m (abs v)) 0.0

    /// The largest difference of two lists of tensors.
    let distance (a: Tensor seq) (b: Tensor seq) : float =
        Seq.zip a b
        |> Seq.filter (fun (x, _) -> isReal x)
        |> Seq.collect (fun (x, y) -> Seq.map2 (fun (p: float) q -> abs (p - q)) (numbers x) (numbers y))
        |> Seq.fold Evidence.worse 0.0

    let inElement (element: ElementType) (t: Tensor) : Tensor = if isReal t && t.ElementType <> element then t.To element else t

    /// The same probe in another precision; the numbers are the same, since float32 holds them exactly.
    let inPrecision (element: ElementType) (p: Probe<'x, 'y>) : Probe<'x, 'y> =
        { p with
            Params = p.Params |> Array.map (inElement element)
            State = p.State |> Array.map (cell (inElement element))
            Input = Batch.map (inElement element) p.Input }

namespace DL

open System
open System.Text
open DL.Core
open DL.Core.Ops
open DL.Core.Random

/// <summary>The number format a model computes in.</summary>
type Precision =
    /// <summary>float32: fast, the default for training.</summary>
    | Single
    /// <summary>float64: for verification.</summary>
    | Double

/// <summary>A layer with its parameters and state, for inputs of one shape. A value: training gives a new one.</summary>
[<NoEquality; NoComparison>]
type Model<'x, 'y> =
    {
        /// <summary>The layer.</summary>
        Layer: Layer<'x, 'y>
        /// <summary>The shape of one input.</summary>
        Input: Shape<'x>
        /// <summary>The shape of one output.</summary>
        Output: Shape<'y>
        /// <summary>The parameters, in the order of the layer's slots.</summary>
        Params: Params
        /// <summary>The state, in the order of the layer's cells.</summary>
        State: State
        /// <summary>The number format.</summary>
        Precision: Precision
        /// <summary>A line for every primitive layer.</summary>
        Rows: Row list
    }

/// <summary>Random keys. A key is a value: equal keys draw equal numbers.</summary>
[<RequireQualifiedAccess>]
module Key =
    /// <summary>The key of a seed.</summary>
    let ofSeed (seed: int) : Key = Key(uint64 seed, 0u, 0u)

    /// <summary>The key n places further on: <c>skip a &gt;&gt; skip b = skip (a + b)</c>.</summary>
    let skip (n: int) (key: Key) : Key = key.Skip n

    /// <summary>The key of the next draw at the same place.</summary>
    let next (key: Key) : Key = key.Next

/// <summary>Models: a layer made concrete for one input shape.</summary>
[<RequireQualifiedAccess>]
module Model =
    let internal elementType precision =
        match precision with
        | Single -> ElementType.Float32
        | Double -> ElementType.Float64

    let private convert (element: ElementType) (t: Tensor) =
        if t.ElementType = element || t.ElementType = ElementType.Int32 then t else t.To element

    let private convertCell element cell =
        match cell with
        | Statistic t -> Statistic(convert element t)
        | Draws _ -> cell

    /// <summary>The path of a summary line or a parameter as a user reads it.</summary>
    let internal path stages (row: Row) =
        [ (if stages <= 1 then "" else string row.Stage); row.Path ] |> List.filter ((<>) "") |> String.concat "."

    /// <summary>Makes a model: checks every size once and draws the initial parameters.</summary>
    /// <param name="precision">The number format; the initial numbers are those of float64, rounded.</param>
    /// <param name="key">The key of the initial parameters.</param>
    /// <param name="shape">The shape of one input.</param>
    /// <param name="layer">The layer.</param>
    /// <exception cref="T:DL.Core.ShapeException">Sizes do not fit; the message names the layer's path, both shapes and a mend.</exception>
    let init (precision: Precision) (key: Key) (shape: Shape<'x>) (layer: Layer<'x, 'y>) : Model<'x, 'y> =
        let setup = layer.Init key shape
        let element = elementType precision

        { Layer = layer
          Input = shape
          Output = setup.Shape
          Params = setup.Params |> Array.map (convert element)
          State = setup.State |> Array.map (convertCell element)
          Precision = precision
          Rows = setup.Rows }

    /// Part of the input of a model, or all of it; one over sequences takes them of any number of steps.
    let internal fitPart (model: Model<'x, 'y>) (shape: Shape<'p>) (batch: Batch<'p>) : Batch<'p> =
        if not (Shape.sameSteps (Batch.shape batch) shape) then
            raise (ShapeException(string model.Layer.About, $"examples of shape {shape}", $"{Batch.shape batch}"))

        Batch.map (convert (elementType model.Precision)) batch

    let internal fit (model: Model<'x, 'y>) (batch: Batch<'x>) : Batch<'x> = fitPart model model.Input batch

    /// <summary>One forward pass in the given mode, with the next state and the way back.</summary>
    /// <exception cref="T:DL.Core.ShapeException">The examples are not of the model's input shape.</exception>
    let forward (mode: Mode) (model: Model<'x, 'y>) (input: Batch<'x>) : Pass<'x, 'y> =
        model.Layer.Apply mode model.Params model.State (fit model input)

    /// <summary>The output for a batch, in prediction mode.</summary>
    /// <remarks>Sequences may have another number of steps than the model was made for, where its layers allow it.</remarks>
    /// <exception cref="T:DL.Core.ShapeException">The examples are not of the model's input shape.</exception>
    let predict (model: Model<'x, 'y>) (input: Batch<'x>) : Batch<'y> =
        let examples = fit model input

        match Workspace.Enter() with
        | null -> Layer.answer model.Layer model.Params model.State examples
        | arena ->
            try
                let output = Layer.answer model.Layer model.Params model.State (Batch.map (Batch.into arena) examples)
                Batch.map (fun t -> t.To t.ElementType) output
            finally
                Workspace.Leave()

    /// <summary>The output for a batch in training mode, and the model with the state after it.</summary>
    let apply (model: Model<'x, 'y>) (input: Batch<'x>) : struct (Batch<'y> * Model<'x, 'y>) =
        let pass = forward Train model input
        struct (pass.Output, { model with State = pass.State })

    /// <summary>The number of trainable parameters.</summary>
    let parameters (model: Model<'x, 'y>) : int64 = Layer.parameters model.Params

    let internal show layout (t: Tensor) =
        match layout with
        | Plain -> t.To t.ElementType
        | Transposed -> Transpose.Forward t
        | WindowFirst when t.Shape.Rank = 3 -> Transpose.Forward(t, 2, 1, 0)
        | WindowFirst -> Transpose.Forward(t, 3, 2, 0, 1)

    // What is not of the shown rank is not of the shown shape either, which its taker says.
    let internal hold layout (t: Tensor) =
        match layout, t.Shape.Rank with
        | Transposed, 2 -> Transpose.Forward t
        | WindowFirst, 3 -> Transpose.Forward(t, 2, 1, 0)
        | WindowFirst, 4 -> Transpose.Forward(t, 2, 3, 1, 0)
        | _ -> t.To t.ElementType

    let private named layer =
        let rendered = Layer.slots layer @ Layer.cells layer
        List.zip rendered (layer.Slots @ layer.Cells)

    let private tensors (model: Model<'x, 'y>) =
        let state =
            model.State
            |> Array.map (function
                | Statistic t -> Some t
                | Draws _ -> None)

        Array.append (Array.map Some model.Params) state

    /// <summary>The parameters and statistics by name, in torch's layouts (a dense weight is [out; in]): copies.</summary>
    let stateDict (model: Model<'x, 'y>) : (string * Tensor) list =
        Seq.zip (named model.Layer) (tensors model)
        |> Seq.choose (fun ((name, slot), tensor) -> tensor |> Option.map (fun t -> name, show slot.Layout t))
        |> List.ofSeq

    /// <summary>The model with parameters and statistics taken from a state dictionary.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">A name is missing, unknown or twice there.</exception>
    /// <exception cref="T:DL.Core.ShapeException">A tensor is not of its parameter's shape.</exception>
    let withStateDict (dict: (string * Tensor) list) (model: Model<'x, 'y>) : Model<'x, 'y> =
        let element = elementType model.Precision
        let expected = stateDict model
        let names = set (List.map fst expected)

        for name, count in dict |> List.countBy fst do
            if count > 1 then
                raise (InvalidArgumentException("Model.withStateDict", "every name once", $"'{name}' {count} times"))

            if not (names.Contains name) then
                raise (InvalidArgumentException("Model.withStateDict", $"names among {expected |> List.map fst}", $"'{name}'"))

        let byName = Map.ofList dict

        let take name layout (old: Tensor) =
            match byName.TryFind name with
            | None -> raise (InvalidArgumentException("Model.withStateDict", $"a tensor named '{name}'", "none"))
            | Some t ->
                let t = hold layout t

                if t.Shape <> old.Shape then
                    raise (ShapeException($"Model.withStateDict '{name}'", $"shape {(show layout old).Shape}", $"{byName[name].Shape}"))

                t.To element

        let k = model.Params.Length
        let slots = named model.Layer |> Array.ofList

        { model with
            Params = model.Params |> Array.mapi (fun i p -> take (fst slots[i]) (snd slots[i]).Layout p)
            State =
                model.State
                |> Array.mapi (fun i cell ->
                    match cell with
                    | Statistic t -> Statistic(take (fst slots[k + i]) (snd slots[k + i]).Layout t)
                    | Draws _ -> cell) }

    /// <summary>The model with every parameter and statistic that a source has under the same name and in the same shape: copies.</summary>
    /// <remarks>So a trained body goes into a network with another head: a head of a name of its own stays as it is drawn. Names are those of
    /// <c>stateDict</c>; <c>frozen</c> does not change them.</remarks>
    /// <param name="source">Where they are taken from.</param>
    /// <param name="model">What they are put into; the rest of it stays as it is.</param>
    /// <returns>The model, and the names that were not taken.</returns>
    /// <exception cref="T:DL.Core.InvalidArgumentException">Nothing of the source fits.</exception>
    let takeFrom (source: Model<'a, 'b>) (model: Model<'x, 'y>) : struct (Model<'x, 'y> * string list) =
        let offered = Map.ofList (stateDict source)

        let choose (name, own: Tensor) =
            match offered.TryFind name with
            | Some t when t.Shape = own.Shape -> (name, t), true
            | _ -> (name, own), false

        let chosen = stateDict model |> List.map choose

        if not (chosen |> List.exists snd) then
            let names = chosen |> List.map (fst >> fst) |> String.concat ", "
            let got = String.concat ", " offered.Keys
            raise (InvalidArgumentException("Model.takeFrom", $"a source with one of {names}, in its shape", got))

        struct (withStateDict (chosen |> List.map fst) model, chosen |> List.filter (snd >> not) |> List.map (fst >> fst))

    /// <summary>A model of <c>first --&gt; rest</c> cut into a model of <c>first</c> and one of <c>rest</c>, which share its parameters and state.</summary>
    /// <param name="first">The layers before the cut, as the model was made of them.</param>
    /// <param name="rest">The layers after it.</param>
    /// <param name="model">The model.</param>
    /// <exception cref="T:DL.Core.DLException">The model is not made of these layers: names, shapes or what they are differ.</exception>
    let cut (first: Layer<'x, 'm>) (rest: Layer<'m, 'y>) (model: Model<'x, 'y>) : struct (Model<'x, 'm> * Model<'m, 'y>) =
        let names layer = Layer.slots layer @ Layer.cells layer
        let expected = names model.Layer

        if names (first --> rest) <> expected then
            let got = String.concat ", " (names (first --> rest))
            raise (InvalidArgumentException("Model.cut", $"""two layers that hold {String.concat ", " expected}""", got))

        let before = init model.Precision (Key.ofSeed 0) model.Input first
        let after = init model.Precision (Key.ofSeed 0) before.Output rest

        let held m = List.ofArray m |> List.map Statistic
        let cells = held before.Params @ held after.Params @ List.ofArray before.State @ List.ofArray after.State

        for name, own, given in List.zip3 expected cells (held model.Params @ List.ofArray model.State) do
            match own, given with
            | Statistic a, Statistic b -> b.Expect(a.Shape, $"Model.cut '{name}'")
            | _ -> ()

        let about = (first --> rest).About

        if about <> model.Layer.About then
            raise (InvalidArgumentException("Model.cut", $"two layers that make up {model.Layer.About.Written}", about.Written))

        let struct (paramsBefore, paramsAfter) = Wiring.split before.Params.Length model.Params.Length model.Params
        let struct (stateBefore, stateAfter) = Wiring.split before.State.Length model.State.Length model.State

        struct ({ before with Params = paramsBefore; State = stateBefore }, { after with Params = paramsAfter; State = stateAfter })

    /// <summary>The multiplications and additions of all products in one forward pass of one example; a training step takes about three times as many.</summary>
    /// <remarks>Counted are dense layers, convolutions, recurrences and attention, as they are written; what is done element by element is not.</remarks>
    let flops (model: Model<'x, 'y>) : int64 = model.Rows |> List.sumBy _.Flops

    let private bytes (n: int64) =
        let shown (unit: float) = (float n / unit).ToString("0.#", Globalization.CultureInfo.InvariantCulture)

        if n >= (1L <<< 30) then $"{shown (2.0 ** 30.0)} GiB"
        elif n >= (1L <<< 20) then $"{shown (2.0 ** 20.0)} MiB"
        else $"{shown 1024.0} KiB"

    /// <summary>A table: path, layer, output shape, number of parameters and operations of every layer, the total, and what memory it takes.</summary>
    /// <remarks>Operations are those of <c>flops</c>. Memory is that of the parameters, and of the outputs of all layers for one example.</remarks>
    let summary (model: Model<'x, 'y>) : string =
        let number (n: int64) = n.ToString("N0", Globalization.CultureInfo.InvariantCulture)

        let lines =
            [ yield [ "path"; "layer"; "output"; "parameters"; "FLOPs" ]
              for row in model.Rows do
                  yield [ path model.Layer.Stages row; row.Layer; row.Output; number row.Parameters; number row.Flops ]
              yield [ "total"; ""; string model.Output; number (parameters model); number (flops model) ] ]

        let widths = List.init 5 (fun column -> lines |> List.map (fun line -> line[column].Length) |> List.max)
        let text = StringBuilder()

        for line in lines do
            let cells =
                List.zip line widths
                |> List.mapi (fun i (cell, width) -> if i >= 3 then cell.PadLeft width else cell.PadRight width)

            text.AppendLine((String.concat "  " cells).TrimEnd()) |> ignore

        let element = if model.Precision = Single then 4L else 8L
        let outputs = model.Rows |> List.sumBy _.Elements

        text.AppendLine
            $"memory: {bytes (element * parameters model)} of parameters, {bytes (element * outputs)} of outputs for one example"
        |> ignore

        text.ToString()

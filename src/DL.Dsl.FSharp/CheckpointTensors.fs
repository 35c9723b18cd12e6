namespace DL

open System
open System.Collections.Generic
open DL.Core
open DL.Core.Formats

/// Parameters and state as tensors of a file, under the names and in the layouts of the state dictionary, and back.
[<RequireQualifiedAccess>]
module internal CheckpointTensors =
    let draws (layer: Layer<'x, 'y>) (state: State) =
        [ for name, cell in List.zip (Layer.cells layer) (List.ofArray state) do
              match cell with
              | Draws key -> name, key
              | Statistic _ -> () ]

    /// Tensors as a state dictionary shows them: matrices are turned while they are written, without a copy.
    let private stored prefix (names: string list) (slots: Slot list) (tensors: Tensor seq) =
        [ for name, slot, t in Seq.zip3 names slots tensors do
              match slot.Layout with
              | Transposed when t.Shape.Rank = 2 -> StoredTensor(prefix + name, t, true)
              | Plain -> StoredTensor(prefix + name, t, false)
              | layout -> StoredTensor(prefix + name, Model.show layout t, false) ]

    let storedParameters prefix (layer: Layer<'x, 'y>) (ps: Params) = stored prefix (Layer.slots layer) layer.Slots ps

    let private statistics (layer: Layer<'x, 'y>) (state: State) =
        [ for name, slot, cell in List.zip3 (Layer.cells layer) layer.Cells (List.ofArray state) do
              match cell with
              | Statistic t -> name, slot, t
              | Draws _ -> () ]

    let storedWith prefix (layer: Layer<'x, 'y>) (ps: Params) (state: State) =
        let names, slots, tensors = List.unzip3 (statistics layer state)
        storedParameters prefix layer ps @ stored prefix names slots tensors

    let private another = "Was it saved from another model?"

    let private shownShape layout (s: Shape) =
        match layout, s.Rank with
        | Transposed, 2 -> Shape [| s[1]; s[0] |]
        | WindowFirst, 3 -> Shape [| s[2]; s[1]; s[0] |]
        | WindowFirst, _ -> Shape [| s[3]; s[2]; s[0]; s[1] |]
        | _ -> s

    /// The tensor of a file that takes the place of one of the model's.
    let private take source (file: SafetensorsFile) (name: string) (slot: Slot) (own: Tensor) : Tensor =
        let where = $"{source}, '{name}'"
        let expected = shownShape slot.Layout own.Shape

        match file.Tensors.TryGetValue name with
        | true, t when t.Shape = expected ->
            let held = if slot.Layout = Plain then t else Model.hold slot.Layout t
            if held.ElementType = own.ElementType then held else held.To own.ElementType
        | true, t -> raise (ShapeException(where, $"shape {expected}, as the model has it", $"{t.Shape}", another))
        | _ ->
            let known = file.Tensors.Keys |> Seq.truncate 20 |> String.concat ", "
            raise (InvalidArgumentException(where, $"a tensor of shape {expected}", $"none among {known}", another))

    let parametersFrom source prefix (model: Model<'x, 'y>) file : Params =
        Seq.zip3 (Layer.slots model.Layer) model.Layer.Slots model.Params
        |> Seq.map (fun (name, slot, own) -> take source file (prefix + name) slot own)
        |> Array.ofSeq

    /// Fails where a file has what the model has not, other than under the prefixes of a run.
    let refuseOthers source (prefixes: string list) (model: Model<'x, 'y>) (file: SafetensorsFile) =
        let statistics = statistics model.Layer model.State |> List.map (fun (name, _, _) -> name)
        let known = HashSet(Layer.slots model.Layer @ statistics)
        let ofRun (name: string) = prefixes |> List.exists (fun prefix -> name.StartsWith(prefix, StringComparison.Ordinal))

        match file.Tensors.Keys |> Seq.tryFind (fun name -> not (known.Contains name || ofRun name)) with
        | Some name ->
            let mend = another + " Weights.without leaves tensors out."
            raise (InvalidArgumentException($"{source}, '{name}'", "a tensor of the model", "another", mend))
        | None -> ()

    let private checkDraws source (keys: (string * Random.Key) list) (model: Model<'x, 'y>) =
        let names = draws model.Layer model.State |> List.map fst

        if List.map fst keys <> names then
            let shown names = "[" + String.concat ", " names + "]"
            raise (InvalidArgumentException(source, $"random draws of the layers {shown names}", shown (List.map fst keys), another))

    /// The state of a file: statistics, and the keys of draws where there are any.
    let stateFrom source prefix (keys: (string * Random.Key) list option) (model: Model<'x, 'y>) file : State =
        keys |> Option.iter (fun keys -> checkDraws source keys model)
        let keys = keys |> Option.defaultValue [] |> dict

        Seq.zip3 (Layer.cells model.Layer) model.Layer.Cells model.State
        |> Seq.map (fun (name, slot, cell) ->
            match cell with
            | Statistic own -> Statistic(take source file (prefix + name) slot own)
            | Draws own -> Draws(if keys.ContainsKey name then keys[name] else own))
        |> Array.ofSeq

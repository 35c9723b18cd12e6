namespace DL

open System
open System.Buffers
open System.Globalization
open System.Text
open System.Text.Json
open DL.Core
open DL.Core.Random

/// What a checkpoint holds beside tensors.
type internal CheckpointNotes =
    { Precision: Precision
      Draws: (string * Key) list
      Training: TrainingNotes option }

/// What it holds of a run.
and internal TrainingNotes =
    { Steps: int
      Moments: int
      Averaged: bool
      Batches: int
      Loss: float
      History: Epoch list
      Best: (int * (string * Key) list) option }

/// Notes as JSON: numbers with a fraction are texts, which hold every bit of them, and those that are not finite, too.
[<RequireQualifiedAccess>]
module internal CheckpointNotes =
    let private version = 1
    let private mostMoments = 1000
    let private text (x: float) = x.ToString("R", CultureInfo.InvariantCulture)

    let private list (json: Utf8JsonWriter) (name: string) (write: 'a -> unit) (items: 'a list) =
        json.WriteStartArray name
        items |> List.iter write
        json.WriteEndArray()

    let private writeDraws (json: Utf8JsonWriter) (draws: (string * Key) list) =
        draws
        |> list json "draws" (fun (name, key) ->
            json.WriteStartArray()
            json.WriteStringValue name
            json.WriteNumberValue key.Seed
            json.WriteNumberValue key.Position
            json.WriteNumberValue key.Step
            json.WriteEndArray())

    let private writeEpoch (json: Utf8JsonWriter) (epoch: Epoch) =
        json.WriteStartObject()
        json.WriteNumber("number", epoch.Number)
        json.WriteString("loss", text epoch.Loss)
        epoch.ValidationLoss |> Option.iter (fun loss -> json.WriteString("validationLoss", text loss))

        epoch.Metrics
        |> list json "metrics" (fun (name, value) ->
            json.WriteStartArray()
            json.WriteStringValue name
            json.WriteStringValue(text value)
            json.WriteEndArray())

        json.WriteNumber("elapsedTicks", epoch.Elapsed.Ticks)
        json.WriteEndObject()

    let private writeTraining (json: Utf8JsonWriter) (notes: TrainingNotes) =
        json.WriteStartObject "training"
        json.WriteNumber("steps", notes.Steps)
        json.WriteNumber("moments", notes.Moments)
        json.WriteBoolean("averaged", notes.Averaged)
        json.WriteNumber("batches", notes.Batches)
        json.WriteString("loss", text notes.Loss)
        notes.History |> list json "history" (writeEpoch json)

        notes.Best
        |> Option.iter (fun (epoch, draws) ->
            json.WriteStartObject "best"
            json.WriteNumber("epoch", epoch)
            writeDraws json draws
            json.WriteEndObject())

        json.WriteEndObject()

    /// The notes as text.
    let write (notes: CheckpointNotes) : string =
        let buffer = ArrayBufferWriter<byte>()
        use json = new Utf8JsonWriter(buffer)
        json.WriteStartObject()
        json.WriteNumber("version", version)
        json.WriteString("precision", (if notes.Precision = Precision.Single then "float32" else "float64"))
        writeDraws json notes.Draws
        notes.Training |> Option.iter (writeTraining json)
        json.WriteEndObject()
        json.Flush()
        Encoding.UTF8.GetString buffer.WrittenSpan

    let private named (item: JsonElement) =
        match item.GetString() with
        | null -> raise (FormatException "a name is null")
        | name -> name

    let private items (element: JsonElement) = List.ofSeq (element.EnumerateArray())
    let private number (element: JsonElement) = Double.Parse(named element, NumberStyles.Float, CultureInfo.InvariantCulture)
    let private part (name: string) (element: JsonElement) = element.GetProperty name

    let private optional (name: string) (element: JsonElement) =
        match element.TryGetProperty name with
        | true, value -> Some value
        | _ -> None

    let private count name most (element: JsonElement) =
        let value = (part name element).GetInt32()

        if value < 0 || value > most then
            raise (FormatException $"{name} is {value}")

        value

    let private readDraws (element: JsonElement) =
        [ for item in items (part "draws" element) ->
              match items item with
              | [ name; seed; position; step ] -> named name, Key(seed.GetUInt64(), position.GetUInt32(), step.GetUInt32())
              | _ -> raise (FormatException "a draw has not four parts") ]

    let private readEpoch (element: JsonElement) : Epoch =
        { Number = count "number" Int32.MaxValue element
          Loss = number (part "loss" element)
          ValidationLoss = optional "validationLoss" element |> Option.map number
          Metrics =
            [ for item in items (part "metrics" element) ->
                  match items item with
                  | [ name; value ] -> named name, number value
                  | _ -> raise (FormatException "a metric has not two parts") ]
          Elapsed = TimeSpan((part "elapsedTicks" element).GetInt64()) }

    let private readTraining (element: JsonElement) =
        { Steps = count "steps" Int32.MaxValue element
          Moments = count "moments" mostMoments element
          Averaged = (part "averaged" element).GetBoolean()
          Batches = count "batches" Int32.MaxValue element
          Loss = number (part "loss" element)
          History = items (part "history" element) |> List.map readEpoch
          Best = optional "best" element |> Option.map (fun best -> count "epoch" Int32.MaxValue best, readDraws best) }

    let private readAll where (root: JsonElement) =
        let found = (part "version" root).GetInt32()

        if found <> version then
            raise (
                DataFormatException(
                    where,
                    $"a checkpoint of version {version}",
                    $"version {found}",
                    "It was written by another version of the library."
                )
            )

        { Precision =
            (match named (part "precision" root) with
             | "float32" -> Precision.Single
             | "float64" -> Precision.Double
             | other -> raise (FormatException $"precision is {other}"))
          Draws = readDraws root
          Training = optional "training" root |> Option.map readTraining }

    /// Reads notes; any other text is a format error of the given place.
    let read (where: string) (text: string) : CheckpointNotes =
        try
            use json = JsonDocument.Parse text
            readAll where json.RootElement
        with
        | :? JsonException
        | :? FormatException
        | :? InvalidOperationException
        | :? Collections.Generic.KeyNotFoundException as e ->
            raise (DataFormatException(where, "the notes of a checkpoint", e.Message.TrimEnd '.', inner = e))

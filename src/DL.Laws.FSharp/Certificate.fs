namespace DL.Laws

open System
open System.Globalization
open System.IO
open System.Text
open System.Text.Json

/// <summary>One line of a certificate: a law that was tried.</summary>
type Entry =
    {
        /// <summary>The operation, layer, loss, optimizer or combinator.</summary>
        Subject: string
        /// <summary>The law.</summary>
        Law: string
        /// <summary>The number of cases it was tried on.</summary>
        Cases: int
        /// <summary>The seed they came from.</summary>
        Seed: uint64
        /// <summary>The largest error met, relative as the law defines it; 0 for laws that hold bit for bit.</summary>
        WorstError: float
        /// <summary>Whether the law held.</summary>
        Held: bool
    }

/// <summary>The record of a run: per subject the laws, cases, seed and worst error, and the choice made at every kink.</summary>
[<RequireQualifiedAccess>]
module Certificate =
    /// <summary>The entry of a verdict.</summary>
    let entry (settings: Settings) (law: Law) (verdict: Verdict) : Entry =
        let cases, worst, held =
            match verdict with
            | Holds(cases, worst) -> cases, worst, true
            | Fails counter -> counter.Cases, nan, false

        { Subject = law.Subject
          Law = law.Name
          Cases = cases
          Seed = settings.Seed
          WorstError = worst
          Held = held }

    let private error (e: Entry) =
        if not e.Held then "BROKEN"
        elif e.WorstError = 0.0 then "exact"
        else e.WorstError.ToString("0.0e+0", CultureInfo.InvariantCulture)

    // A bar would end the cell of a table.
    let private cell (text: string) = text.Replace("|", "\\|")

    /// <summary>The certificate as Markdown: a table for every subject, and its choice at kinks above it.</summary>
    /// <param name="engines">The matrix engines the laws were run on.</param>
    /// <param name="kinks">For a subject, the derivative it takes where there is none.</param>
    /// <param name="entries">The laws tried.</param>
    let markdown (engines: string list) (kinks: string -> string option) (entries: Entry list) : string =
        let text = StringBuilder()
        let line (s: string) = text.Append(s).Append('\n') |> ignore
        let held = entries |> List.filter _.Held |> List.length
        let on = String.concat ", " engines
        line "# Certificate of the laws"
        line ""
        line $"{held} of {entries.Length} laws hold. Engines: {on}."
        line "Errors are relative to the size of the terms compared; `exact` means bit for bit."

        for subject, laws in entries |> List.groupBy _.Subject |> List.sortBy fst do
            line ""
            line $"## {subject}"
            line ""

            match kinks subject with
            | Some choice ->
                line $"At its kinks: {choice}"
                line ""
            | None -> ()

            line "| law | cases | seed | worst error |"
            line "| --- | ---: | ---: | ---: |"

            for e in laws do
                line $"| {cell e.Law} | {e.Cases} | {e.Seed} | {error e} |"

        text.ToString()

    /// <summary>The certificate as JSON: engines, and an array of entries.</summary>
    let json (engines: string list) (kinks: string -> string option) (entries: Entry list) : string =
        use stream = new MemoryStream()
        use writer = new Utf8JsonWriter(stream, JsonWriterOptions(Indented = true))
        writer.WriteStartObject()
        writer.WriteStartArray "engines"
        engines |> List.iter (fun (name: string) -> writer.WriteStringValue name)
        writer.WriteEndArray()
        writer.WriteStartArray "laws"

        for e in entries do
            writer.WriteStartObject()
            writer.WriteString("subject", e.Subject)
            writer.WriteString("law", e.Law)
            writer.WriteNumber("cases", e.Cases)
            writer.WriteNumber("seed", e.Seed)
            writer.WriteBoolean("held", e.Held)

            if Double.IsFinite e.WorstError then
                writer.WriteNumber("worstError", e.WorstError)

            kinks e.Subject |> Option.iter (fun choice -> writer.WriteString("kinks", choice))
            writer.WriteEndObject()

        writer.WriteEndArray()
        writer.WriteEndObject()
        writer.Flush()
        Encoding.UTF8.GetString(stream.ToArray())

    /// <summary>Writes <c>certificate.md</c> and <c>certificate.json</c> into a folder, which is made if it is not there.</summary>
    let write (folder: string) (engines: string list) (kinks: string -> string option) (entries: Entry list) : unit =
        Directory.CreateDirectory folder |> ignore
        File.WriteAllText(Path.Combine(folder, "certificate.md"), markdown engines kinks entries)
        File.WriteAllText(Path.Combine(folder, "certificate.json"), json engines kinks entries)

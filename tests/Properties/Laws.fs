/// Every law of the suite, by name: what both hosts run.
module DL.Properties.Laws

open System
open System.Collections.Concurrent
open DL.Laws

/// The operations whose laws do not depend on the matrix engine.
let private operations: Operation list =
    [ Ops.Elementwise.operations
      Ops.Arithmetic.operations
      Ops.Shapes.operations
      Ops.Softmax.operations
      Ops.Attention.operations
      Ops.AttentionAdditive.operations
      Ops.Positions.operations
      Ops.Normalization.operations
      Ops.Reductions.operations
      Ops.Dropout.operations
      Ops.Channels.operations
      Ops.Convolutions.operations
      Ops.Pooling.operations
      Ops.Resampling.operations
      Ops.Regions.operations
      Ops.Embedding.operations
      Ops.Time.operations
      Losses.Losses.operations
      Losses.Focus.operations
      Losses.Embeddings.operations
      Losses.CrossEntropy.operations ]
    |> List.concat

/// What multiplies matrices.
let private products: Law list =
    (Ops.Linear.operations @ Ops.Convolutions.products @ Ops.Recurrent.operations |> List.collect OperationLaws.all)
    @ Ops.RecurrentIdentities.laws
    @ Ops.Products.laws
    @ Layers.Registry.laws

/// What multiplies matrices is held to its laws on every engine.
let private onEveryEngine: Law list =
    [ products
      Laws.ofArchitectures
      Laws.ofSequenceArchitectures
      Composition.Category.laws
      Composition.Combinators.laws
      Composition.Sequences.laws
      Training.Steps.laws
      Training.Tables.laws
      Training.Parts.laws
      Training.Rules.laws
      Training.Runs.laws
      Training.Reports.laws
      Training.Batches.laws
      Training.Rates.laws
      Training.Style.laws ]
    |> List.concat
    |> Engines.each
    |> List.append (Engines.eachAlone products)

let private structure: Law list =
    [ Structure.Coverage.laws
          ((operations @ Ops.Linear.operations @ Ops.Recurrent.operations) |> List.map _.Name)
          (Optimizers.Optimizers.subjects @ Optimizers.Penalties.subjects @ Optimizers.SecondOrder.subjects)
          (Layers.Registry.specimens |> List.map _.Name)
          (Models.Specimens.all @ Models.TextSpecimens.all |> List.map (fun s -> (s.Name.Split ',')[0]) |> List.distinct)
      Structure.AnyArguments.laws
      Structure.Dependencies.laws
      Structure.Documentation.laws ]
    |> List.concat

/// All laws as values.
let laws: Law list =
    [ operations |> List.collect OperationLaws.all
      Ops.Probability.laws
      Ops.Identities.laws
      Ops.Statistics.laws
      Ops.Dropout.laws
      Ops.Linear.laws
      Ops.Spans.laws
      Ops.RecurrentSpans.laws
      Ops.Channels.laws
      Ops.Convolutions.laws
      Ops.ConvolutionRuns.laws
      Ops.Pooling.laws
      Ops.Resampling.laws
      Ops.Regions.laws
      Ops.Embedding.laws
      Ops.Time.laws
      Ops.AttentionLaws.laws
      Ops.Positions.laws
      Losses.Identities.laws
      Losses.Relations.laws
      Losses.Language.laws
      Oracles.Agreement.laws
      Optimizers.Optimizers.laws
      Optimizers.Rows.laws
      Optimizers.InPlace.laws
      Optimizers.Penalties.laws
      Optimizers.SecondOrder.laws
      Optimizers.Schedules.laws
      Formats.Resumes.laws
      Random.Keys.laws
      Random.Initializers.laws
      Random.Orthogonal.laws
      Random.Fans.laws
      Kit.Running.laws
      Kit.Judges.laws
      onEveryEngine
      structure
      Mutants.Recurrent.laws
      Mutants.Killing.laws ]
    |> List.concat

let private settings = Settings.fromEnvironment ()
let private verdicts = ConcurrentQueue<Entry>()

let private writeCertificate (folder: string) =
    if not verdicts.IsEmpty then
        Certificate.write folder Engines.names Kinks.choice (List.ofSeq verdicts)

// Whatever host runs the laws, the certificate is written when it ends.
do
    match Environment.GetEnvironmentVariable "DL_CERTIFICATE" with
    | null
    | "" -> ()
    | folder -> AppDomain.CurrentDomain.ProcessExit.Add(fun _ -> writeCertificate folder)

let private demand (law: Law) () =
    let verdict = law.Check settings
    verdicts.Enqueue(Certificate.entry settings law verdict)

    match verdict with
    | Holds _ -> ()
    | Fails counter -> raise (LawBrokenException(Law.explain law counter))

let private twice = laws |> List.countBy Law.title |> List.filter (fun (_, n) -> n > 1) |> List.map fst

let private unique =
    Law.fact "every law has a name of its own" "the suite" (fun () ->
        let names = String.concat "; " twice
        Evidence.exact $"no name twice, but: {names}" twice.IsEmpty)

/// Whether a law is asked for: all are, or those with one of the words of DL_LAWS in their name, as in "GroupNorm|Conv1d".
let private chosen: Law -> bool =
    match Environment.GetEnvironmentVariable "DL_LAWS" with
    | null
    | "" -> fun _ -> true
    | words ->
        let words = words.Split '|'
        fun law -> words |> Array.exists (fun word -> (Law.title law).Contains(word, StringComparison.OrdinalIgnoreCase))

/// All laws by name: a check throws when its law does not hold.
let all: (string * (unit -> unit)) list =
    unique :: laws
    |> List.distinctBy Law.title
    |> List.filter chosen
    |> List.map (fun law -> Law.title law, demand law)

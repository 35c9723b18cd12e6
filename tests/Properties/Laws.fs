/// Every law of the suite, by name: what both hosts run.
module DL.Properties.Laws

open DL.Laws

/// All operations that have laws.
let operations: Operation list =
    [ Ops.Elementwise.operations
      Ops.Arithmetic.operations
      Ops.Shapes.operations
      Ops.Softmax.operations
      Ops.Normalization.operations
      Ops.Reductions.operations
      Ops.Dropout.operations
      Losses.Losses.operations
      Losses.CrossEntropy.operations ]
    |> List.concat

/// All laws as values.
let laws: Law list =
    [ operations |> List.collect OperationLaws.all
      Ops.Linear.operations |> List.collect OperationLaws.all |> Engines.each
      Layers.Registry.laws |> Engines.each
      Laws.ofArchitectures |> Engines.each
      Composition.Category.laws |> Engines.each
      Composition.Combinators.laws |> Engines.each
      Composition.Sequences.laws |> Engines.each
      Losses.Identities.laws
      Structure.Coverage.laws
          ((operations @ Ops.Linear.operations) |> List.map _.Name)
          Optimizers.Optimizers.subjects
          (Layers.Registry.specimens |> List.map _.Name)
      Ops.Dropout.laws
      Optimizers.Schedules.laws
      Random.Keys.laws
      Random.Initializers.laws
      Training.Steps.laws |> Engines.each
      Structure.Dependencies.laws
      Structure.Documentation.laws
      Ops.Probability.laws
      Ops.Identities.laws
      Ops.Statistics.laws
      Optimizers.Optimizers.laws
      Mutants.Killing.laws ]
    |> List.concat

let private settings = Settings.fromEnvironment ()

/// All laws by name: a check throws when its law does not hold.
let all: (string * (unit -> unit)) list = laws |> List.map (fun law -> Law.title law, fun () -> Law.demand settings law)

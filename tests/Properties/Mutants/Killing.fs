/// Every mutant must fail a law, and what it is a mutant of must pass them all.
module DL.Properties.Mutants.Killing

open System
open DL.Laws
open DL.Properties.Mutants.Hand

let private few = { Settings.defaults with Cases = 30 }

let private broken (laws: Law list) =
    laws
    |> List.choose (fun law ->
        match law.Check few with
        | Holds _ -> None
        | Fails counter -> Some(law, counter))

let private killed (right: Law list) (wrong: Law list) =
    let control = broken right

    Evidence.worst
        [ match control with
          | [] -> ()
          | (law, counter) :: _ -> Evidence.exact $"the right version passes, but: {Law.explain law counter}" false
          Evidence.exact "a law it fails" (not (broken wrong).IsEmpty) ]

let private layers = Dense.mutants @ Activations.mutants @ Norms.mutants @ Behaviour.mutants

let private operations =
    Operations.mutants
    @ Losses.mutants
    @ Images.mutants
    @ Channels.mutants
    @ Regions.mutants
    @ Embedding.mutants
    @ Attention.mutants
    @ Recurrent.mutants

/// One law for every mutant: it is found out.
let laws: Law list =
    [ for m in layers do
          Law.fact "is found out" $"mutant {m.Fault}" (fun () ->
              killed (Laws.allOfVectors m.Claims m.Right) (Laws.allOfVectors m.Claims m.Wrong))

      for fault, right, wrong in Sequences.mutants do
          Law.fact "is found out" $"mutant {fault}" (fun () -> killed right wrong)

      for fault, right, wrong in operations do
          Law.fact "is found out" $"mutant {fault}" (fun () -> killed (OperationLaws.all right) (OperationLaws.all wrong)) ]

/// The laws each mutant fails, for whoever wants to read them.
let report () : string =
    [ for m in layers do
          let names = broken (Laws.allOfVectors m.Claims m.Wrong) |> List.map (fun (law, _) -> law.Name) |> String.concat ", "
          $"{m.Fault}: {names}" ]
    |> String.concat Environment.NewLine

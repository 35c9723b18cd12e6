/// Runs the laws under Expecto: the same list of values the default host runs.
module DL.Properties.Hosts.ExpectoHost

open Expecto

/// <summary>One Expecto test per law, in the order of the list.</summary>
/// <param name="laws">A name and a check that throws when the law does not hold.</param>
let tests (laws: (string * (unit -> unit)) list) = testList "Laws" [ for name, check in laws -> testCase name check ]

/// <summary>Runs the laws one after another and returns 0 if every law that was run held, and not 0 otherwise.</summary>
/// <remarks>
/// An Expecto assertion that fails gives 1, any other exception 2; no law at all or two laws of one name give 1.
/// A filter of the command line that leaves no law gives 0. Options of the command line win over those set here, `--parallel` for one.
/// </remarks>
/// <param name="laws">A name and a check that throws when the law does not hold.</param>
/// <param name="args">Expecto's own options, such as `--filter-test-case softmax`, `--list-tests` or `--junit-summary FILE`.</param>
let run laws (args: string[]) =
    match laws with
    | [] ->
        eprintfn "ExpectoHost: expected at least one law, got none."
        1
    | _ -> runTestsWithCLIArgs [ Sequenced; No_Spinner; Colours 0 ] args (tests laws)

[<EntryPoint>]
let main args = run DL.Properties.Laws.all args

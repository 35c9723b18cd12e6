module DL.Bench.Program

open System
open System.Text.RegularExpressions
open BenchmarkDotNet.Running
open DL.Core
open DL.Bench.Timing

let private usage =
    "usage: DL.Bench list | run [--only REGEX] [--threads N] [--reps N] | kernels [BenchmarkDotNet arguments]"

let private groups = Networks.groups @ Vision.groups @ Sequences.groups @ Operations.groups @ Files.groups

let private option name fallback (arguments: string list) =
    match List.tryFindIndex ((=) name) arguments with
    | Some i when i + 1 < arguments.Length -> arguments[i + 1]
    | _ -> fallback

let private run arguments =
    let only = Regex(option "--only" "." arguments)
    let threads = int (option "--threads" "1" arguments)
    let reps = max 7 (int (option "--reps" "9" arguments))
    Native.Threads <- threads
    // The other side flushes denormals, too: one batch is learnt by heart here, and its gradients vanish.
    StepScope.Enter() |> ignore

    for group in groups |> List.filter (fun g -> only.IsMatch g.Group) do
        for workload in group.Build() do
            Console.WriteLine(report threads reps workload)

    0

[<EntryPoint>]
let main arguments =
    match List.ofArray arguments with
    | "list" :: _ ->
        for group in groups do
            for workload in group.Build() do
                Console.WriteLine workload.Name

        0
    | "run" :: rest -> run rest
    | "kernels" :: rest ->
        BenchmarkSwitcher.FromTypes([| typeof<Kernels.Products>; typeof<Kernels.Maps> |]).Run(Array.ofList rest)
        |> ignore

        0
    | _ ->
        eprintfn "%s" usage
        64

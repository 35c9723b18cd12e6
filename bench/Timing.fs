/// Timing as the other side of the comparison does it: warm up, choose the calls per sample, take samples, give their median.
module DL.Bench.Timing

open System
open System.Diagnostics
open System.Text.Json

/// One workload: what it is called and does, and the call that is timed.
type Workload =
    { Name: string
      What: string
      Per: string
      Batch: int
      Call: unit -> unit }

/// A group of workloads that is built only when it is asked for.
type Group = { Group: string; Build: unit -> Workload list }

let private sampleSeconds = 0.06
let private warmSeconds = 0.4
let private budgetSeconds = 2.0

let private timed (call: unit -> unit) n =
    let began = Stopwatch.GetTimestamp()

    for _ in 1..n do
        call ()

    Stopwatch.GetElapsedTime(began).TotalSeconds / float n

let private median (samples: float list) =
    let sorted = List.sort samples
    let middle = sorted.Length / 2
    if sorted.Length % 2 = 1 then sorted[middle] else (sorted[middle - 1] + sorted[middle]) / 2.0

/// Median and minimum seconds of a call, and the number of samples.
let measure reps (call: unit -> unit) =
    let began = Stopwatch.GetTimestamp()
    let elapsed () = Stopwatch.GetElapsedTime(began).TotalSeconds
    timed call 2 |> ignore

    while elapsed () < warmSeconds do
        timed call 1 |> ignore

    let inner = max 1 (int (sampleSeconds / timed call 1))
    timed call inner |> ignore
    let mutable samples = []

    while samples.Length < reps || (samples.Length < 3 * reps && elapsed () < budgetSeconds) do
        samples <- timed call inner :: samples

    median samples, List.min samples, samples.Length

/// One line of JSON with the fields of the other side, and the bytes one call allocates.
let report threads reps (workload: Workload) =
    let seconds, lowest, samples = measure reps workload.Call
    let before = GC.GetAllocatedBytesForCurrentThread()
    workload.Call()
    let bytes = GC.GetAllocatedBytesForCurrentThread() - before

    JsonSerializer.Serialize
        {| name = workload.Name
           what = workload.What
           seconds_median = seconds
           seconds_min = lowest
           per = workload.Per
           threads = threads
           batch = workload.Batch
           reps = samples
           bytes_allocated = bytes |}

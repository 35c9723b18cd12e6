/// Checkpoints beside a plain copy of the same file, which is as fast as the disk.
module DL.Bench.Files

open System.IO
open DL
open DL.Core
open DL.Core.Formats
open DL.Bench.Timing

/// A run of 100 MB: eight dense layers of 1020 by 1020, and Adam's two moments.
let private run () : Fit<Vec, Vec> =
    let rule: Rule<Vec, Vec> = Rule.create Loss.meanSquaredError (Optimizer.adam 1e-3)
    Trainer.start rule (Model.init Single (Key.ofSeed 1) (Shape.vec 1020) (repeat 8 (dense 1020)))

/// A copy that is on the disk when it is done, as a checkpoint is.
let copy (source: string) (target: string) =
    use from = new FileStream(source, FileMode.Open, FileAccess.Read, FileShare.Read, 1)
    use into = new FileStream(target, FileMode.Create, FileAccess.Write, FileShare.None, 1)
    from.CopyTo(into, 1 <<< 20)
    into.Flush true

let private workload name what call = { Name = name; What = what; Per = "file"; Batch = 1; Call = call }

let private checkpoints () =
    let folder = Directory.CreateTempSubdirectory("dl-bench-").FullName
    System.AppDomain.CurrentDomain.ProcessExit.Add(fun _ -> Directory.Delete(folder, true))
    let path = Path.Combine(folder, "run.safetensors")
    let fit = run ()
    Checkpoint.save path fit

    [ workload "checkpoint_save" "100 MB: weights and two moments, on the disk" (fun () -> Checkpoint.save path fit)
      workload "checkpoint_copy" "a plain copy of the same file, on the disk" (fun () -> copy path (path + ".copy"))
      workload "checkpoint_load" "the same file, from the page cache" (fun () -> Checkpoint.load path fit.Model |> ignore)
      workload "safetensors_read" "the same file, its tensors alone" (fun () ->
          Safetensors.Read(path, ReadLimits(MaxElements = int64 Shape.MaxCount)) |> ignore) ]

/// The groups of files.
let groups = [ { Group = "checkpoint"; Build = checkpoints } ]

// A run that is interrupted and goes on from its checkpoint, and ends with the same bits as one that is not.
//   dotnet fsi examples/fsharp/resume.fsx [file]
// Ctrl-C while it trains saves too: start it again with the same file and it goes on.
#I "../../src/DL.Dsl.FSharp/bin/Release/net10.0"
#r "DL.Core.CSharp.dll"
#r "Spectre.Console.dll"
#r "DL.Dsl.FSharp.dll"

open System.IO
open DL

let file =
    match fsi.CommandLineArgs |> Array.tail |> Array.tryHead with
    | Some path -> path
    | None ->
        let path = Path.Combine(Path.GetTempPath(), "dl-resume.safetensors")
        File.Delete path
        path

let struct (train, validation) = Examples.digits () |> Examples.split 0.2 0
let net = dense 64 --> batchNorm --> relu --> dropout 0.3 --> dense 10
let model () = net |> Model.init Single (Key.ofSeed 0) (Shape.vec 64)

let trainer: Trainer<Vec, Vec, Label> =
    let plain = Trainer.create Loss.crossEntropy (Optimizer.adamW 0.01 2e-3)

    { plain with
        Rule =
            { plain.Rule with
                Schedule = Some(Schedule.warmup 50 |> Schedule.andThen (Schedule.cosine 400 1e-4 2e-3)) }
        Epochs = 10
        Validation = Some validation
        Metrics = [ Metric.accuracy ]
        Progress = Progress.Lines }

// Ends in the middle of the fourth epoch, as a cut of the power would; Ctrl-C ends a run likewise.
let untilStep step : Callback<Vec, Vec> =
    function
    | StepTaken(report, _) when report.Step = step -> Next.Stop
    | _ -> Next.Continue

let saving =
    { trainer with
        Callbacks = [ Checkpoint.everyEpoch file ]
        Cancellation = Interrupt.token () }

let start = Checkpoint.loadOrStart file trainer.Rule (model ())
printfn "from step %d of %s\n" start.Steps file

let stopped = Trainer.resume { saving with Callbacks = untilStep 150 :: saving.Callbacks } train start

printfn "\n%O after step %d; the file has %d bytes\n" stopped.Ending stopped.Fit.Steps (FileInfo file).Length
let resumed = Checkpoint.load file (model ()) |> Trainer.resume saving train
printfn "\n%O after step %d\n" resumed.Ending resumed.Fit.Steps

let whole = model () |> Trainer.fit { trainer with Progress = Progress.Silent } train
let same = Array.forall2 (fun (a: Core.Tensor) (b: Core.Tensor) -> a.SameBits b) whole.Model.Params resumed.Model.Params
printfn "the same bits as without a stop: %b" same

if not same && resumed.Ending = Ending.Completed then
    exit 1

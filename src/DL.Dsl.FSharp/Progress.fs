namespace DL

open System
open System.Globalization
open Spectre.Console

/// <summary>Where a training run tells how far it is.</summary>
[<RequireQualifiedAccess>]
type Progress =
    /// <summary>A progress bar in a terminal, a line for every epoch elsewhere.</summary>
    | Auto
    /// <summary>A line for every epoch.</summary>
    | Lines
    /// <summary>Nothing.</summary>
    | Silent

/// <summary>Watching a run: called by the trainer, never by a layer.</summary>
[<RequireQualifiedAccess>]
module internal Reporting =
    let private number (x: float) = x.ToString("0.0000", CultureInfo.InvariantCulture)

    let line (total: int) (epoch: Epoch) =
        let parts =
            [ yield $"epoch {epoch.Number}/{total}"
              yield $"loss {number epoch.Loss}"
              match epoch.ValidationLoss with
              | Some v -> yield $"validation {number v}"
              | None -> ()
              for name, value in epoch.Metrics do
                  yield $"{name} {number value}" ]

        String.concat "  " parts

    /// What a run reports to: after each batch, and after each epoch.
    type Sink = { Batch: int -> unit; Epoch: Epoch -> unit }

    let private silent = { Batch = ignore; Epoch = ignore }

    let private bar total batches taken (run: Sink -> 'a) : 'a =
        let columns: ProgressColumn[] =
            [| TaskDescriptionColumn(); ProgressBarColumn(); PercentageColumn(); RemainingTimeColumn() |]

        AnsiConsole
            .Progress()
            .AutoClear(true)
            .Columns(columns)
            .Start(fun context ->
                let task = context.AddTask("training", true, float (total * batches))
                task.Increment(float taken)

                run
                    { Batch = fun _ -> task.Increment 1.0
                      Epoch = fun epoch -> task.Description <- Markup.Escape(line total epoch) })

    /// Runs with the reporting that was asked for, from where so many batches have been taken before.
    let using progress total batches taken (run: Sink -> 'a) : 'a =
        let terminal = not Console.IsOutputRedirected && AnsiConsole.Profile.Capabilities.Interactive

        let lines =
            { silent with
                Epoch = fun epoch -> Console.WriteLine(line total epoch) }

        match progress with
        | Progress.Silent -> run silent
        | Progress.Auto when terminal -> bar total batches taken run
        | Progress.Auto
        | Progress.Lines -> run lines

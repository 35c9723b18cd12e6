namespace DL

open System
open System.Collections.Generic
open System.IO
open DL.Core
open DL.Core.Formats

/// <summary>Models and runs in files: saved whole or not at all, checked when loaded, and gone on from as if the run had not stopped.</summary>
/// <remarks>
/// <para>A checkpoint is a safetensors file. It holds the model's state dictionary under its own names, so that other programs read the weights; the
/// optimizer's moments as <c>optimizer.0.NAME</c>, the average of the parameters as <c>average.NAME</c> and the best epoch's as <c>best.NAME</c>; and as
/// JSON among the metadata the step, the place in the data, the history and the keys of the next random draws. The trainer itself, its seed
/// and the data are not in it.</para>
/// <para>A file is written beside the old one, flushed to the disk and renamed: after a kill, a crash or a full disk the old one or the new one
/// is there. A checksum over all of it is verified when it is loaded.</para>
/// </remarks>
[<RequireQualifiedAccess>]
module Checkpoint =
    let private notesName = "dl.checkpoint"

    let private ofModel (model: Model<'x, 'y>) =
        let notes =
            { Precision = model.Precision
              Draws = CheckpointTensors.draws model.Layer model.State
              Training = None }

        notes, CheckpointTensors.storedWith "" model.Layer model.Params model.State

    let private ofFit (fit: Fit<'x, 'y>) =
        let layer, course = fit.Model.Layer, fit.Course
        let notes, weights = ofModel fit.Model

        let training =
            { Steps = fit.Steps
              Moments = fit.Moments.Length
              Averaged = fit.Average.Length > 0
              Batches = course.Batches
              Loss = course.Loss
              History = course.History
              Best = course.Best |> Option.map (fun best -> best.Epoch, CheckpointTensors.draws layer best.State) }

        let tensors =
            [ yield! weights
              for i in 0 .. fit.Moments.Length - 1 do
                  yield! CheckpointTensors.storedParameters $"optimizer.{i}." layer fit.Moments[i]
              if training.Averaged then
                  yield! CheckpointTensors.storedParameters "average." layer fit.Average
              match course.Best with
              | Some best -> yield! CheckpointTensors.storedWith "best." layer best.Params best.State
              | None -> () ]

        { notes with Training = Some training }, tensors

    let private metadata notes = [ KeyValuePair(notesName, CheckpointNotes.write notes) ]
    let private writeTo (stream: Stream) (notes, tensors: StoredTensor list) = Safetensors.Write(stream, tensors, metadata notes)
    let private saveTo (path: string) (notes, tensors: StoredTensor list) = Safetensors.Write(path, tensors, metadata notes)

    let private notesOf (source: string) (file: SafetensorsFile) =
        match file.Metadata.TryGetValue notesName with
        | true, text when not file.IsChecked ->
            raise (DataFormatException(source, "a checkpoint with its checksum", $"none beside {text.Length} letters of notes"))
        | true, text -> Some(CheckpointNotes.read $"{source}, metadata" text)
        | _ -> None

    let private modelFrom source (notes: CheckpointNotes option) (model: Model<'x, 'y>) file =
        let ofRun = notes |> Option.exists _.Training.IsSome

        let loaded =
            { model with
                Params = CheckpointTensors.parametersFrom source "" model file
                State = CheckpointTensors.stateFrom source "" (notes |> Option.map _.Draws) model file }

        CheckpointTensors.refuseOthers source (if ofRun then [ "optimizer."; "average."; "best." ] else []) model file
        loaded

    let private toModel (source: string) (model: Model<'x, 'y>) (file: SafetensorsFile) = modelFrom source (notesOf source file) model file

    let private trainingOf source (model: Model<'x, 'y>) (file: SafetensorsFile) =
        match notesOf source file with
        | Some { Training = Some training } as notes ->
            if notes.Value.Precision <> model.Precision then
                raise (
                    InvalidArgumentException(source, $"a checkpoint of a model in {model.Precision} precision", $"{notes.Value.Precision}")
                )

            struct (notes.Value, training)
        | _ -> raise (DataFormatException(source, "the checkpoint of a run", "a model", "Load it by Checkpoint.loadModel, and start anew."))

    let private toFit (source: string) (model: Model<'x, 'y>) (file: SafetensorsFile) : Fit<'x, 'y> =
        let struct (notes, training) = trainingOf source model file
        let loaded = modelFrom source (Some notes) model file

        let best (epoch, keys) =
            { Epoch = epoch
              Params = CheckpointTensors.parametersFrom source "best." model file
              State = CheckpointTensors.stateFrom source "best." (Some keys) model file }

        { Model = loaded
          Moments = Array.init training.Moments (fun i -> CheckpointTensors.parametersFrom source $"optimizer.{i}." model file)
          Average = if training.Averaged then CheckpointTensors.parametersFrom source "average." model file else [||]
          Steps = training.Steps
          Course =
            { History = training.History
              Batches = training.Batches
              Loss = training.Loss
              Best = training.Best |> Option.map best } }

    let private fileAt (path: string) = Safetensors.Read(path, Weights.limits)
    let private fileIn (stream: Stream) = Safetensors.Read(stream, Weights.limits)

    /// <summary>Saves a run, with all that is needed to go on.</summary>
    /// <param name="path">The file; one that is there is replaced.</param>
    /// <param name="fit">The run.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">The file cannot be written: the one that was there is as it was.</exception>
    let save (path: string) (fit: Fit<'x, 'y>) : unit = saveTo path (ofFit fit)

    /// <summary>Loads a run that <c>save</c> has written, to go on by <c>Trainer.resume</c>: bit for bit as if it had not stopped.</summary>
    /// <param name="path">The file.</param>
    /// <param name="model">The model as it was made before the run: its layer, shape and precision count, its numbers do not.</param>
    /// <exception cref="T:DL.Core.DataFormatException">There is no such file, or it is damaged, or no checkpoint of a run.</exception>
    /// <exception cref="T:DL.Core.InvalidArgumentException">It is of another model: the first name that differs is named.</exception>
    /// <exception cref="T:DL.Core.ShapeException">It is of another model: the first shape that differs is named.</exception>
    let load (path: string) (model: Model<'x, 'y>) : Fit<'x, 'y> = fileAt path |> toFit path model

    /// <summary>As <c>save</c>, to a stream, which stays open.</summary>
    let write (stream: Stream) (fit: Fit<'x, 'y>) : unit = writeTo stream (ofFit fit)

    /// <summary>As <c>load</c>, from a stream, to its end.</summary>
    let read (stream: Stream) (model: Model<'x, 'y>) : Fit<'x, 'y> = fileIn stream |> toFit "stream" model

    /// <summary>Saves a model: parameters, statistics and the keys of its next random draws.</summary>
    /// <param name="path">The file; one that is there is replaced.</param>
    /// <param name="model">The model.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">The file cannot be written: the one that was there is as it was.</exception>
    let saveModel (path: string) (model: Model<'x, 'y>) : unit = saveTo path (ofModel model)

    /// <summary>The model with the numbers of a file: of <c>saveModel</c>, of <c>save</c>, or the safetensors of another program under the model's names.</summary>
    /// <remarks>Numbers of another precision are rounded to the model's. For other names see <c>Weights</c>.</remarks>
    /// <param name="path">The file.</param>
    /// <param name="model">The model; it is not changed.</param>
    /// <exception cref="T:DL.Core.DataFormatException">There is no such file, or it is damaged.</exception>
    /// <exception cref="T:DL.Core.InvalidArgumentException">It is of another model: the first name that differs is named.</exception>
    /// <exception cref="T:DL.Core.ShapeException">It is of another model: the first shape that differs is named.</exception>
    let loadModel (path: string) (model: Model<'x, 'y>) : Model<'x, 'y> = fileAt path |> toModel path model

    /// <summary>As <c>saveModel</c>, to a stream, which stays open.</summary>
    let writeModel (stream: Stream) (model: Model<'x, 'y>) : unit = writeTo stream (ofModel model)

    /// <summary>As <c>loadModel</c>, from a stream, to its end.</summary>
    let readModel (stream: Stream) (model: Model<'x, 'y>) : Model<'x, 'y> = fileIn stream |> toModel "stream" model

    /// <summary>The run of a file if it is there, else one that has not begun: a program that starts so goes on where it was stopped.</summary>
    /// <param name="path">The file.</param>
    /// <param name="rule">The rule of the run.</param>
    /// <param name="model">The model as it is made before the run.</param>
    /// <exception cref="T:DL.Core.DLException">There is a file, and it cannot be loaded: as <c>load</c>.</exception>
    let loadOrStart (path: string) (rule: Rule<'y, 't>) (model: Model<'x, 'y>) : Fit<'x, 'y> =
        if File.Exists path then load path model else Trainer.start rule model

    /// <summary>A callback that saves the run after every epoch and when it ends, by cancellation, too.</summary>
    /// <param name="path">The file.</param>
    let everyEpoch (path: string) : Callback<'x, 'y> =
        function
        | EpochEnded(_, fit)
        | Ended(_, fit) ->
            save path fit
            Next.Continue
        | _ -> Next.Continue

    /// <summary>A callback that saves the run after every so many steps and when it ends, by cancellation, too.</summary>
    /// <param name="steps">The number of steps, at least 1.</param>
    /// <param name="path">The file.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">The number of steps is below 1.</exception>
    let everySteps (steps: int) (path: string) : Callback<'x, 'y> =
        if steps < 1 then
            raise (InvalidArgumentException("Checkpoint.everySteps", "at least 1 step", $"{steps}"))

        function
        | StepTaken(report, fit) when report.Step % steps = 0 ->
            save path (fit ())
            Next.Continue
        | Ended(_, fit) ->
            save path fit
            Next.Continue
        | _ -> Next.Continue

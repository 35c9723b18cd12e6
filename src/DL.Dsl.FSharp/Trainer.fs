namespace DL

open System.Threading
open DL.Core

/// <summary>Training.</summary>
[<RequireQualifiedAccess>]
module Trainer =
    /// <summary>A trainer with 10 epochs, batches of 32, seed 0 and a progress bar: change what you like with <c>{ trainer with Epochs = 30 }</c>.</summary>
    let create (loss: Loss<'y, 't>) (optimizer: Optimizer) : Trainer<'x, 'y, 't> =
        { Rule = Rule.create loss optimizer
          Epochs = 10
          BatchSize = 32
          Seed = 0
          Metrics = []
          Validation = None
          Augment = None
          Stopping = None
          Plateau = None
          Callbacks = []
          Cancellation = CancellationToken.None
          Progress = Progress.Auto }

    /// <summary>A model that no step has been taken with.</summary>
    let start (rule: Rule<'y, 't>) (model: Model<'x, 'y>) : Fit<'x, 'y> = Fit.create rule.Optimizer.Moments rule.Average.IsSome model

    /// <summary>One step, as a function: the fit that comes in is not changed.</summary>
    /// <remarks>It copies all parameters. For many steps use <c>fit</c>, or a <c>Session</c>, which takes the same steps bit for bit in memory of its own.</remarks>
    /// <returns>The fit after the step and the loss before it.</returns>
    let step (rule: Rule<'y, 't>) (fit: Fit<'x, 'y>) (input: Batch<'x>) (target: Batch<'t>) : struct (Fit<'x, 'y> * float) =
        let session = Session(rule, fit)
        let loss = session.Step(input, target)
        struct (session.Fit, loss)

    /// Fails unless settings, data and targets fit, with nothing done.
    let internal check (trainer: Trainer<'x, 'y, 't>) (model: Model<'x, 'y>) (data: Examples<'x, 't>) =
        TrainerCheck.all "Trainer.fit" trainer model data

    /// The trainer with what it measures on in the numbers of the model.
    let private converted (trainer: Trainer<'x, 'y, 't>) (model: Model<'x, 'y>) =
        { trainer with
            Validation = trainer.Validation |> Option.map (Examples.convert (Model.elementType model.Precision)) }

    /// <summary>Goes on training from a fit, until it has taken the trainer's number of epochs in all.</summary>
    /// <remarks>A run that is stopped and resumed with the same trainer and data gives the same bits as one that is not stopped. For more epochs than a
    /// finished run had, give the trainer a larger number.</remarks>
    /// <exception cref="T:DL.Core.DLException">Settings, data or targets do not fit, or hold numbers that are not finite: nothing is trained.
    /// Or the loss stopped being finite: the message says at which epoch, batch and step.</exception>
    let resume (trainer: Trainer<'x, 'y, 't>) (data: Examples<'x, 't>) (fit: Fit<'x, 'y>) : Trained<'x, 'y> =
        check trainer fit.Model data
        let trainer = converted trainer fit.Model
        let data = Examples.convert (Model.elementType fit.Model.Precision) data
        let batches = (Examples.count data + trainer.BatchSize - 1) / trainer.BatchSize

        if fit.Course.Batches > batches then
            let got = $"{fit.Course.Batches} batches of the epoch under way"

            raise (
                InvalidArgumentException("Trainer.resume, fit", $"at most the {batches} batches of an epoch of this trainer and data", got)
            )

        let session = Session(trainer.Rule, fit)
        TrainerRun.goOn trainer session (TrainerRun.ofExamples "Trainer.fit" trainer session data) fit.Course

    /// <summary>Trains a model: shuffled mini-batches, the given number of epochs. The model that comes in is not changed.</summary>
    /// <remarks>The same trainer, data and model give the same bits on the same machine and engine.</remarks>
    /// <exception cref="T:DL.Core.DLException">As <c>resume</c>.</exception>
    let fit (trainer: Trainer<'x, 'y, 't>) (data: Examples<'x, 't>) (model: Model<'x, 'y>) : Trained<'x, 'y> =
        resume trainer data (start trainer.Rule model)

    /// <summary>Goes on training on the batches of a pipeline, as <c>resume</c> does on examples.</summary>
    /// <remarks>The batches that the fit has taken of the epoch under way are gone through again without a step on them. A run that is stopped and resumed
    /// with the same trainer and pipeline gives the same bits as one that is not stopped.</remarks>
    /// <exception cref="T:DL.Core.DLException">Settings do not fit, the pipeline is endless or an epoch of it empty, or a batch does not fit or holds
    /// numbers that are not finite: the message says at which epoch and batch. Or the loss stopped being finite.</exception>
    let resumeBatches (trainer: Trainer<'x, 'y, 't>) (batches: Pipeline<Examples<'x, 't>>) (fit: Fit<'x, 'y>) : Trained<'x, 'y> =
        let where = "Trainer.fitBatches"
        TrainerCheck.batches where trainer fit.Model batches
        let trainer = converted trainer fit.Model
        let session = Session(trainer.Rule, fit)
        TrainerRun.goOn trainer session (TrainerRun.ofPipeline where trainer session fit.Model batches) fit.Course

    /// <summary>Trains a model on the batches of a pipeline: epoch e of the run, counted from 1, takes those of <c>Pipeline.epoch e</c>, in their order.</summary>
    /// <remarks>All else is as in <c>fit</c>: callbacks, early stopping, plateaus, cancellation, validation, which stays a set of examples. Batches are as
    /// large as they come, and in the pipeline's order: <c>BatchSize</c> and <c>Seed</c> have no part in it, and a trainer with <c>Augment</c> is refused.
    /// Metrics without validation examples are measured by going through the epoch's batches once more. The bar counts epochs.
    /// <c>Pipeline.ofExamples data |> Pipeline.shuffle (Key.ofSeed seed) |> Pipeline.batch size</c> gives the bits of <c>fit</c> with that seed and size.</remarks>
    /// <param name="trainer">How it is trained.</param>
    /// <param name="batches">Batches of examples; <c>Pipeline.take</c> says how many make an epoch, where they would not end.</param>
    /// <param name="model">The model; it is not changed.</param>
    /// <exception cref="T:DL.Core.DLException">As <c>resumeBatches</c>.</exception>
    let fitBatches (trainer: Trainer<'x, 'y, 't>) (batches: Pipeline<Examples<'x, 't>>) (model: Model<'x, 'y>) : Trained<'x, 'y> =
        resumeBatches trainer batches (start trainer.Rule model)

    /// <summary>The loss of a model on examples, as if they were one batch, and the metrics, in prediction mode.</summary>
    let measure (trainer: Trainer<'x, 'y, 't>) (data: Examples<'x, 't>) (model: Model<'x, 'y>) : struct (float * (string * float) list) =
        TrainerCheck.all "Trainer.measure" { trainer with BatchSize = 1; Validation = None } model data
        let data = Examples.convert (Model.elementType model.Precision) data
        let loss, metrics = TrainerRun.evaluate trainer (Session(trainer.Rule, start trainer.Rule model)) data
        struct (loss, metrics)

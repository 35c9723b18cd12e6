namespace DL

open System
open System.Threading
open DL.Core
open DL.Core.Random

/// <summary>How a model is trained: a rule for one step, and how many steps over which batches.</summary>
[<NoEquality; NoComparison>]
type Trainer<'x, 'y, 't> =
    {
        /// <summary>Loss, optimizer, schedule and clipping.</summary>
        Rule: Rule<'y, 't>
        /// <summary>The number of passes over the data.</summary>
        Epochs: int
        /// <summary>The number of examples in a batch; the last batch of an epoch may be smaller.</summary>
        BatchSize: int
        /// <summary>The seed of the shuffles.</summary>
        Seed: int
        /// <summary>What is measured after every epoch.</summary>
        Metrics: Metric<'y, 't> list
        /// <summary>Examples that are measured and never trained on; see <c>Examples.split</c>.</summary>
        Validation: Examples<'x, 't> option
        /// <summary>What is done to the examples of a batch before the step, as a pure function of a key of its own for every step: augmentation.</summary>
        /// <remarks><c>Some(Augment.examples (Augment.flip 0.5))</c>, <c>Some(Augment.mixUp 0.2)</c>, or a function of your own.</remarks>
        Augment: (Key -> Examples<'x, 't> -> Examples<'x, 't>) option
        /// <summary>When to stop before the last epoch, and give back the best one.</summary>
        Stopping: EarlyStopping option
        /// <summary>Lower learning rates once the losses of the epochs no longer fall; see <c>Schedule.plateau</c>.</summary>
        /// <remarks>The losses are those of validation, or of training where nothing is held out.</remarks>
        Plateau: Plateau option
        /// <summary>Functions that are told what happens, and may stop the run.</summary>
        Callbacks: Callback<'x, 'y> list
        /// <summary>Ends the run between two steps, with a fit to go on from; see <c>Interrupt.token</c> for Ctrl-C.</summary>
        Cancellation: CancellationToken
        /// <summary>Where the run is reported.</summary>
        Progress: Progress
    }

/// <summary>What training gives: the trained model with all that is needed to go on, and the history.</summary>
[<NoEquality; NoComparison>]
type Trained<'x, 'y> =
    {
        /// <summary>The trained model: with early stopping that of the best epoch.</summary>
        Model: Model<'x, 'y>
        /// <summary>The model with its optimizer's moments as the last step left them, to go on from.</summary>
        Fit: Fit<'x, 'y>
        /// <summary>One entry for every epoch, those before a resumed run too.</summary>
        History: Epoch list
        /// <summary>Why the run came to its end.</summary>
        Ending: Ending
    }

/// What must hold before a run does anything.
[<RequireQualifiedAccess>]
module internal TrainerCheck =
    let refuse where expected got mend = raise (InvalidArgumentException(where, expected, got, mend))

    let private outOfRange where expected got = raise (InvalidArgumentException(where, expected, got))

    /// Fails unless examples fit the model and the loss, and are finite.
    let examples where (loss: Loss<'y, 't>) (model: Model<'x, 'y>) (set: Examples<'x, 't>) =
        if Batch.shape set.Inputs <> model.Input then
            raise (ShapeException(where, $"inputs of shape {model.Input}", $"{Batch.shape set.Inputs}"))

        if Batch.count set.Targets <> Examples.count set then
            raise (ShapeException(where, $"{Examples.count set} targets, one for each input", $"{Batch.count set.Targets}"))

        Examples.checkFinite $"{where} inputs" set.Inputs
        Examples.checkFinite $"{where} targets" set.Targets
        loss.Check model.Output set.Targets

    /// Fails unless what does not depend on the data of training is in range.
    let settings where (trainer: Trainer<'x, 'y, 't>) (model: Model<'x, 'y>) =
        if trainer.Epochs < 0 then
            outOfRange $"{where}, Epochs" "at least 0" $"{trainer.Epochs}"

        let rate = trainer.Rule.Optimizer.Rate

        if not (Double.IsFinite rate) || rate < 0.0 then
            outOfRange $"{where}, learning rate" "a finite number of at least 0" $"{rate}"

        Rule.check trainer.Rule
        trainer.Stopping |> Option.iter EarlyStopping.check

        trainer.Validation
        |> Option.iter (fun set ->
            if Examples.count set = 0 then
                outOfRange $"{where}, validation" "at least one example" "none"

            examples $"{where}, validation" trainer.Rule.Loss model set)

    /// Fails unless settings, data and targets fit.
    let all where (trainer: Trainer<'x, 'y, 't>) (model: Model<'x, 'y>) (data: Examples<'x, 't>) =
        let n = Examples.count data

        if n = 0 then
            outOfRange $"{where}, data" "at least one example" "none"

        if trainer.BatchSize < 1 || trainer.BatchSize > n then
            outOfRange $"{where}, BatchSize" $"a number from 1 to {n}, the number of examples" $"{trainer.BatchSize}"

        settings where trainer model
        examples $"{where}, training" trainer.Rule.Loss model data

    /// Fails unless the trainer's settings and batches that come from a pipeline go together.
    let batches where (trainer: Trainer<'x, 'y, 't>) (model: Model<'x, 'y>) (batches: Pipeline<Examples<'x, 't>>) =
        settings where trainer model

        if trainer.Augment.IsSome then
            refuse $"{where}, Augment" "none" "a function" "Augment in the pipeline, by Pipeline.mapKeyed or Pipeline.batchKeyed."

        if batches.Endless then
            refuse $"{where}, batches" "a pipeline that ends" "an endless one" "Say how many batches make an epoch: Pipeline.take."

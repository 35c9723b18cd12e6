namespace DL

open System
open DL.Core
open DL.Core.Ops
open DL.Core.Optimizers

/// <summary>A model in training: the model, the moments of its optimizer and the number of steps taken. A value.</summary>
[<NoEquality; NoComparison>]
type Fit<'x, 'y> =
    {
        /// <summary>The model.</summary>
        Model: Model<'x, 'y>
        /// <summary>The optimizer's moments: for each moment a tensor for every parameter.</summary>
        Moments: Tensor[][]
        /// <summary>The number of steps taken.</summary>
        Steps: int
    }

/// <summary>What one training step needs besides the model: the loss, the optimizer, its schedule and the clipping of gradients.</summary>
[<NoEquality; NoComparison>]
type Rule<'y, 't> =
    {
        /// <summary>The loss.</summary>
        Loss: Loss<'y, 't>
        /// <summary>The optimizer.</summary>
        Optimizer: Optimizer
        /// <summary>From the number of the step, counted from 0, to the learning rate; the optimizer's own rate by default.</summary>
        Schedule: (int -> float) option
        /// <summary>The largest global norm of the gradients, if they are clipped.</summary>
        ClipNorm: float option
    }

/// <summary>A run of training steps over memory of its own, reused from step to step: fast inside, and nothing handed out is ever changed.</summary>
/// <remarks>It starts from copies and gives copies, so a session and the models read from it never share memory. One thread at a time.
/// Numbers too small to be normal are flushed to zero during a step where the processor allows it.</remarks>
/// <param name="rule">Loss, optimizer, schedule and clipping.</param>
/// <param name="start">Where to start from.</param>
[<Sealed>]
type Session<'x, 'y, 't>(rule: Rule<'y, 't>, start: Fit<'x, 'y>) =
    let model = start.Model
    let element = Model.elementType model.Precision
    let factors = Optimizer.factors rule.Optimizer (Layer.slots model.Layer)
    let arena = new Arena()
    let store = ParameterStore(arena, model.Params, element, rule.Optimizer.Moments)

    let own (cell: Cell) =
        match cell with
        | Statistic t ->
            let kept = ParameterStore.Keep(arena, element, t.Shape)
            ParameterStore.Copy(t, kept)
            Statistic kept
        | Draws _ -> cell

    let mutable state = model.State |> Array.map own
    let mutable steps = start.Steps
    let mutable norm = nan

    do start.Moments |> Array.iteri (fun i moment -> store.RestoreMoment(i, moment, arena))

    let adopt (t: Tensor) : Tensor =
        if t.ElementType = element || t.ElementType = ElementType.Int32 then
            Batch.into arena t
        else
            Batch.into arena (t.To element)

    let keep (next: State) =
        for i in 0 .. next.Length - 1 do
            match state[i], next[i] with
            | Statistic old, Statistic updated ->
                if not (obj.ReferenceEquals(old, updated)) then
                    ParameterStore.Copy(updated, old)
            | _, cell -> state[i] <- cell

    let gradients = store.Parts(arena, factors) |> Array.map _.Gradients

    let clip () =
        match rule.ClipNorm with
        | Some limit ->
            store.Settle()
            norm <- ClipByGlobalNorm.Apply(gradients, limit)
        | None -> ()

    let rate () =
        match rule.Schedule with
        | Some schedule -> schedule steps
        | None -> rule.Optimizer.Rate

    let update () =
        let rate = rate ()

        if not (Double.IsFinite rate) || rate < 0.0 then
            raise (InvalidArgumentException($"Trainer, step {steps}", "a learning rate that is finite and at least 0", $"{rate}"))

        clip ()
        steps <- steps + 1

        for part in store.PartsByRows(arena, factors) do
            rule.Optimizer.Update steps (rate * part.Factor) part.Weights part.Gradients part.Moments

    let advance (input: Batch<'x>) (target: Batch<'t>) =
        let pass = model.Layer.Apply Train store.Views state input
        let struct (loss, dy) = rule.Loss.Evaluate pass.Output target

        if Double.IsFinite loss then
            let struct (_, gradients) = pass.Pullback dy
            store.Collect gradients
            update ()
            keep pass.State

        loss

    let check (input: Batch<'x>) =
        if Batch.shape input <> model.Input then
            raise (ShapeException(string model.Layer.About, $"examples of shape {model.Input}", $"{Batch.shape input}"))

    /// <summary>One step: forward, loss, backward, update.</summary>
    /// <param name="input">A batch of examples.</param>
    /// <param name="target">Their targets.</param>
    /// <returns>The mean loss of the batch before the update. When it is not finite nothing is updated.</returns>
    /// <exception cref="T:DL.Core.DLException">Shapes or targets do not fit; nothing is changed.</exception>
    member _.Step(input: Batch<'x>, target: Batch<'t>) : float =
        check input
        let before = StepScope.Enter()

        try
            advance (Batch.map adopt input) (Batch.map adopt target)
        finally
            arena.Reset()
            StepScope.Leave before

    /// <summary>One step on some of the examples: the batch is gathered in the session's own memory.</summary>
    /// <param name="data">The examples.</param>
    /// <param name="rows">The positions of those to step on.</param>
    /// <returns>As <c>Step</c>.</returns>
    /// <exception cref="T:DL.Core.DLException">Shapes, targets or positions do not fit; nothing is changed.</exception>
    member _.StepOn(data: Examples<'x, 't>, rows: int[]) : float =
        check data.Inputs
        let before = StepScope.Enter()

        try
            advance (Batch.takeBy adopt rows data.Inputs) (Batch.takeBy adopt rows data.Targets)
        finally
            arena.Reset()
            StepScope.Leave before

    /// <summary>The number of steps taken.</summary>
    member _.Steps = steps

    /// <summary>The global norm of the gradients seen by the last clipping; NaN without clipping.</summary>
    member _.GradientNorm = norm

    /// <summary>The model as it is now, and all that is needed to go on from here: a copy.</summary>
    member _.Fit: Fit<'x, 'y> =
        let copy cell =
            match cell with
            | Statistic t -> Statistic(t.To t.ElementType)
            | Draws _ -> cell

        { Model = { model with Params = store.Snapshot(); State = Array.map copy state }
          Moments = Array.init store.Moments.Length (fun i -> store.SnapshotMoment(i, arena))
          Steps = steps }

    /// <summary>The model as it is now: a copy.</summary>
    member this.Model: Model<'x, 'y> = this.Fit.Model

    member internal _.Output = model.Output

    /// The output in prediction mode, in memory that is reused at the next step.
    member internal _.Predict(input: Batch<'x>, read: Batch<'y> -> 'a) : 'a =
        let before = StepScope.Enter()

        try
            arena.Reusing <- true
            read (Layer.answer model.Layer store.Views state (Batch.map adopt input))
        finally
            arena.Reset()
            StepScope.Leave before

    /// <summary>The most bytes of working memory one step has asked for: activations and gradients, without the parameters.</summary>
    member _.PeakBytes: int64 = arena.PeakBytes

    /// The name of the first parameter that holds a value that is not finite, if any.
    member internal _.BrokenParameter =
        Seq.zip (Layer.slots model.Layer) store.Views
        |> Seq.tryFind (fun (_, view) -> view.FirstNotFinite() >= 0)
        |> Option.map fst

namespace DL

open System
open DL.Core
open DL.Core.Ops
open DL.Core.Optimizers

/// <summary>A run of training steps over memory of its own, reused from step to step: fast inside, and nothing handed out is ever changed.</summary>
/// <remarks>It starts from copies and gives copies, so a session and the models read from it never share memory. One thread at a time.
/// Numbers too small to be normal are flushed to zero during a step where the processor allows it.</remarks>
/// <param name="rule">Loss, optimizer, schedule and clipping.</param>
/// <param name="start">Where to start from.</param>
/// <exception cref="T:DL.Core.InvalidArgumentException">A setting of the rule is out of its range, or the fit has moments of another optimizer.</exception>
[<Sealed>]
type Session<'x, 'y, 't>(rule: Rule<'y, 't>, start: Fit<'x, 'y>) =
    do
        Rule.check rule

        if start.Moments.Length <> rule.Optimizer.Moments then
            let expected = $"{rule.Optimizer.Moments} moments, as {rule.Optimizer.Name} keeps"
            raise (InvalidArgumentException("Session, fit", expected, $"{start.Moments.Length}", "Start anew with Trainer.start."))

    let model = start.Model
    let element = Model.elementType model.Precision
    let factors = Optimizer.factors rule.Optimizer (Layer.slots model.Layer)
    let arena = new Arena()
    let moments = rule.Optimizer.Moments
    // The average of the parameters lies behind the optimizer's moments, in the same layout.
    let store = ParameterStore(arena, model.Params, element, (if rule.Average.IsSome then moments + 1 else moments))

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

    let mutable factor = 1.0

    do
        start.Moments |> Array.iteri (fun i moment -> store.RestoreMoment(i, moment, arena))

        if rule.Average.IsSome then
            let from = if start.Average.Length = model.Params.Length then start.Average else model.Params
            store.RestoreMoment(moments, from |> Array.map (fun t -> if t.ElementType = element then t else t.To element), arena)

    let adopt (t: Tensor) : Tensor =
        if t.ElementType = element || t.ElementType = ElementType.Int32 then
            Batch.into arena t
        else
            Batch.into arena (t.To element)

    let copied cell =
        match cell with
        | Statistic t -> Statistic(t.To t.ElementType)
        | Draws _ -> cell

    let keep (next: State) =
        for i in 0 .. next.Length - 1 do
            match state[i], next[i] with
            | Statistic old, Statistic updated ->
                if not (obj.ReferenceEquals(old, updated)) then
                    ParameterStore.Copy(updated, old)
            | _, cell -> state[i] <- cell

    let gradients = store.Parts(arena, factors) |> Array.map _.Gradients

    let penalties = rule.Penalties |> List.map (fun p -> struct (p, Penalty.chosen p (Layer.slots model.Layer) model.Params))

    let penalize struct (penalty, chosen: bool[]) =
        for i in 0 .. chosen.Length - 1 do
            if chosen[i] then
                Penalty.add penalty store.Views[i] (store.Whole i) |> ignore

    let clip () =
        if rule.ClipValue.IsSome || rule.ClipNorm.IsSome then
            store.Settle()

        rule.ClipValue |> Option.iter (fun limit -> ClipByValue.Apply(gradients, limit))
        rule.ClipNorm |> Option.iter (fun limit -> norm <- ClipByGlobalNorm.Apply(gradients, limit))

    let rate () =
        match rule.Schedule with
        | Some schedule -> factor * schedule steps
        | None -> factor * rule.Optimizer.Rate

    let update () =
        let rate = rate ()

        if not (Double.IsFinite rate) || rate < 0.0 then
            raise (InvalidArgumentException($"Trainer, step {steps}", "a learning rate that is finite and at least 0", $"{rate}"))

        List.iter penalize penalties
        clip ()
        steps <- steps + 1

        for part in store.PartsByRows(arena, factors) do
            rule.Optimizer.Update steps (rate * part.Factor) part.Weights part.Gradients part.Moments

        rule.Average
        |> Option.iter (fun decay -> ExponentialAverage.Step(store.Moments[moments], store.Weights, decay))

    /// The loss and the state after it, with the gradients in the store; nothing is collected when the loss is not finite.
    let differentiate evaluate (input: Batch<'x>) (target: Batch<'t>) =
        let pass = model.Layer.Apply Train store.Views state input
        let struct (loss: float, dy) = evaluate pass.Output target

        if Double.IsFinite loss then
            let struct (_, gradients) = pass.Pullback dy
            store.Collect gradients

        struct (loss, pass.State)

    let advance input target =
        let struct (loss, next) = differentiate rule.Loss.Evaluate input target

        if Double.IsFinite loss then
            update ()
            keep next

        loss

    /// The step over a batch whose examples are gathered part by part.
    let advanceInParts (size: int) (data: Examples<'x, 't>) (rows: int[]) =
        let before = state |> Array.map copied
        let parts = Array.chunkBySize size rows
        let mutable total = 0.0

        let targets =
            seq {
                for part in parts do
                    Batch.takeBy adopt part data.Targets
                    arena.Reset()
            }

        let evaluate = rule.Loss.InParts targets
        store.BeginSum arena

        let add part =
            let struct (loss, next) =
                differentiate evaluate (Batch.takeBy adopt part data.Inputs) (Batch.takeBy adopt part data.Targets)

            total <- total + loss

            if Double.IsFinite loss then
                store.AddToSum()
                keep next

            arena.Reset()

        try
            for part in parts do
                if Double.IsFinite total then
                    add part
        with _ ->
            keep before
            reraise ()

        if Double.IsFinite total then
            store.TakeSum()
            update ()
        else
            keep before

        total

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
            match rule.MicroBatch with
            | Some size when size < Batch.count input -> advanceInParts size (Examples.create input target) [| 0 .. Batch.count input - 1 |]
            | _ -> advance (Batch.map adopt input) (Batch.map adopt target)
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
            match rule.MicroBatch with
            | Some size when size < rows.Length -> advanceInParts size data rows
            | _ -> advance (Batch.takeBy adopt rows data.Inputs) (Batch.takeBy adopt rows data.Targets)
        finally
            arena.Reset()
            StepScope.Leave before

    /// <summary>The number of steps taken.</summary>
    member _.Steps = steps

    /// <summary>The learning rate of the next step.</summary>
    member _.Rate: float = rate ()

    /// A factor of all learning rates from now on.
    member internal _.RateFactor
        with get () = factor
        and set value = factor <- value

    /// <summary>The global norm of the gradients seen by the last clipping; NaN without clipping.</summary>
    member _.GradientNorm = norm

    /// <summary>The model as it is now, and all that is needed to go on from here: a copy.</summary>
    member _.Fit: Fit<'x, 'y> =
        { start with
            Model =
                { model with
                    Params = store.Snapshot()
                    State = Array.map copied state }
            Moments = Array.init moments (fun i -> store.SnapshotMoment(i, arena))
            Average = if rule.Average.IsSome then store.SnapshotMoment(moments, arena) else [||]
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

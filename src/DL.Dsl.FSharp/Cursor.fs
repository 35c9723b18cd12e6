namespace DL

open DL.Core
open DL.Core.Ops

/// <summary>A model on its way along a sequence: the model and what its layers remember of the steps seen. A value, so several continuations can start from one.</summary>
[<NoEquality; NoComparison>]
type Cursor<'x, 'y> =
    internal
        { Fit: Batch<'x> -> Batch<'x>
          Extend: Remembered[] -> Batch<'x> -> struct (Batch<'y> * Remembered[])
          Memory: Remembered[] }

/// <summary>Running a model along a sequence, some steps at a time: keys and values of attention and the state of recurrent layers are kept, so that a
/// step costs one step. What comes out is what one pass over the whole sequence gives.</summary>
[<RequireQualifiedAccess>]
module Cursor =
    let private refuse where (layer: Description) =
        raise (
            InvalidArgumentException(
                $"{where}, {layer}",
                "layers that go along a sequence",
                "one that looks at later steps, or is not declared pointwise",
                "Take causal attention and one direction; declare a layer of your own by Layer.pointwise."
            )
        )

    /// <summary>Before the first step.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">A layer of the model looks at later steps, or is not known to go step by step: the message names it.</exception>
    let start (model: Model<'x, 'y>) : Cursor<'x, 'y> =
        match model.Layer.Continue with
        | Ok along ->
            { Fit = Model.fit model
              Extend = along.Extend model.Params model.State
              Memory = along.Fresh }
        | Error layer -> refuse "Cursor.start" layer

    /// <summary>Before the first step of the second part of a pair, beside a first part that is the same at every step: a decoder beside its encoder.</summary>
    /// <remarks>What depends on the first part alone is computed here, once: what the encoder makes of a source, and the keys and values of the attention to
    /// it. A padded first part has its lengths.</remarks>
    /// <param name="constant">The first part, of as many examples as the steps that follow.</param>
    /// <param name="model">The model.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">A layer on the way of the second part looks at later steps, or is not known to go step by step beside
    /// what is constant: the message names it.</exception>
    /// <exception cref="T:DL.Core.ShapeException">The first part does not fit the model.</exception>
    let beside (constant: Batch<'c>) (model: Model<'c * 'x, 'y>) : Cursor<'x, 'y> =
        let struct (constantShape, stepShape) = Shape.split model.Input

        match Standing.along (Flow.Pair(Flow.Constant, Flow.Steps)) model.Layer with
        | Error layer -> refuse "Cursor.beside" layer
        | Ok along when along.Out <> Flow.Steps -> refuse "Cursor.beside" model.Layer.About
        | Ok along ->
            let constant = Model.fitPart model constantShape constant
            let struct (_, extend) = along.Settle model.Params model.State (Batch.pair constant Batch.nothing)

            { Fit = Model.fitPart model stepShape
              Extend = fun memory steps -> extend memory (Batch.pair constant steps)
              Memory = along.Fresh }

    let private kept (memory: Remembered) =
        match memory with
        | Held t -> Held(t.To t.ElementType)
        | other -> other

    /// <summary>The output for the next steps, and where the model stands after them.</summary>
    /// <param name="input">The next steps, of any number.</param>
    /// <param name="cursor">Where the model stands; it is not changed.</param>
    /// <exception cref="T:DL.Core.DLException">The steps do not fit the model, or are more than it has positions for.</exception>
    let extend (input: Batch<'x>) (cursor: Cursor<'x, 'y>) : struct (Batch<'y> * Cursor<'x, 'y>) =
        let run x = cursor.Extend cursor.Memory x
        let examples = cursor.Fit input

        let struct (output, memory) =
            match Workspace.Enter() with
            | null -> run examples
            | arena ->
                try
                    let struct (output, memory) = run (Batch.map (Batch.into arena) examples)
                    struct (Batch.map (fun t -> t.To t.ElementType) output, Array.map kept memory)
                finally
                    Workspace.Leave()

        struct (output, { cursor with Memory = memory })

    let private row (ids: int[]) : Batch<Tokens> = Batch.tokens (Tensor.Of<int>(ids, 1, ids.Length))

    /// The scores of the last step of one example.
    let private lastScores (logits: Batch<Seq>) : float[] =
        let t = Batch.held logits
        (Slice.Forward(t, 1, t.Shape[1] - 1, 1)).ToArray<float>()

    /// <summary>From the next tokens of one text to the logits of the token after them: the step that <c>Generate</c> takes.</summary>
    /// <exception cref="T:DL.Core.DLException">There is no token, one is out of range, or they are more than the model has positions for.</exception>
    let step (cursor: Cursor<Tokens, Seq>) (tokens: int[]) : struct (float[] * Cursor<Tokens, Seq>) =
        if tokens.Length = 0 then
            raise (InvalidArgumentException("Cursor.step", "at least one token", "none"))

        let struct (logits, next) = extend (row tokens) cursor
        struct (lastScores logits, next)

    /// <summary>A step for <c>Generate</c> that sees the last tokens only, in one pass over all of them: for texts longer than a model has positions for.</summary>
    /// <param name="time">How many tokens it sees.</param>
    /// <param name="model">The model.</param>
    /// <param name="seen">The tokens before; none at the start.</param>
    /// <param name="tokens">The next tokens.</param>
    /// <exception cref="T:DL.Core.DLException">There is no token, or one is out of range.</exception>
    let overLast (time: int) (model: Model<Tokens, Seq>) (seen: int[]) (tokens: int[]) : struct (float[] * int[]) =
        let all = Array.append seen tokens
        let kept = all[max 0 (all.Length - time) ..]
        let struct (logits, _) = step (start model) kept
        struct (logits, kept)

    /// <summary>Before the first id of a target, by an encoder and decoder: <c>beside</c> the ids of one source, for <c>step</c>.</summary>
    /// <remarks>The source is encoded here, once; a step costs a step.</remarks>
    /// <param name="source">The ids of the source.</param>
    /// <param name="model">From (source, target so far) to the scores of the next id at every step of the target.</param>
    /// <exception cref="T:DL.Core.DLException">There is no id, one is out of range, or as <c>beside</c>.</exception>
    let translating (source: int[]) (model: Model<Tokens * Tokens, Seq>) : Cursor<Tokens, Seq> =
        if source.Length = 0 then
            raise (InvalidArgumentException("Cursor.translating", "at least one id", "none"))

        beside (row source) model

namespace DL

open DL.Core
open DL.Core.Ops

/// <summary>A model on its way along a sequence: the model and what its layers remember of the steps seen. A value, so several continuations can start from one.</summary>
[<NoEquality; NoComparison>]
type Cursor<'x, 'y> =
    internal
        { Of: Model<'x, 'y>
          Along: Continuation<'x, 'y>
          Memory: Remembered[] }

/// <summary>Running a model along a sequence, some steps at a time: keys and values of attention and the state of recurrent layers are kept, so that a
/// step costs one step. What comes out is what one pass over the whole sequence gives.</summary>
[<RequireQualifiedAccess>]
module Cursor =
    /// <summary>Before the first step.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">A layer of the model looks at later steps, or is not known to go step by step: the message names it.</exception>
    let start (model: Model<'x, 'y>) : Cursor<'x, 'y> =
        match model.Layer.Continue with
        | Ok along -> { Of = model; Along = along; Memory = along.Fresh }
        | Error layer ->
            raise (
                InvalidArgumentException(
                    $"Cursor.start, {layer}",
                    "layers that go along a sequence",
                    "one that looks at later steps, or is not declared pointwise",
                    "Take causal attention and one direction; declare a layer of your own by Layer.pointwise."
                )
            )

    let private kept (memory: Remembered) =
        match memory with
        | Held t -> Held(t.To t.ElementType)
        | other -> other

    /// <summary>The output for the next steps, and where the model stands after them.</summary>
    /// <param name="input">The next steps, of any number.</param>
    /// <param name="cursor">Where the model stands; it is not changed.</param>
    /// <exception cref="T:DL.Core.DLException">The steps do not fit the model, or are more than it has positions for.</exception>
    let extend (input: Batch<'x>) (cursor: Cursor<'x, 'y>) : struct (Batch<'y> * Cursor<'x, 'y>) =
        let model = cursor.Of
        let run x = cursor.Along.Extend model.Params model.State cursor.Memory x
        let examples = Model.fit model input

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

    /// <summary>A step for <c>Generate</c> by an encoder and decoder: the target so far goes in with the source, in one pass each time.</summary>
    /// <param name="source">The ids of the source.</param>
    /// <param name="model">From (source, target so far) to the scores of the next id at every step of the target.</param>
    /// <param name="seen">The tokens of the target before; none at the start.</param>
    /// <param name="tokens">The next tokens.</param>
    /// <exception cref="T:DL.Core.DLException">There is no token, or one is out of range.</exception>
    let translating (source: int[]) (model: Model<Tokens * Tokens, Seq>) (seen: int[]) (tokens: int[]) : struct (float[] * int[]) =
        let all = Array.append seen tokens

        if all.Length = 0 then
            raise (InvalidArgumentException("Cursor.translating", "at least one token", "none"))

        struct (lastScores (Model.predict model (Batch.pair (row source) (row all))), all)

namespace DL

open DL.Core
open DL.Core.Data
open DL.Core.Ops

/// <summary>Sequences of different lengths in one batch: the lengths travel with the batch, so that padding reaches nothing.</summary>
/// <remarks>Every layer that looks from one step at another leaves the steps from an example's length on out: recurrent layers keep
/// their state there, attention does not see them, means and losses do not count them.</remarks>
[<RequireQualifiedAccess>]
module Padded =
    let internal isSequence<'x> = typeof<'x> = typeof<Seq> || typeof<'x> = typeof<Tokens>

    /// <summary>The batch, with the number of steps of each example that count.</summary>
    /// <param name="lengths">A length for every example, from 0 to the number of steps.</param>
    /// <param name="batch">Sequences of vectors or of ids.</param>
    /// <exception cref="T:DL.Core.DLException">The batch is none of sequences, or a length is missing or out of range.</exception>
    let withLengths (lengths: int[]) (batch: Batch<'x>) : Batch<'x> =
        if not isSequence<'x> then
            raise (InvalidArgumentException("Padded.withLengths", "a batch of Seq or Tokens", $"{typeof<'x>.Name}"))

        let t = Batch.held batch

        StepLengths.Check(t.Shape, lengths, "Padded.withLengths")
        { Value = Ragged(One t, Array.copy lengths) }

    let private filled (padded: PaddedTokens) : Batch<Tokens> =
        Batch.tokens (Tensor.Of<int>(padded.Ids, padded.Rows, padded.Length)) |> withLengths padded.Lengths

    /// <summary>Rows of ids of different lengths as one batch, padded at their ends with id 0.</summary>
    /// <param name="time">The number of steps; at least that of the longest row.</param>
    /// <param name="rows">The ids of every example.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">A row is longer: the message names it.</exception>
    let tokensOf (time: int) (rows: int[][]) : Batch<Tokens> = filled (Padding.Right(rows, 0, time))

    /// <summary>Rows of ids of different lengths as one batch, padded at their ends to the longest with id 0.</summary>
    let tokens (rows: int[][]) : Batch<Tokens> = filled (Padding.Right rows)

    /// The first padded part: its tensor and its lengths.
    let rec internal found value =
        match value with
        | Ragged(steps, lengths) -> ValueSome struct (Batch.held { Value = steps }, lengths)
        | Two(a, b) -> found a |> ValueOption.orElseWith (fun () -> found b)
        | _ -> ValueNone

    /// <summary>The number of steps of each example that count, if some do not; of a pair, that of its first padded part.</summary>
    let lengths (batch: Batch<'x>) : int[] option =
        match found batch.Value with
        | ValueSome struct (_, lengths) -> Some(Array.copy lengths)
        | ValueNone -> None

    /// The lengths as the operations take them: null where every step counts.
    let internal orNull (batch: Batch<'x>) : int[] | null =
        match found batch.Value with
        | ValueSome struct (_, lengths) -> lengths
        | ValueNone -> null

    /// The value of the first part that is a sequence.
    let rec internal firstSequence (kind: System.Type) value =
        match value with
        | Two(a, b) ->
            let parts = kind.GetGenericArguments()
            firstSequence parts[0] a |> ValueOption.orElseWith (fun () -> firstSequence parts[1] b)
        | single when kind = typeof<Seq> || kind = typeof<Tokens> -> ValueSome single
        | _ -> ValueNone

    let internal put lengths (batch: Batch<'y>) : Batch<'y> = { Value = Ragged(One(Batch.held batch), lengths) }

    /// A batch with the lengths of another one that it was computed from step by step.
    let internal like (source: Batch<'x>) (batch: Batch<'y>) : Batch<'y> =
        match found source.Value with
        | ValueSome struct (_, lengths) -> put lengths batch
        | ValueNone -> batch

    /// The lengths within the first steps.
    let internal first (count: int) (lengths: int[] | null) : int[] | null =
        match lengths with
        | null -> null
        | lengths -> lengths |> Array.map (min count)

    /// The steps that count, and zeros for those that do not.
    let internal zeroed (lengths: int[] | null) (t: Tensor) : Tensor =
        match lengths with
        | null -> t
        | lengths -> MaskTime.Forward(t, lengths)

    /// Fails for a padded batch, where a layer would mix what counts with what does not.
    let internal refuse name (batch: Batch<'x>) =
        match found batch.Value with
        | ValueSome _ ->
            raise (
                ShapeException(
                    name,
                    "sequences that are as long as each other",
                    "a padded batch",
                    "Bring the sequences to one length before this layer."
                )
            )
        | ValueNone -> ()

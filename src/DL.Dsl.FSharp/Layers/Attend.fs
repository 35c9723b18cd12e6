namespace DL

open DL.Core
open DL.Core.Ops

/// <summary>The settings of attention: <c>selfAttentionWith { Attend.defaults with Dropout = 0.1 } 8</c>.</summary>
[<NoEquality; NoComparison>]
type AttendSettings =
    {
        /// <summary>Whether a step sees only itself and earlier ones.</summary>
        Causal: bool
        /// <summary>A mask of your own: from the position of a step and of one it looks at, both from 0, to whether it may see it. What is hidden by
        /// <c>Causal</c> or is padding stays hidden; a step that sees nothing attends to zeros. It must say the same whenever it is asked.</summary>
        Visible: (int -> int -> bool) option
        /// <summary>Whether queries, keys, values and the result get a bias.</summary>
        Bias: bool
        /// <summary>Whether queries and keys are turned by their positions.</summary>
        Rotary: bool
        /// <summary>The probability to drop a weight in training.</summary>
        Dropout: float
        /// <summary>The initial weights.</summary>
        Weights: Initializer
    }

/// <summary>Settings of attention.</summary>
[<RequireQualifiedAccess>]
module Attend =
    /// <summary>Every step sees every step; with biases, no dropout, Xavier uniform weights.</summary>
    let defaults =
        { Causal = false
          Visible = None
          Bias = true
          Rotary = false
          Dropout = 0.0
          Weights = Initializer.xavierUniform }

    /// <summary>As the defaults, but no step sees a later one.</summary>
    let causal = { defaults with Causal = true }

    /// <summary>As <c>causal</c>, but a step sees only the last steps, itself among them: a window that slides along.</summary>
    /// <remarks>I. Beltagy, M. Peters, A. Cohan, Longformer: the long-document Transformer, 2020.</remarks>
    /// <param name="steps">How many it sees.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no step to see.</exception>
    let window (steps: int) =
        if steps < 1 then
            raise (InvalidArgumentException("Attend.window", "at least 1 step", $"{steps}"))

        { causal with Visible = Some(fun step seen -> step - seen < steps) }

/// The masks of attention that a user gives.
[<RequireQualifiedAccess>]
module internal Sight =
    /// Which keys the queries from a position on may see by a mask of the user's own; null without one.
    let from first queries keys (options: AttendSettings) : Tensor | null =
        match options.Visible with
        | None -> null
        | Some visible ->
            let sees = Array.init (queries * keys) (fun i -> if visible (first + i / keys) (i % keys) then 1 else 0)
            Tensor.Of<int>(sees, queries, keys)

    /// The mask of all steps for each other, kept for the next pass over as many.
    let kept (options: AttendSettings) : int -> Tensor | null =
        let last: (Tensor | null) ref = ref null

        fun time ->
            match last.Value with
            | NonNull mask when mask.Shape[0] = time -> mask
            | _ ->
                let mask = options |> from 0 time time
                last.Value <- mask
                mask

    /// The pairs of steps that see each other.
    let pairs (options: AttendSettings) time : int64 =
        let ahead = if options.Causal then int64 time * (int64 time - 1L) / 2L else 0L

        match options.Visible with
        | None -> int64 time * int64 time - ahead
        | Some visible ->
            let last query = if options.Causal then query else time - 1

            Seq.init time (fun query -> seq { 0 .. last query } |> Seq.filter (visible query) |> Seq.length |> int64)
            |> Seq.sum

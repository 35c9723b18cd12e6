namespace DL.Models

open DL

/// <summary>From one sequence to another by two recurrent nets with additive attention between them.</summary>
/// <remarks>The decoder starts from the encoder's last state; the context of each of its steps goes beside it to the scores, as in
/// T. Luong et al., Effective approaches to attention-based neural machine translation, 2015, with the scores of D. Bahdanau et al., 2015.</remarks>
[<RequireQualifiedAccess>]
module Seq2Seq =
    /// <summary>The encoder: from ids to the last state and all states of a GRU.</summary>
    let encoder (vocabulary: int) (features: int) (hidden: int) : Layer<Tokens, Vec * Seq> =
        embedding vocabulary features --> fromZero hidden --> gruFrom Recurrent.defaults hidden

    /// The decoder's states, from ((state, encoder's steps), target so far), beside the encoder's steps.
    let private unrolled hidden : Layer<(Vec * Seq) * Seq, Seq * Seq> =
        fork (both first identity --> gruFrom Recurrent.defaults hidden --> second) (first --> second)

    /// <summary>From (source, target so far) to the scores of the next id at every step of the target.</summary>
    /// <param name="source">The number of ids of the source.</param>
    /// <param name="target">The number of ids of the target.</param>
    /// <param name="features">The numbers of an id's vector.</param>
    /// <param name="hidden">The size of the states.</param>
    let network (source: int) (target: int) (features: int) (hidden: int) : Layer<Tokens * Tokens, Seq> =
        both (encoder source features hidden) (embedding target features)
        --> unrolled hidden
        --> fork first (additiveAttention hidden)
        --> cat
        --> perToken (dense hidden --> tanh --> dense target)

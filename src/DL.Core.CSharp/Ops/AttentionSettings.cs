using DL.Core.Random;

namespace DL.Core.Ops;

/// <summary>How queries attend to keys: the number of heads, who sees whom, the scale of the scores and the dropout of the weights.</summary>
/// <remarks>A key is seen if all limits given let it be seen. A query that sees no key has an output and gradients of zero.
/// What lies in keys, values and queries that are hidden, even NaN, reaches nothing and has a gradient of exactly 0.</remarks>
/// <param name="Heads">The heads the width is split into, at least 1; each attends by itself.</param>
public sealed record AttentionSettings(int Heads)
{
    /// <summary>Whether a query sees only keys up to its own position.</summary>
    public bool Causal { get; init; }

    /// <summary>The position of the first query among the keys, when causal. By default the queries are the last positions of the keys:
    /// keys - queries. With keys in a buffer that is not full yet it is the number of keys that came before the queries.</summary>
    public int? Offset { get; init; }

    /// <summary>How many of the keys of each example there are, the others being padding or unused room; null for all.</summary>
    public int[]? KeyLengths { get; init; }

    /// <summary>How many of the queries of each example there are; null for all. Where an example attends to itself these are its key lengths.</summary>
    public int[]? QueryLengths { get; init; }

    /// <summary>What each query may see, key by key: not 0 where it may. [queries; keys] or [N; queries; keys] of any element type.</summary>
    public Tensor? Visible { get; init; }

    /// <summary>What the dot products are multiplied by, above 0; by default <c>1 / sqrt(d)</c> for queries of width d in each head.</summary>
    public double? Scale { get; init; }

    /// <summary>The probability to drop a weight, from 0 to below 1; those that stay are divided by <c>1 - p</c>.</summary>
    public double Dropout { get; init; }

    /// <summary>The draw of the dropped weights: the same forward and backward. Over the weights as [N; heads; keys; queries] it is the mask of <see cref="Ops.Dropout"/>.</summary>
    public Key Key { get; init; }
}

using static System.FormattableString;

namespace DL.Core.Data;

/// <summary>A division of the rows 0 to count - 1 into disjoint parts that together hold each row once.</summary>
/// <param name="Train">The rows to learn from.</param>
/// <param name="Validation">The rows to choose settings by; may be empty.</param>
/// <param name="Test">The rows held out for the final figure; may be empty.</param>
public sealed record Split(int[] Train, int[] Validation, int[] Test)
{
    /// <summary>The stream of a seed that splits use; epochs count up from 0 and never reach it.</summary>
    private const ulong Stream = ulong.MaxValue;

    /// <summary>Shuffles by seed and holds out the last <c>round(heldOut * count)</c> rows, halves rounded up.</summary>
    /// <param name="count">The number of rows, at least 1.</param>
    /// <param name="heldOut">The share held out, in [0, 1).</param>
    /// <param name="seed">The seed; the same seed and count give the same split.</param>
    /// <returns>Training and test rows; no validation rows.</returns>
    /// <exception cref="InvalidArgumentException">No rows, a share outside [0, 1), or a part that would stay empty.</exception>
    public static Split Shuffled(int count, double heldOut, ulong seed) => Shuffled(count, 0, heldOut, seed);

    /// <summary>Shuffles by seed; the last <c>round(heldOut * count)</c> rows are test rows, the <c>round(validation * count)</c> before them validation rows.</summary>
    /// <param name="count">The number of rows, at least 1.</param>
    /// <param name="validation">The share for validation, in [0, 1).</param>
    /// <param name="heldOut">The share held out, in [0, 1).</param>
    /// <param name="seed">The seed; the same seed and count give the same order.</param>
    /// <returns>Training, validation and test rows.</returns>
    /// <exception cref="InvalidArgumentException">No rows, a share outside [0, 1), or a part that would stay empty.</exception>
    public static Split Shuffled(int count, double validation, double heldOut, ulong seed)
    {
        if (count < 1)
            throw new InvalidArgumentException("Split.Shuffled, count", "at least 1 row", Invariant($"{count}"));
        var validationCount = Part(count, validation, nameof(validation));
        var testCount = Part(count, heldOut, nameof(heldOut));
        var trainCount = (long)count - validationCount - testCount;
        if (trainCount < 1)
            throw new InvalidArgumentException("Split.Shuffled", Invariant($"at least 1 of {count} rows left to train"), "none", "Hold out less.");
        var order = Shuffle.Permutation(count, seed, Stream);
        var train = (int)trainCount;
        return new Split(order[..train], order[train..(train + validationCount)], order[(train + validationCount)..]);
    }

    private static int Part(int count, double share, string name)
    {
        if (!(share >= 0 && share < 1))
            throw new InvalidArgumentException($"Split.Shuffled, {name}", "a share from 0 to below 1", Invariant($"{share}"));
        var part = (int)Math.Round(share * count, MidpointRounding.AwayFromZero);
        if (part == 0 && share > 0)
            throw new InvalidArgumentException($"Split.Shuffled, {name}", "a share of at least one row", Invariant($"{share} of {count}"), "Hold out more, or 0.");
        return part;
    }
}

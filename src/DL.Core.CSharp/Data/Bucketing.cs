using DL.Core.Random;
using static System.FormattableString;

namespace DL.Core.Data;

/// <summary>Batches of sequences of similar lengths, so that little of a batch is padding.</summary>
public static class Bucketing
{
    /// <summary>The rows in batches of neighbours by <c>length + spread u</c>, u uniform in [0, 1) and equal ones in random order; the batches in random order.</summary>
    /// <remarks>Padding all rows of a batch to its longest adds at most <c>batchSize * (longest - shortest + spread) + n * spread</c> steps in all; a larger spread
    /// makes the batches of two epochs less alike.</remarks>
    /// <param name="lengths">The length of each row, at least 0.</param>
    /// <param name="batchSize">The rows of a batch, at least 1; one batch may be smaller.</param>
    /// <param name="key">The draw; count its step up from epoch to epoch.</param>
    /// <param name="spread">How far lengths may be apart for rows to trade places, finite and at least 0.</param>
    /// <returns>The batches; each row is in exactly one.</returns>
    /// <exception cref="InvalidArgumentException">A length is negative, or a setting out of range.</exception>
    public static int[][] Batches(ReadOnlySpan<int> lengths, int batchSize, Key key, double spread = 0)
    {
        if (batchSize < 1) throw new InvalidArgumentException("Bucketing, batchSize", "at least 1", Invariant($"{batchSize}"));
        if (!(spread >= 0 && double.IsFinite(spread))) throw new InvalidArgumentException("Bucketing, spread", "a finite number of at least 0", Invariant($"{spread}"));
        for (var i = 0; i < lengths.Length; i++)
            if (lengths[i] < 0) throw new InvalidArgumentException(Invariant($"Bucketing, lengths[{i}]"), "at least 0", Invariant($"{lengths[i]}"));
        var batches = Sorted(lengths, key.At(0), spread).Chunk(batchSize).ToArray();
        return [.. Shuffle.Permutation(batches.Length, key.At(1).Seed, 0).Select(b => batches[b])];
    }

    /// <summary>The steps that are padding when the rows of each batch are brought to its longest.</summary>
    /// <param name="lengths">The length of each row.</param>
    /// <param name="batches">The rows of each batch.</param>
    /// <exception cref="InvalidArgumentException">There is no such row.</exception>
    public static long PaddedSteps(ReadOnlySpan<int> lengths, IReadOnlyList<int[]> batches)
    {
        var steps = 0L;
        foreach (var batch in batches)
        {
            var (longest, sum) = (0, 0L);
            foreach (var row in batch)
            {
                if ((uint)row >= (uint)lengths.Length) throw new InvalidArgumentException("Bucketing, batches", Invariant($"rows from 0 to {lengths.Length - 1}"), Invariant($"{row}"));
                (longest, sum) = (Math.Max(longest, lengths[row]), sum + lengths[row]);
            }

            steps += (long)longest * batch.Length - sum;
        }

        return steps;
    }

    private static int[] Sorted(ReadOnlySpan<int> lengths, Key key, double spread)
    {
        var shares = new double[lengths.Length];
        Draw.Uniform<double>(key, shares);
        for (var i = 0; i < shares.Length; i++) shares[i] = lengths[i] + spread * shares[i];
        // A stable sort of a shuffle: equal lengths come in random order.
        return [.. Shuffle.Permutation(shares.Length, key.Seed, 1).OrderBy(row => shares[row])];
    }
}

using static System.FormattableString;

namespace DL.Core.Data;

/// <summary>Shuffled mini-batches of rows as pure functions of seed and epoch.</summary>
public static class Batches
{
    /// <summary>The rows 0 to count - 1 in the order of the seed and epoch, cut into batches.</summary>
    /// <param name="count">The number of rows, at least 1.</param>
    /// <param name="batchSize">The rows per batch, from 1 to <paramref name="count"/>.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="epoch">The epoch, from 0; each has an order of its own.</param>
    /// <param name="dropLast">True leaves out a last batch that is smaller than the others.</param>
    /// <returns>The batches; without <paramref name="dropLast"/> each row is in exactly one.</returns>
    /// <exception cref="InvalidArgumentException">No rows, a batch size below 1 or above the number of rows, or a negative epoch.</exception>
    public static int[][] Indices(int count, int batchSize, ulong seed, int epoch, bool dropLast = false)
    {
        if (count < 1)
            throw new InvalidArgumentException("Batches.Indices, count", "at least 1 row", Invariant($"{count}"));
        if (batchSize < 1)
            throw new InvalidArgumentException("Batches.Indices, batchSize", "at least 1", Invariant($"{batchSize}"));
        if (batchSize > count)
            throw new InvalidArgumentException("Batches.Indices, batchSize", Invariant($"at most the {count} rows there are"), Invariant($"{batchSize}"),
                Invariant($"Use a batch size from 1 to {count}."));
        if (epoch < 0)
            throw new InvalidArgumentException("Batches.Indices, epoch", "at least 0", Invariant($"{epoch}"));
        var order = Shuffle.Permutation(count, seed, (ulong)epoch);
        var whole = count / batchSize;
        var batches = new int[dropLast || count % batchSize == 0 ? whole : whole + 1][];
        for (var b = 0; b < batches.Length; b++)
        {
            var start = b * batchSize;
            batches[b] = order.AsSpan(start, Math.Min(batchSize, count - start)).ToArray();
        }
        return batches;
    }
}

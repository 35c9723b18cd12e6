namespace DL.Core.Generation;

/// <summary>The largest of many values, without sorting them all.</summary>
internal static class Ranking
{
    /// <summary>The places of the k largest values, the largest first; of equal values the lower place comes first.</summary>
    /// <param name="values">The values; none is NaN.</param>
    /// <param name="k">How many; all if there are fewer.</param>
    public static int[] Best(ReadOnlySpan<double> values, int k)
    {
        var wanted = Math.Min(k, values.Length);
        var border = Border(values, wanted);
        var equals = wanted;
        foreach (var value in values)
        {
            if (value > border) equals--;
        }

        var best = new List<(int Place, double Value)>(wanted);
        for (var i = 0; i < values.Length; i++)
        {
            if (values[i] > border || (values[i] == border && equals-- > 0)) best.Add((i, values[i]));
        }

        // A stable sort: the places lie in their order.
        return [.. best.OrderByDescending(one => one.Value).Select(one => one.Place)];
    }

    /// <summary>The k-th largest value.</summary>
    private static double Border(ReadOnlySpan<double> values, int k)
    {
        var largest = new PriorityQueue<double, double>(k);
        foreach (var value in values)
        {
            if (largest.Count < k) largest.Enqueue(value, value);
            else if (k > 0 && value > largest.Peek()) largest.EnqueueDequeue(value, value);
        }

        return largest.Count == 0 ? double.NegativeInfinity : largest.Peek();
    }
}

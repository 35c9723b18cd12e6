namespace DL.Core.Kernels;

/// <summary>A linear map along one axis, as a sparse matrix by rows: result i is the sum of <c>Weights[t] source[Indices[t]]</c> for t in <c>[Starts[i], Starts[i + 1])</c>.</summary>
internal sealed record ResampleAxis(int[] Starts, int[] Indices, double[] Weights)
{
    /// <summary>The results.</summary>
    public int Count => Starts.Length - 1;

    /// <summary>Result i is source floor(i from / to).</summary>
    public static ResampleAxis Nearest(int from, int to)
    {
        var (starts, indices, weights) = (new int[to + 1], new int[to], new double[to]);
        for (var i = 0; i < to; i++) (starts[i + 1], indices[i], weights[i]) = (i + 1, (int)((long)i * from / to), 1);
        return new(starts, indices, weights);
    }

    /// <summary>Result i lies between its two neighbours of the source. A neighbour of weight zero is left out, so that what is not a number there stays there.</summary>
    public static ResampleAxis Linear(int from, int to, bool corners)
    {
        var starts = new int[to + 1];
        var (indices, weights) = (new List<int>(2 * to), new List<double>(2 * to));
        for (var i = 0; i < to; i++)
        {
            var (first, share) = corners ? Corners(i, from, to) : Areas(i, from, to);
            if (first + 1 >= from) share = 0;
            indices.Add(first);
            weights.Add(1 - share);
            if (share > 0)
            {
                indices.Add(first + 1);
                weights.Add(share);
            }

            starts[i + 1] = indices.Count;
        }

        return new(starts, [.. indices], [.. weights]);
    }

    /// <summary>The transposed matrix, for a source of this extent; the sums are in the order of the results.</summary>
    public ResampleAxis Transposed(int extent)
    {
        var starts = new int[extent + 1];
        foreach (var index in Indices) starts[index + 1]++;
        for (var i = 0; i < extent; i++) starts[i + 1] += starts[i];
        var (next, indices, weights) = (starts[..extent], new int[Indices.Length], new double[Indices.Length]);
        for (var i = 0; i < Count; i++)
            for (var t = Starts[i]; t < Starts[i + 1]; t++)
            {
                var at = next[Indices[t]]++;
                (indices[at], weights[at]) = (i, Weights[t]);
            }

        return new(starts, indices, weights);
    }

    private static (int First, double Share) Corners(int i, int from, int to)
    {
        if (to == 1) return (0, 0);
        var (first, rest) = Math.DivRem((long)i * (from - 1), to - 1);
        return ((int)first, (double)rest / (to - 1));
    }

    /// <summary>The position is (2 i + 1) from / (2 to) - 1/2, over the denominator 2 to.</summary>
    private static (int First, double Share) Areas(int i, int from, int to)
    {
        var (first, rest) = Math.DivRem(Math.Max(0, (((2L * i) + 1) * from) - to), 2L * to);
        return ((int)first, rest / (2.0 * to));
    }
}

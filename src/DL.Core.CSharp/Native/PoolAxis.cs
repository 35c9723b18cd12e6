namespace DL.Core.Kernels;

/// <summary>What one position of a pooling covers along one axis: the first index inside the image, how many, and the number a mean divides by.</summary>
internal readonly record struct PoolSpan(int First, int Count, int Divisor);

/// <summary>The positions of a pooling along one axis.</summary>
/// <param name="Spans">One for each position.</param>
/// <param name="Step">The distance between neighbouring indices of a span.</param>
internal sealed record PoolAxis(PoolSpan[] Spans, int Step)
{
    /// <summary>Whether every index of an axis of <paramref name="extent"/> lies in exactly one span.</summary>
    public bool Tiles(int extent)
    {
        var next = 0;
        foreach (var span in Spans)
        {
            if (span.First != next || Step != 1) return false;
            next += span.Count;
        }

        return next == extent;
    }

    /// <summary>The spans of a moving window; null where one lies in the padding alone.</summary>
    public static PoolAxis? Moving(int extent, int positions, int size, int stride, int before, int after, int dilation, bool countPadding)
    {
        var spans = new PoolSpan[positions];
        for (var i = 0; i < positions; i++)
        {
            var start = ((long)i * stride) - before;
            var skipped = start >= 0 ? 0 : (-start + dilation - 1) / dilation;
            var count = Math.Min(size, Taps(extent - start, dilation)) - skipped;
            if (count <= 0) return null;
            var padded = Math.Min(size, Taps(extent + (long)after - start, dilation));
            spans[i] = new((int)(start + (skipped * dilation)), (int)count, (int)(countPadding ? padded : count));
        }

        return new(spans, dilation);
    }

    /// <summary>Spans of nearly equal length: position i covers [floor(i n / m), ceil((i + 1) n / m)).</summary>
    public static PoolAxis Adaptive(int extent, int positions)
    {
        var spans = new PoolSpan[positions];
        for (var i = 0; i < positions; i++)
        {
            var first = (int)((long)i * extent / positions);
            var count = (int)((((i + 1L) * extent) + positions - 1) / positions) - first;
            spans[i] = new(first, count, count);
        }

        return new(spans, 1);
    }

    private static long Taps(long room, int dilation) => room <= 0 ? 0 : ((room - 1) / dilation) + 1;
}

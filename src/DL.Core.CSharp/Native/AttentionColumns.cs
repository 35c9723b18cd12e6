using System.Runtime.CompilerServices;

namespace DL.Core.Kernels;

/// <summary>The softmax of attention down the keys of a tile, and its way back: a query is a lane, so that nothing is summed across lanes.</summary>
internal static unsafe class AttentionColumns<S, T>
    where S : struct, ISimd<S, T>
    where T : unmanaged
{
    private const int Margin = AttentionJob<T>.Margin;

    /// <summary>Puts <paramref name="fill"/> where a query does not see a key, whatever is there.</summary>
    public static void Hide(in AttentionTile tile, T* numbers, double fill)
    {
        if (tile.Causal) Triangle(tile, numbers, fill);
        if (!tile.Visible.Given) return;
        var value = Reduce.Narrow<T>(fill);
        var keys = tile.End(tile.Count - 1);
        for (nint i = 0; i < tile.Count; i++)
            for (nint key = 0; key < keys; key++)
                if (!tile.Visible.At(tile.Example, tile.First + i, key))
                    numbers[(key * tile.Stride) + i] = value;
    }

    /// <summary>e^(scale (s - max)) in place of every score, and of each query the largest score and the reciprocal of the sum; both 0 where it sees nothing.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Exponentiate(in AttentionTile tile, T* scores, double scale, T* max, T* inverse)
    {
        var factor = S.Create(scale);
        for (nint from = 0; from < tile.Count; from += S.Count)
        {
            var lanes = Math.Min(S.Count, tile.Count - from);
            nint end = tile.End(from + lanes - 1), stride = tile.Stride;
            var column = scores + from;
            var shift = Shift(column, end, stride);
            S s0 = S.Create(0), s1 = s0;
            nint key = 0;
            for (; key + 2 <= end; key += 2, column += 2 * stride)
            {
                var e0 = Exp((S.Load(column) - shift) * factor);
                var e1 = Exp((S.Load(column + stride) - shift) * factor);
                e0.Store(column);
                e1.Store(column + stride);
                s0 += e0;
                s1 += e1;
            }

            if (key < end)
            {
                var e = Exp((S.Load(column) - shift) * factor);
                e.Store(column);
                s0 += e;
            }

            var sum = s0 + s1;
            var nothing = Exponentials.Masked<T, S>(sum);
            Clear(tile, scores + from, end);
            shift.Store(max + from, lanes);
            S.Select(nothing, S.Create(0), S.Create(1) / S.Select(nothing, S.Create(1), sum)).Store(inverse + from, lanes);
        }
    }

    /// <summary>The weights p = e^(scale (s - max)) inverse in place of every score.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Weigh(in AttentionTile tile, T* scores, double scale, T* max, T* inverse)
    {
        var factor = S.Create(scale);
        for (nint from = 0; from < tile.Count; from += S.Count)
        {
            var lanes = Math.Min(S.Count, tile.Count - from);
            nint end = tile.End(from + lanes - 1), stride = tile.Stride;
            S shift = S.Load(max + from, lanes), norm = S.Load(inverse + from, lanes);
            var column = scores + from;
            for (nint key = 0; key < end; key++, column += stride)
                (Exp((S.Load(column) - shift) * factor) * norm).Store(column);
            Clear(tile, scores + from, end);
        }
    }

    /// <summary>The same weights where no statistics are at hand.</summary>
    public static void WeighAnew(in AttentionTile tile, T* scores, double scale)
    {
        T* max = stackalloc T[(int)tile.Count], inverse = stackalloc T[(int)tile.Count];
        Exponentiate(tile, scores, scale, max, inverse);
        for (nint from = 0; from < tile.Count; from += S.Count)
        {
            var norm = S.Load(inverse + from, Math.Min(S.Count, tile.Count - from));
            var end = tile.End(from + Math.Min(S.Count, tile.Count - from) - 1);
            var column = scores + from;
            for (nint key = 0; key < end; key++, column += tile.Stride) (S.Load(column) * norm).Store(column);
        }
    }

    /// <summary>ds = scale p (dp - sum_k p_k dp_k) in place of dp.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Differentiate(in AttentionTile tile, T* weights, T* gradients, double scale)
    {
        var factor = S.Create(scale);
        for (nint from = 0; from < tile.Count; from += S.Count)
        {
            nint end = tile.End(from + Math.Min(S.Count, tile.Count - from) - 1), stride = tile.Stride;
            T* p = weights + from, g = gradients + from;
            S d0 = S.Create(0), d1 = d0;
            nint key = 0;
            for (; key + 2 <= end; key += 2, p += 2 * stride, g += 2 * stride)
            {
                d0 = S.Fma(S.Load(p), S.Load(g), d0);
                d1 = S.Fma(S.Load(p + stride), S.Load(g + stride), d1);
            }

            if (key < end) d0 = S.Fma(S.Load(p), S.Load(g), d0);
            var dot = d0 + d1;
            p = weights + from;
            g = gradients + from;
            for (key = 0; key < end; key++, p += stride, g += stride)
                (S.Load(p) * (S.Load(g) - dot) * factor).Store(g);
            Clear(tile, gradients + from, end);
        }
    }

    /// <summary>y[i, :] *= inverse[i].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ScaleRows(T* y, nint ld, nint count, nint width, T* inverse)
    {
        for (nint i = 0; i < count; i++, y += ld)
        {
            var scale = S.Broadcast(inverse[i]);
            nint c = 0;
            for (; c + S.Count <= width; c += S.Count) (S.Load(y + c) * scale).Store(y + c);
            if (c < width) (S.Load(y + c, width - c) * scale).Store(y + c, width - c);
        }
    }

    /// <summary>Whether all numbers of some rows are finite; on the way the same rows of the next head are fetched.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool AreFinite(T* rows, nint ld, nint count, nint width)
    {
        S zero = S.Create(0), s0 = zero, s1 = zero, s2 = zero, s3 = zero;
        for (nint i = 0; i < count; i++, rows += ld)
        {
            nint c = 0;
            for (; c + (4 * S.Count) <= width; c += 4 * S.Count)
            {
                Lanes.Prefetch(rows + width + c);
                Lanes.Prefetch(rows + width + c + S.Count);
                Lanes.Prefetch(rows + width + c + (2 * S.Count));
                Lanes.Prefetch(rows + width + c + (3 * S.Count));
                s0 = S.Fma(S.Load(rows + c), zero, s0);
                s1 = S.Fma(S.Load(rows + c + S.Count), zero, s1);
                s2 = S.Fma(S.Load(rows + c + (2 * S.Count)), zero, s2);
                s3 = S.Fma(S.Load(rows + c + (3 * S.Count)), zero, s3);
            }

            for (; c < width; c += S.Count) s0 = S.Fma(S.Load(rows + c, Math.Min(S.Count, width - c)), zero, s0);
        }

        return !double.IsNaN(Reduce.Wide(S.Sum((s0 + s1) + (s2 + s3))));
    }

    /// <summary>e^x for x at most 0, and 0 where that would not be a normal number: such weights move nothing, and cost many times the others.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static S Exp(S x)
    {
        var least = typeof(T) == typeof(float) ? -87 : -708;
        return S.Select(S.Less(x, S.Create(least)), S.Create(0), MathVector.ExpOfNegative<T, S>(S.Lift(x, least)));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Triangle(in AttentionTile tile, T* numbers, double fill)
    {
        var value = S.Create(fill);
        for (nint from = 0; from < tile.Count; from += S.Count)
        {
            var end = tile.End(from + Math.Min(S.Count, tile.Count - from) - 1);
            var column = numbers + from;
            for (var key = tile.End(from); key < end; key++)
            {
                var hidden = S.First(Math.Min(S.Count, key - (tile.First + from + tile.Offset)));
                S.Select(hidden, value, S.Load(column + (key * tile.Stride))).Store(column + (key * tile.Stride));
            }
        }
    }

    // The largest of each column, NaN aside, which shows by itself after the shift; 0 where all are -infinity, which leaves the sum at 0.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static S Shift(T* column, nint end, nint stride)
    {
        S m0 = S.Create(double.NegativeInfinity), m1 = m0, m2 = m0, m3 = m0;
        nint key = 0;
        for (; key + 4 <= end; key += 4, column += 4 * stride)
        {
            m0 = S.Higher(m0, S.Load(column));
            m1 = S.Higher(m1, S.Load(column + stride));
            m2 = S.Higher(m2, S.Load(column + (2 * stride)));
            m3 = S.Higher(m3, S.Load(column + (3 * stride)));
        }

        for (; key < end; key++, column += stride) m0 = S.Higher(m0, S.Load(column));
        var max = S.Higher(S.Higher(m0, m1), S.Higher(m2, m3));
        var lowest = S.Create(typeof(T) == typeof(float) ? float.MinValue : double.MinValue);
        return S.Select(S.Less(max, lowest), S.Create(0), max);
    }

    // Groups of queries or keys reach past the last key that a column sees.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Clear(in AttentionTile tile, T* column, nint end)
    {
        if (!tile.Causal) return;
        for (var key = end; key < end + Margin; key++) S.Create(0).Store(column + (key * tile.Stride));
    }
}

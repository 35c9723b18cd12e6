using System.Numerics;
using DL.Core.Kernels;

namespace DL.Core.Ops;

public static unsafe partial class AdditiveAttention
{
    /// <summary><c>y_i = sum_j p_ij v_j</c> over spans.</summary>
    /// <param name="q">[batch, queries, a].</param>
    /// <param name="k">[batch, keys, a].</param>
    /// <param name="v">[batch, keys, width].</param>
    /// <param name="w">[a].</param>
    /// <param name="batch">The number of examples.</param>
    /// <param name="queries">The queries of an example.</param>
    /// <param name="keys">The keys of an example.</param>
    /// <param name="keyLengths">How many keys each example has; null for all.</param>
    /// <param name="queryLengths">How many queries each example has; null for all.</param>
    /// <param name="y">[batch, queries, width], overwritten.</param>
    /// <param name="weights">[batch, queries, keys], overwritten.</param>
    /// <exception cref="ShapeException">A length does not fit.</exception>
    /// <exception cref="InvalidArgumentException">A length of an example is out of range.</exception>
    public static void Forward<T>(
        ReadOnlySpan<T> q, ReadOnlySpan<T> k, ReadOnlySpan<T> v, ReadOnlySpan<T> w, int batch, int queries, int keys,
        int[]? keyLengths, int[]? queryLengths, Span<T> y, Span<T> weights)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var job = Job<T>(q.Length, k.Length, v.Length, w.Length, y.Length, batch, queries, keys, keyLengths, queryLengths, Name);
        Apply.SameLength(new Shape(batch, queries, keys).Count, weights.Length, Name + " weights");
        fixed (T* pq = q, pk = k, pv = v, pw = w, py = y, pweights = weights)
        fixed (int* there = keyLengths, asking = queryLengths)
        {
            job.Q = pq;
            job.K = pk;
            job.V = pv;
            job.W = pw;
            job.Y = py;
            job.Weights = pweights;
            job.KeyLengths = there;
            job.QueryLengths = asking;
            Workers.For((long)batch * queries, Grain((long)keys * (job.Width + job.ValueWidth)), &AttentionAdditive<T>.Forward, &job);
        }
    }

    /// <summary>The gradients of queries, keys, values and w over spans.</summary>
    /// <param name="dy">[batch, queries, width], the gradient of the output.</param>
    /// <param name="q">[batch, queries, a].</param>
    /// <param name="k">[batch, keys, a].</param>
    /// <param name="v">[batch, keys, width].</param>
    /// <param name="w">[a].</param>
    /// <param name="weights">What Forward wrote beside the output.</param>
    /// <param name="batch">The number of examples.</param>
    /// <param name="queries">The queries of an example.</param>
    /// <param name="keys">The keys of an example.</param>
    /// <param name="keyLengths">As given forward.</param>
    /// <param name="queryLengths">As given forward.</param>
    /// <param name="dq">The gradient of q, overwritten.</param>
    /// <param name="dk">The gradient of k, overwritten.</param>
    /// <param name="dv">The gradient of v, overwritten.</param>
    /// <param name="dw">The gradient of w, added to.</param>
    /// <exception cref="ShapeException">A length does not fit.</exception>
    /// <exception cref="InvalidArgumentException">A length of an example is out of range.</exception>
    public static void Backward<T>(
        ReadOnlySpan<T> dy, ReadOnlySpan<T> q, ReadOnlySpan<T> k, ReadOnlySpan<T> v, ReadOnlySpan<T> w, ReadOnlySpan<T> weights,
        int batch, int queries, int keys, int[]? keyLengths, int[]? queryLengths, Span<T> dq, Span<T> dk, Span<T> dv, Span<T> dw)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var job = Job<T>(q.Length, k.Length, v.Length, w.Length, dy.Length, batch, queries, keys, keyLengths, queryLengths, BackwardName);
        Apply.SameLength(new Shape(batch, queries, keys).Count, weights.Length, BackwardName + " weights");
        Apply.SameLength(q.Length, dq.Length, BackwardName + " dq");
        Apply.SameLength(k.Length, dk.Length, BackwardName + " dk");
        Apply.SameLength(v.Length, dv.Length, BackwardName + " dv");
        Apply.SameLength(w.Length, dw.Length, BackwardName + " dw");
        job.DwStride = RowBlocks.Stride<T>(w.Length);
        job.Dw = RowBlocks.Room<T>(batch, 1, job.DwStride);
        fixed (T* pdy = dy, pq = q, pk = k, pv = v, pw = w, pweights = weights, pdq = dq, pdk = dk, pdv = dv)
        fixed (int* there = keyLengths, asking = queryLengths)
        {
            job.Dy = pdy;
            job.Q = pq;
            job.K = pk;
            job.V = pv;
            job.W = pw;
            job.Weights = pweights;
            job.Dq = pdq;
            job.Dk = pdk;
            job.Dv = pdv;
            job.KeyLengths = there;
            job.QueryLengths = asking;
            Workers.For(batch, Grain((long)queries * keys * (job.Width + job.ValueWidth)), &AttentionAdditive<T>.Backward, &job);
        }

        RowBlocks.AddTo(job.Dw, batch, job.DwStride, dw);
    }

    // A hyperbolic tangent costs as much as some ten multiplications.
    private static long Grain(long terms) => GemmManaged.ParallelWork / Math.Max(1, 10 * terms);

    private static AttentionAdditive<T> Job<T>(
        int q, int k, int v, int w, int y, int batch, int queries, int keys, int[]? keyLengths, int[]? queryLengths, string where)
        where T : unmanaged
    {
        if (Math.Min(batch, Math.Min(queries, keys)) < 0)
            throw new InvalidArgumentException(where, "no negative number of examples, queries or keys", $"{batch}, {queries} and {keys}");
        long left = (long)batch * queries, right = (long)batch * keys;
        var width = (int)(right > 0 ? v / right : left > 0 ? y / left : 0);
        if (left * w != q || right * w != k || right * width != v || left * width != y)
            throw new ShapeException(
                where, $"{left} queries and outputs, {right} keys and values, queries and keys of {w} numbers", $"{q}, {y}, {k} and {v} elements");
        if (keyLengths is not null) StepLengths.Check(keyLengths, batch, keys, where + " keyLengths");
        if (queryLengths is not null) StepLengths.Check(queryLengths, batch, queries, where + " queryLengths");
        return new() { Queries = queries, Keys = keys, Width = w, ValueWidth = width };
    }
}

using System.Numerics;

namespace DL.Core.Ops;

public static unsafe partial class Attention
{
    /// <summary><c>y = softmax(scale q kᵀ) v</c> over spans.</summary>
    /// <param name="q">[batch, queries, heads dk].</param>
    /// <param name="k">[batch, keys, heads dk].</param>
    /// <param name="v">[batch, keys, heads dv].</param>
    /// <param name="batch">The number of examples.</param>
    /// <param name="queries">The queries of an example.</param>
    /// <param name="keys">The keys of an example.</param>
    /// <param name="settings">Heads, masks, scale and dropout.</param>
    /// <param name="y">[batch, queries, heads dv], overwritten.</param>
    /// <param name="statistics">[2, batch, heads, queries], overwritten.</param>
    /// <exception cref="ShapeException">A length does not fit.</exception>
    /// <exception cref="InvalidArgumentException">A length of an example or a setting is out of range.</exception>
    public static void Forward<T>(
        ReadOnlySpan<T> q, ReadOnlySpan<T> k, ReadOnlySpan<T> v, int batch, int queries, int keys, AttentionSettings settings, Span<T> y, Span<T> statistics)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var sizes = Sizes(q.Length, k.Length, v.Length, batch, queries, keys, settings, Name);
        Apply.SameLength(new Shape(batch, queries, sizes.ValueWidth).Count, y.Length, Name + " y");
        Apply.SameLength(sizes.Statistics(settings).Count, statistics.Length, Name + " statistics");
        Forward(q, k, v, sizes, settings, y, statistics);
    }

    /// <summary>The gradients of queries, keys and values over spans.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="q">[batch, queries, heads dk].</param>
    /// <param name="k">[batch, keys, heads dk].</param>
    /// <param name="v">[batch, keys, heads dv].</param>
    /// <param name="statistics">What Forward wrote beside the output.</param>
    /// <param name="batch">The number of examples.</param>
    /// <param name="queries">The queries of an example.</param>
    /// <param name="keys">The keys of an example.</param>
    /// <param name="settings">As given forward.</param>
    /// <param name="dq">The gradient of q, overwritten.</param>
    /// <param name="dk">The gradient of k, overwritten.</param>
    /// <param name="dv">The gradient of v, overwritten.</param>
    /// <exception cref="ShapeException">A length does not fit.</exception>
    /// <exception cref="InvalidArgumentException">A length of an example or a setting is out of range.</exception>
    public static void Backward<T>(
        ReadOnlySpan<T> dy, ReadOnlySpan<T> q, ReadOnlySpan<T> k, ReadOnlySpan<T> v, ReadOnlySpan<T> statistics,
        int batch, int queries, int keys, AttentionSettings settings, Span<T> dq, Span<T> dk, Span<T> dv)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var sizes = Sizes(q.Length, k.Length, v.Length, batch, queries, keys, settings, BackwardName);
        Apply.SameLength(new Shape(batch, queries, sizes.ValueWidth).Count, dy.Length, BackwardName + " dy");
        Apply.SameLength(sizes.Statistics(settings).Count, statistics.Length, BackwardName + " statistics");
        Apply.SameLength(q.Length, dq.Length, BackwardName + " dq");
        Apply.SameLength(k.Length, dk.Length, BackwardName + " dk");
        Apply.SameLength(v.Length, dv.Length, BackwardName + " dv");
        Backward(dy, q, k, v, statistics, sizes, settings, dq, dk, dv);
    }

    private static AttentionSizes Sizes(int q, int k, int v, int batch, int queries, int keys, AttentionSettings settings, string where)
    {
        long left = (long)batch * queries, right = (long)batch * keys;
        if (Math.Min(batch, Math.Min(queries, keys)) < 1)
            throw new InvalidArgumentException(where, "at least one example, query and key", $"{batch}, {queries} and {keys}");
        if (q % left != 0 || v % right != 0 || q / left * right != k)
            throw new ShapeException(where, $"{left} queries and {right} keys and values, queries and keys of one width", $"{q}, {k} and {v} elements");
        return new AttentionSizes(batch, queries, keys, (int)(q / left), (int)(v / right)).Checked(settings, where);
    }

    private static void Forward<T>(
        ReadOnlySpan<T> q, ReadOnlySpan<T> k, ReadOnlySpan<T> v, AttentionSizes sizes, AttentionSettings settings, Span<T> y, Span<T> statistics)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var job = sizes.Job<T>(settings);
        fixed (T* pq = q, pk = k, pv = v, py = y, kept = statistics)
        {
            job.Q = pq;
            job.K = pk;
            job.V = pv;
            job.Y = py;
            job.Statistics = kept;
            AttentionRun.Forward(job, settings);
        }
    }

    private static void Backward<T>(
        ReadOnlySpan<T> dy, ReadOnlySpan<T> q, ReadOnlySpan<T> k, ReadOnlySpan<T> v, ReadOnlySpan<T> statistics,
        AttentionSizes sizes, AttentionSettings settings, Span<T> dq, Span<T> dk, Span<T> dv)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var job = sizes.Job<T>(settings);
        fixed (T* pdy = dy, pq = q, pk = k, pv = v, kept = statistics, pdq = dq, pdk = dk, pdv = dv)
        {
            job.Dy = pdy;
            job.Q = pq;
            job.K = pk;
            job.V = pv;
            job.Statistics = kept;
            job.Dq = pdq;
            job.Dk = pdk;
            job.Dv = pdv;
            AttentionRun.Backward(job, settings);
        }
    }

    private static void Weights<T>(ReadOnlySpan<T> q, ReadOnlySpan<T> k, AttentionSizes sizes, AttentionSettings settings, Span<T> statistics, Span<T> weights)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var job = sizes.Job<T>(settings);
        fixed (T* pq = q, pk = k, kept = statistics, pw = weights)
        {
            job.Q = pq;
            job.K = pk;
            job.Statistics = kept;
            job.Weights = pw;
            AttentionRun.Forward(job, settings);
        }
    }
}

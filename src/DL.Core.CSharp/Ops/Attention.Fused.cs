using System.Numerics;
using DL.Core.Kernels;

namespace DL.Core.Ops;

public static unsafe partial class Attention
{
    private const string FusedName = "Attention.ForwardFused", BackwardFusedName = "Attention.BackwardFused";

    /// <summary><c>y = softmax(scale q kᵀ) v</c> of queries, keys and values that one product made side by side: nothing is copied.</summary>
    /// <param name="qkv">[N; positions; 3 width], float32 or float64: in each position the queries of all heads, then the keys, then the values.</param>
    /// <param name="settings">Heads, masks, scale and dropout.</param>
    /// <returns>y [N; positions; width], and statistics [2; N; heads; positions] for the way back.</returns>
    /// <exception cref="ShapeException">The shape does not fit, or the heads do not divide the width.</exception>
    /// <exception cref="InvalidArgumentException">A length or setting is out of range, or the elements are integers.</exception>
    public static (Tensor Y, Tensor Statistics) ForwardFused(Tensor qkv, AttentionSettings settings)
    {
        var sizes = AttentionSizes.OfFused(qkv, settings, FusedName);
        return qkv.IsDouble(FusedName) ? ForwardFused(qkv.As<double>(FusedName), sizes, settings) : ForwardFused(qkv.As<float>(FusedName), sizes, settings);
    }

    /// <summary>The gradients of queries, keys and values, side by side like these.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="qkv">As given forward.</param>
    /// <param name="statistics">What ForwardFused returned beside the output.</param>
    /// <param name="settings">As given forward.</param>
    /// <returns>A gradient of the shape of <paramref name="qkv"/>.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">A length or setting is out of range, or element types differ or are integers.</exception>
    public static Tensor BackwardFused(Tensor dy, Tensor qkv, Tensor statistics, AttentionSettings settings)
    {
        const string where = BackwardFusedName;
        var sizes = AttentionSizes.OfFused(qkv, settings, where);
        dy.Expect(new Shape(sizes.Batch, sizes.Queries, sizes.ValueWidth), where + " dy");
        statistics.Expect(sizes.Statistics(settings), where + " statistics");
        return qkv.IsDouble(where)
            ? BackwardFused(dy.As<double>(where), qkv.As<double>(where), statistics.As<double>(where), sizes, settings)
            : BackwardFused(dy.As<float>(where), qkv.As<float>(where), statistics.As<float>(where), sizes, settings);
    }

    /// <summary><c>y = softmax(scale q kᵀ) v</c> of queries, keys and values side by side, over spans.</summary>
    /// <param name="qkv">[batch, positions, 3 width].</param>
    /// <param name="batch">The number of examples.</param>
    /// <param name="positions">The positions of an example.</param>
    /// <param name="settings">Heads, masks, scale and dropout.</param>
    /// <param name="y">[batch, positions, width], overwritten.</param>
    /// <param name="statistics">[2, batch, heads, positions], overwritten.</param>
    /// <exception cref="ShapeException">A length does not fit.</exception>
    /// <exception cref="InvalidArgumentException">A length of an example or a setting is out of range.</exception>
    public static void ForwardFused<T>(ReadOnlySpan<T> qkv, int batch, int positions, AttentionSettings settings, Span<T> y, Span<T> statistics)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var sizes = FusedSizes(qkv.Length, y.Length, statistics.Length, batch, positions, settings, FusedName);
        fixed (T* from = qkv, to = y, kept = statistics)
        {
            var job = FusedJob(from, sizes, settings);
            job.Y = to;
            job.Statistics = kept;
            AttentionRun.Forward(job, settings);
        }
    }

    /// <summary>The gradients of queries, keys and values, side by side like these, over spans.</summary>
    /// <param name="dy">[batch, positions, width], the gradient of the output.</param>
    /// <param name="qkv">As given forward.</param>
    /// <param name="statistics">What ForwardFused wrote beside the output.</param>
    /// <param name="batch">The number of examples.</param>
    /// <param name="positions">The positions of an example.</param>
    /// <param name="settings">As given forward.</param>
    /// <param name="dqkv">[batch, positions, 3 width], overwritten.</param>
    /// <exception cref="ShapeException">A length does not fit.</exception>
    /// <exception cref="InvalidArgumentException">A length of an example or a setting is out of range.</exception>
    public static void BackwardFused<T>(
        ReadOnlySpan<T> dy, ReadOnlySpan<T> qkv, ReadOnlySpan<T> statistics, int batch, int positions, AttentionSettings settings, Span<T> dqkv)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var sizes = FusedSizes(qkv.Length, dy.Length, statistics.Length, batch, positions, settings, BackwardFusedName);
        Apply.SameLength(qkv.Length, dqkv.Length, BackwardFusedName + " dqkv");
        fixed (T* upstream = dy, from = qkv, kept = statistics, to = dqkv)
        {
            var job = FusedJob(from, sizes, settings);
            job.Dy = upstream;
            job.Statistics = kept;
            job.Dq = to;
            job.Dk = to + sizes.KeyWidth;
            job.Dv = to + (2 * sizes.KeyWidth);
            AttentionRun.Backward(job, settings);
        }
    }

    private static (Tensor, Tensor) ForwardFused<T>(Tensor<T> qkv, AttentionSizes sizes, AttentionSettings settings)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var y = qkv.New<T>(new Shape(sizes.Batch, sizes.Queries, sizes.ValueWidth));
        var statistics = qkv.New<T>(sizes.Statistics(settings));
        if (y.Count > 0) ForwardFused(qkv.Span, sizes.Batch, sizes.Queries, settings, y.Write(), statistics.Write());
        return (y, statistics);
    }

    private static Tensor<T> BackwardFused<T>(Tensor<T> dy, Tensor<T> qkv, Tensor<T> statistics, AttentionSizes sizes, AttentionSettings settings)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var dqkv = dy.New<T>(qkv.Shape);
        if (dy.Count > 0) BackwardFused(dy.Span, qkv.Span, statistics.Span, sizes.Batch, sizes.Queries, settings, dqkv.Write());
        return dqkv;
    }

    private static AttentionSizes FusedSizes(int qkv, int y, int statistics, int batch, int positions, AttentionSettings settings, string where)
    {
        if (Math.Min(batch, positions) < 1) throw new InvalidArgumentException(where, "at least one example and position", $"{batch} and {positions}");
        var rows = (long)batch * positions;
        if (y % rows != 0 || 3L * y != qkv)
            throw new ShapeException(where, $"{rows} positions, each of 3 widths of queries, keys and values and 1 of outputs", $"{qkv} and {y} elements");
        var width = (int)(y / rows);
        var sizes = new AttentionSizes(batch, positions, positions, width, width).Checked(settings, where);
        Apply.SameLength(sizes.Statistics(settings).Count, statistics, where + " statistics");
        return sizes;
    }

    private static AttentionJob<T> FusedJob<T>(T* qkv, AttentionSizes sizes, AttentionSettings settings) where T : unmanaged
    {
        var job = sizes.Job<T>(settings);
        job.QRow = job.KRow = job.VRow = 3 * sizes.KeyWidth;
        job.Q = qkv;
        job.K = qkv + sizes.KeyWidth;
        job.V = qkv + (2 * sizes.KeyWidth);
        return job;
    }
}

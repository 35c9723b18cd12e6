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

    private static (Tensor, Tensor) ForwardFused<T>(Tensor<T> qkv, AttentionSizes sizes, AttentionSettings settings)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var y = qkv.New<T>(new Shape(sizes.Batch, sizes.Queries, sizes.ValueWidth));
        var statistics = qkv.New<T>(sizes.Statistics(settings));
        fixed (T* from = qkv.Span, to = y.Write(), kept = statistics.Write())
        {
            var job = FusedJob(from, sizes, settings);
            job.Y = to;
            job.Statistics = kept;
            AttentionRun.Over(job, settings, &AttentionForward<T>.Run);
        }

        return (y, statistics);
    }

    private static Tensor<T> BackwardFused<T>(Tensor<T> dy, Tensor<T> qkv, Tensor<T> statistics, AttentionSizes sizes, AttentionSettings settings)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var gradient = dy.New<T>(qkv.Shape);
        fixed (T* from = qkv.Span, upstream = dy.Span, kept = statistics.Span, to = gradient.Write())
        {
            var job = FusedJob(from, sizes, settings);
            job.Dy = upstream;
            job.Statistics = kept;
            job.Dq = to;
            job.Dk = to + sizes.KeyWidth;
            job.Dv = to + (2 * sizes.KeyWidth);
            AttentionRun.Over(job, settings, &AttentionBackward<T>.Run);
        }

        return gradient;
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

using System.Numerics;
using DL.Core.Kernels;

namespace DL.Core.Ops;

public static unsafe partial class Attention
{
    /// <summary><c>y = softmax(scale q kᵀ) v</c> over the keys and values of a cache, as <see cref="Forward(Tensor, Tensor, Tensor, AttentionSettings)"/> gives
    /// it; few queries read them where they lie.</summary>
    /// <param name="q">Queries [N; queries; heads dk], of the last steps of the cache unless <see cref="AttentionSettings.Offset"/> says otherwise.</param>
    /// <param name="cache">Keys and values.</param>
    /// <param name="settings">Heads, masks, scale and dropout.</param>
    /// <returns>y [N; queries; heads dv].</returns>
    /// <exception cref="ShapeException">The shapes do not fit, or the heads do not divide the widths.</exception>
    /// <exception cref="InvalidArgumentException">A length or setting is out of range, or element types differ or are integers.</exception>
    public static Tensor Forward(Tensor q, KeyValueCache cache, AttentionSettings settings)
    {
        AttentionSizes.Rank(q, "queries", Name + " q");
        if (settings.Visible is not null || settings.Dropout > 0 || q.Shape[1] > AttentionSteps.MostQueries)
            return Forward(q, cache.Keys, cache.Values, settings).Y;
        return q.IsDouble(Name) ? Forward<double>(q, cache, settings) : Forward<float>(q, cache, settings);
    }

    private static Tensor<T> Forward<T>(Tensor q, KeyValueCache cache, AttentionSettings settings)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var ((settledKeys, settledValues), (recentKeys, recentValues)) = (cache.Settled, cache.Recent);
        recentKeys.Expect(new Shape(q.Shape[0], recentKeys.Shape[1], q.Shape[2]), Name + " k");
        var sizes = new AttentionSizes(q.Shape[0], q.Shape[1], cache.Count, q.Shape[2], recentValues.Shape[2]).Checked(settings, Name);
        var queries = q.As<T>(Name);
        var y = queries.New<T>(new Shape(sizes.Batch, sizes.Queries, sizes.ValueWidth));
        var statistics = queries.New<T>(sizes.Statistics(settings));
        var job = sizes.Job<T>(settings);
        fixed (T* pq = queries.Span, pk = settledKeys.As<T>(Name).Span, pv = settledValues.As<T>(Name).Span, py = y.Write(), kept = statistics.Write())
        fixed (T* recentK = recentKeys.As<T>(Name).Span, recentV = recentValues.As<T>(Name).Span)
        {
            job.Q = pq;
            job.K = pk;
            job.V = pv;
            job.Y = py;
            job.Statistics = kept;
            job.RecentK = recentK;
            job.RecentV = recentV;
            job.Recent = recentKeys.Shape[1];
            AttentionRun.Forward(job, settings);
        }

        return y;
    }
}

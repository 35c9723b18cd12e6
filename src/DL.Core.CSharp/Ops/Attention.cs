using System.Numerics;

namespace DL.Core.Ops;

/// <summary>Dot-product attention in several heads: <c>y = softmax(scale q kᵀ) v</c>, head by head, over the keys each query sees.</summary>
/// <remarks><para>A position's numbers lie head by head: head h has columns <c>h d</c> to <c>(h + 1) d</c>, and is read and written where it lies.
/// The scores of some queries at a time are in the cache and nowhere else; the way back computes them again.</para>
/// <para>Backward, with the weights <c>p</c>: <c>dv = pᵀ dy</c>, <c>dp = dy vᵀ</c>, <c>ds = scale p (dp - sum_k p_k dp_k)</c>, <c>dq = ds k</c>, <c>dk = dsᵀ q</c>.</para>
/// Sources: A. Vaswani et al., Attention is all you need, 2017, eq. 1; T. Dao et al., FlashAttention, 2022, for keeping no weights.</remarks>
public static partial class Attention
{
    private const string Name = "Attention", BackwardName = "Attention.Backward";

    /// <summary><c>y = softmax(scale q kᵀ) v</c>.</summary>
    /// <param name="q">Queries [N; queries; heads dk], float32 or float64.</param>
    /// <param name="k">Keys [N; keys; heads dk]; with <see cref="AttentionSettings.KeyLengths"/> a buffer that is not full.</param>
    /// <param name="v">Values [N; keys; heads dv].</param>
    /// <param name="settings">Heads, masks, scale and dropout.</param>
    /// <returns>y [N; queries; heads dv], and statistics [2; N; heads; queries] for the way back: the largest dot product each query met, and the
    /// reciprocal of its sum of exponentials, which is 0 where it sees nothing.</returns>
    /// <exception cref="ShapeException">The shapes do not fit, or the heads do not divide the widths.</exception>
    /// <exception cref="InvalidArgumentException">A length or setting is out of range, or element types differ or are integers.</exception>
    public static (Tensor Y, Tensor Statistics) Forward(Tensor q, Tensor k, Tensor v, AttentionSettings settings)
    {
        var sizes = AttentionSizes.Of(q, k, v, settings, Name);
        return q.IsDouble(Name) ? Forward<double>(q, k, v, sizes, settings) : Forward<float>(q, k, v, sizes, settings);
    }

    /// <summary>The gradients of queries, keys and values.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="q">Queries, as given forward.</param>
    /// <param name="k">Keys, as given forward.</param>
    /// <param name="v">Values, as given forward.</param>
    /// <param name="statistics">What Forward returned beside the output.</param>
    /// <param name="settings">As given forward.</param>
    /// <returns>Gradients of the shapes of q, k and v; exactly 0 where nothing is seen.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">A length or setting is out of range, or element types differ or are integers.</exception>
    public static (Tensor Dq, Tensor Dk, Tensor Dv) Backward(Tensor dy, Tensor q, Tensor k, Tensor v, Tensor statistics, AttentionSettings settings)
    {
        var sizes = AttentionSizes.Of(q, k, v, settings, BackwardName);
        dy.Expect(new Shape(sizes.Batch, sizes.Queries, sizes.ValueWidth), BackwardName + " dy");
        statistics.Expect(sizes.Statistics(settings), BackwardName + " statistics");
        return q.IsDouble(BackwardName)
            ? Backward<double>(dy, q, k, v, statistics, sizes, settings)
            : Backward<float>(dy, q, k, v, statistics, sizes, settings);
    }

    /// <summary>The weights <c>softmax(scale q kᵀ)</c> themselves, for looking at; nothing is dropped.</summary>
    /// <param name="q">Queries [N; queries; heads dk], float32 or float64.</param>
    /// <param name="k">Keys [N; keys; heads dk].</param>
    /// <param name="settings">Heads, masks and scale.</param>
    /// <returns>[N; heads; queries; keys]: rows sum to 1, or are zeros where a query sees nothing; what is hidden is exactly 0.</returns>
    /// <exception cref="ShapeException">The shapes do not fit, or the heads do not divide the width.</exception>
    /// <exception cref="InvalidArgumentException">A length or setting is out of range, or element types differ or are integers.</exception>
    public static Tensor Weights(Tensor q, Tensor k, AttentionSettings settings)
    {
        const string where = "Attention.Weights";
        var sizes = AttentionSizes.Of(q, k, k, settings, where);
        return q.IsDouble(where) ? Weights<double>(q, k, sizes, settings, where) : Weights<float>(q, k, sizes, settings, where);
    }

    private static (Tensor, Tensor) Forward<T>(Tensor q, Tensor k, Tensor v, AttentionSizes sizes, AttentionSettings settings)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (queries, keys, values) = (q.As<T>(Name), k.As<T>(Name), v.As<T>(Name));
        var y = queries.New<T>(new Shape(sizes.Batch, sizes.Queries, sizes.ValueWidth));
        var statistics = queries.New<T>(sizes.Statistics(settings));
        Forward(queries.Span, keys.Span, values.Span, sizes, settings, y.Write(), statistics.Write());
        return (y, statistics);
    }

    private static (Tensor, Tensor, Tensor) Backward<T>(
        Tensor gradient, Tensor q, Tensor k, Tensor v, Tensor statistics, AttentionSizes sizes, AttentionSettings settings)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var dy = gradient.As<T>(BackwardName);
        var (queries, keys, values) = (q.As<T>(BackwardName), k.As<T>(BackwardName), v.As<T>(BackwardName));
        var kept = statistics.As<T>(BackwardName);
        var (dq, dk, dv) = (dy.New<T>(q.Shape), dy.New<T>(k.Shape), dy.New<T>(v.Shape));
        Backward(dy.Span, queries.Span, keys.Span, values.Span, kept.Span, sizes, settings, dq.Write(), dk.Write(), dv.Write());
        return (dq, dk, dv);
    }

    private static Tensor<T> Weights<T>(Tensor q, Tensor k, AttentionSizes sizes, AttentionSettings settings, string where)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (queries, keys) = (q.As<T>(where), k.As<T>(where));
        var weights = queries.New<T>(new Shape(sizes.Batch, settings.Heads, sizes.Queries, sizes.Keys));
        var statistics = queries.New<T>(sizes.Statistics(settings));
        Weights(queries.Span, keys.Span, sizes, settings, statistics.Write(), weights.Write());
        return weights;
    }
}

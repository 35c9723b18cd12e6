using System.Numerics;

namespace DL.Core.Ops;

/// <summary>Additive attention: <c>y_i = sum_j p_ij v_j</c> with <c>p_i = softmax_j(w tanh(q_i + k_j))</c>, over the keys there are.</summary>
/// <remarks><para>q and k are queries and keys after their own affine maps, so that queries and keys may have been of different widths before.
/// Queries and keys past their lengths, even NaN, reach nothing, and their outputs and gradients are exactly 0.</para>
/// <para>Backward, with <c>t = tanh(q_i + k_j)</c>: <c>ds = p (dp - sum p dp)</c> with <c>dp_ij = dy_i v_j</c>; <c>dw = sum ds t</c>;
/// <c>dq_i</c> and <c>dk_j</c> sum <c>ds w (1 - t²)</c>; <c>dv_j = sum_i p_ij dy_i</c>.</para>
/// Source: D. Bahdanau, K. Cho and Y. Bengio, Neural machine translation by jointly learning to align and translate, 2014.</remarks>
public static unsafe partial class AdditiveAttention
{
    private const string Name = "AdditiveAttention", BackwardName = "AdditiveAttention.Backward";

    /// <summary><c>y_i = sum_j p_ij v_j</c>.</summary>
    /// <param name="q">Projected queries [N; queries; a], float32 or float64.</param>
    /// <param name="k">Projected keys [N; keys; a].</param>
    /// <param name="v">Values [N; keys; width].</param>
    /// <param name="w">The weights of the scores, [a].</param>
    /// <param name="keyLengths">How many keys each example has; null for all.</param>
    /// <param name="queryLengths">How many queries each example has; null for all.</param>
    /// <returns>y [N; queries; width], and the weights p [N; queries; keys], which the way back needs.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">A length is out of range, or element types differ or are integers.</exception>
    public static (Tensor Y, Tensor Weights) Forward(Tensor q, Tensor k, Tensor v, Tensor w, int[]? keyLengths = null, int[]? queryLengths = null)
    {
        Check(q, k, v, w, keyLengths, queryLengths, Name);
        return q.IsDouble(Name) ? Run<double>(q, k, v, w, keyLengths, queryLengths) : Run<float>(q, k, v, w, keyLengths, queryLengths);
    }

    /// <summary>The gradients of queries, keys, values and w.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="q">As given forward.</param>
    /// <param name="k">As given forward.</param>
    /// <param name="v">As given forward.</param>
    /// <param name="w">As given forward.</param>
    /// <param name="weights">The weights that Forward returned.</param>
    /// <param name="keyLengths">As given forward.</param>
    /// <param name="queryLengths">As given forward.</param>
    /// <returns>Gradients of the shapes of q, k, v and w.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">A length is out of range, or element types differ or are integers.</exception>
    public static (Tensor Dq, Tensor Dk, Tensor Dv, Tensor Dw) Backward(
        Tensor dy, Tensor q, Tensor k, Tensor v, Tensor w, Tensor weights, int[]? keyLengths = null, int[]? queryLengths = null)
    {
        Check(q, k, v, w, keyLengths, queryLengths, BackwardName);
        dy.Expect(new Shape(q.Shape[0], q.Shape[1], v.Shape[2]), BackwardName + " dy");
        weights.Expect(new Shape(q.Shape[0], q.Shape[1], k.Shape[1]), BackwardName + " weights");
        return q.IsDouble(BackwardName)
            ? Back<double>(dy, q, k, v, w, weights, keyLengths, queryLengths)
            : Back<float>(dy, q, k, v, w, weights, keyLengths, queryLengths);
    }

    private static void Check(Tensor q, Tensor k, Tensor v, Tensor w, int[]? keyLengths, int[]? queryLengths, string where)
    {
        AttentionSizes.Rank(q, "queries", where + " q");
        AttentionSizes.Rank(k, "keys", where + " k");
        AttentionSizes.Rank(v, "keys", where + " v");
        k.Expect(new Shape(q.Shape[0], k.Shape[1], q.Shape[2]), where + " k");
        v.Expect(new Shape(q.Shape[0], k.Shape[1], v.Shape[2]), where + " v");
        w.Expect(new Shape(q.Shape[2]), where + " w");
        if (keyLengths is not null) StepLengths.Check(keyLengths, q.Shape[0], k.Shape[1], where + " keyLengths");
        if (queryLengths is not null) StepLengths.Check(queryLengths, q.Shape[0], q.Shape[1], where + " queryLengths");
    }

    private static (Tensor, Tensor) Run<T>(Tensor queries, Tensor keys, Tensor values, Tensor scores, int[]? keyLengths, int[]? queryLengths)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (q, k, v, w) = (queries.As<T>(Name), keys.As<T>(Name), values.As<T>(Name), scores.As<T>(Name));
        var y = q.New<T>(new Shape(q.Shape[0], q.Shape[1], v.Shape[2]));
        var weights = q.New<T>(new Shape(q.Shape[0], q.Shape[1], k.Shape[1]));
        Forward(q.Span, k.Span, v.Span, w.Span, q.Shape[0], q.Shape[1], k.Shape[1], keyLengths, queryLengths, y.Write(), weights.Write());
        return (y, weights);
    }

    private static (Tensor, Tensor, Tensor, Tensor) Back<T>(
        Tensor gradient, Tensor queries, Tensor keys, Tensor values, Tensor scores, Tensor kept, int[]? keyLengths, int[]? queryLengths)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        const string where = BackwardName;
        var (q, k, v, w) = (queries.As<T>(where), keys.As<T>(where), values.As<T>(where), scores.As<T>(where));
        var (dy, weights) = (gradient.As<T>(where), kept.As<T>(where));
        var (dq, dk, dv) = (dy.New<T>(q.Shape), dy.New<T>(k.Shape), dy.New<T>(v.Shape));
        var dw = Gradients.For<T>(scores, dy);
        Backward(
            dy.Span, q.Span, k.Span, v.Span, w.Span, weights.Span, q.Shape[0], q.Shape[1], k.Shape[1], keyLengths, queryLengths,
            dq.Write(), dk.Write(), dv.Write(), dw.Write());
        return (dq, dk, dv, dw);
    }
}

using System.Numerics;

namespace DL.Core.Losses;

/// <summary>Triplet loss: <c>max(0, |a - p| - |a - n| + margin)</c> of an anchor, a positive of its kind and a negative of another.</summary>
/// <remarks>Distances are Euclidean, without the 1e-6 that torch adds to every difference; where one is 0 its gradient is 0, and so is that of a triplet at the
/// kink. The mean is over triplets; distances and values are computed in float64.
/// Source: F. Schroff, D. Kalenichenko, J. Philbin, FaceNet, 2015, eq. 2 (which squares the distances).</remarks>
public static unsafe class Triplet
{
    private const string Name = "Triplet";

    /// <summary>The value and its gradients in all three embeddings, in one pass.</summary>
    /// <param name="anchor">[N, D], float32 or float64.</param>
    /// <param name="positive">[N, D], of the same type.</param>
    /// <param name="negative">[N, D], of the same type.</param>
    /// <param name="reduction">The mean over triplets, or their sum.</param>
    /// <param name="margin">By how much the negative is to be farther than the positive; above 0.</param>
    /// <returns>The value and the gradients of anchor, positive and negative.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">The element types do not fit, the margin is out of range, or the reduction is None.</exception>
    public static (double Value, Tensor Anchor, Tensor Positive, Tensor Negative) Evaluate(
        Tensor anchor, Tensor positive, Tensor negative, Reduction reduction = Reduction.Mean, double margin = 1) =>
        anchor.IsDouble(Name)
            ? Single<double>(anchor, positive, negative, reduction, margin)
            : Single<float>(anchor, positive, negative, reduction, margin);

    /// <summary>The value alone.</summary>
    /// <param name="anchor">[N, D], float32 or float64.</param>
    /// <param name="positive">[N, D], of the same type.</param>
    /// <param name="negative">[N, D], of the same type.</param>
    /// <param name="reduction">The mean over triplets, or their sum.</param>
    /// <param name="margin">By how much the negative is to be farther than the positive; above 0.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">As for Evaluate.</exception>
    public static double Forward(Tensor anchor, Tensor positive, Tensor negative, Reduction reduction = Reduction.Mean, double margin = 1) =>
        anchor.IsDouble(Name) ? Value<double>(anchor, positive, negative, reduction, margin) : Value<float>(anchor, positive, negative, reduction, margin);

    /// <summary>The value of every triplet, unreduced.</summary>
    /// <param name="anchor">[N, D], float32 or float64.</param>
    /// <param name="positive">[N, D], of the same type.</param>
    /// <param name="negative">[N, D], of the same type.</param>
    /// <param name="margin">By how much the negative is to be farther than the positive; above 0.</param>
    /// <returns>[N], of the embeddings' type.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">The element types do not fit, or the margin is out of range.</exception>
    public static Tensor PerExample(Tensor anchor, Tensor positive, Tensor negative, double margin = 1) =>
        anchor.IsDouble(Name) ? Apart<double>(anchor, positive, negative, margin) : Apart<float>(anchor, positive, negative, margin);

    /// <summary><c>dp = dy (p - a) / |a - p|</c>, <c>dn = dy (a - n) / |a - n|</c>, <c>da = -dp - dn</c>, where the value is above 0.</summary>
    /// <param name="dy">[N], the gradient of PerExample.</param>
    /// <param name="anchor">[N, D], float32 or float64.</param>
    /// <param name="positive">[N, D], of the same type.</param>
    /// <param name="negative">[N, D], of the same type.</param>
    /// <param name="margin">By how much the negative is to be farther than the positive; above 0.</param>
    /// <returns>The gradients of anchor, positive and negative.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">The element types do not fit, or the margin is out of range.</exception>
    public static (Tensor Anchor, Tensor Positive, Tensor Negative) Backward(Tensor dy, Tensor anchor, Tensor positive, Tensor negative, double margin = 1) =>
        anchor.IsDouble(Name)
            ? Gradients<double>(dy, anchor, positive, negative, margin)
            : Gradients<float>(dy, anchor, positive, negative, margin);

    /// <summary>The value and its gradients over spans.</summary>
    /// <param name="anchor">[N, D].</param>
    /// <param name="positive">[N, D].</param>
    /// <param name="negative">[N, D].</param>
    /// <param name="width">D, at least 1.</param>
    /// <param name="reduction">The mean over triplets, or their sum.</param>
    /// <param name="margin">By how much the negative is to be farther than the positive; above 0.</param>
    /// <param name="anchorGradient">[N, D], overwritten.</param>
    /// <param name="positiveGradient">[N, D], overwritten.</param>
    /// <param name="negativeGradient">[N, D], overwritten.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    /// <exception cref="InvalidArgumentException">The width or the margin is out of range, or the reduction is None.</exception>
    public static double Evaluate<T>(
        ReadOnlySpan<T> anchor, ReadOnlySpan<T> positive, ReadOnlySpan<T> negative, int width, Reduction reduction, double margin,
        Span<T> anchorGradient, Span<T> positiveGradient, Span<T> negativeGradient)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Reductions.CheckSingle(reduction, Name, "PerExample and Backward");
        var rows = Check(anchor, positive, negative, width, margin);
        CheckGradients(anchor.Length, anchorGradient, positiveGradient, negativeGradient);
        fixed (T* a = anchor, p = positive, n = negative, da = anchorGradient, dp = positiveGradient, dn = negativeGradient)
            return RowLoss.Evaluate<T, TripletTerm<T>>(Term(a, p, n, da, dp, dn, width, margin), rows, width, reduction);
    }

    /// <summary>The value of every triplet over spans.</summary>
    /// <param name="anchor">[N, D].</param>
    /// <param name="positive">[N, D].</param>
    /// <param name="negative">[N, D].</param>
    /// <param name="width">D, at least 1.</param>
    /// <param name="margin">By how much the negative is to be farther than the positive; above 0.</param>
    /// <param name="values">[N], overwritten.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    /// <exception cref="InvalidArgumentException">The width or the margin is out of range.</exception>
    public static void PerExample<T>(
        ReadOnlySpan<T> anchor, ReadOnlySpan<T> positive, ReadOnlySpan<T> negative, int width, double margin, Span<T> values)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var rows = Check(anchor, positive, negative, width, margin);
        Apply.SameLength(rows, values.Length, Name);
        fixed (T* a = anchor, p = positive, n = negative)
            RowLoss.PerExample(Term<T>(a, p, n, null, null, null, width, margin), rows, width, values);
    }

    /// <summary>The gradients over spans, with an upstream gradient for every triplet.</summary>
    /// <param name="dy">[N], the upstream gradient of every triplet.</param>
    /// <param name="anchor">[N, D].</param>
    /// <param name="positive">[N, D].</param>
    /// <param name="negative">[N, D].</param>
    /// <param name="width">D, at least 1.</param>
    /// <param name="margin">By how much the negative is to be farther than the positive; above 0.</param>
    /// <param name="anchorGradient">[N, D], overwritten.</param>
    /// <param name="positiveGradient">[N, D], overwritten.</param>
    /// <param name="negativeGradient">[N, D], overwritten.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    /// <exception cref="InvalidArgumentException">The width or the margin is out of range.</exception>
    public static void Backward<T>(
        ReadOnlySpan<T> dy, ReadOnlySpan<T> anchor, ReadOnlySpan<T> positive, ReadOnlySpan<T> negative, int width, double margin,
        Span<T> anchorGradient, Span<T> positiveGradient, Span<T> negativeGradient)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var rows = Check(anchor, positive, negative, width, margin);
        Apply.SameLength(rows, dy.Length, Name);
        CheckGradients(anchor.Length, anchorGradient, positiveGradient, negativeGradient);
        fixed (T* a = anchor, p = positive, n = negative, da = anchorGradient, dp = positiveGradient, dn = negativeGradient)
            RowLoss.Backward(Term(a, p, n, da, dp, dn, width, margin), rows, width, dy);
    }

    private static int Check<T>(ReadOnlySpan<T> anchor, ReadOnlySpan<T> positive, ReadOnlySpan<T> negative, int width, double margin) where T : unmanaged
    {
        EmbeddingRows.CheckMargin(Name, margin);
        Apply.SameLength(anchor.Length, positive.Length, Name);
        Apply.SameLength(anchor.Length, negative.Length, Name);
        return RowLoss.Rows(Name, anchor.Length, width);
    }

    private static void CheckGradients<T>(int elements, Span<T> anchor, Span<T> positive, Span<T> negative)
    {
        Apply.SameLength(elements, anchor.Length, Name);
        Apply.SameLength(elements, positive.Length, Name);
        Apply.SameLength(elements, negative.Length, Name);
    }

    private static TripletTerm<T> Term<T>(T* anchor, T* positive, T* negative, T* da, T* dp, T* dn, int width, double margin) where T : unmanaged => new()
    {
        Anchor = anchor,
        Positive = positive,
        Negative = negative,
        AnchorGradient = da,
        PositiveGradient = dp,
        NegativeGradient = dn,
        Width = width,
        Margin = margin,
    };

    private static double Value<T>(Tensor anchor, Tensor positive, Tensor negative, Reduction reduction, double margin)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        EmbeddingRows.CheckShapes(Name, anchor, positive, negative);
        Reductions.CheckSingle(reduction, Name, "PerExample and Backward");
        ReadOnlySpan<T> x = anchor.As<T>(Name).Span, near = positive.As<T>(Name).Span, far = negative.As<T>(Name).Span;
        var width = anchor.Shape.Last;
        var rows = Check(x, near, far, width, margin);
        fixed (T* a = x, p = near, n = far)
            return RowLoss.Evaluate<T, TripletTerm<T>>(Term<T>(a, p, n, null, null, null, width, margin), rows, width, reduction);
    }

    private static (double, Tensor, Tensor, Tensor) Single<T>(Tensor anchor, Tensor positive, Tensor negative, Reduction reduction, double margin)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        EmbeddingRows.CheckShapes(Name, anchor, positive, negative);
        Tensor<T> a = anchor.As<T>(Name), p = positive.As<T>(Name), n = negative.As<T>(Name), da = a.Like(), dp = a.Like(), dn = a.Like();
        return (Evaluate(a.Span, p.Span, n.Span, a.Shape.Last, reduction, margin, da.Write(), dp.Write(), dn.Write()), da, dp, dn);
    }

    private static Tensor<T> Apart<T>(Tensor anchor, Tensor positive, Tensor negative, double margin) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        EmbeddingRows.CheckShapes(Name, anchor, positive, negative);
        var a = anchor.As<T>(Name);
        var values = a.New<T>(a.Shape.Without(-1));
        PerExample(a.Span, positive.As<T>(Name).Span, negative.As<T>(Name).Span, a.Shape.Last, margin, values.Write());
        return values;
    }

    private static (Tensor, Tensor, Tensor) Gradients<T>(Tensor dy, Tensor anchor, Tensor positive, Tensor negative, double margin)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        EmbeddingRows.CheckShapes(Name, anchor, positive, negative);
        dy.Expect(anchor.Shape.Without(-1), Name);
        Tensor<T> a = anchor.As<T>(Name), p = positive.As<T>(Name), n = negative.As<T>(Name), da = a.Like(), dp = a.Like(), dn = a.Like();
        Backward(dy.As<T>(Name).Span, a.Span, p.Span, n.Span, a.Shape.Last, margin, da.Write(), dp.Write(), dn.Write());
        return (da, dp, dn);
    }
}

using System.Numerics;

namespace DL.Core.Losses;

/// <summary>Contrastive loss of pairs of embeddings at distance <c>d = |a - b|</c>: <c>d^2 / 2</c> where they are of the same kind, <c>max(0, margin - d)^2 / 2</c>
/// where they are not.</summary>
/// <remarks>Label 1 says the same, 0 different. At d = 0 a pair that differs has no direction to part in: its gradient is 0. The mean is over pairs; distances and
/// values are computed in float64. Source: R. Hadsell, S. Chopra, Y. LeCun, Dimensionality reduction by learning an invariant mapping, 2006, eq. 4
/// (whose label is the other way round).</remarks>
public static unsafe class Contrastive
{
    private const string Name = "Contrastive";

    /// <summary>The value and its gradients in both embeddings, in one pass.</summary>
    /// <param name="first">[N, D], float32 or float64.</param>
    /// <param name="second">[N, D], of the same type.</param>
    /// <param name="labels">[N] of int32: 1 where the two are of the same kind, 0 where they differ.</param>
    /// <param name="reduction">The mean over pairs, or their sum.</param>
    /// <param name="margin">The distance from which on those that differ are far enough; above 0.</param>
    /// <returns>The value and the gradients of <paramref name="first"/> and <paramref name="second"/>.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">A label is neither 0 nor 1 (its position is named), the element types do not fit, the margin is out of range, or
    /// the reduction is None. Nothing is computed then.</exception>
    public static (double Value, Tensor First, Tensor Second) Evaluate(
        Tensor first, Tensor second, Tensor labels, Reduction reduction = Reduction.Mean, double margin = 1) =>
        first.IsDouble(Name) ? Single<double>(first, second, labels, reduction, margin) : Single<float>(first, second, labels, reduction, margin);

    /// <summary>The value alone.</summary>
    /// <param name="first">[N, D], float32 or float64.</param>
    /// <param name="second">[N, D], of the same type.</param>
    /// <param name="labels">[N] of int32: 1 where the two are of the same kind, 0 where they differ.</param>
    /// <param name="reduction">The mean over pairs, or their sum.</param>
    /// <param name="margin">The distance from which on those that differ are far enough; above 0.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">As for Evaluate.</exception>
    public static double Forward(Tensor first, Tensor second, Tensor labels, Reduction reduction = Reduction.Mean, double margin = 1) =>
        first.IsDouble(Name) ? Value<double>(first, second, labels, reduction, margin) : Value<float>(first, second, labels, reduction, margin);

    /// <summary>The value of every pair, unreduced.</summary>
    /// <param name="first">[N, D], float32 or float64.</param>
    /// <param name="second">[N, D], of the same type.</param>
    /// <param name="labels">[N] of int32: 1 where the two are of the same kind, 0 where they differ.</param>
    /// <param name="margin">The distance from which on those that differ are far enough; above 0.</param>
    /// <returns>[N], of the embeddings' type.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">As for Evaluate.</exception>
    public static Tensor PerExample(Tensor first, Tensor second, Tensor labels, double margin = 1) =>
        first.IsDouble(Name) ? Apart<double>(first, second, labels, margin) : Apart<float>(first, second, labels, margin);

    /// <summary><c>da = dy (a - b)</c> for the same, <c>da = -dy max(0, margin - d) / d (a - b)</c> for those that differ; <c>db = -da</c>.</summary>
    /// <param name="dy">[N], the gradient of PerExample.</param>
    /// <param name="first">[N, D], float32 or float64.</param>
    /// <param name="second">[N, D], of the same type.</param>
    /// <param name="labels">[N] of int32: 1 where the two are of the same kind, 0 where they differ.</param>
    /// <param name="margin">The distance from which on those that differ are far enough; above 0.</param>
    /// <returns>The gradients of both embeddings.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">As for Evaluate.</exception>
    public static (Tensor First, Tensor Second) Backward(Tensor dy, Tensor first, Tensor second, Tensor labels, double margin = 1) =>
        first.IsDouble(Name) ? Gradients<double>(dy, first, second, labels, margin) : Gradients<float>(dy, first, second, labels, margin);

    /// <summary>The value and its gradients over spans.</summary>
    /// <param name="first">[N, D].</param>
    /// <param name="second">[N, D].</param>
    /// <param name="labels">[N]: 1 where the two are of the same kind, 0 where they differ.</param>
    /// <param name="reduction">The mean over pairs, or their sum.</param>
    /// <param name="margin">The distance from which on those that differ are far enough; above 0.</param>
    /// <param name="firstGradient">[N, D], overwritten.</param>
    /// <param name="secondGradient">[N, D], overwritten.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    /// <exception cref="InvalidArgumentException">A label is neither 0 nor 1, the margin is out of range, or the reduction is None.</exception>
    public static double Evaluate<T>(
        ReadOnlySpan<T> first, ReadOnlySpan<T> second, ReadOnlySpan<int> labels, Reduction reduction, double margin, Span<T> firstGradient, Span<T> secondGradient)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Reductions.CheckSingle(reduction, Name, "PerExample and Backward");
        var width = Check(first, second, labels, margin);
        Apply.SameLength(first.Length, firstGradient.Length, Name);
        Apply.SameLength(first.Length, secondGradient.Length, Name);
        fixed (T* a = first, b = second, da = firstGradient, db = secondGradient)
        fixed (int* y = labels)
            return RowLoss.Evaluate<T, ContrastiveTerm<T>>(Term(a, b, y, da, db, width, margin), labels.Length, width, reduction);
    }

    /// <summary>The value of every pair over spans.</summary>
    /// <param name="first">[N, D].</param>
    /// <param name="second">[N, D].</param>
    /// <param name="labels">[N]: 1 where the two are of the same kind, 0 where they differ.</param>
    /// <param name="margin">The distance from which on those that differ are far enough; above 0.</param>
    /// <param name="values">[N], overwritten.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    /// <exception cref="InvalidArgumentException">A label is neither 0 nor 1, or the margin is out of range.</exception>
    public static void PerExample<T>(ReadOnlySpan<T> first, ReadOnlySpan<T> second, ReadOnlySpan<int> labels, double margin, Span<T> values)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var width = Check(first, second, labels, margin);
        Apply.SameLength(labels.Length, values.Length, Name);
        fixed (T* a = first, b = second)
        fixed (int* y = labels)
            RowLoss.PerExample(Term<T>(a, b, y, null, null, width, margin), labels.Length, width, values);
    }

    /// <summary>The gradients over spans, with an upstream gradient for every pair.</summary>
    /// <param name="dy">[N], the upstream gradient of every pair.</param>
    /// <param name="first">[N, D].</param>
    /// <param name="second">[N, D].</param>
    /// <param name="labels">[N]: 1 where the two are of the same kind, 0 where they differ.</param>
    /// <param name="margin">The distance from which on those that differ are far enough; above 0.</param>
    /// <param name="firstGradient">[N, D], overwritten.</param>
    /// <param name="secondGradient">[N, D], overwritten.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    /// <exception cref="InvalidArgumentException">A label is neither 0 nor 1, or the margin is out of range.</exception>
    public static void Backward<T>(
        ReadOnlySpan<T> dy, ReadOnlySpan<T> first, ReadOnlySpan<T> second, ReadOnlySpan<int> labels, double margin, Span<T> firstGradient, Span<T> secondGradient)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var width = Check(first, second, labels, margin);
        Apply.SameLength(labels.Length, dy.Length, Name);
        Apply.SameLength(first.Length, firstGradient.Length, Name);
        Apply.SameLength(first.Length, secondGradient.Length, Name);
        fixed (T* a = first, b = second, da = firstGradient, db = secondGradient)
        fixed (int* y = labels)
            RowLoss.Backward(Term(a, b, y, da, db, width, margin), labels.Length, width, dy);
    }

    private static int Check<T>(ReadOnlySpan<T> first, ReadOnlySpan<T> second, ReadOnlySpan<int> labels, double margin) where T : unmanaged
    {
        EmbeddingRows.CheckMargin(Name, margin);
        Apply.SameLength(first.Length, second.Length, Name);
        var width = labels.IsEmpty ? 0 : first.Length / labels.Length;
        if ((long)width * labels.Length != first.Length)
            throw new ShapeException(Name, $"whole embeddings for {labels.Length} labels", $"{first.Length} elements");
        ClassTargets.CheckIds($"{Name} labels", labels, 2);
        return width;
    }

    private static ContrastiveTerm<T> Term<T>(T* first, T* second, int* labels, T* firstGradient, T* secondGradient, int width, double margin) where T : unmanaged =>
        new() { First = first, Second = second, Labels = labels, FirstGradient = firstGradient, SecondGradient = secondGradient, Width = width, Margin = margin };

    private static void CheckShapes(Tensor first, Tensor second, Tensor labels)
    {
        EmbeddingRows.CheckShapes(Name, first, second);
        labels.Expect(first.Shape.Without(-1), $"{Name} labels");
    }

    private static double Value<T>(Tensor first, Tensor second, Tensor labels, Reduction reduction, double margin)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CheckShapes(first, second, labels);
        Reductions.CheckSingle(reduction, Name, "PerExample and Backward");
        ReadOnlySpan<T> x = first.As<T>(Name).Span, z = second.As<T>(Name).Span;
        var ids = labels.As<int>(Name).Span;
        var width = Check(x, z, ids, margin);
        fixed (T* a = x, b = z)
        fixed (int* y = ids)
            return RowLoss.Evaluate<T, ContrastiveTerm<T>>(Term<T>(a, b, y, null, null, width, margin), ids.Length, width, reduction);
    }

    private static (double, Tensor, Tensor) Single<T>(Tensor first, Tensor second, Tensor labels, Reduction reduction, double margin)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CheckShapes(first, second, labels);
        Tensor<T> a = first.As<T>(Name), b = second.As<T>(Name), da = a.Like(), db = a.Like();
        return (Evaluate(a.Span, b.Span, labels.As<int>(Name).Span, reduction, margin, da.Write(), db.Write()), da, db);
    }

    private static Tensor<T> Apart<T>(Tensor first, Tensor second, Tensor labels, double margin) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CheckShapes(first, second, labels);
        var a = first.As<T>(Name);
        var values = a.New<T>(labels.Shape);
        PerExample(a.Span, second.As<T>(Name).Span, labels.As<int>(Name).Span, margin, values.Write());
        return values;
    }

    private static (Tensor, Tensor) Gradients<T>(Tensor dy, Tensor first, Tensor second, Tensor labels, double margin)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CheckShapes(first, second, labels);
        dy.Expect(labels.Shape, Name);
        Tensor<T> a = first.As<T>(Name), b = second.As<T>(Name), da = a.Like(), db = a.Like();
        Backward(dy.As<T>(Name).Span, a.Span, b.Span, labels.As<int>(Name).Span, margin, da.Write(), db.Write());
        return (da, db);
    }
}

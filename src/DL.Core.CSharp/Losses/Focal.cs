using System.Numerics;

namespace DL.Core.Losses;

/// <summary>Focal loss from logits: <c>-w_y (1 - p_y)^gamma log p_y</c> with <c>p = softmax(z)</c> and the class y of the example.</summary>
/// <remarks>What is already right counts less, so that a rare class is not drowned by many easy examples; w is the source's alpha, a weight for every class.
/// The mean is over examples, whatever their weights. With gamma 0 it is cross entropy, whose weighted mean however divides by the weights.
/// Finite for every finite logit; the value is accumulated in float64. Source: T.-Y. Lin et al., Focal loss for dense object detection, 2017, eq. 5.</remarks>
public static unsafe class Focal
{
    private const string Name = "Focal";

    /// <summary>The value and its gradient in the logits, in one pass: <c>dz = w_y ((1 - p_y)^gamma - gamma p_y (1 - p_y)^(gamma - 1) log p_y) (p - y)</c>,
    /// the last y one-hot.</summary>
    /// <param name="logits">[.., C], float32 or float64.</param>
    /// <param name="ids">Class ids [..] of int32.</param>
    /// <param name="reduction">The mean over examples, or their sum.</param>
    /// <param name="gamma">How much less the easy count; at least 0, by default 2.</param>
    /// <param name="weights">[C], a weight of at least 0 for every class, of the logits' type; null for 1.</param>
    /// <returns>The value, accumulated in float64, and the gradient, of the logits' shape.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">An id is no class (value and position are named), the element types do not fit, a setting is out of range, or
    /// the reduction is None. Nothing is computed then.</exception>
    public static (double Value, Tensor Gradient) Evaluate(
        Tensor logits, Tensor ids, Reduction reduction = Reduction.Mean, double gamma = 2, Tensor? weights = null) =>
        logits.IsDouble(Name) ? Single<double>(logits, ids, reduction, gamma, weights) : Single<float>(logits, ids, reduction, gamma, weights);

    /// <summary>The value alone.</summary>
    /// <param name="logits">[.., C], float32 or float64.</param>
    /// <param name="ids">Class ids [..] of int32.</param>
    /// <param name="reduction">The mean over examples, or their sum.</param>
    /// <param name="gamma">How much less the easy count; at least 0, by default 2.</param>
    /// <param name="weights">[C], a weight of at least 0 for every class, of the logits' type; null for 1.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">As for Evaluate.</exception>
    public static double Forward(Tensor logits, Tensor ids, Reduction reduction = Reduction.Mean, double gamma = 2, Tensor? weights = null) =>
        logits.IsDouble(Name) ? Value<double>(logits, ids, reduction, gamma, weights) : Value<float>(logits, ids, reduction, gamma, weights);

    /// <summary>The value of every example, unreduced.</summary>
    /// <param name="logits">[.., C], float32 or float64.</param>
    /// <param name="ids">Class ids [..] of int32.</param>
    /// <param name="gamma">How much less the easy count; at least 0, by default 2.</param>
    /// <param name="weights">[C], a weight of at least 0 for every class, of the logits' type; null for 1.</param>
    /// <returns>[..], of the logits' type.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">As for <see cref="Evaluate(Tensor, Tensor, Reduction, double, Tensor?)"/>.</exception>
    public static Tensor PerExample(Tensor logits, Tensor ids, double gamma = 2, Tensor? weights = null) =>
        logits.IsDouble(Name) ? Apart<double>(logits, ids, gamma, weights) : Apart<float>(logits, ids, gamma, weights);

    /// <summary>The gradient of the logits, with an upstream gradient for every example.</summary>
    /// <param name="dy">[..], the gradient of <see cref="PerExample(Tensor, Tensor, double, Tensor?)"/>.</param>
    /// <param name="logits">[.., C], float32 or float64.</param>
    /// <param name="ids">Class ids [..] of int32.</param>
    /// <param name="gamma">How much less the easy count; at least 0, by default 2.</param>
    /// <param name="weights">[C], a weight of at least 0 for every class, of the logits' type; null for 1.</param>
    /// <returns>The gradient of the logits.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">As for <see cref="Evaluate(Tensor, Tensor, Reduction, double, Tensor?)"/>.</exception>
    public static Tensor Backward(Tensor dy, Tensor logits, Tensor ids, double gamma = 2, Tensor? weights = null) =>
        logits.IsDouble(Name) ? Gradient<double>(dy, logits, ids, gamma, weights) : Gradient<float>(dy, logits, ids, gamma, weights);

    /// <summary>The value and its gradient over spans.</summary>
    /// <param name="logits">[rows, C].</param>
    /// <param name="ids">[rows].</param>
    /// <param name="reduction">The mean over examples, or their sum.</param>
    /// <param name="gamma">How much less the easy count; at least 0.</param>
    /// <param name="weights">[C], or empty for 1.</param>
    /// <param name="gradient">[rows, C], overwritten; it may be the logits.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    /// <exception cref="InvalidArgumentException">An id is no class, a setting is out of range, or the reduction is None.</exception>
    public static double Evaluate<T>(
        ReadOnlySpan<T> logits, ReadOnlySpan<int> ids, Reduction reduction, double gamma, ReadOnlySpan<T> weights, Span<T> gradient)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Reductions.CheckSingle(reduction, Name, "PerExample and Backward");
        var classes = Check(logits, ids, gamma, weights);
        Apply.SameLength(logits.Length, gradient.Length, Name);
        fixed (T* z = logits, w = weights, g = gradient)
        fixed (int* y = ids)
            return RowLoss.Evaluate<T, FocalTerm<T>>(Term(z, y, w, g, classes, gamma), ids.Length, classes, reduction);
    }

    /// <summary>The value of every example over spans.</summary>
    /// <param name="logits">[rows, C].</param>
    /// <param name="ids">[rows].</param>
    /// <param name="gamma">How much less the easy count; at least 0.</param>
    /// <param name="weights">[C], or empty for 1.</param>
    /// <param name="values">[rows], overwritten.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    /// <exception cref="InvalidArgumentException">An id is no class, or a setting is out of range.</exception>
    public static void PerExample<T>(ReadOnlySpan<T> logits, ReadOnlySpan<int> ids, double gamma, ReadOnlySpan<T> weights, Span<T> values)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var classes = Check(logits, ids, gamma, weights);
        Apply.SameLength(ids.Length, values.Length, Name);
        fixed (T* z = logits, w = weights)
        fixed (int* y = ids)
            RowLoss.PerExample(Term(z, y, w, null, classes, gamma), ids.Length, classes, values);
    }

    /// <summary>The gradient of the logits over spans, with an upstream gradient for every example.</summary>
    /// <param name="dy">[rows], the upstream gradient of every example.</param>
    /// <param name="logits">[rows, C].</param>
    /// <param name="ids">[rows].</param>
    /// <param name="gamma">How much less the easy count; at least 0.</param>
    /// <param name="weights">[C], or empty for 1.</param>
    /// <param name="dx">[rows, C], overwritten; it may be the logits.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    /// <exception cref="InvalidArgumentException">An id is no class, or a setting is out of range.</exception>
    public static void Backward<T>(
        ReadOnlySpan<T> dy, ReadOnlySpan<T> logits, ReadOnlySpan<int> ids, double gamma, ReadOnlySpan<T> weights, Span<T> dx)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var classes = Check(logits, ids, gamma, weights);
        Apply.SameLength(ids.Length, dy.Length, Name);
        Apply.SameLength(logits.Length, dx.Length, Name);
        fixed (T* z = logits, w = weights, g = dx)
        fixed (int* y = ids)
            RowLoss.Backward(Term(z, y, w, g, classes, gamma), ids.Length, classes, dy);
    }

    private static FocalTerm<T> Term<T>(T* logits, int* ids, T* weights, T* gradient, int classes, double gamma)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        new() { Logits = logits, Ids = ids, Weights = weights, Gradient = gradient, Classes = classes, Gamma = gamma };

    private static int Check<T>(ReadOnlySpan<T> logits, ReadOnlySpan<int> ids, double gamma, ReadOnlySpan<T> weights)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        FocalSettings.Check(Name, gamma);
        var classes = ids.IsEmpty ? 0 : logits.Length / ids.Length;
        if ((long)classes * ids.Length != logits.Length || (ids.Length > 0 && classes == 0))
            throw new ShapeException(Name, $"whole rows of logits for {ids.Length} ids", $"{logits.Length} logits");
        ClassTargets.CheckIds(Name, ids, classes);
        ClassTargets.CheckWeights(Name, weights);
        if (!weights.IsEmpty && ids.Length > 0) Apply.SameLength(classes, weights.Length, $"{Name} weights");
        return classes;
    }

    private static void CheckShapes(Tensor logits, Tensor ids, Tensor? weights)
    {
        if (logits.Shape.Rank == 0 || logits.Shape.Last == 0) throw new ShapeException(Name, "logits [.., C] of at least one class", $"{logits.Shape}");
        ids.Expect(logits.Shape.Without(-1), Name);
        weights?.Expect(new Shape(logits.Shape.Last), $"{Name} weights");
    }

    private static ReadOnlySpan<T> Weights<T>(Tensor? weights) where T : unmanaged => weights is null ? default : weights.As<T>(Name).Span;

    private static double Value<T>(Tensor logits, Tensor ids, Reduction reduction, double gamma, Tensor? weights)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CheckShapes(logits, ids, weights);
        Reductions.CheckSingle(reduction, Name, "PerExample and Backward");
        ReadOnlySpan<T> x = logits.As<T>(Name).Span, share = Weights<T>(weights);
        var labels = ids.As<int>(Name).Span;
        var classes = Check(x, labels, gamma, share);
        fixed (T* z = x, w = share)
        fixed (int* y = labels)
            return RowLoss.Evaluate<T, FocalTerm<T>>(Term(z, y, w, null, classes, gamma), labels.Length, classes, reduction);
    }

    private static (double, Tensor) Single<T>(Tensor logits, Tensor ids, Reduction reduction, double gamma, Tensor? weights)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CheckShapes(logits, ids, weights);
        var z = logits.As<T>(Name);
        var gradient = z.Like();
        return (Evaluate(z.Span, ids.As<int>(Name).Span, reduction, gamma, Weights<T>(weights), gradient.Write()), gradient);
    }

    private static Tensor<T> Apart<T>(Tensor logits, Tensor ids, double gamma, Tensor? weights) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CheckShapes(logits, ids, weights);
        var z = logits.As<T>(Name);
        var values = z.New<T>(z.Shape.Without(-1));
        PerExample(z.Span, ids.As<int>(Name).Span, gamma, Weights<T>(weights), values.Write());
        return values;
    }

    private static Tensor<T> Gradient<T>(Tensor dy, Tensor logits, Tensor ids, double gamma, Tensor? weights)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CheckShapes(logits, ids, weights);
        dy.Expect(ids.Shape, Name);
        var z = logits.As<T>(Name);
        var dx = z.Like();
        Backward(dy.As<T>(Name).Span, z.Span, ids.As<int>(Name).Span, gamma, Weights<T>(weights), dx.Write());
        return dx;
    }
}

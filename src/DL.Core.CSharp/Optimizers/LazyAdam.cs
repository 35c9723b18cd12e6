using System.Numerics;

namespace DL.Core.Optimizers;

/// <summary>Adam for tables of which a step touches some rows: those take the step of <see cref="Adam"/>, the others keep weights and moments.</summary>
/// <remarks><para>The rows are those an <see cref="Ops.Embedding"/> has put into the gradient. A gradient that is not an embedding's own, such as a sum with another one, is
/// that of a plain parameter, and the step is Adam's, bit for bit; so it is when all rows are touched.</para>
/// <para>The moments of a row decay only when it is touched, while both bias corrections use the number t of the whole model's step, as LazyAdam of TensorFlow
/// and SparseAdam of torch do. It is another algorithm than Adam: there an untouched row goes on moving by its old momentum.</para></remarks>
public static class LazyAdam
{
    private const string Where = "LazyAdam";

    /// <summary>One step, in place on the weights and both moments.</summary>
    /// <param name="weights">Any shape, float32 or float64; changed in the touched rows.</param>
    /// <param name="gradient">The same shape.</param>
    /// <param name="m">The first moment, of the same shape; zeros before the first step; changed in the touched rows.</param>
    /// <param name="v">The second moment, of the same shape; zeros before the first step; changed in the touched rows.</param>
    /// <param name="settings">Rate, betas and epsilon.</param>
    /// <param name="t">The number of this step, from 1.</param>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, or a setting is out of range. Nothing has moved then.</exception>
    public static void Step(Tensor weights, Tensor gradient, Tensor m, Tensor v, AdamSettings settings, int t)
    {
        if (Check.IsDouble(Where, weights, gradient, m, v)) Step<double>(weights, gradient, m, v, settings, t);
        else Step<float>(weights, gradient, m, v, settings, t);
    }

    /// <summary>One step over spans: the step of <see cref="Adam"/> in the given rows of width D.</summary>
    /// <param name="w">The weights, V x D, changed in the rows.</param>
    /// <param name="g">Their gradients; read in the rows only.</param>
    /// <param name="m">The first moments, changed in the rows.</param>
    /// <param name="v">The second moments, changed in the rows.</param>
    /// <param name="rows">The touched rows, distinct and ascending.</param>
    /// <param name="width">D.</param>
    /// <param name="settings">Rate, betas and epsilon.</param>
    /// <param name="t">The number of this step, from 1.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    /// <exception cref="InvalidArgumentException">A setting or a row is out of range. Nothing has moved then.</exception>
    public static void Step<T>(
        Span<T> w, ReadOnlySpan<T> g, Span<T> m, Span<T> v, ReadOnlySpan<int> rows, int width, AdamSettings settings, int t)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Check.SameLengths(w.Length, Where, g.Length, m.Length, v.Length);
        Check.Rows(rows, width, w.Length, Where);
        Adam.StepRows(Where, w, g, m, v, rows, width, settings, t);
    }

    private static void Step<T>(Tensor weights, Tensor gradient, Tensor m, Tensor v, AdamSettings settings, int t)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Tensor<T> w = weights.As<T>(Where), g = gradient.As<T>(Where), first = m.As<T>(Where), second = v.As<T>(Where);
        if (g.Rows is { Whole: false }) Adam.StepRows(Where, w, g, first, second, settings, t);
        else Adam.Step(Where, w.Change(), g.Span, first.Change(), second.Change(), settings, 0, t);
    }
}

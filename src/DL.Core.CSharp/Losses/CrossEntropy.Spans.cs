using System.Numerics;

namespace DL.Core.Losses;

public static partial class CrossEntropy
{
    /// <summary>The value and its gradient over spans, for class ids.</summary>
    /// <param name="logits">[rows, C].</param>
    /// <param name="ids">[rows].</param>
    /// <param name="reduction">The mean over examples, or their sum.</param>
    /// <param name="weights">[C], or empty for 1.</param>
    /// <param name="smoothing">The share, from 0 to 1, that is spread evenly over all classes.</param>
    /// <param name="ignored">An id whose examples are left out, or null.</param>
    /// <param name="gradient">[rows, C], overwritten; it may be the logits.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    /// <exception cref="InvalidArgumentException">An id is no class, a setting is out of range, or the reduction is None.</exception>
    public static double Evaluate<T>(
        ReadOnlySpan<T> logits, ReadOnlySpan<int> ids, Reduction reduction, ReadOnlySpan<T> weights, double smoothing, int? ignored, Span<T> gradient)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Apply.SameLength(logits.Length, gradient.Length, "CrossEntropy");
        return new CrossEntropyRequest<T>("CrossEntropy", logits.Length, ids, weights, smoothing, ignored).Evaluate(logits, reduction, gradient, true);
    }

    /// <summary>The value and its gradient over spans, for distributions.</summary>
    /// <param name="logits">[rows, C].</param>
    /// <param name="distributions">[rows, C].</param>
    /// <param name="classes">C.</param>
    /// <param name="reduction">The mean over examples, or their sum.</param>
    /// <param name="weights">[C], or empty for 1.</param>
    /// <param name="smoothing">The share, from 0 to 1, that is spread evenly over all classes.</param>
    /// <param name="gradient">[rows, C], overwritten; it may be the logits.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    /// <exception cref="InvalidArgumentException">A setting is out of range, or the reduction is None.</exception>
    public static double Evaluate<T>(
        ReadOnlySpan<T> logits, ReadOnlySpan<T> distributions, int classes, Reduction reduction, ReadOnlySpan<T> weights, double smoothing, Span<T> gradient)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Apply.SameLength(logits.Length, gradient.Length, "CrossEntropy");
        return new CrossEntropyRequest<T>("CrossEntropy", logits.Length, distributions, classes, weights, smoothing, null)
            .Evaluate(logits, reduction, gradient, true);
    }

    /// <summary>The value of every example over spans, for class ids.</summary>
    /// <param name="logits">[rows, C].</param>
    /// <param name="ids">[rows].</param>
    /// <param name="weights">[C], or empty for 1.</param>
    /// <param name="smoothing">The share, from 0 to 1, that is spread evenly over all classes.</param>
    /// <param name="ignored">An id whose examples are left out, or null.</param>
    /// <param name="values">[rows], overwritten.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    /// <exception cref="InvalidArgumentException">An id is no class, or a setting is out of range.</exception>
    public static void PerExample<T>(
        ReadOnlySpan<T> logits, ReadOnlySpan<int> ids, ReadOnlySpan<T> weights, double smoothing, int? ignored, Span<T> values)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Apply.SameLength(ids.Length, values.Length, "CrossEntropy.PerExample");
        new CrossEntropyRequest<T>("CrossEntropy.PerExample", logits.Length, ids, weights, smoothing, ignored).PerExample(logits, values);
    }

    /// <summary><c>dx = dy * (p * sum(a) - a)</c> over spans, for class ids.</summary>
    /// <param name="dy">[rows], the upstream gradient of every example.</param>
    /// <param name="logits">[rows, C].</param>
    /// <param name="ids">[rows].</param>
    /// <param name="weights">[C], or empty for 1.</param>
    /// <param name="smoothing">The share, from 0 to 1, that is spread evenly over all classes.</param>
    /// <param name="ignored">An id whose examples are left out, or null.</param>
    /// <param name="dx">[rows, C], overwritten; it may be the logits.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    /// <exception cref="InvalidArgumentException">An id is no class, or a setting is out of range.</exception>
    public static void Backward<T>(
        ReadOnlySpan<T> dy, ReadOnlySpan<T> logits, ReadOnlySpan<int> ids, ReadOnlySpan<T> weights, double smoothing, int? ignored, Span<T> dx)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Apply.SameLength(ids.Length, dy.Length, "CrossEntropy.Backward");
        Apply.SameLength(logits.Length, dx.Length, "CrossEntropy.Backward");
        new CrossEntropyRequest<T>("CrossEntropy.Backward", logits.Length, ids, weights, smoothing, ignored).Backward(dy, logits, dx);
    }
}

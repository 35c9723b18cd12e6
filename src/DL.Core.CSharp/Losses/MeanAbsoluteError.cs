using System.Numerics;
using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Losses;

/// <summary>Mean absolute error: <c>mean(|p - t|)</c> over all elements, with gradient <c>sign(p - t) / n</c>.</summary>
/// <remarks>Terms are single elements, as in the other frameworks: the mean is over the batch and its features alike. The value is accumulated in float64.
/// At <c>p = t</c> the derivative taken is 0, as torch does. Source: P.-S. Laplace, Théorie analytique des probabilités, 1812.</remarks>
public static class MeanAbsoluteError
{
    /// <summary>The value and its gradient in the prediction, in one pass.</summary>
    /// <param name="prediction">Any shape, float32 or float64.</param>
    /// <param name="target">The same shape.</param>
    /// <param name="reduction">The mean over all elements, or their sum.</param>
    /// <returns>The value, accumulated in float64, and the gradient, of the shape of <paramref name="prediction"/>.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, or the reduction is None.</exception>
    public static (double Value, Tensor Gradient) Evaluate(Tensor prediction, Tensor target, Reduction reduction = Reduction.Mean) =>
        PairLossTensors.Evaluate("MeanAbsoluteError", default(Term<float>), default(Term<double>), prediction, target, reduction);

    /// <summary>The value alone.</summary>
    /// <param name="prediction">Any shape, float32 or float64.</param>
    /// <param name="target">The same shape.</param>
    /// <param name="reduction">The mean over all elements, or their sum.</param>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, or the reduction is None.</exception>
    public static double Forward(Tensor prediction, Tensor target, Reduction reduction = Reduction.Mean) =>
        PairLossTensors.Forward("MeanAbsoluteError", default(Term<float>), default(Term<double>), prediction, target, reduction);

    /// <summary>The value of every element's term, unreduced.</summary>
    /// <param name="prediction">Any shape, float32 or float64.</param>
    /// <param name="target">The same shape.</param>
    /// <returns>A tensor of the shape of <paramref name="prediction"/>.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers.</exception>
    public static Tensor PerElement(Tensor prediction, Tensor target) =>
        PairLossTensors.PerElement("MeanAbsoluteError.PerElement", default(Term<float>), default(Term<double>), prediction, target);

    /// <summary><c>dx = dy * sign(p - t)</c>, with an upstream gradient for every element.</summary>
    /// <param name="dy">The gradient of <see cref="PerElement(Tensor, Tensor)"/>.</param>
    /// <param name="prediction">Any shape, float32 or float64.</param>
    /// <param name="target">The same shape.</param>
    /// <returns>The gradient of the prediction.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers.</exception>
    public static Tensor Backward(Tensor dy, Tensor prediction, Tensor target) =>
        PairLossTensors.Backward("MeanAbsoluteError.Backward", default(Term<float>), default(Term<double>), dy, prediction, target);

    /// <summary>The value and its gradient over spans.</summary>
    /// <param name="prediction">Any shape, float32 or float64.</param>
    /// <param name="target">The same shape.</param>
    /// <param name="reduction">The mean over all elements, or their sum.</param>
    /// <param name="gradient">The gradient of the prediction, overwritten.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    /// <exception cref="InvalidArgumentException">The reduction is None.</exception>
    public static double Evaluate<T>(ReadOnlySpan<T> prediction, ReadOnlySpan<T> target, Reduction reduction, Span<T> gradient)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        PairLoss.Evaluate("MeanAbsoluteError", default(Term<T>), prediction, target, reduction, gradient, true);

    /// <summary>The value of every element's term over spans.</summary>
    /// <param name="prediction">Any shape, float32 or float64.</param>
    /// <param name="target">The same shape.</param>
    /// <param name="values">The terms, overwritten.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    public static void PerElement<T>(ReadOnlySpan<T> prediction, ReadOnlySpan<T> target, Span<T> values)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        PairLoss.PerElement("MeanAbsoluteError.PerElement", default(Term<T>), prediction, target, values);

    /// <summary><c>dx = dy * sign(p - t)</c>, over spans.</summary>
    /// <param name="dy">The upstream gradient of every term.</param>
    /// <param name="prediction">Any shape, float32 or float64.</param>
    /// <param name="target">The same shape.</param>
    /// <param name="dx">The gradient of the prediction, overwritten; not dy itself.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    /// <exception cref="InvalidArgumentException">dx overlaps dy.</exception>
    public static void Backward<T>(ReadOnlySpan<T> dy, ReadOnlySpan<T> prediction, ReadOnlySpan<T> target, Span<T> dx)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        PairLoss.Backward("MeanAbsoluteError.Backward", default(Term<T>), dy, prediction, target, dx);

    private readonly struct Term<T> : IPairTerm<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Value<S>(S prediction, S target, out S slope) where S : struct, ISimd<S, T>
        {
            var error = prediction - target;
            // An error of 0 stays 0, and one that is not a number stays so.
            slope = S.Select(S.Greater(error, S.Create(0)), S.Create(1), S.Select(S.Less(error, S.Create(0)), S.Create(-1), error));
            return S.Abs(error);
        }
    }
}

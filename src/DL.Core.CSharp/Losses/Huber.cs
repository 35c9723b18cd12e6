using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Losses;

/// <summary>Huber's loss: of an error <c>e = p - t</c> the term <c>e^2 / 2</c> up to <c>|e| = delta</c>, beyond it <c>delta |e| - delta^2 / 2</c>; its slope is e,
/// limited to <c>[-delta, delta]</c>.</summary>
/// <remarks>The mean is over all elements; the value is accumulated in float64. torch's smooth L1 of beta is this of delta = beta, divided by beta.
/// Source: P. J. Huber, Robust estimation of a location parameter, 1964.</remarks>
public static class Huber
{
    /// <summary>The value and its gradient in the prediction, in one pass.</summary>
    /// <param name="prediction">Any shape, float32 or float64.</param>
    /// <param name="target">The same shape.</param>
    /// <param name="reduction">The mean over all elements, or their sum.</param>
    /// <param name="delta">Where the square ends and the line begins, in units of the prediction; above 0.</param>
    /// <returns>The value, accumulated in float64, and the gradient, of the shape of <paramref name="prediction"/>.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, delta is out of range, or the reduction is None.</exception>
    public static (double Value, Tensor Gradient) Evaluate(Tensor prediction, Tensor target, Reduction reduction = Reduction.Mean, double delta = 1) =>
        PairLossTensors.Evaluate("Huber", Of<float>(delta), Of<double>(delta), prediction, target, reduction);

    /// <summary>The value alone.</summary>
    /// <param name="prediction">Any shape, float32 or float64.</param>
    /// <param name="target">The same shape.</param>
    /// <param name="reduction">The mean over all elements, or their sum.</param>
    /// <param name="delta">Where the square ends and the line begins, in units of the prediction; above 0.</param>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, delta is out of range, or the reduction is None.</exception>
    public static double Forward(Tensor prediction, Tensor target, Reduction reduction = Reduction.Mean, double delta = 1) =>
        PairLossTensors.Forward("Huber", Of<float>(delta), Of<double>(delta), prediction, target, reduction);

    /// <summary>The value of every element's term, unreduced.</summary>
    /// <param name="prediction">Any shape, float32 or float64.</param>
    /// <param name="target">The same shape.</param>
    /// <param name="delta">Where the square ends and the line begins, in units of the prediction; above 0.</param>
    /// <returns>A tensor of the shape of <paramref name="prediction"/>.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, or delta is out of range.</exception>
    public static Tensor PerElement(Tensor prediction, Tensor target, double delta = 1) =>
        PairLossTensors.PerElement("Huber.PerElement", Of<float>(delta), Of<double>(delta), prediction, target);

    /// <summary><c>dx = dy * min(max(p - t, -delta), delta)</c>, with an upstream gradient for every element.</summary>
    /// <param name="dy">The gradient of <see cref="PerElement(Tensor, Tensor, double)"/>.</param>
    /// <param name="prediction">Any shape, float32 or float64.</param>
    /// <param name="target">The same shape.</param>
    /// <param name="delta">Where the square ends and the line begins, in units of the prediction; above 0.</param>
    /// <returns>The gradient of the prediction.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, or delta is out of range.</exception>
    public static Tensor Backward(Tensor dy, Tensor prediction, Tensor target, double delta = 1) =>
        PairLossTensors.Backward("Huber.Backward", Of<float>(delta), Of<double>(delta), dy, prediction, target);

    /// <summary>The value and its gradient over spans.</summary>
    /// <param name="prediction">Any shape, float32 or float64.</param>
    /// <param name="target">The same shape.</param>
    /// <param name="reduction">The mean over all elements, or their sum.</param>
    /// <param name="delta">Where the square ends and the line begins, in units of the prediction; above 0.</param>
    /// <param name="gradient">The gradient of the prediction, overwritten.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    /// <exception cref="InvalidArgumentException">delta is out of range, or the reduction is None.</exception>
    public static double Evaluate<T>(ReadOnlySpan<T> prediction, ReadOnlySpan<T> target, Reduction reduction, double delta, Span<T> gradient)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        PairLoss.Evaluate("Huber", Of<T>(delta), prediction, target, reduction, gradient, true);

    /// <summary>The value of every element's term over spans.</summary>
    /// <param name="prediction">Any shape, float32 or float64.</param>
    /// <param name="target">The same shape.</param>
    /// <param name="delta">Where the square ends and the line begins, in units of the prediction; above 0.</param>
    /// <param name="values">The terms, overwritten.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    /// <exception cref="InvalidArgumentException">delta is out of range.</exception>
    public static void PerElement<T>(ReadOnlySpan<T> prediction, ReadOnlySpan<T> target, double delta, Span<T> values)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        PairLoss.PerElement("Huber.PerElement", Of<T>(delta), prediction, target, values);

    /// <summary><c>dx = dy * min(max(p - t, -delta), delta)</c>, over spans.</summary>
    /// <param name="dy">The upstream gradient of every term.</param>
    /// <param name="prediction">Any shape, float32 or float64.</param>
    /// <param name="target">The same shape.</param>
    /// <param name="delta">Where the square ends and the line begins, in units of the prediction; above 0.</param>
    /// <param name="dx">The gradient of the prediction, overwritten; not dy itself.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    /// <exception cref="InvalidArgumentException">delta is out of range, or dx overlaps dy.</exception>
    public static void Backward<T>(ReadOnlySpan<T> dy, ReadOnlySpan<T> prediction, ReadOnlySpan<T> target, double delta, Span<T> dx)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        PairLoss.Backward("Huber.Backward", Of<T>(delta), dy, prediction, target, dx);

    private static Term<T> Of<T>(double delta) where T : unmanaged
    {
        if (!(delta > 0 && double.IsFinite(delta)))
            throw new InvalidArgumentException("Huber, delta", "a finite number above 0", delta.ToString(CultureInfo.InvariantCulture));
        return new Term<T>(delta);
    }

    private readonly struct Term<T>(double delta) : IPairTerm<T> where T : unmanaged
    {
        private readonly double _delta = delta;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Value<S>(S prediction, S target, out S slope) where S : struct, ISimd<S, T>
        {
            var error = prediction - target;
            slope = S.Clamp(error, -_delta, _delta);
            // Both pieces at once: |e| (|e| - |e| / 2) and delta (|e| - delta / 2).
            var size = S.Abs(error);
            var limited = S.Cap(size, _delta);
            return limited * (size - (limited * S.Create(0.5)));
        }
    }
}

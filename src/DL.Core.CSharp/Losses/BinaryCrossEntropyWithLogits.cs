using System.Numerics;
using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Losses;

/// <summary>Binary cross entropy from logits: <c>-t log s - (1 - t) log(1 - s)</c> with <c>s = sigmoid(z)</c>, with gradient <c>s - t</c>.</summary>
/// <remarks>Computed as <c>max(z, 0) - t z + log(1 + e^-|z|)</c>, which is finite for every finite z; the value is accumulated in float64.
/// Targets are probabilities; values outside [0, 1] are taken as they are. Source: C. M. Bishop, Pattern recognition and machine learning, 2006, eq. 4.90.</remarks>
public static class BinaryCrossEntropyWithLogits
{
    /// <summary>The value and its gradient in the logits, in one pass.</summary>
    /// <param name="logits">Any shape, float32 or float64.</param>
    /// <param name="target">The same shape: the probability of the positive class.</param>
    /// <param name="reduction">The mean over all elements, or their sum.</param>
    /// <returns>The value, accumulated in float64, and the gradient, of the shape of <paramref name="logits"/>.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, or the reduction is None.</exception>
    public static (double Value, Tensor Gradient) Evaluate(Tensor logits, Tensor target, Reduction reduction = Reduction.Mean) =>
        PairLossTensors.Evaluate("BinaryCrossEntropyWithLogits", default(Term<float>), default(Term<double>), logits, target, reduction);

    /// <summary>The value alone.</summary>
    /// <param name="logits">Any shape, float32 or float64.</param>
    /// <param name="target">The same shape: the probability of the positive class.</param>
    /// <param name="reduction">The mean over all elements, or their sum.</param>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, or the reduction is None.</exception>
    public static double Forward(Tensor logits, Tensor target, Reduction reduction = Reduction.Mean) =>
        PairLossTensors.Forward("BinaryCrossEntropyWithLogits", default(Term<float>), default(Term<double>), logits, target, reduction);

    /// <summary>The value of every element's term, unreduced.</summary>
    /// <param name="logits">Any shape, float32 or float64.</param>
    /// <param name="target">The same shape: the probability of the positive class.</param>
    /// <returns>A tensor of the shape of <paramref name="logits"/>.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers.</exception>
    public static Tensor PerElement(Tensor logits, Tensor target) =>
        PairLossTensors.PerElement("BinaryCrossEntropyWithLogits.PerElement", default(Term<float>), default(Term<double>), logits, target);

    /// <summary><c>dx = dy * (sigmoid(z) - t)</c>, with an upstream gradient for every element.</summary>
    /// <param name="dy">The gradient of <see cref="PerElement(Tensor, Tensor)"/>.</param>
    /// <param name="logits">Any shape, float32 or float64.</param>
    /// <param name="target">The same shape: the probability of the positive class.</param>
    /// <returns>The gradient of the logits.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers.</exception>
    public static Tensor Backward(Tensor dy, Tensor logits, Tensor target) =>
        PairLossTensors.Backward("BinaryCrossEntropyWithLogits.Backward", default(Term<float>), default(Term<double>), dy, logits, target);

    /// <summary>The value and its gradient over spans.</summary>
    /// <param name="logits">Any shape, float32 or float64.</param>
    /// <param name="target">The same shape: the probability of the positive class.</param>
    /// <param name="reduction">The mean over all elements, or their sum.</param>
    /// <param name="gradient">The gradient of the logits, overwritten.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    /// <exception cref="InvalidArgumentException">The reduction is None.</exception>
    public static double Evaluate<T>(ReadOnlySpan<T> logits, ReadOnlySpan<T> target, Reduction reduction, Span<T> gradient)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        PairLoss.Evaluate("BinaryCrossEntropyWithLogits", default(Term<T>), logits, target, reduction, gradient, true);

    /// <summary>The value of every element's term over spans.</summary>
    /// <param name="logits">Any shape, float32 or float64.</param>
    /// <param name="target">The same shape: the probability of the positive class.</param>
    /// <param name="values">The terms, overwritten.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    public static void PerElement<T>(ReadOnlySpan<T> logits, ReadOnlySpan<T> target, Span<T> values)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        PairLoss.PerElement("BinaryCrossEntropyWithLogits.PerElement", default(Term<T>), logits, target, values);

    /// <summary><c>dx = dy * (sigmoid(z) - t)</c>, over spans.</summary>
    /// <param name="dy">The upstream gradient of every term.</param>
    /// <param name="logits">Any shape, float32 or float64.</param>
    /// <param name="target">The same shape: the probability of the positive class.</param>
    /// <param name="dx">The gradient of the logits, overwritten; not dy itself.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    /// <exception cref="InvalidArgumentException">dx overlaps dy.</exception>
    public static void Backward<T>(ReadOnlySpan<T> dy, ReadOnlySpan<T> logits, ReadOnlySpan<T> target, Span<T> dx)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        PairLoss.Backward("BinaryCrossEntropyWithLogits.Backward", default(Term<T>), dy, logits, target, dx);

    private readonly struct Term<T> : IPairTerm<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Value<S>(S logit, S target, out S slope) where S : struct, ISimd<S, T>
        {
            // One exponential serves both: sigmoid(z) is 1 / (1 + e) or e / (1 + e) with e = exp(-|z|).
            var e = MathVector.Exp<T, S>(-S.Abs(logit));
            var positive = S.Max(logit, S.Create(0));
            slope = (S.Select(S.Less(logit, S.Create(0)), e, S.Create(1)) / (S.Create(1) + e)) - target;
            return positive - (target * logit) + MathVector.Log1P<T, S>(e);
        }
    }
}

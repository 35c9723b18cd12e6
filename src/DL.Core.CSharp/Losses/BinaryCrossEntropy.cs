using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Losses;

/// <summary>Binary cross entropy from probabilities: <c>-t log q - (1 - t) log(1 - q)</c> with <c>q</c> = p clipped to <c>[c, 1 - c]</c>.</summary>
/// <remarks>c is 1e-7 in float32 and 1e-15 in float64, so the value is finite. The gradient is that of the clipped function: <c>(p - t) / (p (1 - p))</c>
/// for p within <c>[c, 1 - c]</c>, its ends included, and 0 outside, where clipping makes the loss constant. The value is accumulated in float64.
/// <see cref="BinaryCrossEntropyWithLogits"/> is both faster and smoother. Source: C. M. Bishop, Pattern recognition and machine learning, 2006, eq. 4.90.</remarks>
public static class BinaryCrossEntropy
{
    /// <summary>The value and its gradient in the probabilities, in one pass.</summary>
    /// <param name="probabilities">Any shape, float32 or float64, from 0 to 1.</param>
    /// <param name="target">The same shape: the probability of the positive class.</param>
    /// <param name="reduction">The mean over all elements, or their sum.</param>
    /// <returns>The value, accumulated in float64, and the gradient, of the shape of <paramref name="probabilities"/>.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, or a probability lies outside [0, 1], or the reduction is None.</exception>
    public static (double Value, Tensor Gradient) Evaluate(Tensor probabilities, Tensor target, Reduction reduction = Reduction.Mean) =>
        PairLossTensors.Evaluate("BinaryCrossEntropy", default(Term<float>), default(Term<double>), CheckUnit(probabilities, "BinaryCrossEntropy"), target, reduction);

    /// <summary>The value alone.</summary>
    /// <param name="probabilities">Any shape, float32 or float64, from 0 to 1.</param>
    /// <param name="target">The same shape: the probability of the positive class.</param>
    /// <param name="reduction">The mean over all elements, or their sum.</param>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, or a probability lies outside [0, 1], or the reduction is None.</exception>
    public static double Forward(Tensor probabilities, Tensor target, Reduction reduction = Reduction.Mean) =>
        PairLossTensors.Forward("BinaryCrossEntropy", default(Term<float>), default(Term<double>), CheckUnit(probabilities, "BinaryCrossEntropy"), target, reduction);

    /// <summary>The value of every element's term, unreduced.</summary>
    /// <param name="probabilities">Any shape, float32 or float64, from 0 to 1.</param>
    /// <param name="target">The same shape: the probability of the positive class.</param>
    /// <returns>A tensor of the shape of <paramref name="probabilities"/>.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, or a probability lies outside [0, 1].</exception>
    public static Tensor PerElement(Tensor probabilities, Tensor target) =>
        PairLossTensors.PerElement("BinaryCrossEntropy.PerElement", default(Term<float>), default(Term<double>), CheckUnit(probabilities, "BinaryCrossEntropy.PerElement"), target);

    /// <summary><c>dx = dy * (p - t) / (p (1 - p))</c> within the clip, else 0, with an upstream gradient for every element.</summary>
    /// <param name="dy">The gradient of <see cref="PerElement(Tensor, Tensor)"/>.</param>
    /// <param name="probabilities">Any shape, float32 or float64, from 0 to 1.</param>
    /// <param name="target">The same shape: the probability of the positive class.</param>
    /// <returns>The gradient of the probabilities.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, or a probability lies outside [0, 1].</exception>
    public static Tensor Backward(Tensor dy, Tensor probabilities, Tensor target) =>
        PairLossTensors.Backward("BinaryCrossEntropy.Backward", default(Term<float>), default(Term<double>), dy, CheckUnit(probabilities, "BinaryCrossEntropy.Backward"), target);

    /// <summary>The value and its gradient over spans.</summary>
    /// <param name="probabilities">Any shape, float32 or float64, from 0 to 1.</param>
    /// <param name="target">The same shape: the probability of the positive class.</param>
    /// <param name="reduction">The mean over all elements, or their sum.</param>
    /// <param name="gradient">The gradient of the probabilities, overwritten.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    /// <exception cref="InvalidArgumentException">A probability lies outside [0, 1], or the reduction is None.</exception>
    public static double Evaluate<T>(ReadOnlySpan<T> probabilities, ReadOnlySpan<T> target, Reduction reduction, Span<T> gradient)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CheckUnit(probabilities, "BinaryCrossEntropy");
        return PairLoss.Evaluate("BinaryCrossEntropy", default(Term<T>), probabilities, target, reduction, gradient, true);
    }

    /// <summary>The value of every element's term over spans.</summary>
    /// <param name="probabilities">Any shape, float32 or float64, from 0 to 1.</param>
    /// <param name="target">The same shape: the probability of the positive class.</param>
    /// <param name="values">The terms, overwritten.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    /// <exception cref="InvalidArgumentException">A probability lies outside [0, 1].</exception>
    public static void PerElement<T>(ReadOnlySpan<T> probabilities, ReadOnlySpan<T> target, Span<T> values)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CheckUnit(probabilities, "BinaryCrossEntropy.PerElement");
        PairLoss.PerElement("BinaryCrossEntropy.PerElement", default(Term<T>), probabilities, target, values);
    }

    /// <summary><c>dx = dy * (p - t) / (p (1 - p))</c> within the clip, else 0, over spans.</summary>
    /// <param name="dy">The upstream gradient of every term.</param>
    /// <param name="probabilities">Any shape, float32 or float64, from 0 to 1.</param>
    /// <param name="target">The same shape: the probability of the positive class.</param>
    /// <param name="dx">The gradient of the probabilities, overwritten; not dy itself.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    /// <exception cref="InvalidArgumentException">A probability lies outside [0, 1], or dx overlaps dy.</exception>
    public static void Backward<T>(ReadOnlySpan<T> dy, ReadOnlySpan<T> probabilities, ReadOnlySpan<T> target, Span<T> dx)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CheckUnit(probabilities, "BinaryCrossEntropy.Backward");
        PairLoss.Backward("BinaryCrossEntropy.Backward", default(Term<T>), dy, probabilities, target, dx);
    }

    private static Tensor CheckUnit(Tensor probabilities, string where)
    {
        if (probabilities.IsDouble(where)) CheckUnit(probabilities.As<double>(where).Span, where);
        else CheckUnit(probabilities.As<float>(where).Span, where);
        return probabilities;
    }

    // A NaN passes and makes the loss NaN: it is the fault of an earlier step, not of this argument's range.
    private static void CheckUnit<T>(ReadOnlySpan<T> probabilities, string where) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (var i = 0; i < probabilities.Length; i++)
        {
            var p = probabilities[i];
            if (p < T.Zero || p > T.One)
                throw new InvalidArgumentException(where, "probabilities from 0 to 1", $"{p.ToString(null, CultureInfo.InvariantCulture)} at position {i}");
        }
    }

    private readonly struct Term<T> : IPairTerm<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Value<S>(S probability, S target, out S slope) where S : struct, ISimd<S, T>
        {
            var low = S.Create(typeof(T) == typeof(float) ? 1e-7 : 1e-15);
            var high = S.Create(1) - low;
            var clipped = S.Min(S.Max(probability, low), high);
            var complement = S.Create(1) - clipped;
            var inside = (clipped - target) / (clipped * complement);
            slope = S.Select(S.Less(probability, low), S.Create(0), S.Select(S.Greater(probability, high), S.Create(0), inside));
            return -((target * MathVector.Log<T, S>(clipped)) + ((S.Create(1) - target) * MathVector.Log1P<T, S>(-clipped)));
        }
    }
}

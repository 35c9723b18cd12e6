using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Losses;

/// <summary>Focal loss of two classes from logits: <c>-alpha_t (1 - p_t)^gamma log p_t</c>, where <c>p_t</c> is the probability of the class at hand,
/// <c>sigmoid(z)</c> for a target of 1 and <c>1 - sigmoid(z)</c> for 0.</summary>
/// <remarks>What is already right counts less, so that a rare class is not drowned by many easy examples. With gamma 0 and no alpha it is binary cross entropy.
/// <c>alpha_t</c> is alpha for a target of 1, 1 - alpha for 0, and 1 without alpha. A target t between them takes
/// <c>1 - p_t = s (1 - t) + (1 - s) t</c> with <c>s = sigmoid(z)</c>, <c>alpha_t = alpha t + (1 - alpha) (1 - t)</c> and binary cross entropy
/// for <c>-log p_t</c>, as torchvision and Keras do. Finite for every finite logit; the value is accumulated in float64.
/// Source: T.-Y. Lin et al., Focal loss for dense object detection, 2017, eq. 5.</remarks>
public static class BinaryFocal
{
    /// <summary>The value and its gradient in the logits, in one pass.</summary>
    /// <param name="logits">Any shape, float32 or float64.</param>
    /// <param name="target">The same shape: the probability of the positive class.</param>
    /// <param name="reduction">The mean over all elements, or their sum.</param>
    /// <param name="gamma">How much less the easy count; at least 0, by default 2.</param>
    /// <param name="alpha">The weight of the positive class, from 0 to 1, that of the negative being 1 - alpha; null for 1 for both.</param>
    /// <returns>The value, accumulated in float64, and the gradient, of the shape of <paramref name="logits"/>.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, a setting is out of range, or the reduction is None.</exception>
    public static (double Value, Tensor Gradient) Evaluate(Tensor logits, Tensor target, Reduction reduction = Reduction.Mean, double gamma = 2, double? alpha = null) =>
        PairLossTensors.Evaluate("BinaryFocal", Of<float>(gamma, alpha), Of<double>(gamma, alpha), logits, target, reduction);

    /// <summary>The value alone.</summary>
    /// <param name="logits">Any shape, float32 or float64.</param>
    /// <param name="target">The same shape: the probability of the positive class.</param>
    /// <param name="reduction">The mean over all elements, or their sum.</param>
    /// <param name="gamma">How much less the easy count; at least 0, by default 2.</param>
    /// <param name="alpha">The weight of the positive class, from 0 to 1, that of the negative being 1 - alpha; null for 1 for both.</param>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, a setting is out of range, or the reduction is None.</exception>
    public static double Forward(Tensor logits, Tensor target, Reduction reduction = Reduction.Mean, double gamma = 2, double? alpha = null) =>
        PairLossTensors.Forward("BinaryFocal", Of<float>(gamma, alpha), Of<double>(gamma, alpha), logits, target, reduction);

    /// <summary>The value of every element's term, unreduced.</summary>
    /// <param name="logits">Any shape, float32 or float64.</param>
    /// <param name="target">The same shape: the probability of the positive class.</param>
    /// <param name="gamma">How much less the easy count; at least 0, by default 2.</param>
    /// <param name="alpha">The weight of the positive class, from 0 to 1, that of the negative being 1 - alpha; null for 1 for both.</param>
    /// <returns>A tensor of the shape of <paramref name="logits"/>.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, or a setting is out of range.</exception>
    public static Tensor PerElement(Tensor logits, Tensor target, double gamma = 2, double? alpha = null) =>
        PairLossTensors.PerElement("BinaryFocal.PerElement", Of<float>(gamma, alpha), Of<double>(gamma, alpha), logits, target);

    /// <summary><c>dx = dy * alpha_t m^gamma (s - t + gamma s (1 - s) (1 - 2 t) b / m)</c>, where <c>m = 1 - p_t</c> and b is binary cross entropy, with an upstream gradient for every element.</summary>
    /// <param name="dy">The gradient of <see cref="PerElement(Tensor, Tensor, double, double?)"/>.</param>
    /// <param name="logits">Any shape, float32 or float64.</param>
    /// <param name="target">The same shape: the probability of the positive class.</param>
    /// <param name="gamma">How much less the easy count; at least 0, by default 2.</param>
    /// <param name="alpha">The weight of the positive class, from 0 to 1, that of the negative being 1 - alpha; null for 1 for both.</param>
    /// <returns>The gradient of the logits.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, or a setting is out of range.</exception>
    public static Tensor Backward(Tensor dy, Tensor logits, Tensor target, double gamma = 2, double? alpha = null) =>
        PairLossTensors.Backward("BinaryFocal.Backward", Of<float>(gamma, alpha), Of<double>(gamma, alpha), dy, logits, target);

    /// <summary>The value and its gradient over spans.</summary>
    /// <param name="logits">Any shape, float32 or float64.</param>
    /// <param name="target">The same shape: the probability of the positive class.</param>
    /// <param name="reduction">The mean over all elements, or their sum.</param>
    /// <param name="gamma">How much less the easy count; at least 0, by default 2.</param>
    /// <param name="alpha">The weight of the positive class, from 0 to 1, that of the negative being 1 - alpha; null for 1 for both.</param>
    /// <param name="gradient">The gradient of the logits, overwritten.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    /// <exception cref="InvalidArgumentException">A setting is out of range, or the reduction is None.</exception>
    public static double Evaluate<T>(ReadOnlySpan<T> logits, ReadOnlySpan<T> target, Reduction reduction, double gamma, double? alpha, Span<T> gradient)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        PairLoss.Evaluate("BinaryFocal", Of<T>(gamma, alpha), logits, target, reduction, gradient, true);

    /// <summary>The value of every element's term over spans.</summary>
    /// <param name="logits">Any shape, float32 or float64.</param>
    /// <param name="target">The same shape: the probability of the positive class.</param>
    /// <param name="gamma">How much less the easy count; at least 0, by default 2.</param>
    /// <param name="alpha">The weight of the positive class, from 0 to 1, that of the negative being 1 - alpha; null for 1 for both.</param>
    /// <param name="values">The terms, overwritten.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    /// <exception cref="InvalidArgumentException">A setting is out of range.</exception>
    public static void PerElement<T>(ReadOnlySpan<T> logits, ReadOnlySpan<T> target, double gamma, double? alpha, Span<T> values)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        PairLoss.PerElement("BinaryFocal.PerElement", Of<T>(gamma, alpha), logits, target, values);

    /// <summary><c>dx = dy * alpha_t m^gamma (s - t + gamma s (1 - s) (1 - 2 t) b / m)</c>, where <c>m = 1 - p_t</c> and b is binary cross entropy, over spans.</summary>
    /// <param name="dy">The upstream gradient of every term.</param>
    /// <param name="logits">Any shape, float32 or float64.</param>
    /// <param name="target">The same shape: the probability of the positive class.</param>
    /// <param name="gamma">How much less the easy count; at least 0, by default 2.</param>
    /// <param name="alpha">The weight of the positive class, from 0 to 1, that of the negative being 1 - alpha; null for 1 for both.</param>
    /// <param name="dx">The gradient of the logits, overwritten; not dy itself.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    /// <exception cref="InvalidArgumentException">A setting is out of range, or dx overlaps dy.</exception>
    public static void Backward<T>(ReadOnlySpan<T> dy, ReadOnlySpan<T> logits, ReadOnlySpan<T> target, double gamma, double? alpha, Span<T> dx)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        PairLoss.Backward("BinaryFocal.Backward", Of<T>(gamma, alpha), dy, logits, target, dx);

    private static Term<T> Of<T>(double gamma, double? alpha) where T : unmanaged
    {
        FocalSettings.Check("BinaryFocal", gamma);
        if (!(alpha is null or (>= 0 and <= 1)))
            throw new InvalidArgumentException("BinaryFocal, alpha", "a number from 0 to 1", alpha.Value.ToString(CultureInfo.InvariantCulture));
        return new Term<T>(gamma, alpha ?? 1, 1 - (alpha ?? 0));
    }

    private readonly struct Term<T>(double gamma, double positive, double negative) : IPairTerm<T> where T : unmanaged
    {
        private readonly double _gamma = gamma;
        private readonly double _positive = positive;
        private readonly double _negative = negative;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Value<S>(S logit, S target, out S slope) where S : struct, ISimd<S, T>
        {
            // Both probabilities from one exponential, so that neither is 1 less the other, which would lose a small one.
            var e = MathVector.Exp<T, S>(-S.Abs(logit));
            var below = S.Less(logit, S.Create(0));
            var share = S.Create(1) / (S.Create(1) + e);
            var s = S.Select(below, e, S.Create(1)) * share;
            var rest = S.Select(below, S.Create(1), e) * share;
            var other = S.Create(1) - target;
            var missed = (s * other) + (rest * target);
            var entropy = S.Max(logit, S.Create(0)) - (target * logit) + MathVector.Log1P<T, S>(e);
            var weight = ((S.Create(_positive) * target) + (S.Create(_negative) * other)) * Power(missed);
            // s (1 - s) / m is at most 1; a bound below keeps it a number where all of them vanish.
            var ratio = s * rest / S.Lift(missed, Least);
            slope = weight * ((s * other) - (rest * target) + (S.Create(_gamma) * ratio * (other - target) * entropy));
            return weight * entropy;
        }

        private static double Least => typeof(T) == typeof(float) ? 1e-37 : 1e-307;

        // Squares are what the source uses: they need no logarithm. The rest stays out of line, for it would take the compiler past its budget of inlining.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private S Power<S>(S missed) where S : struct, ISimd<S, T> => _gamma == 2 ? missed * missed : Power(missed, _gamma);

        [MethodImpl(MethodImplOptions.NoInlining)]
        private static S Power<S>(S missed, double gamma) where S : struct, ISimd<S, T> =>
            MathVector.Exp<T, S>(S.Create(gamma) * MathVector.Log<T, S>(S.Lift(missed, Least)));
    }
}

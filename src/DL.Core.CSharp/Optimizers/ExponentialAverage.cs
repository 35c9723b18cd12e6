using System.Numerics;
using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Optimizers;

/// <summary>The exponential average of weights: <c>a = decay a + (1 - decay) w</c>.</summary>
/// <remarks>Taken beside the training, it is often better than the last weights. An average equal to the weights stays as it is, bit for bit.
/// Source: B. T. Polyak and A. B. Juditsky, Acceleration of stochastic approximation by averaging, 1992, for averages of weights.</remarks>
public static class ExponentialAverage
{
    private const string Where = "ExponentialAverage";

    /// <summary>One step, in place on the average.</summary>
    /// <param name="average">Any shape, float32 or float64; the first weights before the first step; changed.</param>
    /// <param name="weights">The same shape.</param>
    /// <param name="decay">The share of the average that is kept, from 0 to below 1.</param>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, or the decay is out of range. Nothing has changed then.</exception>
    public static void Step(Tensor average, Tensor weights, double decay)
    {
        if (Check.IsDouble(Where, average, weights)) Step(average.InPlace<double>(Where), weights.As<double>(Where).Span, decay);
        else Step(average.InPlace<float>(Where), weights.As<float>(Where).Span, decay);
    }

    /// <summary>One step over spans.</summary>
    /// <param name="average">The average, changed.</param>
    /// <param name="weights">The weights.</param>
    /// <param name="decay">The share of the average that is kept, from 0 to below 1.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    /// <exception cref="InvalidArgumentException">The decay is out of range.</exception>
    public static void Step<T>(Span<T> average, ReadOnlySpan<T> weights, double decay) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Check.Beta(decay, Where, "decay");
        Check.SameLengths(average.Length, Where, weights.Length);
        Elementwise.Map(average, weights, average, new Rule<T>(1 - decay));
    }

    private readonly struct Rule<T>(double gain) : IBinary<T> where T : unmanaged
    {
        private readonly double _gain = gain;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S a, S w) where S : struct, ISimd<S, T> => S.Fma(S.Create(_gain), w - a, a);
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Optimizers;

/// <summary>The L2 penalty <c>lambda / 2 sum w^2</c>, whose gradient is <c>lambda w</c>.</summary>
/// <remarks>The form that divides by n is lambda divided by n. With gradient descent it is weight decay; for Adam <see cref="AdamW"/> differs.
/// Added up in float64. Source: A. Krogh and J. Hertz, A simple weight decay can improve generalization, 1991.</remarks>
public static class L2Penalty
{
    private const string Where = "L2Penalty";

    /// <summary><c>g += lambda w</c>, in place on the gradient.</summary>
    /// <param name="weights">Any shape, float32 or float64.</param>
    /// <param name="gradient">The same shape; changed.</param>
    /// <param name="lambda">The strength of the penalty, finite and at least 0; at 0 nothing changes.</param>
    /// <returns>The penalty, <c>lambda / 2 sum w^2</c>.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, or lambda is out of range. Nothing has changed then.</exception>
    public static double Apply(Tensor weights, Tensor gradient, double lambda)
    {
        var wide = Check.IsDouble(Where, weights, gradient);
        Check.AtLeastZero(lambda, Where, "lambda");
        if (lambda == 0) return 0;
        var value = wide
            ? Apply(weights.As<double>(Where).Span, gradient.InPlace<double>(Where), lambda)
            : Apply(weights.As<float>(Where).Span, gradient.InPlace<float>(Where), lambda);
        gradient.Rows?.Spread();
        return value;
    }

    /// <summary><c>g += lambda w</c> over spans.</summary>
    /// <param name="w">The weights.</param>
    /// <param name="g">Their gradients, changed.</param>
    /// <param name="lambda">The strength of the penalty, finite and at least 0; at 0 nothing changes.</param>
    /// <returns>The penalty, <c>lambda / 2 sum w^2</c>.</returns>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    /// <exception cref="InvalidArgumentException">Lambda is out of range.</exception>
    public static double Apply<T>(ReadOnlySpan<T> w, Span<T> g, double lambda) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Check.AtLeastZero(lambda, Where, "lambda");
        Check.SameLengths(w.Length, Where, g.Length);
        return lambda == 0 ? 0 : lambda / 2 * PenaltyJob<T, BlockSums.Square, Rule<T>>.Run(w, g, new Rule<T>(lambda));
    }

    private readonly struct Rule<T>(double lambda) : IBinary<T> where T : unmanaged
    {
        private readonly double _lambda = lambda;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S g, S w) where S : struct, ISimd<S, T> => S.Fma(S.Create(_lambda), w, g);
    }
}

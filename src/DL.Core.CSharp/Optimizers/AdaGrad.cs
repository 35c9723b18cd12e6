using System.Numerics;
using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Optimizers;

/// <summary>The settings of <see cref="AdaGrad"/>.</summary>
/// <param name="Rate">The learning rate eta, finite and at least 0.</param>
/// <param name="Epsilon">Keeps the division from zero; positive. torch: 1e-10.</param>
/// <param name="Placement">Where epsilon stands. torch: outside the root.</param>
public readonly record struct AdaGradSettings(
    double Rate, double Epsilon = 1e-8, EpsilonPlacement Placement = EpsilonPlacement.InsideRoot);

/// <summary>AdaGrad: <c>s += g^2; w -= eta g / sqrt(s + epsilon)</c>, or <c>/ (sqrt(s) + epsilon)</c> by <see cref="EpsilonPlacement"/>.</summary>
/// <remarks>A weight whose gradient is zero keeps its bits, and so does its s: where the gradient is that of an <see cref="Ops.Embedding"/>, only the rows it has touched are
/// visited. Source: J. Duchi, E. Hazan and Y. Singer, Adaptive subgradient methods for online learning and stochastic optimization, 2011.</remarks>
public static class AdaGrad
{
    private const string Where = "AdaGrad";

    /// <summary>One step, in place on the weights and the sum of squares.</summary>
    /// <param name="weights">Any shape, float32 or float64; changed.</param>
    /// <param name="gradient">The same shape.</param>
    /// <param name="squares">The sum of squared gradients s, of the same shape; zeros before the first step; changed.</param>
    /// <param name="settings">Rate and epsilon.</param>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, or a setting is out of range. Nothing has moved then.</exception>
    public static void Step(Tensor weights, Tensor gradient, Tensor squares, AdaGradSettings settings)
    {
        if (Check.IsDouble(Where, weights, gradient, squares)) Step<double>(weights, gradient, squares, settings);
        else Step<float>(weights, gradient, squares, settings);
    }

    /// <summary>One step over spans.</summary>
    /// <param name="w">The weights, changed.</param>
    /// <param name="g">Their gradients.</param>
    /// <param name="s">Their sums of squared gradients, changed.</param>
    /// <param name="settings">Rate and epsilon.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    /// <exception cref="InvalidArgumentException">A setting is out of range.</exception>
    public static void Step<T>(Span<T> w, ReadOnlySpan<T> g, Span<T> s, AdaGradSettings settings) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var rule = CheckedRule<T>(settings);
        Check.SameLengths(w.Length, Where, g.Length, s.Length);
        Fused.Run(w, g, s, rule);
    }

    private static void Step<T>(Tensor weights, Tensor gradient, Tensor squares, AdaGradSettings settings) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Tensor<T> w = weights.As<T>(Where), g = gradient.As<T>(Where), s = squares.As<T>(Where);
        if (g.Rows is { Whole: false }) FusedRows.Run(w, g, s, CheckedRule<T>(settings));
        else Step(w.Change(), g.Span, s.Change(), settings);
    }

    private static Rule<T> CheckedRule<T>(AdaGradSettings settings) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Check.AtLeastZero(settings.Rate, Where, "rate");
        Check.Positive(settings.Epsilon, Where, "epsilon");
        return new(settings.Rate, EpsilonParts.Of(settings.Epsilon, settings.Placement, Where));
    }

    private readonly struct Rule<T>(double rate, EpsilonParts epsilon) : IUpdate1<T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        private readonly T _rate = T.CreateTruncating(rate);
        private readonly T _inside = T.CreateTruncating(epsilon.Inside);
        private readonly T _outside = T.CreateTruncating(epsilon.Outside);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S w, S g, ref S s) where S : struct, ISimd<S, T>
        {
            s = S.Fma(g, g, s);
            var root = S.Sqrt(s + S.Broadcast(_inside)) + S.Broadcast(_outside);
            return Fused.Less<T, S>(w, S.Broadcast(_rate) * g / root);
        }
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Optimizers;

/// <summary>The settings of <see cref="RmsProp"/>.</summary>
/// <param name="Rate">The learning rate eta, finite and at least 0.</param>
/// <param name="Beta">The share of the mean square that is kept, from 0 to below 1. torch: 0.99, under the name alpha.</param>
/// <param name="Epsilon">Keeps the division from zero; positive.</param>
/// <param name="Placement">Where epsilon stands. torch: outside the root.</param>
public readonly record struct RmsPropSettings(
    double Rate, double Beta = 0.9, double Epsilon = 1e-8, EpsilonPlacement Placement = EpsilonPlacement.InsideRoot);

/// <summary>RMSprop: <c>s = beta s + (1 - beta) g^2; w -= eta g / sqrt(s + epsilon)</c>, or <c>/ (sqrt(s) + epsilon)</c> by <see cref="EpsilonPlacement"/>.</summary>
/// <remarks>Source: T. Tieleman and G. Hinton, Neural networks for machine learning, lecture 6e, 2012.</remarks>
public static class RmsProp
{
    private const string Where = "RmsProp";

    /// <summary>One step, in place on the weights and the mean square.</summary>
    /// <param name="weights">Any shape, float32 or float64; changed.</param>
    /// <param name="gradient">The same shape.</param>
    /// <param name="squares">The mean square s of the gradients, of the same shape; zeros before the first step; changed.</param>
    /// <param name="settings">Rate, beta and epsilon.</param>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, or a setting is out of range. Nothing has moved then.</exception>
    public static void Step(Tensor weights, Tensor gradient, Tensor squares, RmsPropSettings settings)
    {
        if (Check.IsDouble(Where, weights, gradient, squares))
            Step(weights.InPlace<double>(Where), gradient.As<double>(Where).Span, squares.InPlace<double>(Where), settings);
        else Step(weights.InPlace<float>(Where), gradient.As<float>(Where).Span, squares.InPlace<float>(Where), settings);
    }

    /// <summary>One step over spans.</summary>
    /// <param name="w">The weights, changed.</param>
    /// <param name="g">Their gradients.</param>
    /// <param name="s">The mean squares of their gradients, changed.</param>
    /// <param name="settings">Rate, beta and epsilon.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    /// <exception cref="InvalidArgumentException">A setting is out of range.</exception>
    public static void Step<T>(Span<T> w, ReadOnlySpan<T> g, Span<T> s, RmsPropSettings settings) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Check.AtLeastZero(settings.Rate, Where, "rate");
        Check.Beta(settings.Beta, Where, "beta");
        Check.Positive(settings.Epsilon, Where, "epsilon");
        var epsilon = EpsilonParts.Of(settings.Epsilon, settings.Placement, Where);
        Check.SameLengths(w.Length, Where, g.Length, s.Length);
        Fused.Run(w, g, s, new Rule<T>(settings.Rate, settings.Beta, epsilon));
    }

    private readonly struct Rule<T>(double rate, double beta, EpsilonParts epsilon) : IUpdate1<T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        private readonly T _rate = T.CreateTruncating(rate);
        private readonly T _beta = T.CreateTruncating(beta);
        private readonly T _gain = T.CreateTruncating(1 - beta);
        private readonly T _inside = T.CreateTruncating(epsilon.Inside);
        private readonly T _outside = T.CreateTruncating(epsilon.Outside);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S w, S g, ref S s) where S : struct, ISimd<S, T>
        {
            s = S.Fma(S.Broadcast(_beta), s, S.Broadcast(_gain) * (g * g));
            var root = S.Sqrt(s + S.Broadcast(_inside)) + S.Broadcast(_outside);
            return Fused.Less<T, S>(w, S.Broadcast(_rate) * g / root);
        }
    }
}

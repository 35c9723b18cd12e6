using System.Numerics;
using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Optimizers;

/// <summary>The settings of <see cref="Adadelta"/>.</summary>
/// <param name="Rate">The factor eta of the step, finite and at least 0; 1 is the method as published.</param>
/// <param name="Rho">The share of both mean squares that is kept, from 0 to below 1. torch: 0.9.</param>
/// <param name="Epsilon">Added under both roots; positive. The first steps grow with its root.</param>
public readonly record struct AdadeltaSettings(double Rate, double Rho = 0.95, double Epsilon = 1e-6);

/// <summary>Adadelta: <c>s = rho s + (1 - rho) g^2; d = g sqrt(u + epsilon) / sqrt(s + epsilon); u = rho u + (1 - rho) d^2; w -= eta d</c>.</summary>
/// <remarks>The step is measured in the units of the steps before it. Source: M. Zeiler, ADADELTA: an adaptive learning rate method, 2012, algorithm 1.</remarks>
public static class Adadelta
{
    private const string Where = "Adadelta";

    /// <summary>One step, in place on the weights and both mean squares.</summary>
    /// <param name="weights">Any shape, float32 or float64; changed.</param>
    /// <param name="gradient">The same shape.</param>
    /// <param name="squares">The mean square s of the gradients, of the same shape; zeros before the first step; changed.</param>
    /// <param name="steps">The mean square u of the steps, of the same shape; zeros before the first step; changed.</param>
    /// <param name="settings">Rate, rho and epsilon.</param>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, or a setting is out of range. Nothing has moved then.</exception>
    public static void Step(Tensor weights, Tensor gradient, Tensor squares, Tensor steps, AdadeltaSettings settings)
    {
        if (Check.IsDouble(Where, weights, gradient, squares, steps))
            Step(weights.InPlace<double>(Where), gradient.As<double>(Where).Span, squares.InPlace<double>(Where), steps.InPlace<double>(Where), settings);
        else Step(weights.InPlace<float>(Where), gradient.As<float>(Where).Span, squares.InPlace<float>(Where), steps.InPlace<float>(Where), settings);
    }

    /// <summary>One step over spans.</summary>
    /// <param name="w">The weights, changed.</param>
    /// <param name="g">Their gradients.</param>
    /// <param name="s">The mean squares of their gradients, changed.</param>
    /// <param name="u">The mean squares of their steps, changed.</param>
    /// <param name="settings">Rate, rho and epsilon.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    /// <exception cref="InvalidArgumentException">A setting is out of range.</exception>
    public static void Step<T>(Span<T> w, ReadOnlySpan<T> g, Span<T> s, Span<T> u, AdadeltaSettings settings)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Check.AtLeastZero(settings.Rate, Where, "rate");
        Check.Beta(settings.Rho, Where, "rho");
        Check.Positive(settings.Epsilon, Where, "epsilon");
        Check.SameLengths(w.Length, Where, g.Length, s.Length, u.Length);
        Fused.Run(w, g, s, u, new Rule<T>(settings));
    }

    private readonly struct Rule<T>(AdadeltaSettings settings) : IUpdate2<T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        private readonly T _rate = T.CreateTruncating(settings.Rate);
        private readonly T _rho = T.CreateTruncating(settings.Rho);
        private readonly T _gain = T.CreateTruncating(1 - settings.Rho);
        private readonly T _epsilon = T.CreateTruncating(settings.Epsilon);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S w, S g, ref S s, ref S u) where S : struct, ISimd<S, T>
        {
            S rho = S.Broadcast(_rho), gain = S.Broadcast(_gain), epsilon = S.Broadcast(_epsilon);
            s = S.Fma(rho, s, gain * (g * g));
            var step = S.Sqrt((u + epsilon) / (s + epsilon)) * g;
            u = S.Fma(rho, u, gain * (step * step));
            return Fused.Less<T, S>(w, S.Broadcast(_rate) * step);
        }
    }
}

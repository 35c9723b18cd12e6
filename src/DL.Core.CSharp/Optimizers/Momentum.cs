using System.Numerics;
using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Optimizers;

/// <summary>What the velocity of momentum holds.</summary>
public enum MomentumForm
{
    /// <summary><c>v = beta v + eta g; w -= v</c>: a velocity, which the rate is part of.</summary>
    Classic,

    /// <summary><c>v = beta v + (1 - beta) g; w -= eta v</c>: a moving average of gradients.</summary>
    Averaged,

    /// <summary><c>v = beta v + g; w -= eta v</c>: a decaying sum of gradients, as in torch.</summary>
    Summed,
}

/// <summary>The settings of <see cref="Momentum"/>.</summary>
/// <param name="Rate">The learning rate eta, finite and at least 0.</param>
/// <param name="Beta">The share of the velocity that is kept, from 0 to below 1.</param>
/// <param name="Form">What the velocity holds.</param>
/// <param name="Nesterov">Whether the step looks one velocity ahead.</param>
public readonly record struct MomentumSettings(
    double Rate, double Beta = 0.9, MomentumForm Form = MomentumForm.Classic, bool Nesterov = false);

/// <summary>Gradient descent with momentum: <c>v = beta v + c g; w -= s v</c> with (c, s) = (eta, 1), (1 - beta, eta) or (1, eta) by <see cref="MomentumForm"/>.</summary>
/// <remarks>Nesterov's form steps by <c>s (beta v + c g)</c> with the new v. With beta 0 it is <see cref="Sgd"/>.
/// Source: B. T. Polyak, Some methods of speeding up the convergence of iteration methods, 1964; I. Sutskever et al., On the importance of initialization
/// and momentum in deep learning, 2013, eq. 1 to 4.</remarks>
public static class Momentum
{
    /// <summary>One step, in place on the weights and the velocity.</summary>
    /// <param name="weights">Any shape, float32 or float64; changed.</param>
    /// <param name="gradient">The same shape.</param>
    /// <param name="velocity">The same shape; zeros before the first step; changed.</param>
    /// <param name="settings">Rate, beta and form.</param>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, or a setting is out of range. Nothing has moved then.</exception>
    public static void Step(Tensor weights, Tensor gradient, Tensor velocity, MomentumSettings settings)
    {
        const string Where = "Momentum";
        if (Check.IsDouble(Where, weights, gradient, velocity))
            Step(weights.InPlace<double>(Where), gradient.As<double>(Where).Span, velocity.InPlace<double>(Where), settings);
        else Step(weights.InPlace<float>(Where), gradient.As<float>(Where).Span, velocity.InPlace<float>(Where), settings);
    }

    /// <summary>One step over spans.</summary>
    /// <param name="w">The weights, changed.</param>
    /// <param name="g">Their gradients.</param>
    /// <param name="v">Their velocities, changed.</param>
    /// <param name="settings">Rate, beta and form.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    /// <exception cref="InvalidArgumentException">A setting is out of range.</exception>
    public static void Step<T>(Span<T> w, ReadOnlySpan<T> g, Span<T> v, MomentumSettings settings) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Check.AtLeastZero(settings.Rate, "Momentum", "rate");
        Check.Beta(settings.Beta, "Momentum", "beta");
        Check.SameLengths(w.Length, "Momentum", g.Length, v.Length);
        var (gain, step) = settings.Form switch
        {
            MomentumForm.Classic => (settings.Rate, 1),
            MomentumForm.Averaged => (1 - settings.Beta, settings.Rate),
            MomentumForm.Summed => (1, settings.Rate),
            _ => throw new InvalidArgumentException("Momentum", "a form of MomentumForm", $"{settings.Form}"),
        };
        Fused.Run(w, g, v, new Rule<T>(settings.Beta, gain, step, settings.Nesterov));
    }

    private readonly struct Rule<T>(double beta, double gain, double step, bool nesterov) : IUpdate1<T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        private readonly T _beta = T.CreateTruncating(beta);
        private readonly T _gain = T.CreateTruncating(gain);
        private readonly T _step = T.CreateTruncating(step);
        private readonly bool _nesterov = nesterov;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S w, S g, ref S v) where S : struct, ISimd<S, T>
        {
            var push = S.Broadcast(_gain) * g;
            v = S.Fma(S.Broadcast(_beta), v, push);
            var ahead = _nesterov ? S.Fma(S.Broadcast(_beta), v, push) : v;
            return Fused.Less<T, S>(w, S.Broadcast(_step) * ahead);
        }
    }
}

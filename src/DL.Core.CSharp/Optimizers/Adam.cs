using System.Numerics;
using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Optimizers;

/// <summary>The settings of <see cref="Adam"/>.</summary>
/// <param name="Rate">The learning rate eta, finite and at least 0.</param>
/// <param name="Beta1">The decay of the first moment, from 0 to below 1.</param>
/// <param name="Beta2">The decay of the second moment, from 0 to below 1.</param>
/// <param name="Epsilon">Added to the root of the second moment; positive.</param>
public readonly record struct AdamSettings(double Rate, double Beta1 = 0.9, double Beta2 = 0.999, double Epsilon = 1e-8);

/// <summary>Adam: <c>m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2; w -= eta mhat / (sqrt(vhat) + eps)</c>.</summary>
/// <remarks>The moments are bias-corrected, <c>mhat = m / (1 - beta1^t)</c> and <c>vhat = v / (1 - beta2^t)</c>, with t from 1.
/// Source: D. P. Kingma and J. Ba, Adam: a method for stochastic optimization, 2015, algorithm 1.</remarks>
public static class Adam
{
    /// <summary>One step, in place on the weights and both moments.</summary>
    /// <param name="weights">Any shape, float32 or float64; changed.</param>
    /// <param name="gradient">The same shape.</param>
    /// <param name="m">The first moment, of the same shape; zeros before the first step; changed.</param>
    /// <param name="v">The second moment, of the same shape; zeros before the first step; changed.</param>
    /// <param name="settings">Rate, betas and epsilon.</param>
    /// <param name="t">The number of this step, from 1.</param>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, or a setting is out of range. Nothing has moved then.</exception>
    public static void Step(Tensor weights, Tensor gradient, Tensor m, Tensor v, AdamSettings settings, int t)
    {
        const string Where = "Adam";
        if (Check.IsDouble(Where, weights, gradient, m, v))
            Step(weights.InPlace<double>(Where), gradient.As<double>(Where).Span, m.InPlace<double>(Where), v.InPlace<double>(Where), settings, t);
        else Step(weights.InPlace<float>(Where), gradient.As<float>(Where).Span, m.InPlace<float>(Where), v.InPlace<float>(Where), settings, t);
    }

    /// <summary>One step over spans.</summary>
    /// <param name="w">The weights, changed.</param>
    /// <param name="g">Their gradients.</param>
    /// <param name="m">The first moments, changed.</param>
    /// <param name="v">The second moments, changed.</param>
    /// <param name="settings">Rate, betas and epsilon.</param>
    /// <param name="t">The number of this step, from 1.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    /// <exception cref="InvalidArgumentException">A setting is out of range.</exception>
    public static void Step<T>(Span<T> w, ReadOnlySpan<T> g, Span<T> m, Span<T> v, AdamSettings settings, int t)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Step("Adam", w, g, m, v, settings, 0, t);

    /// <summary>One step with the weights first shrunk by <c>1 - eta lambda</c>.</summary>
    internal static void Step<T>(string where, Span<T> w, ReadOnlySpan<T> g, Span<T> m, Span<T> v, AdamSettings settings, double decay, int t)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CheckSettings(where, settings, decay, t);
        Check.SameLengths(w.Length, where, g.Length, m.Length, v.Length);
        Fused.Run(w, g, m, v, new Rule<T>(settings, decay, t));
    }

    /// <summary>One step of some rows; lengths and rows have been checked.</summary>
    internal static void StepRows<T>(
        string where, Span<T> w, ReadOnlySpan<T> g, Span<T> m, Span<T> v, ReadOnlySpan<int> rows, int width, AdamSettings settings, int t)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CheckSettings(where, settings, 0, t);
        FusedRows.Run(w, g, m, v, rows, width, new Rule<T>(settings, 0, t));
    }

    /// <summary>One step of the rows that a gradient touches; the shapes have been checked.</summary>
    internal static void StepRows<T>(string where, Tensor<T> w, Tensor<T> g, Tensor<T> m, Tensor<T> v, AdamSettings settings, int t)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CheckSettings(where, settings, 0, t);
        FusedRows.Run(w, g, m, v, new Rule<T>(settings, 0, t));
    }

    private static void CheckSettings(string where, AdamSettings settings, double decay, int t)
    {
        Check.AtLeastZero(settings.Rate, where, "rate");
        Check.Beta(settings.Beta1, where, "beta1");
        Check.Beta(settings.Beta2, where, "beta2");
        Check.Positive(settings.Epsilon, where, "epsilon");
        Check.AtLeastZero(decay, where, "decay");
        Check.Step(t, where);
    }

    private readonly struct Rule<T>(AdamSettings settings, double decay, int t) : IUpdate2<T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        private readonly T _beta1 = T.CreateTruncating(settings.Beta1);
        private readonly T _beta2 = T.CreateTruncating(settings.Beta2);
        private readonly T _gain1 = T.CreateTruncating(1 - settings.Beta1);
        private readonly T _gain2 = T.CreateTruncating(1 - settings.Beta2);
        private readonly T _epsilon = T.CreateTruncating(settings.Epsilon);
        private readonly T _step = T.CreateTruncating(settings.Rate / (1 - Math.Pow(settings.Beta1, t)));
        private readonly T _correction = T.CreateTruncating(1 / (1 - Math.Pow(settings.Beta2, t)));
        private readonly T _keep = T.CreateTruncating(1 - (settings.Rate * decay));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S w, S g, ref S m, ref S v) where S : struct, ISimd<S, T>
        {
            m = S.Fma(S.Broadcast(_beta1), m, S.Broadcast(_gain1) * g);
            v = S.Fma(S.Broadcast(_beta2), v, S.Broadcast(_gain2) * (g * g));
            var root = S.Sqrt(v * S.Broadcast(_correction)) + S.Broadcast(_epsilon);
            return Fused.Less<T, S>(w * S.Broadcast(_keep), S.Broadcast(_step) * m / root);
        }
    }
}

using System.Numerics;

namespace DL.Core.Optimizers;

/// <summary>The settings of <see cref="AdamW"/>.</summary>
/// <param name="Rate">The learning rate eta, finite and at least 0.</param>
/// <param name="Beta1">The decay of the first moment, from 0 to below 1.</param>
/// <param name="Beta2">The decay of the second moment, from 0 to below 1.</param>
/// <param name="Epsilon">Added to the root of the second moment; positive.</param>
/// <param name="Decay">The decoupled weight decay lambda, finite and at least 0.</param>
public readonly record struct AdamWSettings(
    double Rate, double Beta1 = 0.9, double Beta2 = 0.999, double Epsilon = 1e-8, double Decay = 0.01);

/// <summary>Adam with decoupled weight decay: <c>w -= eta lambda w</c>, then the step of <see cref="Adam"/>.</summary>
/// <remarks>The decay takes no part in the moments. With lambda 0 it is Adam, bit for bit.
/// Source: I. Loshchilov and F. Hutter, Decoupled weight decay regularization, 2019, algorithm 2.</remarks>
public static class AdamW
{
    /// <summary>One step, in place on the weights and both moments.</summary>
    /// <param name="weights">Any shape, float32 or float64; changed.</param>
    /// <param name="gradient">The same shape.</param>
    /// <param name="m">The first moment, of the same shape; zeros before the first step; changed.</param>
    /// <param name="v">The second moment, of the same shape; zeros before the first step; changed.</param>
    /// <param name="settings">Rate, betas, epsilon and decay.</param>
    /// <param name="t">The number of this step, from 1.</param>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, or a setting is out of range. Nothing has moved then.</exception>
    public static void Step(Tensor weights, Tensor gradient, Tensor m, Tensor v, AdamWSettings settings, int t)
    {
        const string Where = "AdamW";
        if (Check.IsDouble(Where, weights, gradient, m, v))
            Step(weights.InPlace<double>(Where), gradient.As<double>(Where).Span, m.InPlace<double>(Where), v.InPlace<double>(Where), settings, t);
        else Step(weights.InPlace<float>(Where), gradient.As<float>(Where).Span, m.InPlace<float>(Where), v.InPlace<float>(Where), settings, t);
    }

    /// <summary>One step over spans.</summary>
    /// <param name="w">The weights, changed.</param>
    /// <param name="g">Their gradients.</param>
    /// <param name="m">The first moments, changed.</param>
    /// <param name="v">The second moments, changed.</param>
    /// <param name="settings">Rate, betas, epsilon and decay.</param>
    /// <param name="t">The number of this step, from 1.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    /// <exception cref="InvalidArgumentException">A setting is out of range.</exception>
    public static void Step<T>(Span<T> w, ReadOnlySpan<T> g, Span<T> m, Span<T> v, AdamWSettings settings, int t)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Adam.Step("AdamW", w, g, m, v, new AdamSettings(settings.Rate, settings.Beta1, settings.Beta2, settings.Epsilon), settings.Decay, t);
}

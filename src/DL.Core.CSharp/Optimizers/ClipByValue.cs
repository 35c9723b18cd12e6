using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Optimizers;

/// <summary>Gradient clipping by value: <c>g = min(max(g, -limit), limit)</c>, every element by itself.</summary>
/// <remarks>It may turn the direction of the gradient, which <see cref="ClipByGlobalNorm"/> keeps. A gradient that is NaN stays NaN.
/// Source: T. Mikolov, Statistical language models based on neural networks, 2012, section 3.2.2.</remarks>
public static class ClipByValue
{
    private const string Where = "ClipByValue";

    /// <summary>Clips several gradients, in place.</summary>
    /// <param name="gradients">Tensors of float32 or float64; changed where a size exceeds the limit.</param>
    /// <param name="limit">The largest size allowed, positive; infinity leaves everything as it is.</param>
    /// <exception cref="InvalidArgumentException">The limit is not positive, or a gradient is of integers. Nothing has changed then.</exception>
    public static void Apply(IReadOnlyList<Tensor> gradients, double limit)
    {
        CheckLimit(limit);
        foreach (var gradient in gradients) gradient.IsDouble(Where);
        foreach (var gradient in gradients)
        {
            if (gradient is Tensor<double> wide) Apply(wide.Change(), limit);
            else Apply(gradient.InPlace<float>(Where), limit);
        }
    }

    /// <summary>Clips one span, in place.</summary>
    /// <param name="gradient">The gradients; changed where a size exceeds the limit.</param>
    /// <param name="limit">The largest size allowed, positive; infinity leaves everything as it is.</param>
    /// <exception cref="InvalidArgumentException">The limit is not positive.</exception>
    public static void Apply<T>(Span<T> gradient, double limit) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CheckLimit(limit);
        Elementwise.Map(gradient, gradient, new Rule<T>(limit));
    }

    private static void CheckLimit(double limit)
    {
        if (!(limit > 0)) throw new InvalidArgumentException(Where, "a positive limit", limit.ToString(CultureInfo.InvariantCulture));
    }

    private readonly struct Rule<T>(double limit) : IUnary<T> where T : unmanaged
    {
        private readonly double _limit = limit;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S g) where S : struct, ISimd<S, T> => S.Clamp(g, -_limit, _limit);
    }
}

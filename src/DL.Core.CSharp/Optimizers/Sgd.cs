using System.Numerics;
using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Optimizers;

/// <summary>Gradient descent: <c>w -= eta g</c>.</summary>
/// <remarks>Batch, mini-batch and single-sample descent differ only in the examples that g is computed from. Where g is that of an <see cref="Ops.Embedding"/>, only the rows it
/// has touched are visited, for the others would keep their bits. Optimizers are the only calls of the library that change their arguments. Source: H. Robbins and S. Monro, A stochastic approximation method, 1951.</remarks>
public static class Sgd
{
    /// <summary><c>w -= eta g</c>, in place.</summary>
    /// <param name="weights">Any shape, float32 or float64; changed.</param>
    /// <param name="gradient">The same shape.</param>
    /// <param name="rate">The learning rate eta, finite and at least 0.</param>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, or the rate is out of range. Nothing has moved then.</exception>
    public static void Step(Tensor weights, Tensor gradient, double rate)
    {
        if (Check.IsDouble("Sgd", weights, gradient)) Step<double>(weights, gradient, rate);
        else Step<float>(weights, gradient, rate);
    }

    /// <summary><c>w -= eta g</c> over spans.</summary>
    /// <param name="w">The weights, changed.</param>
    /// <param name="g">Their gradients.</param>
    /// <param name="rate">The learning rate eta, finite and at least 0.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    /// <exception cref="InvalidArgumentException">The rate is out of range.</exception>
    public static void Step<T>(Span<T> w, ReadOnlySpan<T> g, double rate) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Check.AtLeastZero(rate, "Sgd", "rate");
        Check.SameLengths(w.Length, "Sgd", g.Length);
        Elementwise.Map(w, g, w, new Rule<T>(rate));
    }

    private static void Step<T>(Tensor weights, Tensor gradient, double rate) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (gradient.Rows is { Whole: false })
        {
            Check.AtLeastZero(rate, "Sgd", "rate");
            FusedRows.Run(weights.As<T>("Sgd"), gradient.As<T>("Sgd"), new Rule<T>(rate));
        }
        else
        {
            Step(weights.InPlace<T>("Sgd"), gradient.As<T>("Sgd").Span, rate);
        }
    }

    private readonly struct Rule<T>(double rate) : IBinary<T> where T : unmanaged
    {
        private readonly double _rate = rate;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S w, S g) where S : struct, ISimd<S, T> => Fused.Less<T, S>(w, S.Create(_rate) * g);
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>Exponential linear unit: <c>y = x where x &gt; 0, else alpha (e^x - 1)</c>.</summary>
/// <remarks>Backward: the derivative at <c>x = 0</c> is alpha, which is no kink for the usual alpha of 1.
/// Source: D. Clevert, T. Unterthiner and S. Hochreiter, Fast and accurate deep network learning by exponential linear units, 2016.</remarks>
public static class Elu
{
    /// <summary><c>y = x where x &gt; 0, else alpha (e^x - 1)</c>.</summary>
    /// <param name="x">Any shape, float32 or float64.</param>
    /// <param name="alpha">The limit <c>-alpha</c> on the left.</param>
    /// <returns>A tensor of the shape of <paramref name="x"/>.</returns>
    /// <exception cref="InvalidArgumentException">The elements are integers, or alpha is not finite.</exception>
    public static Tensor Forward(Tensor x, double alpha = 1) => ApplyWith.Unary("Elu", x, alpha, Forward, Forward);

    /// <summary><c>dx = dy where x &gt; 0, else dy alpha e^x</c>.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="x">The input of <see cref="Forward(Tensor, double)"/>.</param>
    /// <param name="alpha">The limit <c>-alpha</c> on the left.</param>
    /// <returns>The gradient of the input.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    public static Tensor Backward(Tensor dy, Tensor x, double alpha = 1) => ApplyWith.Binary("Elu.Backward", dy, x, alpha, Backward, Backward);

    /// <summary><c>y = x where x &gt; 0, else alpha (e^x - 1)</c> over spans; y may be x.</summary>
    /// <param name="x">The input.</param>
    /// <param name="alpha">The limit <c>-alpha</c> on the left.</param>
    /// <param name="y">The output, overwritten.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    /// <exception cref="InvalidArgumentException">alpha is not finite.</exception>
    public static void Forward<T>(ReadOnlySpan<T> x, double alpha, Span<T> y) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Apply.SameLength(x.Length, y.Length, "Elu");
        ApplyWith.Finite(alpha, "Elu, alpha");
        Elementwise.Map(x, y, new Value<T>(alpha));
    }

    /// <summary><c>dx = dy where x &gt; 0, else dy alpha e^x</c> over spans; dx may be dy.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="x">The input.</param>
    /// <param name="alpha">The limit <c>-alpha</c> on the left.</param>
    /// <param name="dx">The gradient of the input, overwritten.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    /// <exception cref="InvalidArgumentException">alpha is not finite.</exception>
    public static void Backward<T>(ReadOnlySpan<T> dy, ReadOnlySpan<T> x, double alpha, Span<T> dx) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Apply.SameLength(dy.Length, x.Length, "Elu.Backward");
        Apply.SameLength(dy.Length, dx.Length, "Elu.Backward");
        ApplyWith.Finite(alpha, "Elu, alpha");
        Elementwise.Map(dy, x, dx, new Gradient<T>(alpha));
    }

    private readonly struct Value<T>(double alpha) : IUnary<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S x) where S : struct, ISimd<S, T> => S.Select(S.Greater(x, S.Create(0)), x, S.Create(alpha) * MathVector.ExpM1<T, S>(x));
    }

    private readonly struct Gradient<T>(double alpha) : IBinary<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S dy, S x) where S : struct, ISimd<S, T> => S.Select(S.Greater(x, S.Create(0)), dy, dy * (S.Create(alpha) * MathVector.Exp<T, S>(x)));
    }
}

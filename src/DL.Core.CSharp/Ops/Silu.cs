using System.Numerics;
using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>Sigmoid linear unit, also called swish: <c>y = x s(x), s(x) = 1 / (1 + e^-x)</c>.</summary>
/// <remarks>The limits at -infinity and infinity are 0 and infinity. Source: S. Elfwing, E. Uchibe and K. Doya, Sigmoid-weighted linear units, 2018.</remarks>
public static class Silu
{
    // From here on the sigmoid is 0 or 1 in both precisions; an infinite x would turn the product into NaN.
    private const double Far = 1000;

    /// <summary><c>y = x s(x), s(x) = 1 / (1 + e^-x)</c>.</summary>
    /// <param name="x">Any shape, float32 or float64.</param>
    /// <returns>A tensor of the shape of <paramref name="x"/>.</returns>
    /// <exception cref="InvalidArgumentException">The elements are integers.</exception>
    public static Tensor Forward(Tensor x) => Apply.Unary("Silu", x, Forward, Forward);

    /// <summary><c>dx = dy s(x) (1 + x (1 - s(x)))</c>.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="x">The input of <see cref="Forward(Tensor)"/>.</param>
    /// <returns>The gradient of the input.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    public static Tensor Backward(Tensor dy, Tensor x) => Apply.Binary("Silu.Backward", dy, x, Backward, Backward);

    /// <summary><c>y = x s(x), s(x) = 1 / (1 + e^-x)</c> over spans; y may be x.</summary>
    /// <param name="x">The input.</param>
    /// <param name="y">The output, overwritten.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    public static void Forward<T>(ReadOnlySpan<T> x, Span<T> y) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Apply.SameLength(x.Length, y.Length, "Silu");
        Elementwise.Map(x, y, default(Value<T>));
    }

    /// <summary><c>dx = dy s(x) (1 + x (1 - s(x)))</c> over spans; dx may be dy.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="x">The input.</param>
    /// <param name="dx">The gradient of the input, overwritten.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    public static void Backward<T>(ReadOnlySpan<T> dy, ReadOnlySpan<T> x, Span<T> dx) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Apply.SameLength(dy.Length, x.Length, "Silu.Backward");
        Apply.SameLength(dy.Length, dx.Length, "Silu.Backward");
        Elementwise.Map(dy, x, dx, default(Gradient<T>));
    }

    private readonly struct Value<T> : IUnary<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S x) where S : struct, ISimd<S, T> => Of<T, S>(x, MathVector.Sigmoid<T, S>(x));
    }

    private readonly struct Gradient<T> : IBinary<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S dy, S x) where S : struct, ISimd<S, T> => dy * Slope<T, S>(x, MathVector.Sigmoid<T, S>(x));
    }

    /// <summary>x s(x) from x and s(x) inside another kernel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static S Of<T, S>(S x, S s) where T : unmanaged where S : struct, ISimd<S, T> => S.Clamp(x, -Far, double.PositiveInfinity) * s;

    /// <summary>The derivative of x s(x) from x and s(x) inside another kernel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static S Slope<T, S>(S x, S s) where T : unmanaged where S : struct, ISimd<S, T>
    {
        var near = S.Clamp(x, -Far, Far);
        return S.Fma(s * (S.Create(1) - s), near, s);
    }
}

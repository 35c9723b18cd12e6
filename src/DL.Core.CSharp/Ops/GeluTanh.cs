using System.Numerics;
using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>Gaussian error linear unit in its tanh form: <c>y = x / (1 + e^-2u), u = sqrt(2 / pi) (x + 0.044715 x^3)</c>.</summary>
/// <remarks>The same as <c>x (1 + tanh u) / 2</c>, without its cancellation on the left. It differs from <see cref="Gelu"/> by at most 5e-4.
/// Source: D. Hendrycks and K. Gimpel, Gaussian error linear units, 2016.</remarks>
public static class GeluTanh
{
    /// <summary>2 sqrt(2 / pi).</summary>
    private const double Linear = 1.5957691216057308;
    private const double Cubic = 0.044715;

    // From here on the sigmoid is 0 or 1 in both precisions; an infinite x would turn the product into NaN.
    private const double Far = 40;

    /// <summary><c>y = x / (1 + e^-2u), u = sqrt(2 / pi) (x + 0.044715 x^3)</c>.</summary>
    /// <param name="x">Any shape, float32 or float64.</param>
    /// <returns>A tensor of the shape of <paramref name="x"/>.</returns>
    /// <exception cref="InvalidArgumentException">The elements are integers.</exception>
    public static Tensor Forward(Tensor x) => Apply.Unary("GeluTanh", x, Forward, Forward);

    /// <summary><c>dx = dy s (1 + 2 x u' (1 - s)), s = 1 / (1 + e^-2u)</c>.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="x">The input of <see cref="Forward(Tensor)"/>.</param>
    /// <returns>The gradient of the input.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    public static Tensor Backward(Tensor dy, Tensor x) => Apply.Binary("GeluTanh.Backward", dy, x, Backward, Backward);

    /// <summary><c>y = x / (1 + e^-2u), u = sqrt(2 / pi) (x + 0.044715 x^3)</c> over spans; y may be x.</summary>
    /// <param name="x">The input.</param>
    /// <param name="y">The output, overwritten.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    public static void Forward<T>(ReadOnlySpan<T> x, Span<T> y) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Apply.SameLength(x.Length, y.Length, "GeluTanh");
        Elementwise.Map(x, y, default(Value<T>));
    }

    /// <summary><c>dx = dy s (1 + 2 x u' (1 - s)), s = 1 / (1 + e^-2u)</c> over spans; dx may be dy.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="x">The input.</param>
    /// <param name="dx">The gradient of the input, overwritten.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    public static void Backward<T>(ReadOnlySpan<T> dy, ReadOnlySpan<T> x, Span<T> dx) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Apply.SameLength(dy.Length, x.Length, "GeluTanh.Backward");
        Apply.SameLength(dy.Length, dx.Length, "GeluTanh.Backward");
        Elementwise.Map(dy, x, dx, default(Gradient<T>));
    }

    private readonly struct Value<T> : IUnary<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S x) where S : struct, ISimd<S, T>
        {
            var limited = S.Clamp(x, -Far, double.PositiveInfinity);
            return limited * MathVector.Sigmoid<T, S>(TwiceU<T, S>(limited, limited * limited));
        }
    }

    private readonly struct Gradient<T> : IBinary<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S dy, S x) where S : struct, ISimd<S, T>
        {
            var limited = S.Clamp(x, -Far, Far);
            var square = limited * limited;
            // 1 - s would cancel where s is near 1 and the slope of u is large: s (1 - s) = e / (1 + e)^2, even in u.
            var u = TwiceU<T, S>(limited, square);
            var e = MathVector.Exp<T, S>(-S.Abs(u));
            var half = S.Create(1) / (S.Create(1) + e);
            var s = S.Select(S.Less(u, S.Create(0)), e * half, half);
            var slope = limited * S.Fma(square, S.Create(3 * Cubic * Linear), S.Create(Linear));
            return dy * S.Fma(e * half * half, slope, s);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static S TwiceU<T, S>(S x, S square) where T : unmanaged where S : struct, ISimd<S, T> =>
        x * S.Fma(square, S.Create(Cubic * Linear), S.Create(Linear));
}

using System.Numerics;
using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>Gaussian error linear unit: <c>y = x Phi(x)</c>.</summary>
/// <remarks><c>Phi</c> is the distribution function of the unit normal and <c>phi</c> its density. Exact, with relative accuracy in both tails;
/// the limits at -infinity and infinity are 0 and infinity. Source: D. Hendrycks and K. Gimpel, Gaussian error linear units, 2016.</remarks>
public static class Gelu
{
    // From here on Phi is 0 or 1 and phi is 0 in both precisions; an infinite x would turn the product into NaN.
    private const double Far = 40;

    /// <summary><c>y = x Phi(x)</c>.</summary>
    /// <param name="x">Any shape, float32 or float64.</param>
    /// <returns>A tensor of the shape of <paramref name="x"/>.</returns>
    /// <exception cref="InvalidArgumentException">The elements are integers.</exception>
    public static Tensor Forward(Tensor x) => Apply.Unary("Gelu", x, Forward, Forward);

    /// <summary><c>dx = dy (Phi(x) + x phi(x))</c>.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="x">The input of <see cref="Forward(Tensor)"/>.</param>
    /// <returns>The gradient of the input.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    public static Tensor Backward(Tensor dy, Tensor x) => Apply.Binary("Gelu.Backward", dy, x, Backward, Backward);

    /// <summary><c>y = x Phi(x)</c> over spans; y may be x.</summary>
    /// <param name="x">The input.</param>
    /// <param name="y">The output, overwritten.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    public static void Forward<T>(ReadOnlySpan<T> x, Span<T> y) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Apply.SameLength(x.Length, y.Length, "Gelu");
        Elementwise.Map(x, y, default(Value<T>));
    }

    /// <summary><c>dx = dy (Phi(x) + x phi(x))</c> over spans; dx may be dy.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="x">The input.</param>
    /// <param name="dx">The gradient of the input, overwritten.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    public static void Backward<T>(ReadOnlySpan<T> dy, ReadOnlySpan<T> x, Span<T> dx) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Apply.SameLength(dy.Length, x.Length, "Gelu.Backward");
        Apply.SameLength(dy.Length, dx.Length, "Gelu.Backward");
        Elementwise.Map(dy, x, dx, default(Gradient<T>));
    }

    private readonly struct Value<T> : IUnary<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S x) where S : struct, ISimd<S, T> => S.Clamp(x, -Far, double.PositiveInfinity) * MathVector.NormalCdf<T, S>(x, out _);
    }

    private readonly struct Gradient<T> : IBinary<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S dy, S x) where S : struct, ISimd<S, T>
        {
            var cdf = MathVector.NormalCdf<T, S>(x, out var density);
            var near = S.Clamp(x, -Far, Far);
            return dy * S.Fma(near, density, cdf);
        }
    }
}

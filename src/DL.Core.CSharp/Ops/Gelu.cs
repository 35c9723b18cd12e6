using System.Numerics;
using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>Gaussian error linear unit: <c>y = x Phi(x)</c>.</summary>
/// <remarks><c>Phi</c> is the distribution function of the unit normal and <c>phi</c> its density. Exact, with relative accuracy in both tails;
/// the limits at -infinity and infinity are 0 and infinity. Source: D. Hendrycks and K. Gimpel, Gaussian error linear units, 2016.</remarks>
public static class Gelu
{
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

    // x Phi(x) = max(x, 0) - |x| Phi(-|x|) for either sign.
    private readonly struct Value<T> : IUnary<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S x) where S : struct, ISimd<S, T>
        {
            var tail = MathVector.NormalTail<T, S>(x, out var a, out _);
            var y = S.Fma(-a, tail, S.Lift(x, 0));
            if (typeof(T) == typeof(float)) return y;
            var near = S.Fma(x * x, MathVector.NormalCentre<T, S>(a), x * S.Create(0.5));
            return S.Select(S.Less(a, S.Create(1)), near, y);
        }
    }

    private readonly struct Gradient<T> : IBinary<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S dy, S x) where S : struct, ISimd<S, T>
        {
            var tail = MathVector.NormalTail<T, S>(x, out var a, out var density);
            // Phi(x) + x phi(x) = s for negative x and 1 - s for positive x, with s = Phi(-a) - a phi(a).
            var s = S.Fma(-a, density, tail);
            var slope = S.Select(S.Greater(x, S.Create(0)), S.Create(1) - s, s);
            if (typeof(T) == typeof(float)) return dy * slope;
            var near = S.Fma(x, MathVector.NormalCentre<T, S>(a) + density, S.Create(0.5));
            return dy * S.Select(S.Less(a, S.Create(1)), near, slope);
        }
    }
}

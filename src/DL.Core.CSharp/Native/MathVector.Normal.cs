using System.Runtime.CompilerServices;

namespace DL.Core.Kernels;

/// <content>The normal distribution.</content>
internal static partial class MathVector
{
    private const double InverseRoot2Pi = 0.3989422804014327;

    /// <summary>Phi(-|x|), the integral of phi(t) = e^(-t^2 / 2) / sqrt(2 pi) from -infinity to -|x|, with |x| as far as it matters and phi(x) itself.
    /// Worst error 18 in float32 for |x| up to 6, 3.34 in float64 beyond 1.</summary>
    /// <remarks>Phi(-a) = e^(-a^2 / 2) R(a) for a from 0 on, so that the tail keeps its relative accuracy where 1 + erf would cancel. R and the
    /// other polynomials are fitted at Chebyshev points.</remarks>
    [MethodImpl(Inline)]
    public static S NormalTail<T, S>(S x, out S a, out S density) where T : unmanaged where S : struct, ISimd<S, T>
    {
        var single = typeof(T) == typeof(float);
        // At these ends the exponential is still a normal number, so it needs no bounds of its own.
        a = S.Cap(S.Abs(x), single ? 13 : 37.5);
        var square = a * a;
        S e;
        if (single)
        {
            // e^(-a^2 / 2) as a power of two, which takes one multiplication less.
            var n = NearestInteger<T, S>(square, -0.5 * Log2E);
            e = S.Scale(Exp2Small<T, S>(S.Fma(square, S.Create(-0.5 * Log2E), -n)), n);
        }
        else
        {
            e = ExpWithin<T, S>(square * S.Create(-0.5));
            // The rounding error of the square would be multiplied by the square in the exponential: it is put back.
            e = S.Fma(e, S.Fma(a, a, -square) * S.Create(-0.5), e);
        }

        density = e * S.Create(InverseRoot2Pi);
        return e * (single ? TailSingle<T, S>(a) : TailDouble<T, S>(a));
    }

    /// <summary>(Phi(x) - 1/2) / x for |x| at most 1 in float64, where the form of the tail would feel every rounding.</summary>
    [MethodImpl(Inline)]
    public static S NormalCentre<T, S>(S a) where T : unmanaged where S : struct, ISimd<S, T> => Centre<T, S>(a * a);

    /// <summary>R(a) as a polynomial in t = 1 / (1 + 0.35 a), in the manner of C. Hastings (1955).</summary>
    [MethodImpl(Inline)]
    private static S TailSingle<T, S>(S a) where T : unmanaged where S : struct, ISimd<S, T>
    {
        var t = S.Create(1) / S.Fma(a, S.Create(0.35), S.Create(1));
        var q = S.Fma(t, S.Create(-0.029770439), S.Create(0.1469509222));
        q = S.Fma(q, t, S.Create(-0.2617126692));
        q = S.Fma(q, t, S.Create(0.1658018015));
        q = S.Fma(q, t, S.Create(-0.02748288955));
        q = S.Fma(q, t, S.Create(0.107262773));
        q = S.Fma(q, t, S.Create(0.1194170361));
        q = S.Fma(q, t, S.Create(0.139914804));
        q = S.Fma(q, t, S.Create(0.1396186429));
        return q * t;
    }

    /// <summary>R(a) as a polynomial in u = (a - 5) / (a + 5) over 1 + 2 a, the form of M. Shepherd and J. Laframboise (1981).</summary>
    [MethodImpl(Inline)]
    private static S TailDouble<T, S>(S a) where T : unmanaged where S : struct, ISimd<S, T>
    {
        S sum = a + S.Create(5), slope = S.Fma(a, S.Create(2), S.Create(1));
        var inverse = S.Create(1) / (sum * slope);
        var u = (a - S.Create(5)) * slope * inverse;
        var q = S.Fma(u, S.Create(1.7370737348015928e-9), S.Create(8.5275933519841044e-9));
        q = S.Fma(q, u, S.Create(-1.125254184243708e-9));
        q = S.Fma(q, u, S.Create(-6.9559571448607496e-8));
        q = S.Fma(q, u, S.Create(-3.2724972571704496e-8));
        q = S.Fma(q, u, S.Create(4.3678124540552263e-7));
        q = S.Fma(q, u, S.Create(1.7201057336452568e-7));
        q = S.Fma(q, u, S.Create(-2.8632035093676177e-6));
        q = S.Fma(q, u, S.Create(5.3739707161645318e-7));
        q = S.Fma(q, u, S.Create(1.9392448283206475e-5));
        q = S.Fma(q, u, S.Create(-2.643745869710766e-5));
        q = S.Fma(q, u, S.Create(-0.00010817738181343191));
        q = S.Fma(q, u, S.Create(0.00042509591372423061));
        q = S.Fma(q, u, S.Create(-0.00011869345896422193));
        q = S.Fma(q, u, S.Create(-0.0035716954393749177));
        q = S.Fma(q, u, S.Create(0.015422845668711185));
        q = S.Fma(q, u, S.Create(-0.039332201355199864));
        q = S.Fma(q, u, S.Create(0.072487826976655706));
        q = S.Fma(q, u, S.Create(-0.10065743821677635));
        q = S.Fma(q, u, S.Create(0.10088858203453591));
        q = S.Fma(q, u, S.Create(-0.054008075034076547));
        q = S.Fma(q, u, S.Create(-0.039647008404005636));
        q = S.Fma(q, u, S.Create(0.84611235472506925));
        return q * (sum * inverse);
    }

    /// <summary>(Phi(x) - 1/2) / x as a polynomial in z = x^2 for |x| at most 1, where the form of the tail would feel every rounding of u.</summary>
    [MethodImpl(Inline)]
    private static S Centre<T, S>(S z) where T : unmanaged where S : struct, ISimd<S, T>
    {
        var q = S.Fma(z, S.Create(-9.0261099045655837e-11), S.Create(2.2270765391721187e-9));
        q = S.Fma(q, z, S.Create(-4.1173089319651836e-8));
        q = S.Fma(q, z, S.Create(6.6593169040810419e-7));
        q = S.Fma(q, z, S.Create(-9.4446398086767738e-6));
        q = S.Fma(q, z, S.Create(0.00011543468323083615));
        q = S.Fma(q, z, S.Create(-0.0011873282148079405));
        q = S.Fma(q, z, S.Create(0.0099735570099833826));
        q = S.Fma(q, z, S.Create(-0.066490380066903859));
        return S.Fma(q, z, S.Create(0.39894228040143267));
    }
}

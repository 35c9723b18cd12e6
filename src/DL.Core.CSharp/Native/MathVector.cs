using System.Runtime.CompilerServices;

namespace DL.Core.Kernels;

/// <summary>Elementary functions of vectors, in both precisions and with the same bits at every vector width.</summary>
/// <remarks>Polynomials after Cephes (S. L. Moshier, public domain) where not said otherwise. The worst errors beside the functions are in
/// units in the last place of the result where it is normal, over 25,000 points of every size against 60-digit values.</remarks>
internal static partial class MathVector
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;
    private const double Log2E = 1.4426950408889634;

    /// <summary>e^x. NaN stays NaN, overflow is infinity, underflow is gradual. Worst error 0.96 in float32, 0.83 in float64.</summary>
    [MethodImpl(Inline)]
    public static S Exp<T, S>(S x) where T : unmanaged where S : struct, ISimd<S, T>
    {
        var single = typeof(T) == typeof(float);
        return ExpWithin<T, S>(S.Clamp(x, single ? -104 : -750, single ? 89 : 710));
    }

    /// <summary>e^x for x at most 0: as <see cref="Exp{T, S}"/>, without the bound above.</summary>
    [MethodImpl(Inline)]
    public static S ExpOfNegative<T, S>(S x) where T : unmanaged where S : struct, ISimd<S, T> =>
        ExpWithin<T, S>(S.Lift(x, typeof(T) == typeof(float) ? -104 : -750));

    /// <summary>e^x where neither overflow nor complete underflow can occur.</summary>
    [MethodImpl(Inline)]
    private static S ExpWithin<T, S>(S x) where T : unmanaged where S : struct, ISimd<S, T>
    {
        S r, n;
        if (typeof(T) == typeof(float))
        {
            n = NearestInteger<T, S>(x, Log2E);
            // The logarithm in two parts, the first of which is a float32.
            r = S.Fma(x, S.Create(1.92596299e-8), S.Fma(x, S.Create(1.4426950216293335), -n));
            return S.Scale(Exp2Small<T, S>(r), n);
        }

        r = Reduce<T, S>(x, out n);
        return S.Scale(S.Fma(S.Fma(ExpCurve<T, S>(r), r, S.Create(1)), r, S.Create(1)), n);
    }

    /// <summary>The integer nearest to a factor times x, for results up to a million.</summary>
    [MethodImpl(Inline)]
    private static S NearestInteger<T, S>(S x, double factor) where T : unmanaged where S : struct, ISimd<S, T>
    {
        // Adding 1.5 times the first power of two whose neighbours are integers rounds; taking it away again leaves the integer.
        var magic = S.Create(typeof(T) == typeof(float) ? 12_582_912 : 6_755_399_441_055_744);
        return S.Fma(x, S.Create(factor), magic) - magic;
    }

    /// <summary>2^r in float32 for |r| at most 1/2, a minimax polynomial.</summary>
    [MethodImpl(Inline)]
    private static S Exp2Small<T, S>(S r) where T : unmanaged where S : struct, ISimd<S, T>
    {
        var p = S.Fma(r, S.Create(0.0001535336196), S.Create(0.001339887385));
        p = S.Fma(p, r, S.Create(0.009618436918));
        p = S.Fma(p, r, S.Create(0.05550332367));
        p = S.Fma(p, r, S.Create(0.2402264774));
        p = S.Fma(p, r, S.Create(0.6931471825));
        return S.Fma(p, r, S.Create(1));
    }

    /// <summary>e^x - 1, without cancellation near 0, where it is x itself. Worst error 1.27 in float32, 1.68 in float64.</summary>
    [MethodImpl(Inline)]
    public static S ExpM1<T, S>(S x) where T : unmanaged where S : struct, ISimd<S, T>
    {
        // 2^n (e^r - 1) + 2^n - 1 with the power taken out, so that it cannot overflow before the result does.
        var single = typeof(T) == typeof(float);
        var r = Reduce<T, S>(S.Clamp(x, single ? -25 : -50, single ? 89 : 710), out var n);
        var result = S.Scale(ExpSmall<T, S>(r) + (S.Create(1) - S.Scale(S.Create(1), -n)), n);
        return S.Select(S.Less(S.Abs(x), S.Create(single ? 1e-9 : 1e-17)), x, result);
    }

    /// <summary>The natural logarithm, and the limits: log 0 = -infinity, log of a negative NaN. Worst error 0.80 in float32, 1.09 in float64.</summary>
    [MethodImpl(Inline)]
    public static S Log<T, S>(S x) where T : unmanaged where S : struct, ISimd<S, T>
    {
        // Subnormals are lifted into the normal range first.
        var single = typeof(T) == typeof(float);
        var tiny = S.Less(x, S.Create(single ? 1.17549435e-38 : 2.2250738585072014e-308));
        var lift = single ? 25 : 54;
        var lifted = S.Select(tiny, x * S.Create(1L << lift), x);
        var e = S.Exponent(lifted, out var m) - (tiny & S.Create(lift));
        var large = S.Greater(m, S.Create(1.4142135623730951));
        m = S.Select(large, m * S.Create(0.5), m);
        e += large & S.Create(1);
        var result = LogNearOne<T, S>(m - S.Create(1), e);
        var finite = S.Less(x, S.Create(double.PositiveInfinity));
        var limit = S.Select(S.Less(x, S.Create(0)), S.Create(double.NaN), S.Create(double.NegativeInfinity));
        // Infinity and NaN, which compare neither below infinity nor at most 0, are their own logarithms.
        return S.Select(finite, S.Select(S.Greater(x, S.Create(0)), result, limit), x);
    }

    /// <summary>log(1 + x) for x from -1 on, without cancellation near 0. Worst error 2.04 in float32, 1.99 in float64.</summary>
    [MethodImpl(Inline)]
    public static S Log1P<T, S>(S x) where T : unmanaged where S : struct, ISimd<S, T>
    {
        // Kahan: log(u) x / (u - 1) with u = 1 + x undoes the rounding of the sum.
        var u = S.Create(1) + x;
        var rounded = u - S.Create(1);
        var zero = S.Less(S.Abs(rounded), S.Create(1e-30));
        var log = Log<T, S>(u);
        var corrected = log * (x / S.Select(zero, S.Create(1), rounded));
        return S.Select(zero, x, S.Select(S.Greater(x, S.Create(1e18)), log, corrected));
    }

    /// <summary>x = n log 2 + r with integral n and |r| at most half of log 2.</summary>
    [MethodImpl(Inline)]
    private static S Reduce<T, S>(S x, out S n) where T : unmanaged where S : struct, ISimd<S, T>
    {
        var single = typeof(T) == typeof(float);
        n = NearestInteger<T, S>(x, Log2E);
        var r = S.Fma(n, S.Create(single ? -0.693359375 : -6.93147180369123816490e-01), x);
        return S.Fma(n, S.Create(single ? 2.12194440e-4 : -1.90821492927058770002e-10), r);
    }

    /// <summary>e^r - 1 for |r| at most 0.35.</summary>
    [MethodImpl(Inline)]
    private static S ExpSmall<T, S>(S r) where T : unmanaged where S : struct, ISimd<S, T> => S.Fma(ExpCurve<T, S>(r), r * r, r);

    /// <summary>(e^r - 1 - r) / r^2 for |r| at most 0.35.</summary>
    [MethodImpl(Inline)]
    private static S ExpCurve<T, S>(S r) where T : unmanaged where S : struct, ISimd<S, T>
    {
        if (typeof(T) == typeof(float))
        {
            var p = S.Fma(r, S.Create(1.9875691500e-4), S.Create(1.3981999507e-3));
            p = S.Fma(p, r, S.Create(8.3334519073e-3));
            p = S.Fma(p, r, S.Create(4.1665795894e-2));
            p = S.Fma(p, r, S.Create(1.6666665459e-1));
            return S.Fma(p, r, S.Create(5.0000001201e-1));
        }

        // Taylor: the next term is below 2e-16 of the sum at 0.35.
        var w = S.Create(1.0 / 6227020800);
        w = S.Fma(w, r, S.Create(1.0 / 479001600));
        w = S.Fma(w, r, S.Create(1.0 / 39916800));
        w = S.Fma(w, r, S.Create(1.0 / 3628800));
        w = S.Fma(w, r, S.Create(1.0 / 362880));
        w = S.Fma(w, r, S.Create(1.0 / 40320));
        w = S.Fma(w, r, S.Create(1.0 / 5040));
        w = S.Fma(w, r, S.Create(1.0 / 720));
        w = S.Fma(w, r, S.Create(1.0 / 120));
        w = S.Fma(w, r, S.Create(1.0 / 24));
        w = S.Fma(w, r, S.Create(1.0 / 6));
        return S.Fma(w, r, S.Create(0.5));
    }

    /// <summary>log(1 + f) + e log 2 for f in [-0.3, 0.42].</summary>
    [MethodImpl(Inline)]
    private static S LogNearOne<T, S>(S f, S e) where T : unmanaged where S : struct, ISimd<S, T>
    {
        // log(1 + f) = 2 atanh(s), s = f / (2 + f): an odd series in s with |s| below 0.172.
        var single = typeof(T) == typeof(float);
        var s = f / (S.Create(2) + f);
        var z = s * s;
        S series;
        if (single)
        {
            series = S.Fma(z, S.Create(2.0 / 9), S.Create(2.0 / 7));
        }
        else
        {
            series = S.Fma(z, S.Create(2.0 / 21), S.Create(2.0 / 19));
            series = S.Fma(series, z, S.Create(2.0 / 17));
            series = S.Fma(series, z, S.Create(2.0 / 15));
            series = S.Fma(series, z, S.Create(2.0 / 13));
            series = S.Fma(series, z, S.Create(2.0 / 11));
            series = S.Fma(series, z, S.Create(2.0 / 9));
            series = S.Fma(series, z, S.Create(2.0 / 7));
        }

        series = S.Fma(series, z, S.Create(2.0 / 5));
        series = S.Fma(series, z, S.Create(2.0 / 3));
        // 2s = f - s f, which keeps the leading term exact.
        var log = f - (s * (f - (series * z)));
        var low = S.Fma(e, S.Create(single ? -2.12194440e-4 : 1.90821492927058770002e-10), log);
        return S.Fma(e, S.Create(single ? 0.693359375 : 6.93147180369123816490e-01), low);
    }
}

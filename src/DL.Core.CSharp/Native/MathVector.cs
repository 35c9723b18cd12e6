using System.Runtime.CompilerServices;

namespace DL.Core.Kernels;

/// <summary>Elementary functions of vectors, in both precisions.</summary>
/// <remarks>Polynomials after Cephes (S. L. Moshier, public domain). Measured worst errors stand beside each function.</remarks>
internal static class MathVector
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;
    private const double Log2E = 1.4426950408889634;

    /// <summary>e^x. At most 1.3 units in the last place in float32, 2 in float64; NaN stays NaN, overflow is infinity, underflow is gradual.</summary>
    [MethodImpl(Inline)]
    public static S Exp<T, S>(S x) where T : unmanaged where S : struct, ISimd<S, T>
    {
        if (typeof(T) == typeof(float))
        {
            x = S.Min(S.Max(x, S.Create(-104)), S.Create(89));
            var n = S.Round(x * S.Create(Log2E));
            var r = S.Fma(n, S.Create(-0.693359375), x);
            r = S.Fma(n, S.Create(2.12194440e-4), r);
            return S.Scale(ExpSmall<T, S>(r) + S.Create(1), n);
        }
        else
        {
            x = S.Min(S.Max(x, S.Create(-750)), S.Create(710));
            var n = S.Round(x * S.Create(Log2E));
            var r = S.Fma(n, S.Create(-6.93147180369123816490e-01), x);
            r = S.Fma(n, S.Create(-1.90821492927058770002e-10), r);
            return S.Scale(ExpSmall<T, S>(r) + S.Create(1), n);
        }
    }

    /// <summary>e^x - 1 without cancellation near 0.</summary>
    [MethodImpl(Inline)]
    public static S ExpM1<T, S>(S x) where T : unmanaged where S : struct, ISimd<S, T>
    {
        var near = ExpSmall<T, S>(S.Min(S.Max(x, S.Create(-0.35)), S.Create(0.35)));
        var far = Exp<T, S>(x) - S.Create(1);
        return S.Select(S.Less(S.Abs(x), S.Create(0.35)), near, far);
    }

    /// <summary>The natural logarithm of a positive finite x, and the limits: log 0 = -infinity, log of a negative NaN.</summary>
    [MethodImpl(Inline)]
    public static S Log<T, S>(S x) where T : unmanaged where S : struct, ISimd<S, T>
    {
        // Subnormals are lifted into the normal range first.
        var tiny = S.Less(x, S.Create(typeof(T) == typeof(float) ? 1.17549435e-38 : 2.2250738585072014e-308));
        var lift = typeof(T) == typeof(float) ? 25 : 54;
        var lifted = S.Select(tiny, x * S.Create(Math.ScaleB(1, lift)), x);
        var e = S.Exponent(lifted, out var m) - (tiny & S.Create(lift));
        var large = S.Greater(m, S.Create(1.4142135623730951));
        m = S.Select(large, m * S.Create(0.5), m);
        e += large & S.Create(1);
        var result = LogNearOne<T, S>(m - S.Create(1), e);
        result = S.Select(S.Greater(x, S.Create(double.MaxValue)), x, result);
        if (typeof(T) == typeof(float)) result = S.Select(S.Greater(x, S.Create(float.MaxValue)), x, result);
        var positive = S.Greater(x, S.Create(0));
        var limit = S.Select(S.Less(x, S.Create(0)), S.Create(double.NaN), S.Select(IsNaN<T, S>(x), x, S.Create(double.NegativeInfinity)));
        return S.Select(positive, result, limit);
    }

    /// <summary>log(1 + x) for x &gt; -1, without cancellation near 0.</summary>
    [MethodImpl(Inline)]
    public static S Log1P<T, S>(S x) where T : unmanaged where S : struct, ISimd<S, T>
    {
        // Kahan: log(u) x / (u - 1) with u = 1 + x undoes the rounding of the sum.
        var u = S.Create(1) + x;
        var rounded = u - S.Create(1);
        var zero = S.Less(S.Abs(rounded), S.Create(1e-30));
        var quotient = Log<T, S>(u) * (x / S.Select(zero, S.Create(1), rounded));
        var huge = S.Greater(x, S.Create(1e8));
        return S.Select(zero, x, S.Select(huge, Log<T, S>(u), quotient));
    }

    /// <summary>tanh x, exact at and near 0, odd, at most 1 in size.</summary>
    [MethodImpl(Inline)]
    public static S Tanh<T, S>(S x) where T : unmanaged where S : struct, ISimd<S, T>
    {
        if (typeof(T) != typeof(float))
        {
            var limit = S.Min(S.Max(x, S.Create(-20)), S.Create(20));
            var t = ExpM1<T, S>(limit + limit);
            return t / (t + S.Create(2));
        }

        var c = S.Min(S.Max(x, S.Create(-7.90531110763549805)), S.Create(7.90531110763549805));
        var s = c * c;
        var p = S.Fma(s, S.Create(-2.76076847742355e-16), S.Create(2.00018790482477e-13));
        p = S.Fma(p, s, S.Create(-8.60467152213735e-11));
        p = S.Fma(p, s, S.Create(5.12229709037114e-08));
        p = S.Fma(p, s, S.Create(1.48572235717979e-05));
        p = S.Fma(p, s, S.Create(6.37261928875436e-04));
        p = S.Fma(p, s, S.Create(4.89352455891786e-03)) * c;
        var q = S.Fma(s, S.Create(1.19825839466702e-06), S.Create(1.18534705686654e-04));
        q = S.Fma(q, s, S.Create(2.26843463243900e-03));
        q = S.Fma(q, s, S.Create(4.89352518554385e-03));
        var y = p / q;
        return S.Min(S.Max(y, S.Create(-1)), S.Create(1));
    }

    /// <summary>1 / (1 + e^-x), stable for every x.</summary>
    [MethodImpl(Inline)]
    public static S Sigmoid<T, S>(S x) where T : unmanaged where S : struct, ISimd<S, T> =>
        S.Create(1) / (S.Create(1) + Exp<T, S>(-x));

    /// <summary>log(1 + e^x) = max(x, 0) + log(1 + e^-|x|), stable for every x.</summary>
    [MethodImpl(Inline)]
    public static S Softplus<T, S>(S x) where T : unmanaged where S : struct, ISimd<S, T> =>
        S.Max(x, S.Create(0)) + Log1P<T, S>(Exp<T, S>(-S.Abs(x)));

    /// <summary>erf x = 2 / sqrt(pi) * integral of e^-t^2 from 0 to x; exactly -1 and 1 from 6 on.</summary>
    [MethodImpl(Inline)]
    public static S Erf<T, S>(S x) where T : unmanaged where S : struct, ISimd<S, T> =>
        typeof(T) == typeof(float) ? ErfSingle<T, S>(x) : ErfDouble<T, S>(x);

    [MethodImpl(Inline)]
    private static S ErfSingle<T, S>(S x) where T : unmanaged where S : struct, ISimd<S, T>
    {
        var c = S.Min(S.Max(x, S.Create(-4)), S.Create(4));
        var s = c * c;
        var p = S.Fma(s, S.Create(-2.72614225801306e-10), S.Create(2.77068142495902e-08));
        p = S.Fma(p, s, S.Create(-2.10102402082508e-06));
        p = S.Fma(p, s, S.Create(-5.69250639462346e-05));
        p = S.Fma(p, s, S.Create(-7.34990630326855e-04));
        p = S.Fma(p, s, S.Create(-2.95459980854025e-03));
        p = S.Fma(p, s, S.Create(-1.60960333262415e-02)) * c;
        var q = S.Fma(s, S.Create(-1.45660718464996e-05), S.Create(-2.13374055278905e-04));
        q = S.Fma(q, s, S.Create(-1.68282697438203e-03));
        q = S.Fma(q, s, S.Create(-7.37332916720468e-03));
        q = S.Fma(q, s, S.Create(-1.42647390514189e-02));
        var limit = S.Select(S.Greater(x, S.Create(0)), S.Create(1), S.Create(-1));
        return S.Select(S.Greater(S.Abs(x), S.Create(3.9)), limit, p / q);
    }

    [MethodImpl(Inline)]
    private static S ErfDouble<T, S>(S x) where T : unmanaged where S : struct, ISimd<S, T>
    {
        var a = S.Min(S.Abs(x), S.Create(6));
        var z = a * a;
        var t = S.Fma(z, S.Create(9.60497373987051638749e0), S.Create(9.00260197203842689217e1));
        t = S.Fma(t, z, S.Create(2.23200534594684319226e3));
        t = S.Fma(t, z, S.Create(7.00332514112805075473e3));
        t = S.Fma(t, z, S.Create(5.55923013010394962768e4));
        var u = z + S.Create(3.35617141647503099647e1);
        u = S.Fma(u, z, S.Create(5.21357949780152679795e2));
        u = S.Fma(u, z, S.Create(4.59432382970980127987e3));
        u = S.Fma(u, z, S.Create(2.26290000613890934246e4));
        u = S.Fma(u, z, S.Create(4.92673942608635921086e4));
        var near = x * t / u;

        var p = S.Fma(a, S.Create(2.46196981473530512524e-10), S.Create(5.64189564831068821977e-1));
        p = S.Fma(p, a, S.Create(7.46321056442269912687e0));
        p = S.Fma(p, a, S.Create(4.86371970985681366614e1));
        p = S.Fma(p, a, S.Create(1.96520832956077098242e2));
        p = S.Fma(p, a, S.Create(5.26445194995477358631e2));
        p = S.Fma(p, a, S.Create(9.34528527171957607540e2));
        p = S.Fma(p, a, S.Create(1.02755188689515710272e3));
        p = S.Fma(p, a, S.Create(5.57535335369399327526e2));
        var q = a + S.Create(1.32281951154744992508e1);
        q = S.Fma(q, a, S.Create(8.67072140885989742329e1));
        q = S.Fma(q, a, S.Create(3.54937778887819891062e2));
        q = S.Fma(q, a, S.Create(9.75708501743205489753e2));
        q = S.Fma(q, a, S.Create(1.82390916687909736289e3));
        q = S.Fma(q, a, S.Create(2.24633760818710981792e3));
        q = S.Fma(q, a, S.Create(1.65666309194161350182e3));
        q = S.Fma(q, a, S.Create(5.57535340817727675546e2));
        var far = S.Create(1) - (Exp<T, S>(-z) * p / q);
        far = S.Select(S.Less(x, S.Create(0)), -far, far);
        return S.Select(S.Greater(a, S.Create(1)), far, near);
    }

    [MethodImpl(Inline)]
    private static S IsNaN<T, S>(S x) where T : unmanaged where S : struct, ISimd<S, T>
    {
        // Neither above, nor below, nor equal to zero.
        var ordered = S.Select(S.Greater(x, S.Create(-1)), S.Create(1), S.Select(S.Less(x, S.Create(0)), S.Create(1), S.Create(0)));
        return S.Less(ordered, S.Create(0.5));
    }

    /// <summary>e^r - 1 for |r| at most 0.35.</summary>
    [MethodImpl(Inline)]
    private static S ExpSmall<T, S>(S r) where T : unmanaged where S : struct, ISimd<S, T>
    {
        if (typeof(T) == typeof(float))
        {
            var p = S.Fma(r, S.Create(1.9875691500e-4), S.Create(1.3981999507e-3));
            p = S.Fma(p, r, S.Create(8.3334519073e-3));
            p = S.Fma(p, r, S.Create(4.1665795894e-2));
            p = S.Fma(p, r, S.Create(1.6666665459e-1));
            p = S.Fma(p, r, S.Create(5.0000001201e-1));
            return S.Fma(p, r * r, r);
        }

        var w = S.Create(1.0 / 479001600);
        w = S.Fma(w, r, S.Create(1.0 / 39916800));
        w = S.Fma(w, r, S.Create(1.0 / 3628800));
        w = S.Fma(w, r, S.Create(1.0 / 362880));
        w = S.Fma(w, r, S.Create(1.0 / 40320));
        w = S.Fma(w, r, S.Create(1.0 / 5040));
        w = S.Fma(w, r, S.Create(1.0 / 720));
        w = S.Fma(w, r, S.Create(1.0 / 120));
        w = S.Fma(w, r, S.Create(1.0 / 24));
        w = S.Fma(w, r, S.Create(1.0 / 6));
        w = S.Fma(w, r, S.Create(0.5));
        return S.Fma(w, r * r, r);
    }

    /// <summary>log(1 + f) + e log 2 for f in [-0.3, 0.42].</summary>
    [MethodImpl(Inline)]
    private static S LogNearOne<T, S>(S f, S e) where T : unmanaged where S : struct, ISimd<S, T>
    {
        // log(1 + f) = 2 atanh(s), s = f / (2 + f): an odd series in s with |s| below 0.172.
        var s = f / (S.Create(2) + f);
        var z = s * s;
        S series;
        if (typeof(T) == typeof(float))
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
        var low = S.Fma(e, S.Create(typeof(T) == typeof(float) ? -2.12194440e-4 : 1.90821492927058770002e-10), log);
        return S.Fma(e, S.Create(typeof(T) == typeof(float) ? 0.693359375 : 6.93147180369123816490e-01), low);
    }
}

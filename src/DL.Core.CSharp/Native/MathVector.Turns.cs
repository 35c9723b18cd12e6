using System.Runtime.CompilerServices;

namespace DL.Core.Kernels;

/// <content>Sine and cosine of an angle counted in turns.</content>
internal static partial class MathVector
{
    /// <summary>cos(2 pi u), and sin(2 pi u), for u in [0, 1]. Counting in turns makes the reduction exact.</summary>
    [MethodImpl(Inline)]
    public static S CosTurns<T, S>(S u, out S sine) where T : unmanaged where S : struct, ISimd<S, T>
    {
        var quarter = S.Round(u * S.Create(4));
        var f = S.Fma(quarter, S.Create(-0.25), u);
        var z = f * f;
        S s = f * SineOver<T, S>(z), c = Cosine<T, S>(z);
        var odd = S.Less(S.Abs(S.Abs(quarter - S.Create(2)) - S.Create(1)), S.Create(0.5));
        sine = S.Select(odd, c, s);
        sine = S.Select(S.Less(S.Abs(quarter - S.Create(2.5)), S.Create(1)), -sine, sine);
        var cosine = S.Select(odd, s, c);
        return S.Select(S.Less(S.Abs(quarter - S.Create(1.5)), S.Create(1)), -cosine, cosine);
    }

    /// <summary>sin(2 pi f) / f as a polynomial in z = f^2 for |f| at most 1/8, fitted at Chebyshev points.</summary>
    [MethodImpl(Inline)]
    private static S SineOver<T, S>(S z) where T : unmanaged where S : struct, ISimd<S, T>
    {
        if (typeof(T) == typeof(float))
        {
            var p = S.Fma(z, S.Create(-75.401612702747458), S.Create(81.592542871301543));
            p = S.Fma(p, z, S.Create(-41.341662570547955));
            return S.Fma(p, z, S.Create(6.2831852878129467));
        }

        var q = S.Fma(z, S.Create(-0.7116358090781666), S.Create(3.8197881201632114));
        q = S.Fma(q, z, S.Create(-15.094640403891546));
        q = S.Fma(q, z, S.Create(42.058693928988783));
        q = S.Fma(q, z, S.Create(-76.705859752998127));
        q = S.Fma(q, z, S.Create(81.605249276074931));
        q = S.Fma(q, z, S.Create(-41.34170224039976));
        return S.Fma(q, z, S.Create(6.2831853071795865));
    }

    /// <summary>cos(2 pi f) as a polynomial in z = f^2 for |f| at most 1/8, fitted at Chebyshev points.</summary>
    [MethodImpl(Inline)]
    private static S Cosine<T, S>(S z) where T : unmanaged where S : struct, ISimd<S, T>
    {
        if (typeof(T) == typeof(float))
        {
            var p = S.Fma(z, S.Create(59.220168958296096), S.Create(-85.44284467308166));
            p = S.Fma(p, z, S.Create(64.93931613570905));
            p = S.Fma(p, z, S.Create(-19.739208650130596));
            return S.Fma(p, z, S.Create(0.99999999995248942));
        }

        var q = S.Fma(z, S.Create(0.27945867147528962), S.Create(-1.7143161879285278));
        q = S.Fma(q, z, S.Create(7.9035351947629579));
        q = S.Fma(q, z, S.Create(-26.426256772545438));
        q = S.Fma(q, z, S.Create(60.244641371818105));
        q = S.Fma(q, z, S.Create(-85.45681720669355));
        q = S.Fma(q, z, S.Create(64.939394022668291));
        q = S.Fma(q, z, S.Create(-19.739208802178717));
        return S.Fma(q, z, S.Create(1));
    }
}

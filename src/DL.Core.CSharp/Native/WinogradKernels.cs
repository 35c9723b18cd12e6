using System.Runtime.CompilerServices;

namespace DL.Core.Kernels;

/// <summary>The transforms of F(4 x 4, 3 x 3) and F(3 x 3, 4 x 4) with channels as lanes: polynomials evaluated at 0, a, -a, b, -b and infinity, and interpolated from there.</summary>
/// <remarks>Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016. Both forms share the points, and so the transform of the pixels.
/// A transform goes down the columns into <c>work</c>, which holds 36 vectors, and then along the rows.</remarks>
internal static unsafe class WinogradKernels
{
    /// <summary>Numbers of the work space.</summary>
    internal const int Work = WinogradGrid.Products * Widest;

    // Lanes of the widest vector.
    private const int Widest = 16;
    private const int Side = WinogradGrid.Side;
    private const int Made = WinogradGrid.Made;
    private const int Taps = 3;

    private const double A = 0.75;
    private const double B = 1.5;
    private const double A2 = A * A;
    private const double B2 = B * B;

    // One over the derivative of x (x^2 - a^2) (x^2 - b^2) at the points.
    private const double AtZero = 1 / (A2 * B2);
    private const double AtA = 1 / (2 * A2 * (A2 - B2));
    private const double AtB = 1 / (2 * B2 * (B2 - A2));

    /// <summary>B^T d B of one tile: product q of channel c goes to <c>target[q * plane + c]</c>, in whole vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Pixels<S>(float** pixels, long channels, float* work, float* target, long plane)
        where S : struct, ISimd<S, float>
    {
        for (var c = 0L; c < channels; c += S.Count)
        {
            var lanes = Math.Min(S.Count, channels - c);
            for (var j = 0; j < Side; j++)
            {
                var d = pixels + j;
                if (lanes == S.Count)
                    Spread(S.Load(d[0] + c), S.Load(d[6] + c), S.Load(d[12] + c), S.Load(d[18] + c), S.Load(d[24] + c), S.Load(d[30] + c), work + (j * Widest), Side * Widest);
                else
                    Spread(
                        S.Load(d[0] + c, lanes), S.Load(d[6] + c, lanes), S.Load(d[12] + c, lanes), S.Load(d[18] + c, lanes), S.Load(d[24] + c, lanes),
                        S.Load(d[30] + c, lanes), work + (j * Widest), Side * Widest);
            }

            for (var i = 0; i < Side; i++)
            {
                var d = work + (i * Side * Widest);
                Spread(
                    S.Load(d), S.Load(d + Widest), S.Load(d + (2 * Widest)), S.Load(d + (3 * Widest)), S.Load(d + (4 * Widest)), S.Load(d + (5 * Widest)),
                    target + (i * Side * plane) + c, plane);
            }
        }
    }

    /// <summary>G g G^T of the 3 x 3 taps, <paramref name="tap"/> apart, in up to a vector of lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Weights<S>(float* taps, long tap, long lanes, float* work, float* target, long plane)
        where S : struct, ISimd<S, float>
    {
        for (var j = 0; j < Taps; j++)
        {
            var g = taps + (j * tap);
            Evaluate(S.Load(g, lanes), S.Load(g + (3 * tap), lanes), S.Load(g + (6 * tap), lanes), work + (j * Widest), Taps * Widest);
        }

        for (var i = 0; i < Side; i++)
        {
            var g = work + (i * Taps * Widest);
            Evaluate(S.Load(g), S.Load(g + Widest), S.Load(g + (2 * Widest)), target + (i * Side * plane), plane);
        }
    }

    /// <summary>A^T m A of one tile with bias: output channel o of product q lies at <c>source[q * plane + o]</c>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Outputs<S>(float* source, long plane, long outputs, float* bias, bool relu, float* work, float** places)
        where S : struct, ISimd<S, float>
    {
        for (var o = 0L; o < outputs; o += S.Count)
        {
            var lanes = Math.Min(S.Count, outputs - o);
            for (var j = 0; j < Side; j++)
            {
                float* m = source + (j * plane) + o, to = work + (j * Widest);
                S m0 = S.Load(m), m1 = S.Load(m + (6 * plane)), m2 = S.Load(m + (12 * plane));
                S m3 = S.Load(m + (18 * plane)), m4 = S.Load(m + (24 * plane)), m5 = S.Load(m + (30 * plane));
                S s1 = m1 + m2, d1 = m1 - m2, s2 = m3 + m4, d2 = m3 - m4;
                (m0 + s1 + s2).Store(to);
                S.Fma(S.Create(B), d2, S.Create(A) * d1).Store(to + (Side * Widest));
                S.Fma(S.Create(B2), s2, S.Create(A2) * s1).Store(to + (2 * Side * Widest));
                S.Fma(S.Create(B * B2), d2, S.Fma(S.Create(A * A2), d1, m5)).Store(to + (3 * Side * Widest));
            }

            var shift = S.Load(bias + o, lanes);
            for (var i = 0; i < Made; i++)
            {
                var m = work + (i * Side * Widest);
                var to = places + (i * Made);
                S m0 = S.Load(m), m1 = S.Load(m + Widest), m2 = S.Load(m + (2 * Widest));
                S m3 = S.Load(m + (3 * Widest)), m4 = S.Load(m + (4 * Widest)), m5 = S.Load(m + (5 * Widest));
                S s1 = m1 + m2, d1 = m1 - m2, s2 = m3 + m4, d2 = m3 - m4;
                var y0 = m0 + s1 + s2 + shift;
                var y1 = S.Fma(S.Create(B), d2, S.Create(A) * d1) + shift;
                var y2 = S.Fma(S.Create(B2), s2, S.Create(A2) * s1) + shift;
                var y3 = S.Fma(S.Create(B * B2), d2, S.Fma(S.Create(A * A2), d1, m5)) + shift;
                if (relu)
                {
                    y0 = S.Lift(y0, 0);
                    y1 = S.Lift(y1, 0);
                    y2 = S.Lift(y2, 0);
                    y3 = S.Lift(y3, 0);
                }

                if (lanes == S.Count)
                {
                    y0.Store(to[0] + o);
                    y1.Store(to[1] + o);
                    y2.Store(to[2] + o);
                    y3.Store(to[3] + o);
                }
                else
                {
                    y0.Store(to[0] + o, lanes);
                    y1.Store(to[1] + o, lanes);
                    y2.Store(to[2] + o, lanes);
                    y3.Store(to[3] + o, lanes);
                }
            }
        }
    }

    /// <summary>G d G^T of one tile's 4 x 4 gradients: product q of channel o goes to <c>target[q * plane + o / strip * stripStep + o % strip]</c>, in whole vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Gradients<S>(float** places, long outputs, float* work, float* target, long plane, long strip, long stripStep)
        where S : struct, ISimd<S, float>
    {
        for (var o = 0L; o < outputs; o += S.Count)
        {
            var lanes = Math.Min(S.Count, outputs - o);
            for (var j = 0; j < Made; j++)
            {
                var d = places + j;
                Evaluate(
                    S.Load(d[0] + o, lanes), S.Load(d[4] + o, lanes), S.Load(d[8] + o, lanes), S.Load(d[12] + o, lanes), work + (j * Widest), Made * Widest);
            }

            var to = target + (o / strip * stripStep) + (o % strip);
            for (var i = 0; i < Side; i++)
            {
                var d = work + (i * Made * Widest);
                Evaluate(S.Load(d), S.Load(d + Widest), S.Load(d + (2 * Widest)), S.Load(d + (3 * Widest)), to + (i * Side * plane), plane);
            }
        }
    }

    /// <summary>dw (+)= A^T m A in up to a vector of lanes, m the parts' sums added in order; taps of dw lie <paramref name="tap"/> apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void TapSums<S>(float* sums, long plane, int parts, long part, long lanes, bool add, float* work, float* dw, long tap)
        where S : struct, ISimd<S, float>
    {
        for (var q = 0; q < WinogradGrid.Products; q++)
        {
            var m = S.Load(sums + (q * plane));
            for (var p = 1; p < parts; p++) m += S.Load(sums + (q * plane) + (p * part));
            m.Store(work + (q * Widest));
        }

        for (var j = 0; j < Side; j++)
        {
            var m = work + (j * Widest);
            Gather<S>(m, Side * Widest, m, Side * Widest, S.Count, false);
        }

        for (var i = 0; i < Taps; i++) Gather<S>(work + (i * Side * Widest), Widest, dw + (i * Taps * tap), tap, lanes, add);
    }

    // One line of A^T m with three results.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Gather<S>(float* m, long from, float* target, long step, long lanes, bool add)
        where S : struct, ISimd<S, float>
    {
        S m0 = S.Load(m), m1 = S.Load(m + from), m2 = S.Load(m + (2 * from)), m3 = S.Load(m + (3 * from)), m4 = S.Load(m + (4 * from)), m5 = S.Load(m + (5 * from));
        S s1 = m1 + m2, s2 = m3 + m4;
        var y0 = m0 + s1 + s2;
        var y1 = S.Fma(S.Create(B), m3 - m4, S.Create(A) * (m1 - m2));
        var y2 = S.Fma(S.Create(B2), s2, S.Fma(S.Create(A2), s1, m5));
        if (add)
        {
            y0 += S.Load(target, lanes);
            y1 += S.Load(target + step, lanes);
            y2 += S.Load(target + (2 * step), lanes);
        }

        y0.Store(target, lanes);
        y1.Store(target + step, lanes);
        y2.Store(target + (2 * step), lanes);
    }

    // One line of B^T d.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Spread<S>(S d0, S d1, S d2, S d3, S d4, S d5, float* target, long step)
        where S : struct, ISimd<S, float>
    {
        var evenA = S.Fma(S.Create(-B2), d2, d4);
        var oddA = S.Fma(S.Create(-B2), d1, d3);
        var evenB = S.Fma(S.Create(-A2), d2, d4);
        var oddB = S.Fma(S.Create(-A2), d1, d3);
        S.Fma(S.Create(A2 * B2), d0, S.Fma(S.Create(-A2 - B2), d2, d4)).Store(target);
        S.Fma(S.Create(A), oddA, evenA).Store(target + step);
        S.Fma(S.Create(-A), oddA, evenA).Store(target + (2 * step));
        S.Fma(S.Create(B), oddB, evenB).Store(target + (3 * step));
        S.Fma(S.Create(-B), oddB, evenB).Store(target + (4 * step));
        S.Fma(S.Create(A2 * B2), d1, S.Fma(S.Create(-A2 - B2), d3, d5)).Store(target + (5 * step));
    }

    // One line of G g, for three taps.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Evaluate<S>(S g0, S g1, S g2, float* target, long step)
        where S : struct, ISimd<S, float>
    {
        var evenA = S.Create(AtA) * S.Fma(S.Create(A2), g2, g0);
        var evenB = S.Create(AtB) * S.Fma(S.Create(B2), g2, g0);
        (S.Create(AtZero) * g0).Store(target);
        S.Fma(S.Create(A * AtA), g1, evenA).Store(target + step);
        S.Fma(S.Create(-A * AtA), g1, evenA).Store(target + (2 * step));
        S.Fma(S.Create(B * AtB), g1, evenB).Store(target + (3 * step));
        S.Fma(S.Create(-B * AtB), g1, evenB).Store(target + (4 * step));
        g2.Store(target + (5 * step));
    }

    // One line of G d, for four gradients.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Evaluate<S>(S d0, S d1, S d2, S d3, float* target, long step)
        where S : struct, ISimd<S, float>
    {
        var evenA = S.Create(AtA) * S.Fma(S.Create(A2), d2, d0);
        var oddA = S.Create(A * AtA) * S.Fma(S.Create(A2), d3, d1);
        var evenB = S.Create(AtB) * S.Fma(S.Create(B2), d2, d0);
        var oddB = S.Create(B * AtB) * S.Fma(S.Create(B2), d3, d1);
        (S.Create(AtZero) * d0).Store(target);
        (evenA + oddA).Store(target + step);
        (evenA - oddA).Store(target + (2 * step));
        (evenB + oddB).Store(target + (3 * step));
        (evenB - oddB).Store(target + (4 * step));
        d3.Store(target + (5 * step));
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DL.Core.Kernels;

/// <summary>Lays a block out as the micro-kernel reads it: step after step of k, <c>panel</c> values side by side; where the block ends lanes keep what they held, for no kernel reads them.</summary>
internal static unsafe class GemmPack
{
    private const int StepsAtOnce = 64;

    /// <summary>target[p, j] = source[p * ld + j] for j below <paramref name="width"/>, which is at most <paramref name="panel"/>.</summary>
    internal static void Copy<V, T>(T* source, nint ld, nint steps, nint width, nint panel, T* target)
        where V : struct, IGemmWidth
        where T : unmanaged
    {
        if (panel == 2 * V.Count && V.Count == Vector512<T>.Count)
            CopyStrip<Lanes512<T>, Vector512<T>, T>(source, ld, steps, width, target);
        else if (panel == 2 * V.Count)
            CopyStrip<Lanes256<T>, Vector256<T>, T>(source, ld, steps, width, target);
        else if (width == panel && panel * sizeof(T) % Vector256<byte>.Count == 0)
            CopyWide((byte*)source, ld * sizeof(T), steps, panel * sizeof(T), (byte*)target);
        else
            for (; steps > 0; steps--, source += ld, target += panel)
                for (nint j = 0; j < width; j++)
                    target[j] = source[j];
    }

    /// <summary>Copies lines of <paramref name="width"/> values into strips of two vectors, line after line: the strips lie one behind the other, each
    /// <paramref name="steps"/> long.</summary>
    internal static void CopyLines<V, T>(T* source, nint ld, nint steps, nint width, T* target)
        where V : struct, IGemmWidth
        where T : unmanaged
    {
        if (V.Count == Vector512<T>.Count)
            CopyLines<Lanes512<T>, Vector512<T>, T>(source, ld, steps, width, target);
        else
            CopyLines<Lanes256<T>, Vector256<T>, T>(source, ld, steps, width, target);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void CopyLines<V, L, T>(T* source, nint ld, nint steps, nint width, T* target)
        where V : struct, IGemmLanes<L, T>
        where L : struct
        where T : unmanaged
    {
        nint strip = 2 * V.Count, whole = width / strip * strip, next = strip * steps;
        for (nint p = 0; p < steps; p++)
        {
            T* from = source + p * ld, end = from + whole, to = target + p * strip;
            for (; from < end; from += strip, to += next)
            {
                Lanes.Prefetch(from + 2 * ld);
                Lanes.Prefetch(from + 2 * ld + V.Count);
                V.Store(V.Load(from), to);
                V.Store(V.Load(from + V.Count), to + V.Count);
            }
        }
        if (whole < width)
            CopyStrip<V, L, T>(source + whole, ld, steps, width - whole, target + whole * steps);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void CopyStrip<V, L, T>(T* source, nint ld, nint steps, nint width, T* target)
        where V : struct, IGemmLanes<L, T>
        where L : struct
        where T : unmanaged
    {
        if (width == 2 * V.Count)
            for (; steps > 0; steps--, source += ld, target += 2 * V.Count)
            {
                V.Store(V.Load(source), target);
                V.Store(V.Load(source + V.Count), target + V.Count);
            }
        else
        {
            L first = V.Mask((int)Math.Min(width, V.Count)), second = V.Mask((int)Math.Max(width - V.Count, 0));
            for (; steps > 0; steps--, source += ld, target += 2 * V.Count)
            {
                V.Store(V.Load(source, first), target);
                V.Store(V.Load(source + V.Count, second), target + V.Count);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void CopyWide(byte* source, nint ld, nint steps, nint bytes, byte* target)
    {
        if (bytes == Vector256<byte>.Count)
            for (; steps > 0; steps--, source += ld, target += Vector256<byte>.Count)
                Vector256.Load(source).Store(target);
        else
            for (; steps > 0; steps--, source += ld, target += bytes)
                for (nint done = 0; done < bytes; done += Vector256<byte>.Count)
                    Vector256.Load(source + done).Store(target + done);
    }

    /// <summary>target[p, j] = source[j * ld + p] for j below <paramref name="width"/>: the rows of the source become the lanes of a panel.</summary>
    internal static void Transpose<T>(T* source, nint ld, nint steps, nint width, nint panel, T* target)
        where T : unmanaged
    {
        nint side = Vector256<T>.Count;
        if (!Avx.IsSupported || panel % side != 0)
        {
            TransposeScalar(source, ld, 0, steps, width, panel, target);
            return;
        }
        // A few steps at a time, so that the part of the panel being filled stays in the first-level cache.
        for (nint p = 0; p < steps; p += StepsAtOnce)
            for (nint column = 0; column < width; column += side)
            {
                T* from = source + column * ld + p, to = target + p * panel + column;
                var (depth, rows) = (Math.Min(StepsAtOnce, steps - p), Math.Min(side, width - column));
                var done = typeof(T) == typeof(float)
                    ? Transpose8((float*)from, ld, depth, rows - 1, panel, (float*)to)
                    : Transpose4((double*)from, ld, depth, rows - 1, panel, (double*)to);
                TransposeScalar(from, ld, done, depth, rows, panel, to);
            }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransposeScalar<T>(T* source, nint ld, nint from, nint steps, nint width, nint panel, T* target)
        where T : unmanaged
    {
        for (var p = from; p < steps; p++)
            for (nint j = 0; j < width; j++)
                target[p * panel + j] = source[j * ld + p];
    }

    // Rows r and r + 4 share a register, so that a 4 x 4 transposition in each half gives finished columns; a row past the last repeats it.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static nint Transpose8(float* source, nint ld, nint steps, nint last, nint panel, float* target)
    {
        float* s0 = source, s1 = source + Math.Min(1, last) * ld, s2 = source + Math.Min(2, last) * ld, s3 = source + Math.Min(3, last) * ld;
        float* s4 = source + Math.Min(4, last) * ld, s5 = source + Math.Min(5, last) * ld, s6 = source + Math.Min(6, last) * ld, s7 = source + Math.Min(7, last) * ld;
        nint p = 0;
        for (; p + 4 <= steps; p += 4, target += 4 * panel)
            EightByFour(s0 + p, s1 + p, s2 + p, s3 + p, s4 + p, s5 + p, s6 + p, s7 + p, panel, target);
        return p;
    }

    /// <summary>target[p * panel + j] = sj[p] for the eight rows and p below four; asks for AVX.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void EightByFour(float* s0, float* s1, float* s2, float* s3, float* s4, float* s5, float* s6, float* s7, nint panel, float* target)
    {
        var r0 = Vector256.Create(Vector128.Load(s0), Vector128.Load(s4));
        var r1 = Vector256.Create(Vector128.Load(s1), Vector128.Load(s5));
        var r2 = Vector256.Create(Vector128.Load(s2), Vector128.Load(s6));
        var r3 = Vector256.Create(Vector128.Load(s3), Vector128.Load(s7));
        var low01 = Avx.UnpackLow(r0, r1);
        var low23 = Avx.UnpackLow(r2, r3);
        var high01 = Avx.UnpackHigh(r0, r1);
        var high23 = Avx.UnpackHigh(r2, r3);
        Avx.Shuffle(low01, low23, 0x44).Store(target);
        Avx.Shuffle(low01, low23, 0xEE).Store(target + panel);
        Avx.Shuffle(high01, high23, 0x44).Store(target + (2 * panel));
        Avx.Shuffle(high01, high23, 0xEE).Store(target + (3 * panel));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static nint Transpose4(double* source, nint ld, nint steps, nint last, nint panel, double* target)
    {
        double* s0 = source, s1 = source + Math.Min(1, last) * ld, s2 = source + Math.Min(2, last) * ld, s3 = source + Math.Min(3, last) * ld;
        nint p = 0;
        for (; p + 2 <= steps; p += 2, target += 2 * panel)
        {
            var r0 = Vector256.Create(Vector128.Load(s0 + p), Vector128.Load(s2 + p));
            var r1 = Vector256.Create(Vector128.Load(s1 + p), Vector128.Load(s3 + p));
            Avx.UnpackLow(r0, r1).Store(target);
            Avx.UnpackHigh(r0, r1).Store(target + panel);
        }
        return p;
    }
}

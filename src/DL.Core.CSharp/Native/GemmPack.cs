using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DL.Core.Kernels;

/// <summary>Lays a block out as the micro-kernel reads it: step after step of k, <c>panel</c> values side by side, zeros where the block ends.</summary>
internal static unsafe class GemmPack
{
    /// <summary>target[p, j] = source[p * ld + j] for j below <paramref name="width"/>, which is at most <paramref name="panel"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Copy<V, T>(T* source, nint ld, nint steps, nint width, nint panel, T* target)
        where V : struct, IGemmVector<V, T>
        where T : unmanaged
    {
        if (width == panel && panel == 2 * V.Count)
            for (; steps > 0; steps--, source += ld, target += panel)
            {
                V.Store(V.Load(source), target);
                V.Store(V.Load(source + V.Count), target + V.Count);
            }
        else if (width == panel && panel * sizeof(T) % sizeof(double) == 0)
            for (; steps > 0; steps--, source += ld, target += panel)
                for (nint q = 0; q < panel * sizeof(T); q += sizeof(double))
                    Unsafe.WriteUnaligned((byte*)target + q, Unsafe.ReadUnaligned<double>((byte*)source + q));
        else
            for (; steps > 0; steps--, source += ld, target += panel)
                for (nint j = 0; j < panel; j++)
                    target[j] = j < width ? source[j] : default;
    }

    /// <summary>target[p, j] = source[j * ld + p]: the rows of the source become the lanes of a panel.</summary>
    internal static void Transpose<T>(T* source, nint ld, nint steps, nint width, nint panel, T* target)
        where T : unmanaged
    {
        var side = (nint)(Avx.IsSupported ? 32 / sizeof(T) : panel + 1);
        nint column = 0;
        for (; column + side <= width; column += side)
        {
            var done = typeof(T) == typeof(float)
                ? Transpose8((float*)source + column * ld, ld, steps, panel, (float*)target + column)
                : Transpose4((double*)source + column * ld, ld, steps, panel, (double*)target + column);
            TransposeScalar(source + column * ld, ld, done, steps, side, side, panel, target + column);
        }
        if (column < panel)
            TransposeScalar(source + column * ld, ld, 0, steps, width - column, panel - column, panel, target + column);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransposeScalar<T>(T* source, nint ld, nint from, nint steps, nint width, nint filled, nint panel, T* target)
        where T : unmanaged
    {
        for (nint j = 0; j < filled; j++)
        {
            T* row = source + j * ld, place = target + from * panel + j;
            if (j < width)
                for (var p = from; p < steps; p++, place += panel)
                    *place = row[p];
            else
                for (var p = from; p < steps; p++, place += panel)
                    *place = default;
        }
    }

    // Rows r and r + 4 share a register, so that a 4 x 4 transposition in each half gives finished columns.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static nint Transpose8(float* source, nint ld, nint steps, nint panel, float* target)
    {
        nint p = 0;
        var far = source + 4 * ld;
        for (; p + 4 <= steps; p += 4, source += 4, far += 4, target += 4 * panel)
        {
            var r0 = Vector256.Create(Vector128.Load(source), Vector128.Load(far));
            var r1 = Vector256.Create(Vector128.Load(source + ld), Vector128.Load(far + ld));
            var r2 = Vector256.Create(Vector128.Load(source + 2 * ld), Vector128.Load(far + 2 * ld));
            var r3 = Vector256.Create(Vector128.Load(source + 3 * ld), Vector128.Load(far + 3 * ld));
            var low01 = Avx.UnpackLow(r0, r1);
            var low23 = Avx.UnpackLow(r2, r3);
            var high01 = Avx.UnpackHigh(r0, r1);
            var high23 = Avx.UnpackHigh(r2, r3);
            Avx.Shuffle(low01, low23, 0x44).Store(target);
            Avx.Shuffle(low01, low23, 0xEE).Store(target + panel);
            Avx.Shuffle(high01, high23, 0x44).Store(target + 2 * panel);
            Avx.Shuffle(high01, high23, 0xEE).Store(target + 3 * panel);
        }
        return p;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static nint Transpose4(double* source, nint ld, nint steps, nint panel, double* target)
    {
        nint p = 0;
        var far = source + 2 * ld;
        for (; p + 2 <= steps; p += 2, source += 2, far += 2, target += 2 * panel)
        {
            var r0 = Vector256.Create(Vector128.Load(source), Vector128.Load(far));
            var r1 = Vector256.Create(Vector128.Load(source + ld), Vector128.Load(far + ld));
            Avx.UnpackLow(r0, r1).Store(target);
            Avx.UnpackHigh(r0, r1).Store(target + panel);
        }
        return p;
    }
}

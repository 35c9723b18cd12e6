using System.Runtime.CompilerServices;

namespace DL.Core.Kernels;

/// <summary>The rest of a row, with its missing lanes set to whatever leaves a reduction as it is.</summary>
internal static unsafe class Padded
{
    /// <summary>The first <paramref name="left"/> lanes from memory, the others from <paramref name="fill"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static S Load<T, S>(T* source, long left, S fill)
        where T : unmanaged
        where S : struct, ISimd<S, T>
    {
        var lanes = default(Lanes);
        fill.Store((T*)&lanes);
        Unsafe.CopyBlockUnaligned(&lanes, source, (uint)(left * sizeof(T)));
        return S.Load((T*)&lanes);
    }

    /// <summary>The first <paramref name="left"/> lanes, the others zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static S First<T, S>(S value, long left)
        where T : unmanaged
        where S : struct, ISimd<S, T>
    {
        var lanes = default(Lanes);
        value.Store((T*)&lanes);
        return Tail.Load<T, S>((T*)&lanes, left);
    }

    [InlineArray(8)]
    private struct Lanes
    {
        private long _first;
    }
}

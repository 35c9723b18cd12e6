using System.Runtime.CompilerServices;

namespace DL.Core.Kernels;

/// <summary>The rest of a row as a vector, for methods that reduce: lanes are copied one by one, because a call would push every vector
/// that is alive around it out of its register, loops included.</summary>
internal static unsafe class Padded
{
    /// <summary>The first <paramref name="left"/> lanes from memory, the others zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static S Load<T, S>(T* source, long left)
        where T : unmanaged
        where S : struct, ISimd<S, T> => Load(source, left, S.Create(0));

    /// <summary>The first <paramref name="left"/> lanes from memory, the others from <paramref name="fill"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static S Load<T, S>(T* source, long left, S fill)
        where T : unmanaged
        where S : struct, ISimd<S, T>
    {
        Lanes lanes;
        fill.Store((T*)&lanes);
        for (var lane = 0L; lane < left; lane++) ((T*)&lanes)[lane] = source[lane];
        return S.Load((T*)&lanes);
    }

    /// <summary>The first <paramref name="left"/> lanes, the others zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static S First<T, S>(S value, long left)
        where T : unmanaged
        where S : struct, ISimd<S, T>
    {
        Lanes lanes;
        value.Store((T*)&lanes);
        return Load<T, S>((T*)&lanes, left);
    }

    /// <summary>Writes the first <paramref name="left"/> lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<T, S>(S value, T* destination, long left)
        where T : unmanaged
        where S : struct, ISimd<S, T>
    {
        Lanes lanes;
        value.Store((T*)&lanes);
        for (var lane = 0L; lane < left; lane++) destination[lane] = ((T*)&lanes)[lane];
    }

    [InlineArray(8)]
    private struct Lanes
    {
        private long _first;
    }
}

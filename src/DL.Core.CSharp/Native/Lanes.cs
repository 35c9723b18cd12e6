using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace DL.Core.Kernels;

/// <summary>What kernels ask of memory beside plain vectors.</summary>
internal static unsafe class Lanes
{
    /// <summary>The first <paramref name="left"/> lanes from memory, the others from <paramref name="fill"/>; no memory behind them is touched.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static S Load<T, S>(T* source, long left, S fill)
        where T : unmanaged
        where S : struct, ISimd<S, T> => S.Select(S.First(left), S.Load(source, left), fill);

    /// <summary>A whole vector, or so many lanes of one and zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static S Load<T, S, L>(T* source, long lanes)
        where T : unmanaged
        where S : struct, ISimd<S, T>
        where L : struct, ILaneCount => L.Whole ? S.Load(source) : S.Load(source, lanes);

    /// <summary>Stores a whole vector, or so many lanes of one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<T, S, L>(S value, T* destination, long lanes)
        where T : unmanaged
        where S : struct, ISimd<S, T>
        where L : struct, ILaneCount
    {
        if (L.Whole) value.Store(destination);
        else value.Store(destination, lanes);
    }

    /// <summary>Copies single lanes, where the machine has no masks for a part of a vector.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Copy<T>(T* source, T* destination, long lanes) where T : unmanaged
    {
        for (var lane = 0L; lane < lanes; lane++) destination[lane] = source[lane];
    }

    /// <summary>Fetches what lies a page behind an address, for loops over more than the caches hold; inside an array or not.</summary>
    /// <remarks>The machine's own prefetching begins anew at every page: asked this way, one core gets a fifth to a third more from memory. From the caches it gets no more.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Stream<T>(T* address) where T : unmanaged => Prefetch((byte*)address + AlignedMemory.Page);

    /// <summary>Fetches the cache line at an address that is about to be read or written, inside an array or not, where the machine takes such hints.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch<T>(T* address) where T : unmanaged
    {
        if (Sse.IsSupported) Sse.Prefetch0(address);
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DL.Core.Kernels;

/// <summary>Kernels MKL compiles for one small shape: 2 to 10 times faster than a call of cblas, but 200 microseconds to make.</summary>
/// <remarks>
/// A kernel is made when its shape has been seen often, and used only if a trial gives the very bits of the managed kernel, which serves the shape
/// until then: so no result depends on how often a shape has been seen.
/// </remarks>
internal sealed unsafe class MklJit
{
    private const long LargestWork = 32 * 32 * 32;
    private const int Sightings = 100;
    private const int Slots = 512;
    private const int Probes = 4;

    private readonly Entry?[] entries = new Entry?[Slots];
    private readonly Lock making = new();
    private readonly Functions single;
    private readonly Functions twice;

    internal MklJit(nint library)
    {
        single = Functions.Find(library, 's');
        twice = Functions.Find(library, 'd');
    }

    /// <summary>Computes a small product; false when the shape is large and is left to the caller.</summary>
    internal bool TryMultiply(in Product<float> product)
    {
        if (!IsSmall(product.M, product.N, product.K)) return false;
        if (Find(product, single) is not { } entry || entry.Kernel == 0)
            ManagedEngine.Run(product);
        else
            Call(entry, product);
        return true;
    }

    /// <inheritdoc cref="TryMultiply(in Product{float})"/>
    internal bool TryMultiply(in Product<double> product)
    {
        if (!IsSmall(product.M, product.N, product.K)) return false;
        if (Find(product, twice) is not { } entry || entry.Kernel == 0)
            ManagedEngine.Run(product);
        else
            Call(entry, product);
        return true;
    }

    // A product without outputs or without terms is no work for a kernel: it would be tried on numbers that it never writes.
    private static bool IsSmall(long rows, long columns, long terms) => rows * columns * terms is > 0 and <= LargestWork;

    // Apart, for a method that may call native code pays for it on every path. Such a kernel ends within a microsecond: to let
    // the garbage collector in meanwhile would cost several times the product.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Call<T>(Entry entry, in Product<T> product)
        where T : unmanaged =>
        ((delegate* unmanaged[SuppressGCTransition]<nint, T*, T*, T*, void>)entry.Kernel)(entry.Jitter, product.A, product.B, product.C);

    private Entry? Find<T>(in Product<T> p, in Functions functions)
        where T : unmanaged
    {
        // No size of so small a product needs more than 16 bits; leading dimensions beyond 20 bits are not served.
        if (functions.Create == 0 || (p.Lda | p.Ldb | p.Ldc) >> 20 != 0)
            return null;
        var sizes = (ulong)(p.M | p.N << 16 | p.K << 32) | (ulong)sizeof(T) << 48
            | (p.TransposeA ? 1ul << 60 : 0) | (p.TransposeB ? 1ul << 61 : 0) | (p.Accumulate ? 1ul << 62 : 0);
        var distances = (ulong)(p.Lda | p.Ldb << 20 | p.Ldc << 40);
        var slot = (int)((sizes * 0x9E3779B97F4A7C15 + distances * 0xC2B2AE3D27D4EB4F) >> 32);
        for (var probe = 0; probe < Probes; probe++)
        {
            var place = (slot + probe) & (Slots - 1);
            var entry = Volatile.Read(ref entries[place]);
            if (entry is null)
                return Interlocked.CompareExchange(ref entries[place], new Entry(sizes, distances), null);
            if (entry.Sizes == sizes && entry.Distances == distances)
                return entry.Seen < Sightings ? See(entry, p, functions) : entry;
        }
        return null;
    }

    private Entry See<T>(Entry entry, in Product<T> product, in Functions functions)
        where T : unmanaged
    {
        if (Interlocked.Increment(ref entry.Seen) != Sightings)
            return entry;
        lock (making)
            MklJitKernel.Make(entry, product, functions.Create, functions.Get);
        return entry;
    }

    /// <summary>All that a kernel is compiled for, how often that was seen, and the kernel.</summary>
    internal sealed class Entry(ulong sizes, ulong distances)
    {
        internal readonly ulong Sizes = sizes;
        internal readonly ulong Distances = distances;
        internal int Seen;
        internal nint Jitter;
        internal nint Kernel;
    }

    private readonly record struct Functions(nint Create, nint Get)
    {
        internal static Functions Find(nint library, char precision) =>
            NativeLibrary.TryGetExport(library, $"mkl_cblas_jit_create_{precision}gemm", out var create)
            && NativeLibrary.TryGetExport(library, $"mkl_jit_get_{precision}gemm_ptr", out var get)
                ? new Functions(create, get)
                : default;
    }
}

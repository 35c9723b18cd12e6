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
        if ((long)product.M * product.N * product.K > LargestWork || product.K == 0)
            return false;
        if (Find(product, single) is not { } entry || entry.Kernel == 0)
            ManagedEngine.Run(product);
        else
            ((delegate* unmanaged<nint, float*, float*, float*, void>)entry.Kernel)(entry.Jitter, product.A, product.B, product.C);
        return true;
    }

    /// <inheritdoc cref="TryMultiply(in Product{float})"/>
    internal bool TryMultiply(in Product<double> product)
    {
        if ((long)product.M * product.N * product.K > LargestWork || product.K == 0)
            return false;
        if (Find(product, twice) is not { } entry || entry.Kernel == 0)
            ManagedEngine.Run(product);
        else
            ((delegate* unmanaged<nint, double*, double*, double*, void>)entry.Kernel)(entry.Jitter, product.A, product.B, product.C);
        return true;
    }

    private Entry? Find<T>(in Product<T> product, in Functions functions)
        where T : unmanaged
    {
        if (functions.Create == 0)
            return null;
        var key = Key.Of(product);
        var slot = key.Slot;
        for (var probe = 0; probe < Probes; probe++)
        {
            ref var place = ref entries[(slot + probe) % Slots];
            var entry = Volatile.Read(ref place);
            if (entry is null)
                return Interlocked.CompareExchange(ref place, new Entry(key), null);
            if (entry.Key == key)
                return entry.Seen < Sightings ? See(entry, product, functions) : entry;
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

    /// <summary>A shape, how often it was seen, and the kernel made for it.</summary>
    internal sealed class Entry(Key key)
    {
        internal readonly Key Key = key;
        internal int Seen;
        internal nint Jitter;
        internal nint Kernel;
    }

    /// <summary>All that a compiled kernel is compiled for.</summary>
    internal readonly record struct Key(int M, int N, int K, int Lda, int Ldb, int Ldc, int Flags)
    {
        internal int Slot => (int)((uint)((M * 31 + N) * 31 + K + Lda * 7 + Ldb * 11 + Ldc * 13 + Flags * 101) * 2654435769u >> 20) % Slots;

        internal static Key Of<T>(in Product<T> p)
            where T : unmanaged =>
            new((int)p.M, (int)p.N, (int)p.K, (int)p.Lda, (int)p.Ldb, (int)p.Ldc, (p.TransposeA ? 1 : 0) | (p.TransposeB ? 2 : 0) | (p.Accumulate ? 4 : 0) | sizeof(T) << 3);
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

using System.Runtime.Intrinsics;

namespace DL.Core.Kernels;

/// <summary>One implementation of the matrix product in both precisions.</summary>
internal abstract class BlasEngine
{
    // From here on a second thread pays for the operands being read twice.
    private const long DivisibleWork = 1 << 21;
    private const long LeastPart = 128;
    private const long PartGrain = 16;

    // Each part costs a packing of the other factor: so many as the machine can work on at once, and two even where only one is used,
    // as a process that is held to one processor shall get the bits of a free one on a small machine.
    private static readonly int MostParts = Math.Clamp(Environment.ProcessorCount, 2, 16);

    // The managed kernels serve every engine up to here: with wide vectors they are as fast or faster, else a call costs more than a tiny product.
    private static readonly long SmallWork = Vector512.IsHardwareAccelerated ? 1 << 25 : 1 << 12;

    // In float32 they stay ahead much longer, as long as the result keeps to the caches.
    private static readonly long SmallSingleWork = Vector512.IsHardwareAccelerated ? 1 << 29 : 1 << 12;
    private const long SmallSingleResult = 1 << 20;

    // A left factor of few columns for so few results a row is read where it lies, ahead of the arithmetic; libraries copy it first.
    private const long LeastDepth = 64;
    private const long FewColumns = 64;

    /// <summary>Whether the engine has to do every product itself, as while it is being tried.</summary>
    internal bool Alone { get; set; } = true;

    internal abstract string Name { get; }

    internal abstract string Version { get; }

    /// <summary>The file it was loaded from, or the empty string.</summary>
    internal abstract string Library { get; }

    internal abstract void Multiply(in Product<float> product);

    internal abstract void Multiply(in Product<double> product);

    /// <summary>Whether the engine leaves a product of more than a few numbers to the managed kernels.</summary>
    internal virtual bool Leaves<T>(in Product<T> product)
        where T : unmanaged => !Alone && !Worthwhile(product);

    /// <summary>Whether the product is worth the call of a native library.</summary>
    protected bool Worthwhile<T>(in Product<T> product)
        where T : unmanaged
    {
        long result = (long)product.M * product.N, work = result * product.K;
        if (Alone) return work > 0;
        if (Vector512.IsHardwareAccelerated && typeof(T) == typeof(float) && !product.TransposeA && product.Lda == product.K
            && product.N <= FewColumns && product.K >= LeastDepth && GemmBlocks.Steps(product.K) == product.K)
            return false;
        return work > (typeof(T) == typeof(float) && result <= SmallSingleResult ? SmallSingleWork : SmallWork);
    }

    /// <summary>The size of the parts <paramref name="count"/> rows or columns are handed to a library in.</summary>
    /// <remarks>A library blocks k by the size of the part, so the parts follow from the shape and the machine and not from the number of threads
    /// in use: the bits then do as well.</remarks>
    protected static long PartSize<T>(in Product<T> product, long count)
        where T : unmanaged
    {
        if ((long)product.M * product.N * product.K < DivisibleWork || count < 2 * PartGrain)
            return count;
        var parts = 2;
        while (parts < MostParts && count / (2 * parts) >= LeastPart)
            parts *= 2;
        return ((count + parts - 1) / parts + PartGrain - 1) / PartGrain * PartGrain;
    }

    /// <summary>Parts of <paramref name="size"/> that [0, count) consists of.</summary>
    protected static long PartCount(long count, long size) => (count + size - 1) / size;
}

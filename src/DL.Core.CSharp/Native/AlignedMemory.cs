using System.Runtime.InteropServices;

namespace DL.Core.Kernels;

/// <summary>Native memory on cache lines; what fills whole large pages lies on them where the system gives them for the asking (Linux).</summary>
/// <remarks>Kernels that stream through megabytes wait for page tables otherwise, above all on virtual machines, whose tables are walked twice.</remarks>
internal static unsafe class AlignedMemory
{
    /// <summary>What memory hands over at a time, in bytes.</summary>
    internal const int Line = 64;

    /// <summary>What addresses are translated in, in bytes, where no large pages are.</summary>
    internal const int Page = 4096;

    private const nuint LargePage = 2 << 20;

    // The advice MADV_HUGEPAGE of Linux.
    private const int UseLargePages = 14;

    private static readonly delegate* unmanaged<void*, nuint, int, int> Advise = FindAdvise();

    /// <summary>A block of at least so many bytes, to be freed by <see cref="Free"/>; its content is whatever was there.</summary>
    public static void* Allocate(nuint bytes)
    {
        if (bytes < LargePage || Advise == null) return NativeMemory.AlignedAlloc(bytes, Line);
        var whole = (bytes + LargePage - 1) & ~(LargePage - 1);
        var block = NativeMemory.AlignedAlloc(whole, LargePage);
        // Advice only: where the system declines, the block is as good on small pages.
        _ = Advise(block, whole, UseLargePages);
        return block;
    }

    /// <summary>Gives a block back; null is none.</summary>
    public static void Free(void* block) => NativeMemory.AlignedFree(block);

    private static delegate* unmanaged<void*, nuint, int, int> FindAdvise() =>
        OperatingSystem.IsLinux() && NativeLibrary.TryLoad("libc.so.6", out var library) && NativeLibrary.TryGetExport(library, "madvise", out var advise)
            ? (delegate* unmanaged<void*, nuint, int, int>)advise
            : null;
}

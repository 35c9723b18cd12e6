using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DL.Core.Kernels;

/// <summary>A library with the C interface of BLAS: cblas_sgemm and cblas_dgemm.</summary>
internal unsafe class CblasEngine : BlasEngine
{
    private const nint RowMajor = 101;
    private const int ShortLine = 4096;
    private const int FewRows = 256;

    private readonly nint single;
    private readonly nint twice;
    private readonly bool divisible;

    protected CblasEngine(nint library, string path, bool divisible)
    {
        single = NativeLibrary.GetExport(library, "cblas_sgemm");
        twice = NativeLibrary.GetExport(library, "cblas_dgemm");
        Library = path;
        this.divisible = divisible;
    }

    internal override string Name => "cblas";

    internal override string Version => "";

    internal override string Library { get; }

    /// <summary>Takes any library with the two functions; one with threads of its own is told to use none, where it can be told.</summary>
    internal static CblasEngine? TryOpen(nint library, string path)
    {
        if (!NativeLibrary.TryGetExport(library, "cblas_sgemm", out _) || !NativeLibrary.TryGetExport(library, "cblas_dgemm", out _))
            return null;
        var obedient = NativeLibrary.TryGetExport(library, "openblas_set_num_threads", out var setThreads);
        if (obedient)
            ((delegate* unmanaged<int, void>)setThreads)(1);
        return new CblasEngine(library, path, obedient);
    }

    internal override void Multiply(in Product<float> product)
    {
        if (!Fits(product))
            ManagedEngine.Run(product);
        else if (!divisible)
            Call(single, product);
        else
            Split(single, product, &Part);

        static void Part(void* state, long from, long to)
        {
            var job = (Job<float>*)state;
            for (var part = from; part < to; part++)
                Call(job->Function, job->Cut(part));
        }
    }

    internal override void Multiply(in Product<double> product)
    {
        if (!Fits(product))
            ManagedEngine.Run(product);
        else if (!divisible)
            Call(twice, product);
        else
            Split(twice, product, &Part);

        static void Part(void* state, long from, long to)
        {
            var job = (Job<double>*)state;
            for (var part = from; part < to; part++)
                Call(job->Function, job->Cut(part));
        }
    }

    protected static nint Code(bool transpose) => transpose ? 112 : 111;

    // Apart, for a method that may call native code pays for it on every path. Sizes go as whole registers, which a library with 32-bit and one with 64-bit sizes read alike.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Call(nint function, in Product<float> p) =>
        ((delegate* unmanaged<nint, nint, nint, nint, nint, nint, float, float*, nint, float*, nint, float, float*, nint, void>)function)(
            RowMajor, Code(p.TransposeA), Code(p.TransposeB), p.M, p.N, p.K, 1, p.A, p.Lda, p.B, p.Ldb, p.Accumulate ? 1 : 0, p.C, p.Ldc);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Call(nint function, in Product<double> p) =>
        ((delegate* unmanaged<nint, nint, nint, nint, nint, nint, double, double*, nint, double*, nint, double, double*, nint, void>)function)(
            RowMajor, Code(p.TransposeA), Code(p.TransposeB), p.M, p.N, p.K, 1, p.A, p.Lda, p.B, p.Ldb, p.Accumulate ? 1 : 0, p.C, p.Ldc);

    // An empty product and a leading dimension below the width, legal for a single row, are errors to a strict library.
    private bool Fits<T>(in Product<T> p)
        where T : unmanaged =>
        Worthwhile(p)
        && p.Lda >= (p.TransposeA ? p.M : p.K) && p.Ldb >= (p.TransposeB ? p.K : p.N) && p.Ldc >= p.N
        && Math.Max(p.Lda, Math.Max(p.Ldb, p.Ldc)) <= int.MaxValue;

    private static void Split<T>(nint function, in Product<T> product, delegate*<void*, long, long, void> part)
        where T : unmanaged
    {
        var rows = ByRows(product);
        long count = rows ? product.M : product.N, size = PartSize(product, count);
        var job = new Job<T> { Function = function, Product = product, Rows = rows, Count = count, Size = size };
        Workers.For(PartCount(count, size), 1, part, &job);
    }

    // By the longer side. Where the sides are equal MKL is 2 to 3% faster by rows when A is transposed and by columns otherwise;
    // and it reads B in place for few rows when B's lines are short, which is 10 to 20% faster.
    private static bool ByRows<T>(in Product<T> product)
        where T : unmanaged
    {
        if (product.M > product.N || (product.M == product.N && product.TransposeA))
            return true;
        var inPlace = !product.TransposeA && !product.TransposeB && product.Ldb * sizeof(T) <= ShortLine && product.M <= FewRows;
        return inPlace && PartCount(product.M, PartSize(product, product.M)) == PartCount(product.N, PartSize(product, product.N));
    }

    private struct Job<T>
        where T : unmanaged
    {
        internal nint Function;
        internal Product<T> Product;
        internal bool Rows;
        internal long Count, Size;

        internal readonly Product<T> Cut(long part)
        {
            nint from = (nint)(part * Size), to = (nint)Math.Min((part + 1) * Size, Count);
            return Rows ? Product.Rows(from, to) : Product.Columns(from, to);
        }
    }
}

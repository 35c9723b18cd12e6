using System.Runtime.InteropServices;

namespace DL.Core.Kernels;

/// <summary>MathNet.Numerics' native provider: s_matrix_multiply and d_matrix_multiply, column-major and without leading dimensions.</summary>
/// <remarks>A row-major product is the column-major product of the transposed factors in the other order; what is not contiguous goes to the managed kernels.</remarks>
internal sealed unsafe class MathNetEngine : BlasEngine
{
    private const int NoTranspose = 111;
    private const int Transpose = 112;

    private readonly nint single;
    private readonly nint twice;

    private MathNetEngine(nint library, string path)
    {
        single = NativeLibrary.GetExport(library, "s_matrix_multiply");
        twice = NativeLibrary.GetExport(library, "d_matrix_multiply");
        Library = path;
        Version = ReadVersion(library);
    }

    internal override string Name => "mathnet";

    internal override string Version { get; }

    internal override string Library { get; }

    internal static MathNetEngine? TryOpen(nint library, string path)
    {
        if (!NativeLibrary.TryGetExport(library, "s_matrix_multiply", out _) || !NativeLibrary.TryGetExport(library, "d_matrix_multiply", out _))
            return null;
        if (NativeLibrary.TryGetExport(library, "set_max_threads", out var setThreads))
            ((delegate* unmanaged<int, void>)setThreads)(1);
        return new MathNetEngine(library, path);
    }

    internal override void Multiply(in Product<float> product)
    {
        if (!Serves(product))
        {
            ManagedEngine.Run(product);
            return;
        }
        var job = new Job<float> { Function = single, Product = product, Size = PartSize(product, product.M) };
        Workers.For(PartCount(product.M, job.Size), 1, &Part, &job);

        static void Part(void* state, long from, long to)
        {
            var job = (Job<float>*)state;
            for (var part = from; part < to; part++)
                Call(job->Function, job->Product.Rows((nint)(part * job->Size), (nint)Math.Min((part + 1) * job->Size, job->Product.M)));
        }
    }

    internal override void Multiply(in Product<double> product)
    {
        if (!Serves(product))
        {
            ManagedEngine.Run(product);
            return;
        }
        var job = new Job<double> { Function = twice, Product = product, Size = PartSize(product, product.M) };
        Workers.For(PartCount(product.M, job.Size), 1, &Part, &job);

        static void Part(void* state, long from, long to)
        {
            var job = (Job<double>*)state;
            for (var part = from; part < to; part++)
                Call(job->Function, job->Product.Rows((nint)(part * job->Size), (nint)Math.Min((part + 1) * job->Size, job->Product.M)));
        }
    }

    private static void Call(nint function, in Product<float> p) =>
        ((delegate* unmanaged<int, int, int, int, int, float, float*, float*, float, float*, void>)function)(
                p.TransposeB ? Transpose : NoTranspose, NoTranspose, (int)p.N, (int)p.M, (int)p.K, 1, p.B, p.A, p.Accumulate ? 1 : 0, p.C);

    private static void Call(nint function, in Product<double> p) =>
        ((delegate* unmanaged<int, int, int, int, int, double, double*, double*, double, double*, void>)function)(
                p.TransposeB ? Transpose : NoTranspose, NoTranspose, (int)p.N, (int)p.M, (int)p.K, 1, p.B, p.A, p.Accumulate ? 1 : 0, p.C);

    // A band of rows of a transposed A is not contiguous, so it could not be cut over the workers.
    private bool Serves<T>(in Product<T> p)
        where T : unmanaged =>
        Worthwhile(p) && !p.TransposeA && p.Lda == p.K && p.Ldb == (p.TransposeB ? p.K : p.N) && p.Ldc == p.N;

    private static string ReadVersion(nint library)
    {
        const int Revision = 64;
        return NativeLibrary.TryGetExport(library, "query_capability", out var query)
            ? $"provider revision {((delegate* unmanaged<int, int>)query)(Revision)}"
            : "";
    }

    private struct Job<T>
        where T : unmanaged
    {
        internal nint Function;
        internal Product<T> Product;
        internal long Size;
    }
}

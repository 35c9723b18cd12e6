using System.Numerics;
using System.Runtime.Intrinsics;

namespace DL.Core.Kernels;

/// <summary>A right factor op(B)[k,n] laid out once as the micro-kernel reads it, for many products with it.</summary>
/// <remarks>Every engine uses the managed kernels here: with B packed they pass an unpacked product of any library.</remarks>
internal sealed unsafe class PackedMatrix<T> : IDisposable
    where T : unmanaged, INumber<T>
{
    private T* block;

    /// <summary>Makes room for a factor of <paramref name="k"/> rows and <paramref name="n"/> columns; <see cref="Fill"/> gives it its numbers.</summary>
    internal PackedMatrix(int k, int n)
    {
        (K, N) = (k, n);
        block = (T*)AlignedMemory.Allocate((nuint)(Math.Max(1, Strips * Strip * K) * sizeof(T)));
    }

    ~PackedMatrix() => Free();

    internal int K { get; }

    internal int N { get; }

    private static nint Strip => Vector512.IsHardwareAccelerated ? 2 * Vector512<T>.Count : 2 * Vector256<T>.Count;

    private nint Strips => (N + Strip - 1) / Strip;

    /// <summary>Copies op(B) in: B stored as [k,n], or as [n,k] when <paramref name="transpose"/>.</summary>
    internal void Fill(bool transpose, T* b, long ldb)
    {
        ObjectDisposedException.ThrowIf(block == null, this);
        if (Vector512.IsHardwareAccelerated)
            Fill<Gemm512<T>>(transpose, b, ldb);
        else
            Fill<Gemm256<T>>(transpose, b, ldb);
    }

    /// <summary>C[m,n] (+)= op(A)[m,k] times this matrix.</summary>
    internal void Multiply(bool transposeA, int m, T* a, long lda, bool accumulate, T* c, long ldc)
    {
        ObjectDisposedException.ThrowIf(block == null, this);
        var product = new Product<T>
        {
            TransposeA = transposeA,
            Accumulate = accumulate,
            M = m,
            N = N,
            K = K,
            A = a,
            Lda = (nint)lda,
            C = c,
            Ldc = (nint)ldc,
        };
        if (product.Empty())
            return;
        if (Vector512.IsHardwareAccelerated)
            GemmManaged.RunPacked<Gemm512<T>, T>(product, block, Strips);
        else
            GemmManaged.RunPacked<Gemm256<T>, T>(product, block, Strips);
        GC.KeepAlive(this);
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Fill<V>(bool transpose, T* b, long ldb)
        where V : struct, IGemmVector<V, T>
    {
        var job = new FillJob { Source = new Product<T> { TransposeB = transpose, N = N, K = K, B = b, Ldb = (nint)ldb }, Target = block, Strips = Strips };
        Workers.For(Strips, Math.Max(1, (1 << 15) / Math.Max(1, K * Strip)), &FillStrips<V>, &job);
        GC.KeepAlive(this);
    }

    private static void FillStrips<V>(void* state, long from, long to)
        where V : struct, IGemmVector<V, T>
    {
        var job = (FillJob*)state;
        nint steps = GemmBlocks.Steps(job->Source.K), strip = 2 * V.Count;
        for (nint p = 0; p < job->Source.K; p += steps)
        {
            var depth = Math.Min(steps, job->Source.K - p);
            var first = (nint)from * strip;
            var target = job->Target + (p * job->Strips + (nint)from * depth) * strip;
            GemmBlocks.PackRight<V, T>(job->Source, p, depth, first, Math.Min((nint)to * strip, job->Source.N) - first, target);
        }
    }

    private void Free()
    {
        AlignedMemory.Free(block);
        block = null;
    }

    private struct FillJob
    {
        internal Product<T> Source;
        internal T* Target;
        internal nint Strips;
    }
}

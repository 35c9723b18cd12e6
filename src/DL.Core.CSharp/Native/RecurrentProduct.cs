using System.Numerics;
using System.Runtime.Intrinsics;

namespace DL.Core.Kernels;

/// <summary>The right factor op(B)[K,N] of the products of all steps: packed once per pass where the steps repay it, else read where it lies.</summary>
internal unsafe struct RecurrentProduct<T> where T : unmanaged, INumber<T>
{
    // The products of so few rows read each weight once, in the order it is stored.
    private const int FewRows = 4;

    public int K, N;
    public bool Transpose;
    public T* Source;
    public long Stride;
    private T* _packed;

    private static nint Strip => Vector512.IsHardwareAccelerated ? 2 * Vector512<T>.Count : 2 * Vector256<T>.Count;

    private readonly nint Strips => (N + Strip - 1) / Strip;

    /// <summary>The bytes <see cref="Pack"/> asks for; 0 where nothing is to be packed.</summary>
    public readonly long Bytes(in RecurrentFrame frame) =>
        frame.Batch <= FewRows || frame.Steps < 2 ? 0 : (Strips * Strip * K * sizeof(T) + 63L) & ~63L;

    /// <summary>Packs the factor into so much room.</summary>
    public void Pack(void* room)
    {
        _packed = (T*)room;
        var job = this;
        var grain = Math.Max(1, (1 << 15) / Math.Max(1, K * Strip));
        if (Vector512.IsHardwareAccelerated) Workers.For(Strips, grain, &PackStrips<Lanes512<T>>, &job);
        else Workers.For(Strips, grain, &PackStrips<Lanes256<T>>, &job);
    }

    /// <summary>C[rows,N] (+)= A[rows,K] op(B).</summary>
    public readonly void Multiply(int rows, T* a, long lda, bool accumulate, T* c, long ldc)
    {
        if (_packed is null)
        {
            Blas.Gemm(false, Transpose, rows, N, K, a, lda, Source, Stride, accumulate, c, ldc);
            return;
        }

        var product = new Product<T> { Accumulate = accumulate, M = rows, N = N, K = K, A = a, Lda = (nint)lda, C = c, Ldc = (nint)ldc };
        if (product.Empty()) return;
        if (Vector512.IsHardwareAccelerated) GemmManaged.RunPacked<Lanes512<T>, T>(product, _packed, Strips);
        else GemmManaged.RunPacked<Lanes256<T>, T>(product, _packed, Strips);
    }

    private static void PackStrips<V>(void* state, long from, long to) where V : struct, IGemmWidth
    {
        ref var job = ref *(RecurrentProduct<T>*)state;
        var source = new Product<T> { TransposeB = job.Transpose, N = job.N, K = job.K, B = job.Source, Ldb = (nint)job.Stride };
        nint steps = GemmBlocks.Steps(job.K), strip = 2 * V.Count, first = (nint)from * strip;
        for (nint p = 0; p < job.K; p += steps)
        {
            var depth = Math.Min(steps, job.K - p);
            var target = job._packed + (((p * job.Strips) + ((nint)from * depth)) * strip);
            GemmBlocks.PackRight<V, T>(source, p, depth, first, Math.Min((nint)to * strip, job.N) - first, target);
        }
    }
}

using System.Numerics;
using System.Runtime.Intrinsics;

namespace DL.Core.Kernels;

/// <summary>A right factor op(B)[k,n] laid out once as the micro-kernel reads it, for many products with it, in memory that another one owns.</summary>
/// <remarks>Every engine uses the managed kernels here: with B packed they pass an unpacked product of any library.</remarks>
internal readonly unsafe struct PackedMatrix<T>(nint k, nint n, T* start)
    where T : unmanaged, INumber<T>
{
    private static nint Strip => Vector512.IsHardwareAccelerated ? 2 * Vector512<T>.Count : 2 * Vector256<T>.Count;

    private nint Strips => (n + Strip - 1) / Strip;

    /// <summary>The bytes that a factor of <paramref name="k"/> rows and <paramref name="n"/> columns takes.</summary>
    internal static long Bytes(nint k, nint n) => Math.Max(1, (n + Strip - 1) / Strip * Strip * k) * sizeof(T);

    /// <summary>Copies op(B) in: B stored as [k,n], or as [n,k] when <paramref name="transpose"/>.</summary>
    internal void Fill(bool transpose, T* b, long ldb)
    {
        var source = new Product<T> { TransposeB = transpose, N = n, K = k, B = b, Ldb = (nint)ldb };
        var job = new FillJob { Source = source, Target = start, Strips = Strips };
        var grain = Math.Max(1, (1 << 15) / Math.Max(1, k * Strip));
        if (Vector512.IsHardwareAccelerated)
            Workers.For(Strips, grain, &FillStrips<Lanes512<T>>, &job);
        else
            Workers.For(Strips, grain, &FillStrips<Lanes256<T>>, &job);
    }

    /// <summary>The product of an A with this matrix; what it says of B is not read.</summary>
    internal void Multiply(in Product<T> product)
    {
        if (product.Empty())
            return;
        if (Vector512.IsHardwareAccelerated)
            GemmManaged.RunPacked<Lanes512<T>, T>(product, start, Strips);
        else
            GemmManaged.RunPacked<Lanes256<T>, T>(product, start, Strips);
    }

    private static void FillStrips<V>(void* state, long from, long to)
        where V : struct, IGemmWidth
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

    private struct FillJob
    {
        internal Product<T> Source;
        internal T* Target;
        internal nint Strips;
    }
}

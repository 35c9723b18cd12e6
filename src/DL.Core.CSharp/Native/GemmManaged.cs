using System.Numerics;

namespace DL.Core.Kernels;

/// <summary>The library's own matrix product: chooses the way that suits the shape and cuts it over the workers.</summary>
/// <remarks>The way is chosen by the shape alone and no sum over k is ever cut, so the bits do not depend on the number of threads.</remarks>
internal static unsafe class GemmManaged
{
    /// <summary>Below this many multiplications waking another thread costs more than it brings.</summary>
    internal const long ParallelWork = 1 << 17;

    private const int SkinnyRows = 4;
    private const int SkinnyRowsFromAfar = 8;
    private const long SkinnyWork = 2048;
    private const long SkinnyParallelWork = 1 << 16;
    private const int ColumnGrain = 64;

    // What does not exceed half the first-level cache is read where it lies.
    private const int InPlaceBytes = 16 << 10;

    // What exceeds this does not stay in the second-level cache beside the rest.
    private const int LargeBytes = 256 << 10;

    // Lines of a transposed A beyond this lie on more pages than a few strips of columns repay the walking of.
    private const int HugeBytes = 1 << 20;

    // So many columns repay the copying of A.
    private const int WideEnough = 512;

    internal static void Run<V, T>(in Product<T> product)
        where V : struct, IGemmWidth
        where T : unmanaged, INumber<T>
    {
        if (product.Empty())
            return;
        if (product.N == 1 && product.Ldc == 1 && product.M > SkinnyRows && (long)product.M * product.K >= SkinnyWork)
            Skinny<V, T>(Swapped(product));
        else if (product.M <= SkinnyLimit(product) && (long)product.N * product.K >= SkinnyWork)
            Skinny<V, T>(product);
        else
            Tiled<V, T>(product);
    }

    // Tiles walk down B a strip at a time, which asks less of the first-level cache and more of memory than whole lines do.
    private static int SkinnyLimit<T>(in Product<T> product)
        where T : unmanaged
    {
        if (product.TransposeB)
            return SkinnyRows;
        return (long)product.N * product.K * sizeof(T) > GemmBlocks.FarBytes ? SkinnyRowsFromAfar : 1;
    }

    /// <summary>The product of one column as a product of one row: C^T = op(B)^T op(A)^T.</summary>
    private static Product<T> Swapped<T>(in Product<T> product)
        where T : unmanaged => new()
        {
            TransposeA = !product.TransposeB,
            TransposeB = !product.TransposeA,
            Accumulate = product.Accumulate,
            M = 1,
            N = product.M,
            K = product.K,
            A = product.B,
            Lda = product.Ldb,
            B = product.A,
            Ldb = product.Lda,
            C = product.C,
            Ldc = product.M,
        };

    private static void Skinny<V, T>(in Product<T> product)
        where V : struct, IGemmWidth
        where T : unmanaged, INumber<T>
    {
        if ((long)product.N * product.K < SkinnyParallelWork || Workers.Parallelism == 1)
        {
            SkinnyPart<V, T>(product);
            return;
        }
        fixed (Product<T>* shared = &product)
            Workers.For(product.N, ColumnGrain, &SkinnyColumns<V, T>, shared);
    }

    private static void SkinnyColumns<V, T>(void* state, long from, long to)
        where V : struct, IGemmWidth
        where T : unmanaged, INumber<T> => SkinnyPart<V, T>(((Product<T>*)state)->Columns((nint)from, (nint)to));

    private static void SkinnyPart<V, T>(in Product<T> part)
        where V : struct, IGemmWidth
        where T : unmanaged, INumber<T>
    {
        if (part.TransposeB)
            GemmDots.Run<V, T>(part);
        else
            GemmSkinny.Combine<V, T>(part);
    }

    private static void Tiled<V, T>(in Product<T> product)
        where V : struct, IGemmWidth
        where T : unmanaged
    {
        var (packA, packB) = Packing<V, T>(product);
        var threads = (long)product.M * product.N * product.K < ParallelWork ? 1 : Workers.Parallelism;
        if (threads == 1)
        {
            GemmBlocks.Run<V, T>(product, packA, packB);
            return;
        }
        var job = new Job<T> { Product = product, PackA = packA, PackB = packB, Grid = Grid.Choose<V, T>(product, threads, packA, packB) };
        Workers.For(job.Grid.Parts, 1, &Parts<V, T>, &job);
    }

    private static void Parts<V, T>(void* state, long from, long to)
        where V : struct, IGemmWidth
        where T : unmanaged
    {
        var job = (Job<T>*)state;
        for (var part = from; part < to; part++)
            GemmBlocks.Run<V, T>(job->Grid.Cut<V, T>(job->Product, part), job->PackA, job->PackB);
    }

    /// <summary>The product with B packed beforehand into <paramref name="strips"/> strips.</summary>
    internal static void RunPacked<V, T>(in Product<T> product, T* packed, nint strips)
        where V : struct, IGemmWidth
        where T : unmanaged
    {
        var packA = Packing<V, T>(product).A;
        var threads = (long)product.M * product.N * product.K < ParallelWork ? 1 : Workers.Parallelism;
        var grid = Grid.Choose<V, T>(product, threads, packA, packB: false);
        var job = new Job<T> { Product = product, PackA = packA, Grid = grid, Packed = packed, Strips = strips };
        Workers.For(grid.Parts, 1, &PackedParts<V, T>, &job);
    }

    private static void PackedParts<V, T>(void* state, long from, long to)
        where V : struct, IGemmWidth
        where T : unmanaged
    {
        var job = (Job<T>*)state;
        for (var index = from; index < to; index++)
        {
            var part = job->Grid.Cut<V, T>(job->Product, index);
            GemmBlocks.RunPacked<V, T>(part, job->PackA, job->Packed, job->Strips, job->Grid.FirstColumn<V, T>(job->Product, index) / (2 * V.Count));
        }
    }

    /// <summary>Which operands are worth copying: one read a few lanes per line, or across so many pages that its lines push each other out.</summary>
    internal static (bool A, bool B) Packing<V, T>(in Product<T> product)
        where V : struct, IGemmWidth
        where T : unmanaged
    {
        var crowded = product.Lda * sizeof(T) % AlignedMemory.Page == 0;
        long bytesA = (long)product.K * product.M * sizeof(T), bytesB = (long)product.K * product.N * sizeof(T);
        var packB = product.TransposeB || (product.M > 2 * V.TileRows && bytesB > InPlaceBytes);
        var packA = product.TransposeA
            ? product.N > (crowded || bytesA > HugeBytes ? 2 : 16) * V.Count && bytesA > (crowded ? InPlaceBytes : 4 * InPlaceBytes)
            : product.N >= (crowded ? WideEnough / 2 : WideEnough) && bytesA > LargeBytes;
        return (packA, packB);
    }

    private struct Job<T>
        where T : unmanaged
    {
        internal Product<T> Product;
        internal bool PackA, PackB;
        internal Grid Grid;
        internal T* Packed;
        internal nint Strips;
    }
}

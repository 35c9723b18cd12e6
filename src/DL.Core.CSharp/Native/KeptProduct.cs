using System.Numerics;

namespace DL.Core.Kernels;

/// <summary>Products with weights that stay, as in prediction: from the second one on the weights lie packed beside their tensor, and are read as memory
/// gives them fastest.</summary>
/// <remarks>Only where every engine leaves the product to the managed kernels: packed or not they give the same bits.</remarks>
internal static unsafe class KeptProduct
{
    // Fewer rows read the weights once, where they lie; beside more of them the packing does not count.
    private const int LeastRows = 5;
    private const int MostRows = 512;

    // Smaller weights stay in the caches.
    private const long LeastBytes = 256 << 10;

    /// <summary>Does the product if the weights are kept, or can be from now on.</summary>
    /// <param name="product">A product whose B are the weights, not transposed.</param>
    /// <param name="heldBy">The array that holds the weights, or null.</param>
    internal static bool TryRun<T>(in Product<T> product, Array? heldBy)
        where T : unmanaged, INumber<T>
    {
        if (heldBy is null || product.M is < LeastRows or > MostRows || product.N == 1 || product.K * product.N * sizeof(T) < LeastBytes)
            return false;
        if (!Blas.Engine.Leaves(product))
            return false;
        var keeper = KeptWeights.Of(heldBy);
        var layout = new Layout(product.K, product.N);
        if (keeper.Find(layout) is not { } block)
        {
            if (keeper.Room(layout, PackedMatrix<T>.Bytes(product.K, product.N)) is not { } room)
                return false;
            block = room;
            new PackedMatrix<T>(product.K, product.N, (T*)block.Start).Fill(false, product.B, product.Ldb);
            keeper.Keep(block);
        }

        new PackedMatrix<T>(product.K, product.N, (T*)block.Start).Multiply(product);
        GC.KeepAlive(block);
        return true;
    }

    private sealed record Layout(nint Rows, nint Columns);
}

namespace DL.Core.Kernels;

/// <summary>How a product is cut into parts for the workers: so many bands of rows by so many bands of columns.</summary>
internal readonly struct Grid(nint rows, nint columns)
{
    // Cycles a step of k takes: a tile of eight rows by one strip, and the copying of one strip of B or one tile of A.
    private const int TileCost = 8;
    private const int CopyCost = 3;
    private const int TransposeCost = 10;

    internal long Parts => (long)rows * columns;

    /// <summary>The cut with the least work in its largest part; B is copied once per band of rows, A once per band of columns.</summary>
    internal static Grid Choose<V, T>(in Product<T> product, int threads, bool packA, bool packB)
        where V : struct, IGemmWidth
        where T : unmanaged
    {
        nint tiles = (product.M + V.TileRows - 1) / V.TileRows, strips = (product.N + 2 * V.Count - 1) / (2 * V.Count);
        var copyB = !packB ? 0 : product.TransposeB ? TransposeCost : CopyCost;
        var copyA = packA ? CopyCost : 0;
        var best = new Grid(1, 1);
        var least = double.MaxValue;
        for (nint bands = 1; bands <= Math.Min(threads, tiles); bands++)
        {
            var across = Math.Min(threads / bands, strips);
            double high = (tiles + bands - 1) / bands, wide = (strips + across - 1) / across;
            var cost = wide * (high * TileCost + copyB) + high * copyA;
            if (cost >= least)
                continue;
            least = cost;
            best = new Grid(bands, across);
        }
        return best;
    }

    internal Product<T> Cut<V, T>(in Product<T> product, long part)
        where V : struct, IGemmWidth
        where T : unmanaged
    {
        var (row, column) = ((nint)part / columns, (nint)part % columns);
        return product
            .Rows(Edge(product.M, V.TileRows, row, rows), Edge(product.M, V.TileRows, row + 1, rows))
            .Columns(Edge(product.N, 2 * V.Count, column, columns), Edge(product.N, 2 * V.Count, column + 1, columns));
    }

    internal nint FirstColumn<V, T>(in Product<T> product, long part)
        where V : struct, IGemmWidth
        where T : unmanaged => Edge(product.N, 2 * V.Count, (nint)part % columns, columns);

    /// <summary>The begin of band <paramref name="index"/> when <paramref name="size"/> is cut at multiples of <paramref name="unit"/>.</summary>
    internal static nint Edge(nint size, nint unit, nint index, nint bands)
    {
        var units = (size + unit - 1) / unit;
        return Math.Min(units * index / bands * unit, size);
    }
}

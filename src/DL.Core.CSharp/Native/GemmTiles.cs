namespace DL.Core.Kernels;

/// <summary>Cuts a block of C into tiles: chooses the compiled kernel for each height and width.</summary>
internal static unsafe class GemmTiles
{
    /// <summary>Computes <paramref name="rows"/> rows of one strip that is <paramref name="columns"/> wide, at most two vectors.</summary>
    /// <remarks>With a place for it in <see cref="Tile{T}.Packed"/> the first tile packs B as it goes, which costs nothing beside the arithmetic, and the others read that.</remarks>
    internal static void Strip<V, T>(in Tile<T> tile, nint rows, nint columns)
        where V : struct, IGemmWidth
        where T : unmanaged
    {
        if (columns == 2 * V.Count)
            Rows<V, T, Two>(tile, rows);
        else if (columns > V.Count)
            Rows<V, T, TwoMasked>(tile, rows);
        else if (columns == V.Count)
            Rows<V, T, One>(tile, rows);
        else
            Rows<V, T, OneMasked>(tile, rows);
    }

    /// <summary>Computes four rows of one strip and the four that lie <see cref="Tile{T}.AHalf"/> from them, in one tile.</summary>
    internal static void Halves<V, T>(in Tile<T> tile, nint columns)
        where V : struct, IGemmWidth
        where T : unmanaged
    {
        if (columns == 2 * V.Count)
            Halves<V, T, Two>(tile);
        else if (columns > V.Count)
            Halves<V, T, TwoMasked>(tile);
        else if (columns == V.Count)
            Halves<V, T, One>(tile);
        else
            Halves<V, T, OneMasked>(tile);
    }

    private static void Halves<V, T, N>(in Tile<T> tile)
        where V : struct, IGemmWidth
        where T : unmanaged
        where N : struct, ITileColumns
    {
        if (tile.Ahead)
            GemmKernel.Run<V, T, TwoHalves, N, Fetching>(tile, tile.A, tile.C, 1);
        else
            GemmKernel.Run<V, T, TwoHalves, N, Plain>(tile, tile.A, tile.C, 1);
    }

    private static void Rows<V, T, N>(in Tile<T> tile, nint rows)
        where V : struct, IGemmWidth
        where T : unmanaged
        where N : struct, ITileColumns
    {
        nint height = V.TileRows;
        if (tile.Packed == null && !tile.Ahead)
        {
            RowsFrom<V, T, N>(tile, tile.A, tile.C, rows);
            return;
        }
        var rest = tile;
        if (tile.Packed == null && rows >= 2 * height)
        {
            // All tiles share in it: memory gives a line now and then, but not a whole strip in the time of one tile.
            rest.Fetch = tile.B + tile.Runs * tile.K * tile.BStep;
            rest.FetchRun = rest.FetchTile = 0;
            rest.FetchStep = (tile.BStep + rows / height - 1) / (rows / height);
            RowsFrom<V, T, N>(rest, tile.A, tile.C, rows);
            return;
        }
        var first = Math.Min(height, rows);
        if (tile.Packed == null)
        {
            Height<V, T, N, Fetching>(tile, tile.A, tile.C, 1, (int)first);
        }
        else
        {
            Height<V, T, N, Packing>(tile, tile.A, tile.C, 1, (int)first);
            rest.B = tile.Packed;
            rest.BStep = 2 * V.Count;
            rest.Fetch += tile.Runs * tile.K * tile.FetchStep + (tile.Runs - 1) * tile.FetchRun + tile.FetchTile;
        }
        if (rows > first)
            RowsFrom<V, T, N>(rest, tile.A + tile.ANext, tile.C + height * tile.CRow, rows - first);
    }

    private static void RowsFrom<V, T, N>(in Tile<T> tile, T* a, T* c, nint rows)
        where V : struct, IGemmWidth
        where T : unmanaged
        where N : struct, ITileColumns
    {
        nint height = V.TileRows, full = rows / height, rest = rows - full * height;
        // A tile of one to three rows leaves the multipliers waiting: two tiles of middling height take less time.
        var shared = rest > 0 && 2 * rest < height && full > 0 && tile.ANext == height * tile.ARow;
        if (shared)
        {
            full--;
            rest += height;
        }
        if (full > 0 && tile.FetchStep != 0)
            Height<V, T, N, FetchingAlong>(tile, a, c, full, (int)height);
        else if (full > 0)
            Height<V, T, N, Plain>(tile, a, c, full, (int)height);
        if (rest == 0)
            return;
        a += full * tile.ANext;
        c += full * height * tile.CRow;
        if (shared)
        {
            var upper = (rest + 1) / 2;
            Height<V, T, N, Plain>(tile, a, c, 1, (int)upper);
            a += upper * tile.ARow;
            c += upper * tile.CRow;
            rest -= upper;
        }
        Height<V, T, N, Plain>(tile, a, c, 1, (int)rest);
    }

    private static void Height<V, T, N, P>(in Tile<T> tile, T* a, T* c, nint tiles, int rows)
        where V : struct, IGemmWidth
        where T : unmanaged
        where N : struct, ITileColumns
        where P : struct, ITilePacking
    {
        switch (rows)
        {
            case 1: GemmKernel.Run<V, T, Rows1, N, P>(tile, a, c, tiles); break;
            case 2: GemmKernel.Run<V, T, Rows2, N, P>(tile, a, c, tiles); break;
            case 3: GemmKernel.Run<V, T, Rows3, N, P>(tile, a, c, tiles); break;
            case 4: GemmKernel.Run<V, T, Rows4, N, P>(tile, a, c, tiles); break;
            case 5: GemmKernel.Run<V, T, Rows5, N, P>(tile, a, c, tiles); break;
            case 6: GemmKernel.Run<V, T, Rows6, N, P>(tile, a, c, tiles); break;
            case 7: GemmKernel.Run<V, T, Rows7, N, P>(tile, a, c, tiles); break;
            default: GemmKernel.Run<V, T, Rows8, N, P>(tile, a, c, tiles); break;
        }
    }

    internal readonly struct Rows1 : ITileRows { public static int Count => 1; public static bool Apart => false; }

    internal readonly struct Rows2 : ITileRows { public static int Count => 2; public static bool Apart => false; }

    private readonly struct Rows3 : ITileRows { public static int Count => 3; public static bool Apart => false; }

    private readonly struct Rows4 : ITileRows { public static int Count => 4; public static bool Apart => false; }

    private readonly struct Rows5 : ITileRows { public static int Count => 5; public static bool Apart => false; }

    private readonly struct Rows6 : ITileRows { public static int Count => 6; public static bool Apart => false; }

    private readonly struct Rows7 : ITileRows { public static int Count => 7; public static bool Apart => false; }

    private readonly struct Rows8 : ITileRows { public static int Count => 8; public static bool Apart => false; }

    private readonly struct TwoHalves : ITileRows { public static int Count => 8; public static bool Apart => true; }

    private readonly struct Plain : ITilePacking
    {
        public static bool Packs => false;

        public static bool Fetches => false;

        public static bool FetchesAlong => false;
    }

    private readonly struct Fetching : ITilePacking
    {
        public static bool Packs => false;

        public static bool Fetches => true;

        public static bool FetchesAlong => false;
    }

    private readonly struct FetchingAlong : ITilePacking
    {
        public static bool Packs => false;

        public static bool Fetches => false;

        public static bool FetchesAlong => true;
    }

    private readonly struct Packing : ITilePacking
    {
        public static bool Packs => true;

        public static bool Fetches => false;

        public static bool FetchesAlong => false;
    }

    private readonly struct One : ITileColumns
    {
        public static int Vectors => 1;

        public static bool Masked => false;
    }

    private readonly struct OneMasked : ITileColumns
    {
        public static int Vectors => 1;

        public static bool Masked => true;
    }

    private readonly struct Two : ITileColumns
    {
        public static int Vectors => 2;

        public static bool Masked => false;
    }

    private readonly struct TwoMasked : ITileColumns
    {
        public static int Vectors => 2;

        public static bool Masked => true;
    }
}

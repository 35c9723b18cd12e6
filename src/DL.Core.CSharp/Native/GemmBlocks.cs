using System.Runtime.CompilerServices;

namespace DL.Core.Kernels;

/// <summary>Walks one part of a product block by block, so that what the micro-kernel reads lies in the nearest cache.</summary>
internal static unsafe class GemmBlocks
{
    // A strip of B (two vectors by this many steps) stays in a 48 KB first-level cache beside the rows of A.
    private const int StepLimit = 256;

    // A block of A and the strips of B it meets stay together in the second-level cache.
    private const int RowLimit = 256;
    private const int PanelBytes = 1 << 20;
    private const int CrowdedRows = 64;

    /// <summary>A right factor beyond this comes from afar: it is read line by line, as memory gives it fastest.</summary>
    internal const int FarBytes = 1 << 20;

    // A left factor beyond this is not in the first-level cache.
    private const int NearBytes = 1 << 16;

    /// <summary>The width of the sums before they are added to C: a function of k alone, so that it moves no bit between tilings.</summary>
    internal static nint Steps(nint k)
    {
        if (k <= StepLimit)
            return k;
        var blocks = (k + StepLimit - 1) / StepLimit;
        return ((k + blocks - 1) / blocks + 7) & ~(nint)7;
    }

    /// <summary>Computes the part with the operands packed as asked; an operand not packed is read where it lies.</summary>
    internal static void Run<V, T>(in Product<T> part, bool packA, bool packB)
        where V : struct, IGemmWidth
        where T : unmanaged
    {
        nint strip = 2 * V.Count, steps = Steps(part.K), rows = RowsAtOnce<V, T>(part, packA);
        var far = packB && !part.TransposeB && (long)part.K * part.N * sizeof(T) > FarBytes;
        var columns = far || rows < part.M || packA ? Math.Min(part.N, PanelBytes / (StepLimit * sizeof(T))) : strip;
        var a = packA ? (T*)Scratch.Left((rows + V.TileRows) * steps * sizeof(T)) : null;
        var b = packB ? (T*)Scratch.Right((columns + strip) * steps * sizeof(T)) : null;
        for (nint j = 0; j < part.N; j += columns)
            for (nint p = 0; p < part.K; p += steps)
            {
                var width = Math.Min(columns, part.N - j);
                var depth = Math.Min(steps, part.K - p);
                if (far)
                    GemmPack.CopyLines<V, T>(part.B + p * part.Ldb + j, part.Ldb, depth, width, b);
                else if (packB && part.TransposeB)
                    PackRight<V, T>(part, p, depth, j, width, b);
                for (nint i = 0; i < part.M; i += rows)
                    Block<V, T>(part, i, Math.Min(rows, part.M - i), p, depth, j, width, a, b, packB && !part.TransposeB && !far && i == 0, false);
            }
    }

    /// <summary>Computes the part with B packed beforehand by <see cref="PackRight{V, T}"/>, block after block of k.</summary>
    internal static void RunPacked<V, T>(in Product<T> part, bool packA, T* packed, nint packedStrips, nint firstStrip)
        where V : struct, IGemmWidth
        where T : unmanaged
    {
        nint strip = 2 * V.Count, steps = Steps(part.K), rows = RowsAtOnce<V, T>(part, packA);
        var a = packA ? (T*)Scratch.Left((rows + V.TileRows) * steps * sizeof(T)) : null;
        for (nint p = 0; p < part.K; p += steps)
        {
            var depth = Math.Min(steps, part.K - p);
            var b = packed + (p * packedStrips + firstStrip * depth) * strip;
            for (nint i = 0; i < part.M; i += rows)
                Block<V, T>(part, i, Math.Min(rows, part.M - i), p, depth, 0, part.N, a, b, false, i == 0);
        }
    }

    // Rows at a distance of whole pages share few sets of the cache, which holds only so many of them.
    private static nint RowsAtOnce<V, T>(in Product<T> part, bool packA)
        where V : struct, IGemmWidth
        where T : unmanaged
    {
        var limit = !packA && !part.TransposeA && part.Lda * sizeof(T) % AlignedMemory.Page == 0 ? CrowdedRows : RowLimit;
        return packA || part.M > limit ? limit / V.TileRows * V.TileRows : part.M;
    }

    /// <summary>Packs steps [p, p + depth) of columns [j, j + width) of op(B), strip after strip.</summary>
    internal static void PackRight<V, T>(in Product<T> part, nint p, nint depth, nint j, nint width, T* target)
        where V : struct, IGemmWidth
        where T : unmanaged
    {
        nint strip = 2 * V.Count;
        for (nint from = 0; from < width; from += strip, target += strip * depth)
        {
            var lanes = Math.Min(strip, width - from);
            if (part.TransposeB)
                GemmPack.Transpose(part.B + (j + from) * part.Ldb + p, part.Ldb, depth, lanes, strip, target);
            else
                GemmPack.Copy<V, T>(part.B + p * part.Ldb + j + from, part.Ldb, depth, lanes, strip, target);
        }
    }

    private static void PackLeft<V, T>(in Product<T> part, nint i, nint rows, nint p, nint depth, T* target)
        where V : struct, IGemmWidth
        where T : unmanaged
    {
        nint height = V.TileRows;
        var source = part.A + i * part.ARow + p * part.AStep;
        for (nint from = 0; from < rows; from += height, target += height * depth, source += height * part.ARow)
            if (part.TransposeA)
                GemmPack.Copy<V, T>(source, part.Lda, depth, Math.Min(height, rows - from), height, target);
            else
                GemmPack.Transpose(source, part.Lda, depth, Math.Min(height, rows - from), height, target);
    }

    private static void Block<V, T>(in Product<T> part, nint i, nint rows, nint p, nint depth, nint j, nint width, T* a, T* b, bool fill, bool ahead)
        where V : struct, IGemmWidth
        where T : unmanaged
    {
        nint strip = 2 * V.Count;
        Unsafe.SkipInit(out Tile<T> tile);
        tile.K = depth;
        tile.Runs = 1;
        tile.CRow = part.Ldc;
        tile.Add = part.Accumulate || p > 0;
        if (a == null)
        {
            tile.A = part.A + i * part.ARow + p * part.AStep;
            tile.ARow = part.ARow;
            tile.AStep = part.AStep;
            tile.ANext = V.TileRows * tile.ARow;
        }
        else
        {
            PackLeft<V, T>(part, i, rows, p, depth, a);
            tile.A = a;
            tile.ARow = 1;
            tile.AStep = V.TileRows;
            tile.ANext = V.TileRows * depth;
        }
        tile.BStep = b == null || fill ? part.Ldb : strip;
        tile.Fetch = tile.A + tile.ANext;
        tile.FetchRun = tile.FetchTile = 0;
        // Rows that follow one another are one run of memory: what the next tiles read lies as far behind it as they do.
        var inPlace = a == null && tile.AStep == 1 && tile.ARow == depth && (long)part.M * depth * sizeof(T) > NearBytes;
        for (nint from = 0; from < width; from += strip)
        {
            var lanes = Math.Min(strip, width - from);
            tile.B = b == null || fill ? part.B + p * part.Ldb + j + from : b + from * depth;
            tile.Packed = fill ? b + from * depth : null;
            tile.Ahead = ahead;
            tile.FetchStep = inPlace && from == 0 ? V.TileRows : 0;
            tile.C = part.C + i * part.Ldc + j + from;
            tile.Tail = (int)((lanes - 1) % V.Count) + 1;
            GemmTiles.Strip<V, T>(tile, rows, lanes);
        }
    }
}

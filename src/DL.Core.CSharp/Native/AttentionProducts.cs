using System.Runtime.CompilerServices;

namespace DL.Core.Kernels;

/// <summary>The products of attention over the tiles of <see cref="GemmKernel"/>: rows of all heads are read where they lie, and what nobody sees is not computed.</summary>
/// <remarks>Every sum runs in an order that follows from the positions alone, so that keys which a query does not see move no bit of its output.</remarks>
internal static unsafe class AttentionProducts<V, T>
    where V : struct, IGemmWidth
    where T : unmanaged
{
    private const int Depth = 256;

    /// <summary>The columns of a strip of packed rows.</summary>
    public static nint Strip => 2 * V.Count;

    /// <summary>The elements of a strip that rows are packed into on the way.</summary>
    public static nint StripSize => Depth * Strip;

    /// <summary>Lays rows out as columns, strip after strip.</summary>
    public static void Pack(T* rows, nint ld, nint count, nint width, T* target)
    {
        for (nint from = 0; from < count; from += Strip)
            GemmPack.Transpose(rows + (from * ld), ld, width, Math.Min(Strip, count - from), Strip, target + (from * width));
    }

    /// <summary>target[key, i] = sum_p rows[key, p] columns[i, p] for all keys that some query of the strip sees.</summary>
    public static void Dots(in AttentionTile tile, T* rows, nint ld, nint width, T* columns, T* target)
    {
        Unsafe.SkipInit(out Tile<T> part);
        part.Ahead = false;
        Init(ref part, ld, 1, tile.Stride);
        part.BStep = Strip;
        for (nint from = 0; from < tile.Count; from += Strip)
        {
            var lanes = Math.Min(Strip, tile.Count - from);
            var keys = tile.End(from + lanes - 1);
            if (keys == 0) continue;
            part.Tail = Tail(lanes);
            part.C = target + from;
            for (nint p = 0; p < width || p == 0; p += Depth)
            {
                part.K = Math.Min(Depth, width - p);
                part.A = rows + p;
                part.B = columns + (from * width) + (p * Strip);
                part.Add = p > 0;
                GemmTiles.Strip<V, T>(part, keys, lanes);
            }
        }
    }

    /// <summary>target[i, :] = sum over the keys that i sees of weights[key, i] rows[key, :].</summary>
    public static void OfQueries(in AttentionTile tile, T* weights, T* rows, nint ld, nint width, T* target, nint ldt, T* strip)
    {
        Unsafe.SkipInit(out Tile<T> part);
        part.Ahead = false;
        Init(ref part, 1, tile.Stride, ldt);
        nint keys = tile.End(tile.Count - 1), group = tile.Causal ? V.TileRows : tile.Count;
        for (nint key = 0; key < keys || key == 0; key += Depth)
            for (nint column = 0; column < width; column += Strip)
            {
                var lanes = Math.Min(Strip, width - column);
                part.Tail = Tail(lanes);
                part.Add = key > 0;
                Begin(ref part, rows + (key * ld) + column, ld, strip, tile.Count > V.TileRows);
                // From the last group, which sees the most keys and packs them for the others.
                for (var i = (tile.Count - 1) / group * group; i >= 0; i -= group)
                {
                    var count = Math.Min(group, tile.Count - i);
                    part.K = Math.Min(tile.End(i + count - 1) - key, Depth);
                    if (part.K <= 0 && key > 0) break;
                    part.A = weights + (key * tile.Stride) + i;
                    part.C = target + (i * ldt) + column;
                    GemmTiles.Strip<V, T>(part, count, lanes);
                    Continue(ref part);
                }
            }
    }

    /// <summary>target[key, :] += sum over the queries that see the key of weights[key, i] rows[i, :].</summary>
    public static void OfKeys(in AttentionTile tile, T* weights, T* rows, nint ld, nint width, T* target, nint ldt, T* strip)
    {
        Unsafe.SkipInit(out Tile<T> part);
        part.Ahead = false;
        Init(ref part, tile.Stride, 1, ldt);
        part.Add = true;
        var keys = tile.End(tile.Count - 1);
        nint group = tile.Causal ? V.TileRows : keys, first = tile.From(0);
        for (nint column = 0; column < width; column += Strip)
        {
            var lanes = Math.Min(Strip, width - column);
            part.Tail = Tail(lanes);
            Begin(ref part, rows + (first * ld) + column, ld, strip, keys > V.TileRows);
            for (nint key = 0; key < keys; key += group)
            {
                var skipped = tile.From(key) - first;
                var step = part;
                step.K = tile.Count - first - skipped;
                step.A = weights + (key * tile.Stride) + first + skipped;
                step.B += skipped * step.BStep;
                step.C = target + (key * ldt) + column;
                GemmTiles.Strip<V, T>(step, Math.Min(group, keys - key), lanes);
                Continue(ref part);
            }
        }
    }

    // Rows of one head lie far apart in memory: the first tile that reads them packs them, if there is another.
    private static void Begin(ref Tile<T> part, T* rows, nint ld, T* strip, bool again)
    {
        part.B = rows;
        part.BStep = ld;
        part.Packed = again ? strip : null;
    }

    private static void Continue(ref Tile<T> part)
    {
        if (part.Packed == null) return;
        part.B = part.Packed;
        part.BStep = Strip;
        part.Packed = null;
    }

    private static void Init(ref Tile<T> part, nint row, nint step, nint rowOfC)
    {
        (part.ARow, part.AStep, part.ANext, part.CRow) = (row, step, V.TileRows * row, rowOfC);
        part.Packed = null;
        part.Runs = 1;
        part.AJump = 0;
        part.BJump = 0;
        part.FetchStep = 0;
    }

    private static int Tail(nint lanes) => (int)((lanes - 1) % V.Count) + 1;
}

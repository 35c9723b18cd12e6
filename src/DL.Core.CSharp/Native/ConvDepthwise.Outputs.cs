using System.Runtime.CompilerServices;

namespace DL.Core.Kernels;

internal static unsafe partial class ConvDepthwise
{
    /// <summary>y = sum over taps of x w for the positions of a tile.</summary>
    private static void Outputs<T, S>(in Tile<T> tile)
        where T : unmanaged
        where S : struct, ISimd<S, T>
    {
        // The last positions of a row may begin among those before them: they make the same sums again.
        var together = tile.Columns < Together ? 1 : Together;
        var run = RunBytes / sizeof(T);
        for (var j = 0L; j < tile.Columns; j += together)
            for (var from = 0L; from < tile.Channels; from += run)
                Column<T, S>(tile, Math.Min(j, tile.Columns - together), together, from, Math.Min(run, tile.Channels - from));
    }

    // Down the rows, so that a pixel stays in the first-level cache for all rows of the window.
    private static void Column<T, S>(in Tile<T> tile, long column, long together, long from, long channels)
        where T : unmanaged
        where S : struct, ISimd<S, T>
    {
        T* x = tile.X + (column * tile.StepColumn), y = tile.Y + (column * tile.ApartColumn);
        var whole = from + channels - (channels % S.Count);
        var left = from + channels - whole;
        for (var i = 0L; i < tile.Rows; i++, x += tile.StepRow, y += tile.ApartRow)
        {
            if (whole > from) Outputs<T, S, AllLanes>(tile, x, y, together, from, whole, S.Count);
            if (left > 0) Outputs<T, S, FirstLanes>(tile, x, y, together, whole, whole + left, left);
        }
    }

    private static void Outputs<T, S, W>(in Tile<T> tile, T* x, T* y, long together, long from, long to, long lanes)
        where T : unmanaged
        where S : struct, ISimd<S, T>
        where W : struct, ILaneCount
    {
        if (together == 1) One<T, S, W>(tile, x, y, from, to, lanes);
        else if (tile.Threes) SixOfThrees<T, S, W>(tile, x, y, from, to, lanes);
        else Six<T, S, W>(tile, x, y, from, to, lanes);
    }

    // A weight is read once for six pixels, whose sums hide each other's latency; all their channels before the next pixels, for the lines of one channel
    // fall on few sets of the cache.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Six<T, S, W>(in Tile<T> tile, T* x, T* y, long from, long to, long lanes)
        where T : unmanaged
        where S : struct, ISimd<S, T>
        where W : struct, ILaneCount
    {
        var taps = tile.Taps;
        var w = tile.Weight;
        long step = tile.StepColumn, apart = tile.ApartColumn, nextX = tile.NextX, nextY = tile.ApartRow;
        for (var c = from; c < to; c += S.Count)
        {
            S s0 = default, s1 = default, s2 = default, s3 = default, s4 = default, s5 = default;
            for (var t = 0; t < taps.Count; t++)
            {
                var at = x + c + taps.Reads[t];
                var weight = Lanes.Load<T, S, W>(w + c + taps.Weights[t], lanes);
                s0 = S.Fma(Lanes.Load<T, S, W>(at, lanes), weight, s0);
                s1 = S.Fma(Lanes.Load<T, S, W>(at + step, lanes), weight, s1);
                s2 = S.Fma(Lanes.Load<T, S, W>(at + (2 * step), lanes), weight, s2);
                s3 = S.Fma(Lanes.Load<T, S, W>(at + (3 * step), lanes), weight, s3);
                s4 = S.Fma(Lanes.Load<T, S, W>(at + (4 * step), lanes), weight, s4);
                s5 = S.Fma(Lanes.Load<T, S, W>(at + (5 * step), lanes), weight, s5);
            }

            PrefetchSix(x + c + nextX, step);
            PrefetchSix(y + c + nextY, apart);
            var result = y + c;
            Lanes.Store<T, S, W>(s0, result, lanes);
            Lanes.Store<T, S, W>(s1, result + apart, lanes);
            Lanes.Store<T, S, W>(s2, result + (2 * apart), lanes);
            Lanes.Store<T, S, W>(s3, result + (3 * apart), lanes);
            Lanes.Store<T, S, W>(s4, result + (4 * apart), lanes);
            Lanes.Store<T, S, W>(s5, result + (5 * apart), lanes);
        }
    }

    // Eight pixels of a row serve three taps of six positions, each read once.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SixOfThrees<T, S, W>(in Tile<T> tile, T* x, T* y, long from, long to, long lanes)
        where T : unmanaged
        where S : struct, ISimd<S, T>
        where W : struct, ILaneCount
    {
        var taps = tile.Taps;
        var w = tile.Weight;
        long step = tile.StepColumn, apart = tile.ApartColumn, nextX = tile.NextX, nextY = tile.ApartRow;
        for (var c = from; c < to; c += S.Count)
        {
            S s0 = default, s1 = default, s2 = default, s3 = default, s4 = default, s5 = default;
            for (var t = 0; t < taps.Count; t += 3)
            {
                var at = x + c + taps.Reads[t];
                S u = Lanes.Load<T, S, W>(w + c + taps.Weights[t], lanes), v = Lanes.Load<T, S, W>(w + c + taps.Weights[t + 1], lanes);
                var z = Lanes.Load<T, S, W>(w + c + taps.Weights[t + 2], lanes);
                S x0 = Lanes.Load<T, S, W>(at, lanes), x1 = Lanes.Load<T, S, W>(at + step, lanes), x2 = Lanes.Load<T, S, W>(at + (2 * step), lanes);
                S x3 = Lanes.Load<T, S, W>(at + (3 * step), lanes), x4 = Lanes.Load<T, S, W>(at + (4 * step), lanes), x5 = Lanes.Load<T, S, W>(at + (5 * step), lanes);
                S x6 = Lanes.Load<T, S, W>(at + (6 * step), lanes), x7 = Lanes.Load<T, S, W>(at + (7 * step), lanes);
                s0 = S.Fma(x2, z, S.Fma(x1, v, S.Fma(x0, u, s0)));
                s1 = S.Fma(x3, z, S.Fma(x2, v, S.Fma(x1, u, s1)));
                s2 = S.Fma(x4, z, S.Fma(x3, v, S.Fma(x2, u, s2)));
                s3 = S.Fma(x5, z, S.Fma(x4, v, S.Fma(x3, u, s3)));
                s4 = S.Fma(x6, z, S.Fma(x5, v, S.Fma(x4, u, s4)));
                s5 = S.Fma(x7, z, S.Fma(x6, v, S.Fma(x5, u, s5)));
            }

            PrefetchSix(x + c + nextX, step);
            PrefetchSix(y + c + nextY, apart);
            var result = y + c;
            Lanes.Store<T, S, W>(s0, result, lanes);
            Lanes.Store<T, S, W>(s1, result + apart, lanes);
            Lanes.Store<T, S, W>(s2, result + (2 * apart), lanes);
            Lanes.Store<T, S, W>(s3, result + (3 * apart), lanes);
            Lanes.Store<T, S, W>(s4, result + (4 * apart), lanes);
            Lanes.Store<T, S, W>(s5, result + (5 * apart), lanes);
        }
    }

    // Three vectors of channels at a time hide each other's latency.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void One<T, S, W>(in Tile<T> tile, T* x, T* y, long from, long to, long lanes)
        where T : unmanaged
        where S : struct, ISimd<S, T>
        where W : struct, ILaneCount
    {
        var taps = tile.Taps;
        var w = tile.Weight;
        var c = from;
        for (; c + (3L * S.Count) <= to; c += 3L * S.Count)
        {
            S a = default, b = default, d = default;
            for (var t = 0; t < taps.Count; t++)
            {
                T* at = x + c + taps.Reads[t], weight = w + c + taps.Weights[t];
                a = S.Fma(S.Load(at), S.Load(weight), a);
                b = S.Fma(S.Load(at + S.Count), S.Load(weight + S.Count), b);
                d = S.Fma(S.Load(at + (2 * S.Count)), S.Load(weight + (2 * S.Count)), d);
            }

            a.Store(y + c);
            b.Store(y + c + S.Count);
            d.Store(y + c + (2 * S.Count));
        }

        for (; c < to; c += S.Count)
        {
            S sum = default;
            for (var t = 0; t < taps.Count; t++)
                sum = S.Fma(Lanes.Load<T, S, W>(x + c + taps.Reads[t], lanes), Lanes.Load<T, S, W>(w + c + taps.Weights[t], lanes), sum);
            Lanes.Store<T, S, W>(sum, y + c, lanes);
        }
    }
}

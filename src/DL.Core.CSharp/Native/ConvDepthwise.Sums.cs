using System.Runtime.CompilerServices;

namespace DL.Core.Kernels;

internal static unsafe partial class ConvDepthwise
{
    /// <summary>sums [taps; channels] += x dy over the positions of a tile.</summary>
    private static void Sums<T, S>(in Tile<T> tile)
        where T : unmanaged
        where S : struct, ISimd<S, T>
    {
        var run = RunBytes / sizeof(T);
        for (long j = 0, together; j < tile.Columns; j += together)
        {
            together = tile.Columns - j < Together ? 1 : Together;
            for (var from = 0L; from < tile.Channels; from += run)
                SumColumn<T, S>(tile, j, together, from, Math.Min(run, tile.Channels - from));
        }
    }

    private static void SumColumn<T, S>(in Tile<T> tile, long column, long together, long from, long channels)
        where T : unmanaged
        where S : struct, ISimd<S, T>
    {
        T* x = tile.X + (column * tile.StepColumn), dy = tile.Y + (column * tile.ApartColumn);
        var whole = from + channels - (channels % S.Count);
        var left = from + channels - whole;
        for (var i = 0L; i < tile.Rows; i++, x += tile.StepRow, dy += tile.ApartRow)
        {
            if (whole > from) Sums<T, S, AllLanes>(tile, x, dy, together, from, whole, S.Count);
            if (left > 0) Sums<T, S, FirstLanes>(tile, x, dy, together, whole, whole + left, left);
        }
    }

    private static void Sums<T, S, W>(in Tile<T> tile, T* x, T* dy, long together, long from, long to, long lanes)
        where T : unmanaged
        where S : struct, ISimd<S, T>
        where W : struct, ILaneCount
    {
        if (together == 1) SumOne<T, S, W>(tile, x, dy, from, to, lanes);
        else if (tile.Threes) SumSixOfThrees<T, S, W>(tile, x, dy, from, to, lanes);
        else SumSix<T, S, W>(tile, x, dy, from, to, lanes);
    }

    // The gradients of six pixels stay in registers for all taps.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SumSix<T, S, W>(in Tile<T> tile, T* x, T* dy, long from, long to, long lanes)
        where T : unmanaged
        where S : struct, ISimd<S, T>
        where W : struct, ILaneCount
    {
        var taps = tile.Taps;
        var sums = tile.Weight;
        long step = tile.StepColumn, apart = tile.ApartColumn, nextX = tile.NextX, nextY = tile.ApartRow;
        for (var c = from; c < to; c += S.Count)
        {
            PrefetchSix(x + c + nextX, step);
            PrefetchSix(dy + c + nextY, apart);
            var g = dy + c;
            S d0 = Lanes.Load<T, S, W>(g, lanes), d1 = Lanes.Load<T, S, W>(g + apart, lanes), d2 = Lanes.Load<T, S, W>(g + (2 * apart), lanes);
            S d3 = Lanes.Load<T, S, W>(g + (3 * apart), lanes), d4 = Lanes.Load<T, S, W>(g + (4 * apart), lanes), d5 = Lanes.Load<T, S, W>(g + (5 * apart), lanes);
            for (var t = 0; t < taps.Count; t++)
            {
                T* at = x + c + taps.Reads[t], sum = sums + c + taps.Weights[t];
                var a = S.Fma(Lanes.Load<T, S, W>(at, lanes), d0, Lanes.Load<T, S, W>(sum, lanes));
                var b = Lanes.Load<T, S, W>(at + step, lanes) * d1;
                a = S.Fma(Lanes.Load<T, S, W>(at + (2 * step), lanes), d2, a);
                b = S.Fma(Lanes.Load<T, S, W>(at + (3 * step), lanes), d3, b);
                a = S.Fma(Lanes.Load<T, S, W>(at + (4 * step), lanes), d4, a);
                b = S.Fma(Lanes.Load<T, S, W>(at + (5 * step), lanes), d5, b);
                Lanes.Store<T, S, W>(a + b, sum, lanes);
            }
        }
    }

    // Eight pixels of a row serve three taps of six positions, each read once.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SumSixOfThrees<T, S, W>(in Tile<T> tile, T* x, T* dy, long from, long to, long lanes)
        where T : unmanaged
        where S : struct, ISimd<S, T>
        where W : struct, ILaneCount
    {
        var taps = tile.Taps;
        var sums = tile.Weight;
        long step = tile.StepColumn, apart = tile.ApartColumn, nextX = tile.NextX, nextY = tile.ApartRow;
        for (var c = from; c < to; c += S.Count)
        {
            PrefetchSix(x + c + nextX, step);
            PrefetchSix(dy + c + nextY, apart);
            var g = dy + c;
            S d0 = Lanes.Load<T, S, W>(g, lanes), d1 = Lanes.Load<T, S, W>(g + apart, lanes), d2 = Lanes.Load<T, S, W>(g + (2 * apart), lanes);
            S d3 = Lanes.Load<T, S, W>(g + (3 * apart), lanes), d4 = Lanes.Load<T, S, W>(g + (4 * apart), lanes), d5 = Lanes.Load<T, S, W>(g + (5 * apart), lanes);
            for (var t = 0; t < taps.Count; t += 3)
            {
                T* at = x + c + taps.Reads[t], first = sums + c + taps.Weights[t];
                T* second = sums + c + taps.Weights[t + 1], third = sums + c + taps.Weights[t + 2];
                S x0 = Lanes.Load<T, S, W>(at, lanes), x1 = Lanes.Load<T, S, W>(at + step, lanes), x2 = Lanes.Load<T, S, W>(at + (2 * step), lanes);
                S x3 = Lanes.Load<T, S, W>(at + (3 * step), lanes), x4 = Lanes.Load<T, S, W>(at + (4 * step), lanes), x5 = Lanes.Load<T, S, W>(at + (5 * step), lanes);
                S x6 = Lanes.Load<T, S, W>(at + (6 * step), lanes), x7 = Lanes.Load<T, S, W>(at + (7 * step), lanes);
                var a = S.Fma(x4, d4, S.Fma(x2, d2, S.Fma(x0, d0, Lanes.Load<T, S, W>(first, lanes))));
                Lanes.Store<T, S, W>(a + S.Fma(x5, d5, S.Fma(x3, d3, x1 * d1)), first, lanes);
                var b = S.Fma(x5, d4, S.Fma(x3, d2, S.Fma(x1, d0, Lanes.Load<T, S, W>(second, lanes))));
                Lanes.Store<T, S, W>(b + S.Fma(x6, d5, S.Fma(x4, d3, x2 * d1)), second, lanes);
                var e = S.Fma(x6, d4, S.Fma(x4, d2, S.Fma(x2, d0, Lanes.Load<T, S, W>(third, lanes))));
                Lanes.Store<T, S, W>(e + S.Fma(x7, d5, S.Fma(x5, d3, x3 * d1)), third, lanes);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SumOne<T, S, W>(in Tile<T> tile, T* x, T* dy, long from, long to, long lanes)
        where T : unmanaged
        where S : struct, ISimd<S, T>
        where W : struct, ILaneCount
    {
        var taps = tile.Taps;
        var sums = tile.Weight;
        for (var c = from; c < to; c += S.Count)
        {
            var d = Lanes.Load<T, S, W>(dy + c, lanes);
            for (var t = 0; t < taps.Count; t++)
            {
                var sum = sums + c + taps.Weights[t];
                Lanes.Store<T, S, W>(S.Fma(Lanes.Load<T, S, W>(x + c + taps.Reads[t], lanes), d, Lanes.Load<T, S, W>(sum, lanes)), sum, lanes);
            }
        }
    }
}

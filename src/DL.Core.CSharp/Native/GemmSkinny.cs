using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DL.Core.Kernels;

/// <summary>Products of a few rows only: B is read once, where it lies, and nothing is packed.</summary>
internal static unsafe class GemmSkinny
{
    // Rows of B that are added up at once.
    private const int RowsAtOnce = 8;

    // Rows of B at once and all sums stay in the first-level cache.
    private const int ColumnsAtOnce = 512;

    /// <summary>C (+)= op(A) B with B stored as [k,n]: rows of B, scaled, are added up.</summary>
    internal static void Combine<V, T>(in Product<T> part)
        where V : struct, IGemmWidth
        where T : unmanaged
    {
        if (V.Count == Vector512<T>.Count)
            Combine<Lanes512<T>, Vector512<T>, T>(part);
        else
            Combine<Lanes256<T>, Vector256<T>, T>(part);
    }

    private static void Combine<V, L, T>(in Product<T> part)
        where V : struct, IGemmLanes<L, T>
        where L : struct
        where T : unmanaged
    {
        var steps = GemmBlocks.Steps(part.K);
        var sums = (T*)Scratch.Left((part.M * ColumnsAtOnce + 64) * sizeof(T));
        for (nint j = 0; j < part.N; j += ColumnsAtOnce)
            for (nint p = 0; p < part.K; p += steps)
            {
                var width = Math.Min(ColumnsAtOnce, part.N - j);
                Sum<V, L, T>(part, p, Math.Min(p + steps, part.K), j, width, sums);
                for (nint i = 0; i < part.M; i++)
                    Deliver<V, L, T>(sums + i * ColumnsAtOnce, part.C + i * part.Ldc + j, width, part.Accumulate || p > 0);
            }
    }

    // The columns that fill vectors, then those of the last one.
    private static void Sum<V, L, T>(in Product<T> part, nint from, nint to, nint j, nint width, T* sums)
        where V : struct, IGemmLanes<L, T>
        where L : struct
        where T : unmanaged
    {
        var whole = width / V.Count * V.Count;
        if (whole > 0)
            Sum<V, L, T, AllLanes>(part, from, to, j, whole, sums);
        if (whole < width)
            Sum<V, L, T, FirstLanes>(part, from, to, j + whole, width - whole, sums + whole);
    }

    private static void Sum<V, L, T, E>(in Product<T> part, nint from, nint to, nint j, nint width, T* sums)
        where V : struct, IGemmLanes<L, T>
        where L : struct
        where T : unmanaged
        where E : struct, ILaneCount
    {
        for (var p = from; p < to; p += RowsAtOnce)
        {
            T* a = part.A + p * part.AStep, b = part.B + p * part.Ldb + j;
            nint i = 0;
            // The sixteen factors of two rows ask for more registers than narrower vectors have.
            if (to - p >= RowsAtOnce && V.Count == Vector512<T>.Count)
                for (; i + 2 <= part.M; i += 2)
                    AddEight<V, L, T, E, GemmTiles.Rows2>(a + i * part.ARow, part, b, sums + i * ColumnsAtOnce, width, p == from);
            for (; i < part.M; i++)
                if (to - p >= RowsAtOnce)
                    AddEight<V, L, T, E, GemmTiles.Rows1>(a + i * part.ARow, part, b, sums + i * ColumnsAtOnce, width, p == from);
                else
                    for (nint q = 0; q < to - p; q++)
                        AddOne<V, L, T, E>(a + i * part.ARow + q * part.AStep, b + q * part.Ldb, sums + i * ColumnsAtOnce, width, p + q == from);
        }
    }

    // Two rows of the result share what is read of B.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddEight<V, L, T, E, R>(T* a, in Product<T> part, T* b, T* sums, nint width, bool first)
        where V : struct, IGemmLanes<L, T>
        where L : struct
        where T : unmanaged
        where E : struct, ILaneCount
        where R : struct, ITileRows
    {
        nint step = part.AStep, ldb = part.Ldb, ldb3 = 3 * ldb;
        T* far = b + 4 * ldb, a2 = R.Count > 1 ? a + part.ARow : a;
        L a10 = V.Broadcast(a), a11 = V.Broadcast(a + step), a12 = V.Broadcast(a + 2 * step), a13 = V.Broadcast(a + 3 * step);
        L a20 = V.Broadcast(a2), a21 = V.Broadcast(a2 + step), a22 = V.Broadcast(a2 + 2 * step), a23 = V.Broadcast(a2 + 3 * step);
        a += 4 * step;
        a2 += 4 * step;
        L a14 = V.Broadcast(a), a15 = V.Broadcast(a + step), a16 = V.Broadcast(a + 2 * step), a17 = V.Broadcast(a + 3 * step);
        L a24 = V.Broadcast(a2), a25 = V.Broadcast(a2 + step), a26 = V.Broadcast(a2 + 2 * step), a27 = V.Broadcast(a2 + 3 * step);
        var mask = E.Whole ? default : V.Mask((int)width);
        for (; width > 0; width -= V.Count, b += V.Count, far += V.Count, sums += V.Count)
        {
            var sum1 = first ? default : V.Load(sums);
            var sum2 = first || R.Count == 1 ? default : V.Load(sums + ColumnsAtOnce);
            FetchFour(b + RowsAtOnce * ldb, ldb, ldb3);
            FetchFour(far + RowsAtOnce * ldb, ldb, ldb3);
            var x = Load<V, L, T, E>(b, mask);
            sum1 = V.MultiplyAdd(a10, x, sum1);
            if (R.Count > 1)
                sum2 = V.MultiplyAdd(a20, x, sum2);
            x = Load<V, L, T, E>(b + ldb, mask);
            sum1 = V.MultiplyAdd(a11, x, sum1);
            if (R.Count > 1)
                sum2 = V.MultiplyAdd(a21, x, sum2);
            x = Load<V, L, T, E>(b + 2 * ldb, mask);
            sum1 = V.MultiplyAdd(a12, x, sum1);
            if (R.Count > 1)
                sum2 = V.MultiplyAdd(a22, x, sum2);
            x = Load<V, L, T, E>(b + ldb3, mask);
            sum1 = V.MultiplyAdd(a13, x, sum1);
            if (R.Count > 1)
                sum2 = V.MultiplyAdd(a23, x, sum2);
            x = Load<V, L, T, E>(far, mask);
            sum1 = V.MultiplyAdd(a14, x, sum1);
            if (R.Count > 1)
                sum2 = V.MultiplyAdd(a24, x, sum2);
            x = Load<V, L, T, E>(far + ldb, mask);
            sum1 = V.MultiplyAdd(a15, x, sum1);
            if (R.Count > 1)
                sum2 = V.MultiplyAdd(a25, x, sum2);
            x = Load<V, L, T, E>(far + 2 * ldb, mask);
            sum1 = V.MultiplyAdd(a16, x, sum1);
            if (R.Count > 1)
                sum2 = V.MultiplyAdd(a26, x, sum2);
            x = Load<V, L, T, E>(far + ldb3, mask);
            V.Store(V.MultiplyAdd(a17, x, sum1), sums);
            if (R.Count > 1)
                V.Store(V.MultiplyAdd(a27, x, sum2), sums + ColumnsAtOnce);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static L Load<V, L, T, E>(T* source, L mask)
        where V : struct, IGemmLanes<L, T>
        where L : struct
        where T : unmanaged
        where E : struct, ILaneCount => E.Whole ? V.Load(source) : V.Load(source, mask);

    // The next rows, while these are added: so many streams are more than the machine foresees.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FetchFour<T>(T* b, nint ldb, nint ldb3)
        where T : unmanaged
    {
        Lanes.Prefetch(b);
        Lanes.Prefetch(b + ldb);
        Lanes.Prefetch(b + 2 * ldb);
        Lanes.Prefetch(b + ldb3);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddOne<V, L, T, E>(T* a, T* b, T* sums, nint width, bool first)
        where V : struct, IGemmLanes<L, T>
        where L : struct
        where T : unmanaged
        where E : struct, ILaneCount
    {
        var scale = V.Broadcast(a);
        var mask = E.Whole ? default : V.Mask((int)width);
        for (; width > 0; width -= V.Count, b += V.Count, sums += V.Count)
            V.Store(V.MultiplyAdd(scale, Load<V, L, T, E>(b, mask), first ? default : V.Load(sums)), sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Deliver<V, L, T>(T* sums, T* c, nint width, bool add)
        where V : struct, IGemmLanes<L, T>
        where L : struct
        where T : unmanaged
    {
        for (; width >= V.Count; width -= V.Count, c += V.Count, sums += V.Count)
            V.Store(add ? V.Add(V.Load(c), V.Load(sums)) : V.Load(sums), c);
        if (width <= 0)
            return;
        var mask = V.Mask((int)width);
        V.Store(add ? V.Add(V.Load(c, mask), V.Load(sums)) : V.Load(sums), c, mask);
    }
}

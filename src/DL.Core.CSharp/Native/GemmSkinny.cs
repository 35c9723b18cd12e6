using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DL.Core.Kernels;

/// <summary>Products of a few rows only: B is read once, where it lies, and nothing is packed.</summary>
internal static unsafe class GemmSkinny
{
    private const int RowsAtOnce = 8;
    private const int ColumnsAtOnce = 1024;

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

    private static void Sum<V, L, T>(in Product<T> part, nint from, nint to, nint j, nint width, T* sums)
        where V : struct, IGemmLanes<L, T>
        where L : struct
        where T : unmanaged
    {
        for (var p = from; p < to; p += RowsAtOnce)
            for (nint i = 0; i < part.M; i++)
            {
                var b = part.B + p * part.Ldb + j;
                var a = part.A + i * part.ARow + p * part.AStep;
                var place = sums + i * ColumnsAtOnce;
                if (to - p >= RowsAtOnce)
                    AddEight<V, L, T>(a, part.AStep, b, part.Ldb, place, width, p == from);
                else
                    for (nint q = 0; q < to - p; q++)
                        AddOne<V, L, T>(a + q * part.AStep, b + q * part.Ldb, place, width, p + q == from);
            }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddEight<V, L, T>(T* a, nint step, T* b, nint ldb, T* sums, nint width, bool first)
        where V : struct, IGemmLanes<L, T>
        where L : struct
        where T : unmanaged
    {
        L a0 = V.Broadcast(a), a1 = V.Broadcast(a + step), a2 = V.Broadcast(a + 2 * step), a3 = V.Broadcast(a + 3 * step);
        a += 4 * step;
        L a4 = V.Broadcast(a), a5 = V.Broadcast(a + step), a6 = V.Broadcast(a + 2 * step), a7 = V.Broadcast(a + 3 * step);
        var ldb3 = 3 * ldb;
        var far = b + 4 * ldb;
        for (; width >= V.Count; width -= V.Count, b += V.Count, far += V.Count, sums += V.Count)
        {
            var sum = first ? default : V.Load(sums);
            FetchFour(b + RowsAtOnce * ldb, ldb, ldb3);
            FetchFour(far + RowsAtOnce * ldb, ldb, ldb3);
            sum = V.MultiplyAdd(a0, V.Load(b), sum);
            sum = V.MultiplyAdd(a1, V.Load(b + ldb), sum);
            sum = V.MultiplyAdd(a2, V.Load(b + 2 * ldb), sum);
            sum = V.MultiplyAdd(a3, V.Load(b + ldb3), sum);
            sum = V.MultiplyAdd(a4, V.Load(far), sum);
            sum = V.MultiplyAdd(a5, V.Load(far + ldb), sum);
            sum = V.MultiplyAdd(a6, V.Load(far + 2 * ldb), sum);
            sum = V.MultiplyAdd(a7, V.Load(far + ldb3), sum);
            V.Store(sum, sums);
        }
        if (width <= 0)
            return;
        var mask = V.Mask((int)width);
        var last = first ? default : V.Load(sums);
        last = V.MultiplyAdd(a0, V.Load(b, mask), last);
        last = V.MultiplyAdd(a1, V.Load(b + ldb, mask), last);
        last = V.MultiplyAdd(a2, V.Load(b + 2 * ldb, mask), last);
        last = V.MultiplyAdd(a3, V.Load(b + ldb3, mask), last);
        last = V.MultiplyAdd(a4, V.Load(far, mask), last);
        last = V.MultiplyAdd(a5, V.Load(far + ldb, mask), last);
        last = V.MultiplyAdd(a6, V.Load(far + 2 * ldb, mask), last);
        V.Store(V.MultiplyAdd(a7, V.Load(far + ldb3, mask), last), sums);
    }

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
    private static void AddOne<V, L, T>(T* a, T* b, T* sums, nint width, bool first)
        where V : struct, IGemmLanes<L, T>
        where L : struct
        where T : unmanaged
    {
        var scale = V.Broadcast(a);
        for (; width >= V.Count; width -= V.Count, b += V.Count, sums += V.Count)
            V.Store(V.MultiplyAdd(scale, V.Load(b), first ? default : V.Load(sums)), sums);
        if (width > 0)
            V.Store(V.MultiplyAdd(scale, V.Load(b, V.Mask((int)width)), first ? default : V.Load(sums)), sums);
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

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DL.Core.Kernels;

/// <summary>The number of rows of a tile, as a type, so that a kernel is compiled for it.</summary>
internal interface ITileRows
{
    static abstract int Count { get; }

    /// <summary>Whether the rows from the fifth on lie elsewhere than behind the first four.</summary>
    static abstract bool Apart { get; }
}

/// <summary>The width of a tile in vectors, and whether its last vector is cut by a mask.</summary>
internal interface ITileColumns
{
    static abstract int Vectors { get; }

    static abstract bool Masked { get; }
}

/// <summary>What a tile does beside the sums: whether it leaves B packed for the tiles below, whether it fetches what lies behind B, and whether it
/// fetches along with them what will be read later.</summary>
internal interface ITilePacking
{
    static abstract bool Packs { get; }

    static abstract bool Fetches { get; }

    static abstract bool FetchesAlong { get; }
}

/// <summary>One column of tiles of C += A B: where its operands lie, how far it is from row to row, from step to step of k and from tile to tile.</summary>
internal unsafe struct Tile<T>
    where T : unmanaged
{
    internal nint K, ARow, AStep, ANext, BStep, CRow;
    internal T* A, B, C;

    /// <summary>Where a tile that packs B on its way leaves it for the tiles to come.</summary>
    internal T* Packed;

    /// <summary>Into how many runs the steps fall, at least 1: each of K steps, with a jump of A and one of B from the end of one to the next.</summary>
    internal nint Runs, AJump, BJump;

    /// <summary>How far it is from the first four rows to the last four, where a tile is made of two halves.</summary>
    internal nint AHalf, CHalf;

    /// <summary>Whether the strip that lies behind a packed one is fetched meanwhile, for it comes from afar.</summary>
    internal bool Ahead;

    /// <summary>Where that lies which tiles fetch for those to come, and how far it is from step to step, 0 for nothing to fetch, and from the end of a
    /// run and of a tile to the next.</summary>
    internal T* Fetch;
    internal nint FetchStep, FetchRun, FetchTile;

    /// <summary>The lanes of the last vector that exist, when the tile is masked.</summary>
    internal int Tail;

    /// <summary>Whether the product is added to C or overwrites it.</summary>
    internal bool Add;
}

/// <summary>c[i,j] (+)= sum over p of a[i,p] b[p,j] for a tile of up to eight rows by two vectors, all sums in registers.</summary>
/// <remarks>Every element is one chain of fused multiply-adds in the order of p, whatever tile it falls into, which is why a result never depends on how a product was cut up.
/// Limited by the multipliers where the core has nothing else to do, and by the decoding of instructions, 30 for 16 multiply-adds, where it runs a second
/// thread. Six rows by four vectors ask for 38 for 24 and gain 8% up to 128 steps; beyond, their strips outgrow the first-level cache and they gain nothing.</remarks>
internal static unsafe class GemmKernel
{
    // Shorter sums end before a line asked for has come.
    private const int PrefetchSteps = 32;

    /// <summary>Runs <paramref name="tiles"/> tiles of the same height, one under the other.</summary>
    internal static void Run<V, T, R, N, P>(in Tile<T> tile, T* a, T* c, nint tiles)
        where V : struct, IGemmWidth
        where T : unmanaged
        where R : struct, ITileRows
        where N : struct, ITileColumns
        where P : struct, ITilePacking
    {
        if (V.Count == Vector512<T>.Count)
            Tiles<Lanes512<T>, Vector512<T>, T, R, N, P>(tile, a, c, tiles);
        else
            Tiles<Lanes256<T>, Vector256<T>, T, R, N, P>(tile, a, c, tiles);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tiles<V, L, T, R, N, P>(in Tile<T> tile, T* a, T* c, nint tiles)
        where V : struct, IGemmLanes<L, T>
        where L : struct
        where T : unmanaged
        where R : struct, ITileRows
        where N : struct, ITileColumns
        where P : struct, ITilePacking
    {
        nint row = tile.ARow, row2 = 2 * row, row3 = 3 * row, step = tile.AStep * sizeof(T), stepB = tile.BStep * sizeof(T), ldc = tile.CRow, k = tile.K;
        var start = tile.B;
        var mask = N.Masked ? V.Mask(tile.Tail) : default;
        var add = tile.Add;
        var behind = tile.Runs * k * tile.BStep;
        var fetch = tile.Fetch;
        for (; tiles > 0; tiles--)
        {
            L c00 = default, c01 = default;
            L c10 = default, c11 = default;
            L c20 = default, c21 = default;
            L c30 = default, c31 = default;
            L c40 = default, c41 = default;
            L c50 = default, c51 = default;
            L c60 = default, c61 = default;
            L c70 = default, c71 = default;
            T* a0 = a, a4 = a + (R.Apart ? tile.AHalf : 4 * row), b = start, packed = tile.Packed;
            var c4 = c + (R.Apart ? tile.CHalf : 4 * ldc);
            if (k >= PrefetchSteps)
            {
                Prefetch<T, R>(c, c4, ldc);
                if (N.Vectors == 2)
                    Prefetch<T, R>(c + V.Count, c4 + V.Count, ldc);
            }
            for (var runs = tile.Runs; ;)
            {
                for (var p = k; p != 0; p--)
                {
                    var b0 = N.Vectors == 2 || !N.Masked ? V.Load(b) : V.Load(b, mask);
                    var b1 = N.Vectors != 2 ? default : N.Masked ? V.Load(b + V.Count, mask) : V.Load(b + V.Count);
                    if (P.Fetches && Sse.IsSupported)
                    {
                        Sse.Prefetch1(b + behind);
                        if (N.Vectors == 2)
                            Sse.Prefetch1(b + behind + V.Count);
                    }
                    if (P.FetchesAlong && Sse.IsSupported)
                    {
                        Sse.Prefetch1(fetch);
                        fetch += tile.FetchStep;
                    }
                    if (P.Packs)
                    {
                        V.Store(b0, packed);
                        if (N.Vectors == 2)
                            V.Store(b1, packed + V.Count);
                        packed += 2 * V.Count;
                    }
                    {
                        var x = V.Broadcast(a0);
                        c00 = V.MultiplyAdd(b0, x, c00);
                        if (N.Vectors == 2)
                            c01 = V.MultiplyAdd(b1, x, c01);
                    }
                    if (R.Count > 1)
                    {
                        var x = V.Broadcast(a0 + row);
                        c10 = V.MultiplyAdd(b0, x, c10);
                        if (N.Vectors == 2)
                            c11 = V.MultiplyAdd(b1, x, c11);
                    }
                    if (R.Count > 2)
                    {
                        var x = V.Broadcast(a0 + row2);
                        c20 = V.MultiplyAdd(b0, x, c20);
                        if (N.Vectors == 2)
                            c21 = V.MultiplyAdd(b1, x, c21);
                    }
                    if (R.Count > 3)
                    {
                        var x = V.Broadcast(a0 + row3);
                        c30 = V.MultiplyAdd(b0, x, c30);
                        if (N.Vectors == 2)
                            c31 = V.MultiplyAdd(b1, x, c31);
                    }
                    if (R.Count > 4)
                    {
                        var x = V.Broadcast(a4);
                        c40 = V.MultiplyAdd(b0, x, c40);
                        if (N.Vectors == 2)
                            c41 = V.MultiplyAdd(b1, x, c41);
                    }
                    if (R.Count > 5)
                    {
                        var x = V.Broadcast(a4 + row);
                        c50 = V.MultiplyAdd(b0, x, c50);
                        if (N.Vectors == 2)
                            c51 = V.MultiplyAdd(b1, x, c51);
                    }
                    if (R.Count > 6)
                    {
                        var x = V.Broadcast(a4 + row2);
                        c60 = V.MultiplyAdd(b0, x, c60);
                        if (N.Vectors == 2)
                            c61 = V.MultiplyAdd(b1, x, c61);
                    }
                    if (R.Count > 7)
                    {
                        var x = V.Broadcast(a4 + row3);
                        c70 = V.MultiplyAdd(b0, x, c70);
                        if (N.Vectors == 2)
                            c71 = V.MultiplyAdd(b1, x, c71);
                    }
                    a0 = (T*)((byte*)a0 + step);
                    a4 = (T*)((byte*)a4 + step);
                    b = (T*)((byte*)b + stepB);
                }
                if (--runs <= 0)
                    break;
                a0 += tile.AJump;
                a4 += tile.AJump;
                b += tile.BJump;
                if (P.FetchesAlong)
                    fetch += tile.FetchRun;
            }
            Put<V, L, T, N>(c00, c01, c, mask, add);
            if (R.Count > 1)
                Put<V, L, T, N>(c10, c11, c + ldc, mask, add);
            if (R.Count > 2)
                Put<V, L, T, N>(c20, c21, c + 2 * ldc, mask, add);
            if (R.Count > 3)
                Put<V, L, T, N>(c30, c31, c + 3 * ldc, mask, add);
            if (R.Count > 4)
                Put<V, L, T, N>(c40, c41, c4, mask, add);
            if (R.Count > 5)
                Put<V, L, T, N>(c50, c51, c4 + ldc, mask, add);
            if (R.Count > 6)
                Put<V, L, T, N>(c60, c61, c4 + 2 * ldc, mask, add);
            if (R.Count > 7)
                Put<V, L, T, N>(c70, c71, c4 + 3 * ldc, mask, add);
            a += tile.ANext;
            c += R.Count * ldc;
            if (P.FetchesAlong)
                fetch += tile.FetchTile;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put<V, L, T, N>(L c0, L c1, T* c, L mask, bool add)
        where V : struct, IGemmLanes<L, T>
        where L : struct
        where T : unmanaged
        where N : struct, ITileColumns
    {
        if (N.Vectors == 2 || !N.Masked)
            V.Store(add ? V.Add(V.Load(c), c0) : c0, c);
        else
            V.Store(add ? V.Add(V.Load(c, mask), c0) : c0, c, mask);
        if (N.Vectors != 2)
            return;
        c += V.Count;
        if (N.Masked)
            V.Store(add ? V.Add(V.Load(c, mask), c1) : c1, c, mask);
        else
            V.Store(add ? V.Add(V.Load(c), c1) : c1, c);
    }

    // The rows of C are far apart and asked for only after the sums are done: fetched now they come for free.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch<T, R>(T* c, T* c4, nint ldc)
        where T : unmanaged
        where R : struct, ITileRows
    {
        if (!Sse.IsSupported || R.Count < 6)
            return;
        Sse.Prefetch0(c);
        Sse.Prefetch0(c + ldc);
        Sse.Prefetch0(c + 2 * ldc);
        Sse.Prefetch0(c + 3 * ldc);
        Sse.Prefetch0(c4);
        Sse.Prefetch0(c4 + ldc);
        if (R.Count < 8)
            return;
        Sse.Prefetch0(c4 + 2 * ldc);
        Sse.Prefetch0(c4 + 3 * ldc);
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DL.Core.Kernels;

/// <summary>What attention of very few queries takes.</summary>
internal static class AttentionSteps
{
    /// <summary>From more queries on packing them pays.</summary>
    public const int MostQueries = 3;

    /// <summary>So many positions of all heads at a time, for they lie one after the other in memory.</summary>
    public const int Block = 32;
}

/// <summary>Attention of very few queries, as when tokens are made one by one: all it does is to read the keys and values there are, once each.</summary>
internal static unsafe class AttentionStep<T> where T : unmanaged
{
    private const int Block = AttentionSteps.Block;

    /// <summary>Whether a job whose keys are not told one by one is better done this way.</summary>
    public static bool Suits(in AttentionJob<T> job) => job.Queries <= AttentionSteps.MostQueries && job.Weights == null && job.Dropout.Threshold == 0;

    /// <summary>Heads [from, to) of all examples; the body of a job.</summary>
    public static void Run(void* state, long from, long to)
    {
        ref var job = ref *(AttentionJob<T>*)state;
        if (Vector512.IsHardwareAccelerated) Heads<Simd512<T>>(job, from, to);
        else if (Vector256.IsHardwareAccelerated) Heads<Simd256<T>>(job, from, to);
        else Heads<Simd128<T>>(job, from, to);
    }

    private static void Heads<S>(in AttentionJob<T> job, long from, long to) where S : struct, ISimd<S, T>
    {
        var row = (job.Keys + 63) / 64 * 64;
        var scores = (T*)Scratch.Right((long)row * job.Heads * sizeof(T));
        while (from < to)
        {
            // The heads of one example.
            var end = Math.Min(to, (from / job.Heads * job.Heads) + job.Heads);
            var first = job.Head(from, 0);
            for (nint query = 0; query < job.Queries; query++)
            {
                var tile = first.At(0, job.Queries);
                var keys = query < first.Queries ? tile.End(query) : 0;
                Query<S>(job, first, query, keys, (int)(end - from), scores, row);
            }

            from = end;
        }
    }

    private static void Query<S>(in AttentionJob<T> job, in AttentionHead<T> first, nint query, nint keys, int heads, T* scores, nint row)
        where S : struct, ISimd<S, T>
    {
        T* q = first.Q + (query * job.QRow), y = first.Y + (query * job.YRow);
        nint settled = job.Keys - job.Recent;
        for (nint key = 0; key < keys; key += Block)
            for (nint head = 0; head < heads; head++)
            {
                var rows = (key < settled ? first.K + (key * job.KRow) : first.RecentK + ((key - settled) * job.KRow)) + (head * job.KeyWidth);
                var count = Math.Min(Block, keys - key);
                AttentionRows<S, T>.Dots(q + (head * job.KeyWidth), rows, job.KRow, count, job.KeyWidth, scores + (head * row) + key);
            }

        for (nint head = 0; head < heads; head++)
        {
            var place = (head * job.Queries) + query;
            Soften<S>(scores + (head * row), keys, job.Scale, first.Max + place, first.Inverse + place);
            new Span<T>(y + (head * job.ValueWidth), job.ValueWidth).Clear();
        }

        for (nint key = 0; key < keys; key += Block)
            for (nint head = 0; head < heads; head++)
            {
                var rows = (key < settled ? first.V + (key * job.VRow) : first.RecentV + ((key - settled) * job.VRow)) + (head * job.ValueWidth);
                var count = Math.Min(Block, keys - key);
                AttentionRows<S, T>.Add(scores + (head * row) + key, rows, job.VRow, count, job.ValueWidth, y + (head * job.ValueWidth));
            }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Soften<S>(T* scores, nint count, double scale, T* max, T* inverse) where S : struct, ISimd<S, T>
    {
        S shift = Exponentials.RowShift<T, S>(scores, count), factor = S.Create(scale), sum = S.Create(0);
        for (nint i = 0; i < count; i += S.Count)
        {
            var lanes = Math.Min(S.Count, count - i);
            var e = S.First(lanes) & AttentionColumns<S, T>.Exp((S.Load(scores + i, lanes) - shift) * factor);
            e.Store(scores + i, lanes);
            sum += e;
        }

        var total = S.Broadcast(S.Sum(sum));
        var nothing = Exponentials.Masked<T, S>(total);
        var norm = S.Select(nothing, S.Create(0), S.Create(1) / S.Select(nothing, S.Create(1), total));
        shift.Store(max, 1);
        norm.Store(inverse, 1);
        for (nint i = 0; i < count; i += S.Count) (S.Load(scores + i, Math.Min(S.Count, count - i)) * norm).Store(scores + i, Math.Min(S.Count, count - i));
    }
}

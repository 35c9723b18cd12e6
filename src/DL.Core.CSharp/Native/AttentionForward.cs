using System.Runtime.Intrinsics;

namespace DL.Core.Kernels;

/// <summary>y = softmax(scale q kT) v, some queries by all their keys at a time: the scores never leave the cache.</summary>
internal static unsafe class AttentionForward<T> where T : unmanaged
{
    /// <summary>Heads [from, to) of all examples; the body of a job.</summary>
    public static void Run(void* state, long from, long to)
    {
        ref var job = ref *(AttentionJob<T>*)state;
        if (Vector512.IsHardwareAccelerated) Heads<Simd512<T>, Lanes512<T>>(job, from, to);
        else if (Vector256.IsHardwareAccelerated) Heads<Simd256<T>, Lanes256<T>>(job, from, to);
        else Heads<Simd128<T>, Lanes256<T>>(job, from, to);
    }

    private static void Heads<S, V>(in AttentionJob<T> job, long from, long to)
        where S : struct, ISimd<S, T>
        where V : struct, IGemmWidth
    {
        var width = job.TileWidth(AttentionProducts<V, T>.Strip);
        var size = job.TileSize(width);
        var strip = (T*)Scratch.Left((((long)width * job.KeyWidth) + AttentionProducts<V, T>.StripSize) * sizeof(T));
        var columns = strip + AttentionProducts<V, T>.StripSize;
        var weights = (T*)Scratch.Right((size * sizeof(T)) + (job.Dropout.Room(job.Keys, width) * sizeof(uint)));
        var words = (uint*)(weights + size);
        for (var item = from; item < to; item++)
        {
            var head = job.Head(item, width);
            var careful = job.Y != null && head.Hides && !AttentionColumns<S, T>.AreFinite(head.V, job.VRow, head.Tile.Keys, job.ValueWidth);
            for (nint first = 0; first < head.Queries; first += width)
            {
                var tile = head.At(first, Math.Min(width, head.Queries - first));
                Score<S, V>(job, head, tile, columns, weights);
                AttentionColumns<S, T>.Exponentiate(tile, weights, job.Scale, head.Max + first, head.Inverse + first);
                if (job.Weights != null) Show(job, head, tile, weights);
                if (job.Y == null) continue;
                if (job.Dropout.Threshold != 0)
                    job.Dropout.Apply<T, S>(tile, head.FirstWord, job.Queries, words, false, weights, job.Dropout.Factor);
                Combine<S, V>(job, head, tile, weights, careful ? null : strip);
            }

            Finish(job, head);
        }
    }

    /// <summary>The scores before their scale, hidden ones -infinity.</summary>
    public static void Score<S, V>(in AttentionJob<T> job, in AttentionHead<T> head, in AttentionTile tile, T* columns, T* scores)
        where S : struct, ISimd<S, T>
        where V : struct, IGemmWidth
    {
        AttentionProducts<V, T>.Pack(head.Q + (tile.First * job.QRow), job.QRow, tile.Count, job.KeyWidth, columns);
        AttentionProducts<V, T>.Dots(tile, head.K, job.KRow, job.KeyWidth, columns, scores);
        AttentionColumns<S, T>.Hide(tile, scores, double.NegativeInfinity);
    }

    // Without a strip to pack in, the careful way.
    private static void Combine<S, V>(in AttentionJob<T> job, in AttentionHead<T> head, in AttentionTile tile, T* weights, T* strip)
        where S : struct, ISimd<S, T>
        where V : struct, IGemmWidth
    {
        var y = head.Y + (tile.First * job.YRow);
        if (strip == null) AttentionCareful<S, T>.OfQueries(tile, weights, head.V, job.VRow, job.ValueWidth, y, job.YRow);
        else AttentionProducts<V, T>.OfQueries(tile, weights, head.V, job.VRow, job.ValueWidth, y, job.YRow, strip);
        AttentionColumns<S, T>.ScaleRows(y, job.YRow, tile.Count, job.ValueWidth, head.Inverse + tile.First);
    }

    private static void Show(in AttentionJob<T> job, in AttentionHead<T> head, in AttentionTile tile, T* weights)
    {
        for (nint i = 0; i < tile.Count; i++)
        {
            var row = head.Weights + ((tile.First + i) * job.Keys);
            var end = tile.End(i);
            var inverse = Reduce.Wide(head.Inverse[tile.First + i]);
            for (nint key = 0; key < end; key++) row[key] = Reduce.Narrow<T>(Reduce.Wide(weights[(key * tile.Stride) + i]) * inverse);
            new Span<T>(row + end, (int)(job.Keys - end)).Clear();
        }
    }

    // Queries that are padding see nothing.
    private static void Finish(in AttentionJob<T> job, in AttentionHead<T> head)
    {
        var rest = (int)(job.Queries - head.Queries);
        new Span<T>(head.Max + head.Queries, rest).Clear();
        new Span<T>(head.Inverse + head.Queries, rest).Clear();
        if (job.Y != null) AttentionHead<T>.Clear(head.Y, job.YRow, head.Queries, job.Queries, job.ValueWidth);
        if (job.Weights != null) AttentionHead<T>.Clear(head.Weights, job.Keys, head.Queries, job.Queries, job.Keys);
    }
}

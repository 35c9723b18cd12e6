using System.Runtime.Intrinsics;

namespace DL.Core.Kernels;

/// <summary>dv = pT dy, dp = dy vT, ds = scale p (dp - sum p dp), dq = ds k, dk = dsT q; the weights p are computed again from their statistics.</summary>
internal static unsafe class AttentionBackward<T> where T : unmanaged
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
        var strip = (T*)Scratch.Left((((long)width * Math.Max(job.KeyWidth, job.ValueWidth)) + AttentionProducts<V, T>.StripSize) * sizeof(T));
        var columns = strip + AttentionProducts<V, T>.StripSize;
        var weights = (T*)Scratch.Right((2 * size * sizeof(T)) + (job.Dropout.Room(job.Keys, width) * sizeof(uint)));
        var gradients = weights + size;
        for (var item = from; item < to; item++)
        {
            var head = job.Head(item, width);
            var careful = head.Hides && !IsFinite<S>(job, head);
            AttentionHead<T>.Clear(head.Dk, job.KRow, 0, job.Keys, job.KeyWidth);
            AttentionHead<T>.Clear(head.Dv, job.VRow, 0, job.Keys, job.ValueWidth);
            AttentionHead<T>.Clear(head.Dq, job.QRow, head.Queries, job.Queries, job.KeyWidth);
            for (nint first = 0; first < head.Queries; first += width)
            {
                var tile = head.At(first, Math.Min(width, head.Queries - first));
                Weigh<S, V>(job, head, tile, columns, weights, gradients, (uint*)(gradients + size));
                if (careful) SpreadCarefully<S>(job, head, tile, weights, gradients);
                else Spread<V>(job, head, tile, weights, gradients, strip);
            }
        }
    }

    private static bool IsFinite<S>(in AttentionJob<T> job, in AttentionHead<T> head) where S : struct, ISimd<S, T> =>
        AttentionColumns<S, T>.AreFinite(head.Q, job.QRow, head.Queries, job.KeyWidth)
        && AttentionColumns<S, T>.AreFinite(head.K, job.KRow, head.Tile.Keys, job.KeyWidth)
        && AttentionColumns<S, T>.AreFinite(head.Dy, job.YRow, head.Queries, job.ValueWidth);

    // The weights, some dropped, and the gradients of the scores.
    private static void Weigh<S, V>(
        in AttentionJob<T> job, in AttentionHead<T> head, in AttentionTile tile, T* columns, T* weights, T* gradients, uint* words)
        where S : struct, ISimd<S, T>
        where V : struct, IGemmWidth
    {
        AttentionForward<T>.Score<S, V>(job, head, tile, columns, weights);
        // Few queries were scored by sums of another order, which the way back must not mix with its own.
        if (AttentionStep<T>.Suits(job)) AttentionColumns<S, T>.WeighAnew(tile, weights, job.Scale);
        else AttentionColumns<S, T>.Weigh(tile, weights, job.Scale, head.Max + tile.First, head.Inverse + tile.First);
        AttentionProducts<V, T>.Pack(head.Dy + (tile.First * job.YRow), job.YRow, tile.Count, job.ValueWidth, columns);
        AttentionProducts<V, T>.Dots(tile, head.V, job.VRow, job.ValueWidth, columns, gradients);
        AttentionColumns<S, T>.Hide(tile, gradients, 0);
        ref readonly var dropout = ref job.Dropout;
        if (dropout.Threshold != 0) dropout.Apply<T, S>(tile, head.FirstWord, job.Queries, words, false, gradients, dropout.Factor);
        AttentionColumns<S, T>.Differentiate(tile, weights, gradients, job.Scale);
        if (dropout.Threshold != 0) dropout.Apply<T, S>(tile, head.FirstWord, job.Queries, words, true, weights, dropout.Factor);
    }

    private static void Spread<V>(in AttentionJob<T> job, in AttentionHead<T> head, in AttentionTile tile, T* weights, T* gradients, T* strip)
        where V : struct, IGemmWidth
    {
        nint q = tile.First * job.QRow, y = tile.First * job.YRow;
        AttentionProducts<V, T>.OfKeys(tile, weights, head.Dy + y, job.YRow, job.ValueWidth, head.Dv, job.VRow, strip);
        AttentionProducts<V, T>.OfKeys(tile, gradients, head.Q + q, job.QRow, job.KeyWidth, head.Dk, job.KRow, strip);
        AttentionProducts<V, T>.OfQueries(tile, gradients, head.K, job.KRow, job.KeyWidth, head.Dq + q, job.QRow, strip);
    }

    private static void SpreadCarefully<S>(in AttentionJob<T> job, in AttentionHead<T> head, in AttentionTile tile, T* weights, T* gradients)
        where S : struct, ISimd<S, T>
    {
        nint q = tile.First * job.QRow, y = tile.First * job.YRow;
        AttentionCareful<S, T>.OfKeys(tile, weights, head.Dy + y, job.YRow, job.ValueWidth, head.Dv, job.VRow);
        AttentionCareful<S, T>.OfKeys(tile, gradients, head.Q + q, job.QRow, job.KeyWidth, head.Dk, job.KRow);
        AttentionCareful<S, T>.OfQueries(tile, gradients, head.K, job.KRow, job.KeyWidth, head.Dq + q, job.QRow);
    }
}

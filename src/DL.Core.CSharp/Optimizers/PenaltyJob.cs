using System.Runtime.Intrinsics;
using DL.Core.Kernels;

namespace DL.Core.Optimizers;

/// <summary>Adds a penalty's gradient to a gradient and sums the penalty, block by block, so that the weights are read from memory once.</summary>
internal unsafe struct PenaltyJob<T, TTerm, TRule> : BlockSums.IJob
    where T : unmanaged
    where TTerm : BlockSums.ITerm
    where TRule : unmanaged, IBinary<T>
{
    private T* _w;
    private PlainRow<T, TRule> _gradient;

    /// <summary>g = rule(g, w) everywhere.</summary>
    /// <returns>The sum of the weights' terms.</returns>
    public static double Run(ReadOnlySpan<T> w, Span<T> g, TRule rule)
    {
        fixed (T* pw = w, pg = g)
        {
            var job = new PenaltyJob<T, TTerm, TRule> { _w = pw, _gradient = new(pg, rule) };
            return BlockSums.Run(w.Length, ref job);
        }
    }

    /// <inheritdoc/>
    public readonly double Sum(long start, long count)
    {
        var sum = BlockSums.Of<T, TTerm>(_w + start, count);
        if (Vector512.IsHardwareAccelerated) _gradient.Apply<Simd512<T>>(_w + start, start, count);
        else if (Vector256.IsHardwareAccelerated) _gradient.Apply<Simd256<T>>(_w + start, start, count);
        else _gradient.Apply<Simd128<T>>(_w + start, start, count);
        return sum;
    }
}

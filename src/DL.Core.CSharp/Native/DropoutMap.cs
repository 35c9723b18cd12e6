using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DL.Core.Random;

namespace DL.Core.Kernels;

/// <summary>Keeps and scales the elements whose random word reaches a threshold; the words are drawn a piece at a time and never leave the cache.</summary>
internal static unsafe class DropoutMap
{
    private const int Piece = 1024;
    private const long Grain = 16 * Piece;

    /// <summary>y_i = scale x_i where word i of the key's stream is at least the threshold, else 0; y may be x.</summary>
    public static void Run<T>(ReadOnlySpan<T> x, uint threshold, double scale, Key key, Span<T> y) where T : unmanaged
    {
        fixed (T* px = x, py = y)
        {
            var job = new Job<T> { X = px, Y = py, Key = key, Threshold = threshold, Scale = scale };
            Workers.For(x.Length, Grain, &Job<T>.Run, &job);
        }
    }

    private struct Job<T> where T : unmanaged
    {
        public T* X;
        public T* Y;
        public Key Key;
        public uint Threshold;
        public double Scale;

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(Job<T>*)state;
            var words = stackalloc uint[Piece];
            for (var start = from; start < to; start += Piece)
            {
                var count = Math.Min(Piece, to - start);
                PhiloxVector.Fill(job.Key, (ulong)start / 4, (int)((count + 15) / 16) * 4, words);
                if (Vector512.IsHardwareAccelerated) Keep<Simd512<T>>(job.X + start, job.Y + start, count, words, job.Threshold, job.Scale);
                else if (Vector256.IsHardwareAccelerated) Keep<Simd256<T>>(job.X + start, job.Y + start, count, words, job.Threshold, job.Scale);
                else Keep<Simd128<T>>(job.X + start, job.Y + start, count, words, job.Threshold, job.Scale);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Keep<S>(T* x, T* y, long count, uint* words, uint threshold, double scale) where S : struct, ISimd<S, T>
        {
            var factor = S.Create(scale);
            var i = 0L;
            for (; i + S.Count <= count; i += S.Count) (S.AtLeast(words + i, threshold) & (S.Load(x + i) * factor)).Store(y + i);
            if (i < count) (S.AtLeast(words + i, threshold) & (S.Load(x + i, count - i) * factor)).Store(y + i, count - i);
        }
    }
}

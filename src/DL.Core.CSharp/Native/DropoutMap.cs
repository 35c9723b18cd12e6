using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DL.Core.Random;

namespace DL.Core.Kernels;

/// <summary>Keeps and scales the elements whose random word reaches a threshold. The words are drawn a piece at a time and never leave the cache; what
/// they say can be kept, a bit for an element.</summary>
/// <remarks>Limited by the drawing.</remarks>
internal static unsafe class DropoutMap
{
    private const int Piece = 1024;
    private const long Grain = 16 * Piece;

    /// <summary>The number of vectors that elements take: as many numbers of 16 bits hold what is kept of them.</summary>
    public static int Vectors<T>(int count) where T : unmanaged => (int)(((long)count + Lanes<T>() - 1) / Lanes<T>());

    /// <summary>y_i = scale x_i where word i of the key's stream is at least the threshold, else 0; y may be x.</summary>
    public static void Run<T>(ReadOnlySpan<T> x, uint threshold, double scale, Key key, Span<T> y) where T : unmanaged
    {
        fixed (T* px = x, py = y)
        {
            var job = new Job<T> { X = px, Y = py, Key = key, Threshold = threshold, Scale = scale };
            Workers.For(x.Length, Grain, &Job<T>.Run, &job);
        }
    }

    /// <summary>The bits of so many elements: set where word i of the key's stream is at least the threshold.</summary>
    public static void Draw<T>(int count, uint threshold, Key key, Span<ushort> bits) where T : unmanaged
    {
        fixed (ushort* pb = bits)
        {
            var job = new Job<T> { Bits = pb, Key = key, Threshold = threshold };
            Workers.For(count, Grain, &Job<T>.Draw, &job);
        }
    }

    /// <summary>y_i = scale x_i where the bit is set, else 0; y may be x.</summary>
    public static void Keep<T>(ReadOnlySpan<T> x, ReadOnlySpan<ushort> bits, double scale, Span<T> y) where T : unmanaged
    {
        fixed (T* px = x, py = y)
        fixed (ushort* pb = bits)
        {
            var job = new Job<T> { X = px, Y = py, Bits = pb, Scale = scale };
            Workers.For(x.Length, Grain, &Job<T>.Keep, &job);
        }
    }

    private static int Lanes<T>() where T : unmanaged =>
        Vector512.IsHardwareAccelerated ? Vector512<T>.Count : Vector256.IsHardwareAccelerated ? Vector256<T>.Count : Vector128<T>.Count;

    private struct Job<T> where T : unmanaged
    {
        public T* X;
        public T* Y;
        public ushort* Bits;
        public Key Key;
        public uint Threshold;
        public double Scale;

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(Job<T>*)state;
            var words = stackalloc uint[Piece];
            var bits = stackalloc ushort[Piece];
            for (var start = from; start < to; start += Piece)
            {
                var count = Math.Min(Piece, to - start);
                job.Draw(start, count, words, bits);
                job.Keep(start, count, bits);
            }
        }

        public static void Draw(void* state, long from, long to)
        {
            ref var job = ref *(Job<T>*)state;
            var words = stackalloc uint[Piece];
            for (var start = from; start < to; start += Piece)
                job.Draw(start, Math.Min(Piece, to - start), words, job.Bits + (start / Lanes<T>()));
        }

        public static void Keep(void* state, long from, long to)
        {
            ref var job = ref *(Job<T>*)state;
            job.Keep(from, to - from, job.Bits + (from / Lanes<T>()));
        }

        private readonly void Draw(long start, long count, uint* words, ushort* bits)
        {
            PhiloxVector.Fill(Key, (ulong)start / 4, (int)((count + 15) / 16) * 4, words);
            if (Vector512.IsHardwareAccelerated) Draw<Simd512<T>>(count, words, Threshold, bits);
            else if (Vector256.IsHardwareAccelerated) Draw<Simd256<T>>(count, words, Threshold, bits);
            else Draw<Simd128<T>>(count, words, Threshold, bits);
        }

        private readonly void Keep(long start, long count, ushort* bits)
        {
            if (Vector512.IsHardwareAccelerated) Keep<Simd512<T>>(X + start, Y + start, count, bits, Scale);
            else if (Vector256.IsHardwareAccelerated) Keep<Simd256<T>>(X + start, Y + start, count, bits, Scale);
            else Keep<Simd128<T>>(X + start, Y + start, count, bits, Scale);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Draw<S>(long count, uint* words, uint threshold, ushort* bits) where S : struct, ISimd<S, T>
        {
            for (var i = 0L; i < count; i += S.Count, bits++) *bits = (ushort)S.Bits(S.AtLeast(words + i, threshold));
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Keep<S>(T* x, T* y, long count, ushort* bits, double scale) where S : struct, ISimd<S, T>
        {
            var factor = S.Create(scale);
            var i = 0L;
            for (; i + S.Count <= count; i += S.Count, bits++) (S.Mask(*bits) & (S.Load(x + i) * factor)).Store(y + i);
            if (i < count) (S.Mask(*bits) & (S.Load(x + i, count - i) * factor)).Store(y + i, count - i);
        }
    }
}

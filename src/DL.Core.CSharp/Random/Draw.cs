using System.Numerics;
using DL.Core.Kernels;

namespace DL.Core.Random;

/// <summary>Random numbers as pure functions of a <see cref="Key"/>: the same bits at every vector width and thread count.</summary>
/// <remarks>A longer draw with the same key begins with the shorter one. Bits come from Philox4x32-10; see <see cref="Philox"/>.</remarks>
public static unsafe class Draw
{
    private const int WordsAtOnce = 1024;
    private const long Grain = 16 * 1024;

    /// <summary>Random 32-bit words: element i is word i of the stream.</summary>
    /// <param name="key">The draw.</param>
    /// <param name="words">The destination, overwritten.</param>
    public static void Bits(Key key, Span<uint> words) => Run(key, words, 1, &Raw);

    /// <summary>Uniform numbers in [0, 1): multiples of 2^-24 in float32, of 2^-53 in float64.</summary>
    /// <typeparam name="T"><c>float</c> or <c>double</c>.</typeparam>
    /// <param name="key">The draw.</param>
    /// <param name="x">The destination, overwritten.</param>
    public static void Uniform<T>(Key key, Span<T> x) where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Run(key, x, sizeof(T) / sizeof(float), &ToUniform);

    /// <summary>Normal numbers of mean 0 and variance 1, to 6.6 standard deviations in float32 and 8.6 in float64.</summary>
    /// <remarks>G. Box and M. Muller, A note on the generation of random normal deviates, 1958. Each group of 32 takes its radii from
    /// the first half of its words and its angles from the second; cosines fill the first half and sines the second.</remarks>
    /// <typeparam name="T"><c>float</c> or <c>double</c>.</typeparam>
    /// <param name="key">The draw.</param>
    /// <param name="x">The destination, overwritten.</param>
    public static void Normal<T>(Key key, Span<T> x) where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Run(key, x, sizeof(T) / sizeof(float), &BoxMuller.Fill);

    /// <summary>Uniform integers in [0, bound): the high half of 64 random bits times the bound, which makes no value likelier by more than
    /// one part in 2^33.</summary>
    /// <param name="key">The draw.</param>
    /// <param name="bound">The number of values, at least 1.</param>
    /// <param name="x">The destination, overwritten.</param>
    /// <exception cref="InvalidArgumentException">The bound is below 1.</exception>
    public static void Integers(Key key, int bound, Span<int> x)
    {
        if (bound < 1) throw new InvalidArgumentException("Draw.Integers, bound", "at least 1", $"{bound}");
        var words = stackalloc uint[WordsAtOnce];
        const int atOnce = WordsAtOnce / 2;
        for (var start = 0; start < x.Length; start += atOnce)
        {
            var part = x.Slice(start, Math.Min(atOnce, x.Length - start));
            PhiloxVector.Fill(key, (ulong)start / 2, (part.Length + 1) / 2, words);
            for (var i = 0; i < part.Length; i++) part[i] = (int)Math.BigMul(((ulong*)words)[i], (ulong)bound, out _);
        }
    }

    private static void Raw(uint* words, uint* x, int count) => new ReadOnlySpan<uint>(words, count).CopyTo(new Span<uint>(x, count));

    private static void ToUniform<T>(uint* words, T* x, int count) where T : unmanaged
    {
        if (typeof(T) == typeof(float))
            for (var i = 0; i < count; i++) ((float*)x)[i] = (int)(words[i] >> 8) * (1f / (1 << 24));
        else
            for (var i = 0; i < count; i++) ((double*)x)[i] = (long)(((ulong*)words)[i] >> 11) * (1.0 / (1L << 53));
    }

    private static void Run<T>(Key key, Span<T> x, int wordsEach, delegate*<uint*, T*, int, void> convert) where T : unmanaged
    {
        fixed (T* px = x)
        {
            var job = new Job<T> { Key = key, X = px, WordsEach = wordsEach, Convert = convert };
            Workers.For(x.Length, Grain, &Job<T>.Run, &job);
        }
    }

    private struct Job<T> where T : unmanaged
    {
        public Key Key;
        public T* X;
        public int WordsEach;
        public delegate*<uint*, T*, int, void> Convert;

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(Job<T>*)state;
            var words = stackalloc uint[WordsAtOnce];
            var atOnce = WordsAtOnce / job.WordsEach;
            for (var start = from; start < to; start += atOnce)
            {
                var count = (int)Math.Min(atOnce, to - start);
                // Whole groups of 32 elements, so that a conversion may read to the end of the group it is in.
                var groups = ((count + 31) / 32) * 32;
                PhiloxVector.Fill(job.Key, (ulong)(start * job.WordsEach) / 4, groups * job.WordsEach / 4, words);
                job.Convert(words, job.X + start, count);
            }
        }
    }
}

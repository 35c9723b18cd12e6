using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DL.Core.Kernels;

namespace DL.Core.Optimizers;

/// <summary>Sums in float64 over blocks of elements, with whatever else a job does to a block while it lies in the cache.</summary>
internal static unsafe class BlockSums
{
    /// <summary>Elements of one partial sum; fixed, so that the sum does not depend on the number of threads.</summary>
    public const int Block = 16 * 1024;

    /// <summary>What an element adds to the sum.</summary>
    internal interface ITerm
    {
        static abstract Vector256<double> Of(Vector256<double> x);
    }

    /// <summary>A job that gives the partial sum of a block.</summary>
    internal interface IJob
    {
        double Sum(long start, long count);
    }

    /// <summary>The sum of a job's blocks, added in their order.</summary>
    public static double Run<TJob>(long elements, ref TJob job) where TJob : unmanaged, IJob
    {
        var blocks = (elements + Block - 1) / Block;
        var partials = (double*)Scratch.Left(blocks * sizeof(double));
        var shares = new Shares<TJob> { Job = job, Elements = elements, Partials = partials };
        Workers.For(blocks, 2, &Shares<TJob>.Run, &shares);
        var sum = 0.0;
        for (var block = 0L; block < blocks; block++) sum += partials[block];
        return sum;
    }

    /// <summary>The sum of the terms of n elements.</summary>
    public static double Of<T, TTerm>(T* x, long n) where T : unmanaged where TTerm : ITerm =>
        typeof(T) == typeof(float) ? Of<TTerm>((float*)x, n) : Of<TTerm>((double*)x, n);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double Of<TTerm>(float* x, long n) where TTerm : ITerm
    {
        Vector256<double> a = default, b = default, c = default, d = default;
        var i = 0L;
        for (; i + 16 <= n; i += 16)
        {
            var (first, second) = Vector256.Widen(Vector256.Load(x + i));
            var (third, fourth) = Vector256.Widen(Vector256.Load(x + i + 8));
            a += TTerm.Of(first);
            b += TTerm.Of(second);
            c += TTerm.Of(third);
            d += TTerm.Of(fourth);
        }

        var sum = Vector256.Sum(a + b + (c + d));
        for (; i < n; i++) sum += TTerm.Of(Vector256.CreateScalar((double)x[i])).ToScalar();
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double Of<TTerm>(double* x, long n) where TTerm : ITerm
    {
        Vector256<double> a = default, b = default, c = default, d = default;
        var i = 0L;
        for (; i + 16 <= n; i += 16)
        {
            a += TTerm.Of(Vector256.Load(x + i));
            b += TTerm.Of(Vector256.Load(x + i + 4));
            c += TTerm.Of(Vector256.Load(x + i + 8));
            d += TTerm.Of(Vector256.Load(x + i + 12));
        }

        var sum = Vector256.Sum(a + b + (c + d));
        for (; i < n; i++) sum += TTerm.Of(Vector256.CreateScalar(x[i])).ToScalar();
        return sum;
    }

    /// <summary>x^2.</summary>
    internal readonly struct Square : ITerm
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<double> Of(Vector256<double> x) => x * x;
    }

    /// <summary>|x|.</summary>
    internal readonly struct Size : ITerm
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<double> Of(Vector256<double> x) => Vector256.Abs(x);
    }

    /// <summary>The sum of terms and nothing else.</summary>
    internal struct Job<T, TTerm> : IJob
        where T : unmanaged
        where TTerm : ITerm
    {
        public T* X;

        public readonly double Sum(long start, long count) => Of<T, TTerm>(X + start, count);
    }

    private struct Shares<TJob> where TJob : unmanaged, IJob
    {
        public TJob Job;
        public long Elements;
        public double* Partials;

        public static void Run(void* state, long from, long to)
        {
            ref var shares = ref *(Shares<TJob>*)state;
            for (var block = from; block < to; block++)
            {
                var start = block * Block;
                shares.Partials[block] = shares.Job.Sum(start, Math.Min(Block, shares.Elements - start));
            }
        }
    }
}

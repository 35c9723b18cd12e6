using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DL.Core.Kernels;

namespace DL.Core.Optimizers;

/// <summary>Gradient clipping: <c>g *= limit / norm</c> where <c>norm = sqrt(sum g^2)</c> over all gradients together exceeds the limit.</summary>
/// <remarks>Squares are added in float64. The factor is rounded down by four units in the last place, so that the clipped norm does not exceed the limit
/// and clipping again changes nothing. A norm that is NaN or infinite is returned and the gradients stay as they are.
/// Source: R. Pascanu, T. Mikolov and Y. Bengio, On the difficulty of training recurrent neural networks, 2013, algorithm 1.</remarks>
public static unsafe class ClipByGlobalNorm
{
    /// <summary>Elements of one partial sum; fixed, so that the norm does not depend on the number of threads.</summary>
    private const int Block = 16 * 1024;

    /// <summary>Clips several gradients by their common norm, in place.</summary>
    /// <param name="gradients">Tensors of float32 or float64; changed where the norm exceeds the limit.</param>
    /// <param name="limit">The largest norm allowed, positive; infinity only measures.</param>
    /// <returns>The norm before clipping.</returns>
    /// <exception cref="InvalidArgumentException">The limit is not positive, or a gradient is of integers. Nothing has changed then.</exception>
    public static double Apply(IReadOnlyList<Tensor> gradients, double limit)
    {
        CheckLimit(limit);
        var sum = 0.0;
        foreach (var gradient in gradients)
            sum += gradient.IsDouble("ClipByGlobalNorm") ? SumOfSquares(gradient.As<double>("").Span) : SumOfSquares(gradient.As<float>("").Span);
        var norm = Math.Sqrt(sum);
        if (!Exceeds(norm, limit)) return norm;
        foreach (var gradient in gradients)
        {
            if (gradient is Tensor<double> wide) Scale(wide.Write(), limit / norm);
            else Scale(gradient.InPlace<float>("ClipByGlobalNorm"), limit / norm);
        }

        return norm;
    }

    /// <summary>Clips one span by its norm, in place.</summary>
    /// <param name="gradient">The gradients; changed where the norm exceeds the limit.</param>
    /// <param name="limit">The largest norm allowed, positive; infinity only measures.</param>
    /// <returns>The norm before clipping.</returns>
    /// <exception cref="InvalidArgumentException">The limit is not positive.</exception>
    public static double Apply<T>(Span<T> gradient, double limit) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CheckLimit(limit);
        var norm = Math.Sqrt(SumOfSquares<T>(gradient));
        if (Exceeds(norm, limit)) Scale(gradient, limit / norm);
        return norm;
    }

    /// <summary><c>sum g^2</c> in float64, to be added over several spans before <see cref="Scale{T}"/>.</summary>
    /// <param name="gradient">The gradients.</param>
    public static double SumOfSquares<T>(ReadOnlySpan<T> gradient) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var blocks = (int)(((long)gradient.Length + Block - 1) / Block);
        var partials = (double*)Scratch.Left(blocks * (long)sizeof(double));
        fixed (T* g = gradient)
        {
            var job = new SumJob<T> { G = g, N = gradient.Length, Partials = partials };
            Workers.For(blocks, 2, &SumJob<T>.Run, &job);
        }

        var sum = 0.0;
        for (var block = 0; block < blocks; block++) sum += partials[block];
        return sum;
    }

    /// <summary><c>g *= factor</c> with the factor rounded down by four units in the last place, in place.</summary>
    /// <param name="gradient">The gradients, changed.</param>
    /// <param name="factor">The limit over the norm.</param>
    public static void Scale<T>(Span<T> gradient, double factor) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var unit = typeof(T) == typeof(float) ? 1.0 / (1 << 24) : 1.0 / (1L << 53);
        Elementwise.Map(gradient, gradient, new Times<T>(factor * (1 - (4 * unit))));
    }

    private static bool Exceeds(double norm, double limit) => norm > limit && double.IsFinite(norm);

    private static void CheckLimit(double limit)
    {
        if (!(limit > 0)) throw new InvalidArgumentException("ClipByGlobalNorm", "a positive limit", limit.ToString(CultureInfo.InvariantCulture));
    }

    private readonly struct Times<T>(double factor) : IUnary<T> where T : unmanaged
    {
        private readonly double _factor = factor;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S x) where S : struct, ISimd<S, T> => x * S.Create(_factor);
    }

    private struct SumJob<T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public T* G;
        public long N;
        public double* Partials;

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(SumJob<T>*)state;
            for (var block = from; block < to; block++)
            {
                var start = block * Block;
                var count = Math.Min(Block, job.N - start);
                job.Partials[block] = typeof(T) == typeof(float) ? Sum((float*)job.G + start, count) : Sum((double*)job.G + start, count);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static double Sum(float* g, long n)
        {
            Vector256<double> a = default, b = default, c = default, d = default;
            var i = 0L;
            for (; i + 16 <= n; i += 16)
            {
                var (first, second) = Vector256.Widen(Vector256.Load(g + i));
                var (third, fourth) = Vector256.Widen(Vector256.Load(g + i + 8));
                a += first * first;
                b += second * second;
                c += third * third;
                d += fourth * fourth;
            }

            var sum = Vector256.Sum(a + b + (c + d));
            for (; i < n; i++) sum += (double)g[i] * g[i];
            return sum;
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static double Sum(double* g, long n)
        {
            Vector256<double> a = default, b = default, c = default, d = default;
            var i = 0L;
            for (; i + 16 <= n; i += 16)
            {
                var (first, second) = (Vector256.Load(g + i), Vector256.Load(g + i + 4));
                var (third, fourth) = (Vector256.Load(g + i + 8), Vector256.Load(g + i + 12));
                a += first * first;
                b += second * second;
                c += third * third;
                d += fourth * fourth;
            }

            var sum = Vector256.Sum(a + b + (c + d));
            for (; i < n; i++) sum += g[i] * g[i];
            return sum;
        }
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DL.Core.Kernels;

namespace DL.Core.Ops;

public static unsafe partial class LayerNorm
{
    private struct ForwardJob<T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public T* X;
        public T* Gamma;
        public T* Beta;
        public T* Y;
        public double* Mean;
        public double* Rstd;
        public int N;
        public double Epsilon;

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(ForwardJob<T>*)state;
            if (Vector512.IsHardwareAccelerated) Loop<Simd512<T>>(ref job, from, to);
            else if (Vector256.IsHardwareAccelerated) Loop<Simd256<T>>(ref job, from, to);
            else Loop<Simd128<T>>(ref job, from, to);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Loop<S>(ref ForwardJob<T> job, long from, long to) where S : struct, ISimd<S, T>
        {
            for (var row = from; row < to; row++)
            {
                var x = job.X + (row * job.N);
                var (mean, variance) = Moments<S>(x, job.N);
                job.Mean[row] = mean;
                var rstd = job.Rstd[row] = 1 / Math.Sqrt(variance + job.Epsilon);
                Normalize<S>(x, job.Gamma, job.Beta, job.Y + (row * job.N), job.N, mean, rstd);
            }
        }

        // The rounded mean is taken off first; what rounding left of it is found in the second pass, from the differences, which are exact.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static (double Mean, double Variance) Moments<S>(T* x, long n) where S : struct, ISimd<S, T>
        {
            S a = default, b = default, c = default, d = default;
            var i = 0L;
            for (; i + (4 * S.Count) <= n; i += 4 * S.Count)
            {
                a += S.Load(x + i);
                b += S.Load(x + i + S.Count);
                c += S.Load(x + i + (2 * S.Count));
                d += S.Load(x + i + (3 * S.Count));
            }

            for (; i + S.Count <= n; i += S.Count) a += S.Load(x + i);
            if (i < n) a += S.Load(x + i, n - i);
            var shift = T.CreateTruncating(double.CreateTruncating(S.Sum(a + b + (c + d))) / n);
            var center = S.Broadcast(shift);

            S sum = default, square = default, sum2 = default, square2 = default;
            for (i = 0; i + (2 * S.Count) <= n; i += 2 * S.Count)
            {
                var first = S.Load(x + i) - center;
                var second = S.Load(x + i + S.Count) - center;
                sum += first;
                sum2 += second;
                square = S.Fma(first, first, square);
                square2 = S.Fma(second, second, square2);
            }

            for (; i < n; i += S.Count)
            {
                var rest = Lanes.Load(x + i, Math.Min(S.Count, n - i), center) - center;
                sum += rest;
                square = S.Fma(rest, rest, square);
            }

            var delta = double.CreateTruncating(S.Sum(sum + sum2)) / n;
            var variance = (double.CreateTruncating(S.Sum(square + square2)) / n) - (delta * delta);
            // The comparison keeps a NaN, which Math.Max would too, and makes rounding below zero a zero.
            return (double.CreateTruncating(shift) + delta, variance < 0 ? 0 : variance);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Normalize<S>(T* x, T* gamma, T* beta, T* y, long n, double mean, double rstd) where S : struct, ISimd<S, T>
        {
            var hat = new Affine<T, S>(mean, rstd);
            var i = 0L;
            for (; i + S.Count <= n; i += S.Count)
                S.Fma(hat.Apply(S.Load(x + i)), S.Load(gamma + i), S.Load(beta + i)).Store(y + i);
            if (i == n) return;
            var left = n - i;
            var rest = S.Fma(hat.Apply(S.Load(x + i, left)), S.Load(gamma + i, left), S.Load(beta + i, left));
            rest.Store(y + i, left);
        }
    }

    private struct BackwardJob<T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public T* Dy;
        public T* X;
        public T* Gamma;
        public T* Dx;
        public double* Mean;
        public double* Rstd;
        public T* Sums;
        public long Stride;
        public int Rows;
        public int N;

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(BackwardJob<T>*)state;
            for (var block = from; block < to; block++)
            {
                if (Vector512.IsHardwareAccelerated) Block<Simd512<T>>(ref job, block);
                else if (Vector256.IsHardwareAccelerated) Block<Simd256<T>>(ref job, block);
                else Block<Simd128<T>>(ref job, block);
            }
        }

        private static void Block<S>(ref BackwardJob<T> job, long block) where S : struct, ISimd<S, T>
        {
            long n = job.N;
            var dgamma = job.Sums + (2 * block * job.Stride);
            new Span<T>(dgamma, checked((int)(2 * job.Stride))).Clear();
            var end = Math.Min((block + 1) * RowBlocks.Height, job.Rows);
            for (var row = block * RowBlocks.Height; row < end; row++)
            {
                var mean = job.Mean[row];
                var rstd = job.Rstd[row];
                var dy = job.Dy + (row * n);
                var x = job.X + (row * n);
                var (g, gx) = Reduce<S>(dy, x, job.Gamma, dgamma, dgamma + job.Stride, n, mean, rstd);
                Gradient<S>(dy, x, job.Gamma, job.Dx + (row * n), n, mean, rstd, -rstd * g / n, -rstd * gx / n);
            }
        }

        /// <summary>Sums of g and of g xhat over a row, while dgamma and dbeta grow.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static (double G, double Gx) Reduce<S>(T* dy, T* x, T* gamma, T* dgamma, T* dbeta, long n, double mean, double rstd)
            where S : struct, ISimd<S, T>
        {
            var hat = new Affine<T, S>(mean, rstd);
            S sum = default, product = default;
            var i = 0L;
            for (; i + S.Count <= n; i += S.Count)
            {
                var d = S.Load(dy + i);
                var xhat = hat.Apply(S.Load(x + i));
                S.Fma(d, xhat, S.Load(dgamma + i)).Store(dgamma + i);
                (S.Load(dbeta + i) + d).Store(dbeta + i);
                var g = d * S.Load(gamma + i);
                sum += g;
                product = S.Fma(g, xhat, product);
            }

            if (i < n)
            {
                // Lanes past the row have dy = 0 and so add nothing; the sums' rows are padded to whole vectors.
                var d = S.Load(dy + i, n - i);
                var xhat = hat.Apply(Lanes.Load(x + i, n - i, hat.Center));
                S.Fma(d, xhat, S.Load(dgamma + i)).Store(dgamma + i);
                (S.Load(dbeta + i) + d).Store(dbeta + i);
                var g = d * S.Load(gamma + i, n - i);
                sum += g;
                product = S.Fma(g, xhat, product);
            }

            return (double.CreateTruncating(S.Sum(sum)), double.CreateTruncating(S.Sum(product)));
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Gradient<S>(T* dy, T* x, T* gamma, T* dx, long n, double mean, double rstd, double shift, double slope)
            where S : struct, ISimd<S, T>
        {
            var hat = new Affine<T, S>(mean, rstd);
            var scale = S.Create(rstd);
            var constant = S.Create(shift);
            var tilt = S.Create(slope);
            var i = 0L;
            for (; i + S.Count <= n; i += S.Count)
                S.Fma(S.Load(dy + i) * S.Load(gamma + i), scale, S.Fma(hat.Apply(S.Load(x + i)), tilt, constant)).Store(dx + i);
            if (i == n) return;
            var left = n - i;
            var g = S.Load(dy + i, left) * S.Load(gamma + i, left);
            S.Fma(g, scale, S.Fma(hat.Apply(S.Load(x + i, left)), tilt, constant)).Store(dx + i, left);
        }
    }

    /// <summary>xhat = (x - mean) rstd with a mean of more digits than T has.</summary>
    private readonly struct Affine<T, S>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where S : struct, ISimd<S, T>
    {
        public readonly S Center;
        private readonly S _rstd;
        private readonly S _rest;

        public Affine(double mean, double rstd)
        {
            var shift = T.CreateTruncating(mean);
            Center = S.Broadcast(shift);
            _rstd = S.Create(rstd);
            _rest = S.Create((double.CreateTruncating(shift) - mean) * rstd);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply(S x) => S.Fma(x - Center, _rstd, _rest);
    }
}

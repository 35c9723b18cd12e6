using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DL.Core.Kernels;

namespace DL.Core.Ops;

public static unsafe partial class RmsNorm
{
    private struct ForwardJob<T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public T* X;
        public T* Gamma;
        public T* Y;
        public double* Rrms;
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
                var rrms = job.Rrms[row] = 1 / Math.Sqrt((SumOfSquares<S>(x, job.N) / job.N) + job.Epsilon);
                Scale(x, job.Gamma, job.Y + (row * job.N), job.N, S.Create(rrms));
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static double SumOfSquares<S>(T* x, long n) where S : struct, ISimd<S, T>
        {
            S a = default, b = default, c = default, d = default;
            var i = 0L;
            for (; i + (4 * S.Count) <= n; i += 4 * S.Count)
            {
                a = Square(S.Load(x + i), a);
                b = Square(S.Load(x + i + S.Count), b);
                c = Square(S.Load(x + i + (2 * S.Count)), c);
                d = Square(S.Load(x + i + (3 * S.Count)), d);
            }

            for (; i + S.Count <= n; i += S.Count) a = Square(S.Load(x + i), a);
            if (i < n) a = Square(S.Load(x + i, n - i), a);
            return double.CreateTruncating(S.Sum(a + b + (c + d)));
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static S Square<S>(S x, S sum) where S : struct, ISimd<S, T> => S.Fma(x, x, sum);

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Scale<S>(T* x, T* gamma, T* y, long n, S rrms) where S : struct, ISimd<S, T>
        {
            var i = 0L;
            for (; i + S.Count <= n; i += S.Count) (S.Load(x + i) * rrms * S.Load(gamma + i)).Store(y + i);
            if (i < n) (S.Load(x + i, n - i) * rrms * S.Load(gamma + i, n - i)).Store(y + i, n - i);
        }
    }

    private struct BackwardJob<T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public T* Dy;
        public T* X;
        public T* Gamma;
        public T* Dx;
        public double* Rrms;
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
            var dgamma = job.Sums + (block * job.Stride);
            new Span<T>(dgamma, checked((int)job.Stride)).Clear();
            var end = Math.Min((block + 1) * RowBlocks.Height, job.Rows);
            for (var row = block * RowBlocks.Height; row < end; row++)
            {
                var dy = job.Dy + (row * n);
                var x = job.X + (row * n);
                var rrms = job.Rrms[row];
                var product = Reduce(dy, x, job.Gamma, dgamma, n, S.Create(rrms));
                Gradient(dy, x, job.Gamma, job.Dx + (row * n), n, S.Create(rrms), S.Create(-rrms * rrms * product / n));
            }
        }

        /// <summary>The sum of g xhat over a row, while dgamma grows.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static double Reduce<S>(T* dy, T* x, T* gamma, T* dgamma, long n, S rrms) where S : struct, ISimd<S, T>
        {
            S product = default;
            var i = 0L;
            for (; i + S.Count <= n; i += S.Count)
            {
                var term = S.Load(dy + i) * (S.Load(x + i) * rrms);
                (S.Load(dgamma + i) + term).Store(dgamma + i);
                product = S.Fma(term, S.Load(gamma + i), product);
            }

            if (i < n)
            {
                var term = S.Load(dy + i, n - i) * (S.Load(x + i, n - i) * rrms);
                (S.Load(dgamma + i) + term).Store(dgamma + i);
                product = S.Fma(term, S.Load(gamma + i, n - i), product);
            }

            return double.CreateTruncating(S.Sum(product));
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Gradient<S>(T* dy, T* x, T* gamma, T* dx, long n, S rrms, S slope) where S : struct, ISimd<S, T>
        {
            var i = 0L;
            for (; i + S.Count <= n; i += S.Count)
                S.Fma(S.Load(dy + i) * S.Load(gamma + i), rrms, S.Load(x + i) * slope).Store(dx + i);
            if (i == n) return;
            var left = n - i;
            var g = S.Load(dy + i, left) * S.Load(gamma + i, left);
            S.Fma(g, rrms, S.Load(x + i, left) * slope).Store(dx + i, left);
        }
    }
}

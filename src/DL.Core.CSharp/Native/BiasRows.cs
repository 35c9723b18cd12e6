using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DL.Core.Kernels;

/// <summary>Adds one row to every row of a matrix.</summary>
internal static unsafe class BiasRows
{
    private const long Grain = 32 * 1024;

    /// <summary>y_ij = x_ij + b_j; y may be x.</summary>
    public static void Add<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> b, int rows, Span<T> y) where T : unmanaged
    {
        fixed (T* px = x, pb = b, py = y)
        {
            var job = new Job<T> { X = px, B = pb, Y = py, Columns = b.Length };
            Workers.For(rows, Math.Max(1, Grain / Math.Max(1, b.Length)), &Job<T>.Run, &job);
        }
    }

    private struct Job<T> where T : unmanaged
    {
        public T* X;
        public T* B;
        public T* Y;
        public long Columns;

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(Job<T>*)state;
            if (Vector512.IsHardwareAccelerated) Loop<Simd512<T>>(job, from, to);
            else if (Vector256.IsHardwareAccelerated) Loop<Simd256<T>>(job, from, to);
            else Loop<Simd128<T>>(job, from, to);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Loop<S>(Job<T> job, long from, long to) where S : struct, ISimd<S, T>
        {
            for (var row = from; row < to; row++)
            {
                T* x = job.X + (row * job.Columns), y = job.Y + (row * job.Columns);
                var j = 0L;
                for (; j + S.Count <= job.Columns; j += S.Count) (S.Load(x + j) + S.Load(job.B + j)).Store(y + j);
                var left = job.Columns - j;
                if (left > 0) (S.Load(x + j, left) + S.Load(job.B + j, left)).Store(y + j, left);
            }
        }
    }
}

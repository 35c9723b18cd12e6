using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DL.Core.Kernels;

/// <summary>Reductions of the middle axis of an outer x extent x inner array, and their way back.</summary>
internal static unsafe class AxisKernels
{
    /// <summary>Elements under which a second thread costs more than it saves.</summary>
    private const long Grain = 32 * 1024;

    private const int LongRow = 64 * 1024;

    /// <summary>y_oi = sum_e x_oei.</summary>
    public static void Sum<T>(ReadOnlySpan<T> x, AxisView view, Span<T> y) where T : unmanaged
    {
        fixed (T* px = x, py = y)
        {
            var job = new Job<T> { X = px, Y = py, View = view };
            // One long row is shared by the threads; many rows are dealt out.
            var grain = view.Inner == 1 && view.Extent > LongRow ? view.Outer : RowGrain(view);
            if (view.Inner == 1) Workers.For(view.Outer, grain, &Job<T>.RowSums, &job);
            else if (view.Outer == 1) Job<T>.Columns(&job, 0, 1);
            else Workers.For(view.Outer, grain, &Job<T>.Columns, &job);
        }
    }

    /// <summary>y_oi = max_e x_oei; NaN where one is NaN. The extent is at least 1.</summary>
    public static void Max<T>(ReadOnlySpan<T> x, AxisView view, Span<T> y) where T : unmanaged
    {
        fixed (T* px = x, py = y)
        {
            var job = new Job<T> { X = px, Y = py, View = view };
            Workers.For(view.Outer, RowGrain(view), &Job<T>.Maxima, &job);
        }
    }

    /// <summary>x_oei = y_oi / divisor for every e.</summary>
    public static void Spread<T>(ReadOnlySpan<T> y, AxisView view, double divisor, Span<T> x) where T : unmanaged
    {
        fixed (T* px = x, py = y)
        {
            var job = new Job<T> { X = px, Y = py, View = view, Divisor = divisor };
            Workers.For(view.Outer, RowGrain(view), &Job<T>.Spread, &job);
        }
    }

    /// <summary>Rows of the outer axis worth one thread.</summary>
    public static long RowGrain(AxisView view) => Math.Max(1, Grain / Math.Max(1, (long)view.Extent * view.Inner));

    private struct Job<T> where T : unmanaged
    {
        public T* X;
        public T* Y;
        public AxisView View;
        public double Divisor;

        public static void RowSums(void* state, long from, long to)
        {
            ref var job = ref *(Job<T>*)state;
            var extent = (long)job.View.Extent;
            for (var o = from; o < to; o++) job.Y[o] = Reduce.Narrow<T>(Reduce.Sum(job.X + (o * extent), extent));
        }

        public static void Columns(void* state, long from, long to)
        {
            ref var job = ref *(Job<T>*)state;
            long extent = job.View.Extent, inner = job.View.Inner;
            for (var o = from; o < to; o++)
            {
                var y = job.Y + (o * inner);
                new Span<T>(y, job.View.Inner).Clear();
                ColumnSums.Add(job.X + (o * extent * inner), job.View.Extent, job.View.Inner, y);
            }
        }

        public static void Maxima(void* state, long from, long to)
        {
            ref var job = ref *(Job<T>*)state;
            if (Vector512.IsHardwareAccelerated) Maxima<Simd512<T>>(ref job, from, to);
            else if (Vector256.IsHardwareAccelerated) Maxima<Simd256<T>>(ref job, from, to);
            else Maxima<Simd128<T>>(ref job, from, to);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Maxima<S>(ref Job<T> job, long from, long to) where S : struct, ISimd<S, T>
        {
            long extent = job.View.Extent, inner = job.View.Inner;
            for (var o = from; o < to; o++)
            {
                var x = job.X + (o * extent * inner);
                if (inner == 1)
                {
                    job.Y[o] = Reduce.Max<T, S>(x, extent);
                    continue;
                }

                for (var i = 0L; i < inner; i += S.Count)
                {
                    var lanes = Math.Min(S.Count, inner - i);
                    var max = S.Load(x + i, lanes);
                    for (var e = 1L; e < extent; e++) max = S.Max(max, S.Load(x + (e * inner) + i, lanes));
                    max.Store(job.Y + (o * inner) + i, lanes);
                }
            }
        }

        public static void Spread(void* state, long from, long to)
        {
            ref var job = ref *(Job<T>*)state;
            int extent = job.View.Extent, inner = job.View.Inner;
            if (extent == 0) return;
            for (var o = from; o < to; o++)
            {
                var x = new Span<T>(job.X + (o * extent * inner), extent * inner);
                if (inner == 1)
                {
                    x.Fill(Reduce.Narrow<T>(Reduce.Wide(job.Y[o]) / job.Divisor));
                    continue;
                }

                var first = x[..inner];
                for (var i = 0; i < inner; i++) first[i] = Reduce.Narrow<T>(Reduce.Wide(job.Y[(o * inner) + i]) / job.Divisor);
                for (var e = 1; e < extent; e++) first.CopyTo(x[(e * inner)..]);
            }
        }
    }
}

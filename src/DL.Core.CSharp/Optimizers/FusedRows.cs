using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DL.Core.Kernels;

namespace DL.Core.Optimizers;

/// <summary>Update loops over some rows of a matrix; every element meets the same instructions as in a loop over all of it.</summary>
internal static unsafe class FusedRows
{
    /// <summary>Weights under which a second thread costs more than it saves.</summary>
    private const long Grain = 16 * 1024;

    /// <summary>w = rule(w, g) in the given rows.</summary>
    public static void Run<T, TRule>(Span<T> w, ReadOnlySpan<T> g, ReadOnlySpan<int> rows, int width, TRule rule)
        where T : unmanaged
        where TRule : unmanaged, IBinary<T>
    {
        fixed (T* pw = w, pg = g)
        fixed (int* pr = rows)
        {
            var job = new Job0<T, TRule> { W = pw, G = pg, Rows = pr, Width = width, Rule = rule };
            Workers.For(rows.Length, Least(width), &Job0<T, TRule>.Run, &job);
        }
    }

    /// <summary>(w, m, v) = rule(w, g, m, v) in the given rows.</summary>
    public static void Run<T, TRule>(Span<T> w, ReadOnlySpan<T> g, Span<T> m, Span<T> v, ReadOnlySpan<int> rows, int width, TRule rule)
        where T : unmanaged
        where TRule : unmanaged, IUpdate2<T>
    {
        fixed (T* pw = w, pg = g, pm = m, pv = v)
        fixed (int* pr = rows)
        {
            var job = new Job2<T, TRule> { W = pw, G = pg, M = pm, V = pv, Rows = pr, Width = width, Rule = rule };
            Workers.For(rows.Length, Least(width), &Job2<T, TRule>.Run, &job);
        }
    }

    private static long Least(int width) => Math.Max(1, Grain / Math.Max(1, width));

    private struct Job0<T, TRule>
        where T : unmanaged
        where TRule : unmanaged, IBinary<T>
    {
        public T* W;
        public T* G;
        public int* Rows;
        public long Width;
        public TRule Rule;

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(Job0<T, TRule>*)state;
            if (Vector512.IsHardwareAccelerated) Loop<Simd512<T>>(ref job, from, to);
            else if (Vector256.IsHardwareAccelerated) Loop<Simd256<T>>(ref job, from, to);
            else Loop<Simd128<T>>(ref job, from, to);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Loop<S>(ref Job0<T, TRule> job, long from, long to) where S : struct, ISimd<S, T>
        {
            var rule = job.Rule;
            var width = job.Width;
            for (var row = from; row < to; row++)
            {
                var at = job.Rows[row] * width;
                var w = job.W + at;
                var g = job.G + at;
                var i = 0L;
                for (; i + S.Count <= width; i += S.Count) rule.Apply(S.Load(w + i), S.Load(g + i)).Store(w + i);
                if (i < width) rule.Apply(S.Load(w + i, width - i), S.Load(g + i, width - i)).Store(w + i, width - i);
            }
        }
    }

    private struct Job2<T, TRule>
        where T : unmanaged
        where TRule : unmanaged, IUpdate2<T>
    {
        public T* W;
        public T* G;
        public T* M;
        public T* V;
        public int* Rows;
        public long Width;
        public TRule Rule;

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(Job2<T, TRule>*)state;
            if (Vector512.IsHardwareAccelerated) Loop<Simd512<T>>(ref job, from, to);
            else if (Vector256.IsHardwareAccelerated) Loop<Simd256<T>>(ref job, from, to);
            else Loop<Simd128<T>>(ref job, from, to);
        }

        // One use of the rule in the method, for a second one would take the compiler past its budget of inlining.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Loop<S>(ref Job2<T, TRule> job, long from, long to) where S : struct, ISimd<S, T>
        {
            var rule = job.Rule;
            var width = job.Width;
            for (var row = from; row < to; row++)
            {
                var at = job.Rows[row] * width;
                var w = job.W + at;
                var g = job.G + at;
                var m = job.M + at;
                var v = job.V + at;
                for (var i = 0L; i < width; i += S.Count)
                {
                    var lanes = Math.Min(S.Count, width - i);
                    var first = S.Load(m + i, lanes);
                    var second = S.Load(v + i, lanes);
                    rule.Apply(S.Load(w + i, lanes), S.Load(g + i, lanes), ref first, ref second).Store(w + i, lanes);
                    first.Store(m + i, lanes);
                    second.Store(v + i, lanes);
                }
            }
        }
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DL.Core.Kernels;

namespace DL.Core.Optimizers;

/// <summary>An update rule with one state per weight.</summary>
internal interface IUpdate1<T> where T : unmanaged
{
    S Apply<S>(S w, S g, ref S v) where S : struct, ISimd<S, T>;
}

/// <summary>An update rule with two states per weight.</summary>
internal interface IUpdate2<T> where T : unmanaged
{
    S Apply<S>(S w, S g, ref S m, ref S v) where S : struct, ISimd<S, T>;
}

/// <summary>Update loops that touch every weight, gradient and state once. Each element meets the same instructions wherever it lies.</summary>
internal static unsafe class Fused
{
    /// <summary>Weights under which a second thread costs more than it saves.</summary>
    private const long Grain = 32 * 1024;

    /// <summary>(w, v) = rule(w, g, v).</summary>
    public static void Run<T, TRule>(Span<T> w, ReadOnlySpan<T> g, Span<T> v, TRule rule)
        where T : unmanaged
        where TRule : unmanaged, IUpdate1<T>
    {
        fixed (T* pw = w, pg = g, pv = v)
        {
            var job = new Job1<T, TRule> { W = pw, G = pg, V = pv, Rule = rule };
            Workers.For(w.Length, Grain, &Job1<T, TRule>.Run, &job);
        }
    }

    /// <summary>(w, m, v) = rule(w, g, m, v).</summary>
    public static void Run<T, TRule>(Span<T> w, ReadOnlySpan<T> g, Span<T> m, Span<T> v, TRule rule)
        where T : unmanaged
        where TRule : unmanaged, IUpdate2<T>
    {
        fixed (T* pw = w, pg = g, pm = m, pv = v)
        {
            var job = new Job2<T, TRule> { W = pw, G = pg, M = pm, V = pv, Rule = rule };
            Workers.For(w.Length, Grain, &Job2<T, TRule>.Run, &job);
        }
    }

    /// <summary>w - step, bit for bit w where the step is a zero of either sign.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static S Less<T, S>(S w, S step) where T : unmanaged where S : struct, ISimd<S, T> => w - (step + S.Create(0));

    private struct Job1<T, TRule>
        where T : unmanaged
        where TRule : unmanaged, IUpdate1<T>
    {
        public T* W;
        public T* G;
        public T* V;
        public TRule Rule;

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(Job1<T, TRule>*)state;
            if (Vector512.IsHardwareAccelerated) Loop<Simd512<T>>(job.W + from, job.G + from, job.V + from, to - from, job.Rule);
            else if (Vector256.IsHardwareAccelerated) Loop<Simd256<T>>(job.W + from, job.G + from, job.V + from, to - from, job.Rule);
            else Loop<Simd128<T>>(job.W + from, job.G + from, job.V + from, to - from, job.Rule);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Loop<S>(T* w, T* g, T* v, long n, TRule rule) where S : struct, ISimd<S, T>
        {
            var i = 0L;
            for (; i + S.Count <= n; i += S.Count)
            {
                Lanes.Stream(w + i);
                Lanes.Stream(g + i);
                Lanes.Stream(v + i);
                var state = S.Load(v + i);
                rule.Apply(S.Load(w + i), S.Load(g + i), ref state).Store(w + i);
                state.Store(v + i);
            }

            if (i == n) return;
            var left = n - i;
            var last = S.Load(v + i, left);
            rule.Apply(S.Load(w + i, left), S.Load(g + i, left), ref last).Store(w + i, left);
            last.Store(v + i, left);
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
        public TRule Rule;

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(Job2<T, TRule>*)state;
            if (Vector512.IsHardwareAccelerated) Loop<Simd512<T>>(ref job, from, to);
            else if (Vector256.IsHardwareAccelerated) Loop<Simd256<T>>(ref job, from, to);
            else Loop<Simd128<T>>(ref job, from, to);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Loop<S>(ref Job2<T, TRule> job, long from, long to) where S : struct, ISimd<S, T>
        {
            var w = job.W;
            var g = job.G;
            var m = job.M;
            var v = job.V;
            var rule = job.Rule;
            var i = from;
            for (; i + S.Count <= to; i += S.Count)
            {
                Lanes.Stream(w + i);
                Lanes.Stream(g + i);
                Lanes.Stream(m + i);
                Lanes.Stream(v + i);
                var first = S.Load(m + i);
                var second = S.Load(v + i);
                rule.Apply(S.Load(w + i), S.Load(g + i), ref first, ref second).Store(w + i);
                first.Store(m + i);
                second.Store(v + i);
            }

            if (i == to) return;
            var left = to - i;
            var m1 = S.Load(m + i, left);
            var v1 = S.Load(v + i, left);
            rule.Apply(S.Load(w + i, left), S.Load(g + i, left), ref m1, ref v1).Store(w + i, left);
            m1.Store(m + i, left);
            v1.Store(v + i, left);
        }
    }
}

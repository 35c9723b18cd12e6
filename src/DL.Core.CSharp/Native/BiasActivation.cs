using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DL.Core.Ops;

namespace DL.Core.Kernels;

/// <summary><c>y = act(y + b)</c> over the rows of a product just made, while they lie in the cache.</summary>
internal static unsafe class BiasActivation
{
    /// <summary>Elements under which a second thread costs more than it saves.</summary>
    private const int Grain = 32 * 1024;

    /// <summary>Widest row that is treated as a repeated pattern instead of row by row.</summary>
    private const int Narrow = 16;

    /// <summary>y [rows; n] in place; an empty bias adds nothing.</summary>
    public static void Forward<T>(Span<T> y, ReadOnlySpan<T> bias, Activation activation, int rows, int n) where T : unmanaged
    {
        if (y.Length == 0 || (bias.Length == 0 && activation == Activation.Identity)) return;
        switch (activation)
        {
            case Activation.Relu: Run(y, bias, rows, n, default(ReluOf<T>)); break;
            case Activation.Sigmoid: Run(y, bias, rows, n, default(SigmoidOf<T>)); break;
            case Activation.Tanh: Run(y, bias, rows, n, default(TanhOf<T>)); break;
            default: Run(y, bias, rows, n, default(IdentityOf<T>)); break;
        }
    }

    private static void Run<T, TOp>(Span<T> y, ReadOnlySpan<T> bias, int rows, int n, TOp op)
        where T : unmanaged
        where TOp : unmanaged, IUnary<T>
    {
        fixed (T* py = y, pb = bias)
        {
            var job = new Job<T, TOp> { Y = py, Bias = pb, N = n, Op = op };
            Workers.For(rows, Math.Max(1, Grain / n), &Job<T, TOp>.Run, &job);
        }
    }

    private struct Job<T, TOp>
        where T : unmanaged
        where TOp : unmanaged, IUnary<T>
    {
        public T* Y;
        public T* Bias;
        public int N;
        public TOp Op;

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(Job<T, TOp>*)state;
            if (Vector512.IsHardwareAccelerated) Rows<Simd512<T>>(ref job, from, to);
            else if (Vector256.IsHardwareAccelerated) Rows<Simd256<T>>(ref job, from, to);
            else Rows<Simd128<T>>(ref job, from, to);
        }

        private static void Rows<S>(ref Job<T, TOp> job, long from, long to) where S : struct, ISimd<S, T>
        {
            var y = job.Y + (from * job.N);
            // A pattern is made for many rows.
            if (job.N <= Narrow && to - from >= S.Count) Pattern<S>(y, job.Bias, job.N, (to - from) * job.N, job.Op);
            else Wide<S>(y, job.Bias, job.N, to - from, job.Op);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Wide<S>(T* y, T* bias, long n, long rows, TOp op) where S : struct, ISimd<S, T>
        {
            for (var r = 0L; r < rows; r++, y += n)
            {
                var j = 0L;
                if (bias is null)
                {
                    for (; j + S.Count <= n; j += S.Count) op.Apply(S.Load(y + j)).Store(y + j);
                    if (j < n) op.Apply(S.Load(y + j, n - j)).Store(y + j, n - j);
                    continue;
                }

                for (; j + S.Count <= n; j += S.Count) op.Apply(S.Load(y + j) + S.Load(bias + j)).Store(y + j);
                if (j == n) continue;
                var left = n - j;
                op.Apply(S.Load(y + j, left) + S.Load(bias + j, left)).Store(y + j, left);
            }
        }

        // Rows narrower than a vector: n vectors hold a whole number of rows, so the bias becomes a pattern of n vectors.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Pattern<S>(T* y, T* bias, int n, long count, TOp op) where S : struct, ISimd<S, T>
        {
            var pattern = stackalloc T[Narrow * S.Count];
            var length = n * S.Count;
            for (var i = 0; i < length; i += S.Count) S.Create(-0.0).Store(pattern + i);
            for (var i = 0; i < length && bias is not null; i++) pattern[i] = bias[i % n];
            var at = 0;
            for (var i = 0L; i < count; i += S.Count)
            {
                var left = count - i;
                var b = S.Load(pattern + at);
                if (left >= S.Count) op.Apply(S.Load(y + i) + b).Store(y + i);
                else op.Apply(S.Load(y + i, left) + b).Store(y + i, left);
                at += S.Count;
                if (at == length) at = 0;
            }
        }
    }

    private readonly struct IdentityOf<T> : IUnary<T> where T : unmanaged
    {
        public S Apply<S>(S x) where S : struct, ISimd<S, T> => x;
    }

    private readonly struct ReluOf<T> : IUnary<T> where T : unmanaged
    {
        public S Apply<S>(S x) where S : struct, ISimd<S, T> => S.Max(x, S.Create(0));
    }

    private readonly struct SigmoidOf<T> : IUnary<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S x) where S : struct, ISimd<S, T> => MathVector.Sigmoid<T, S>(x);
    }

    private readonly struct TanhOf<T> : IUnary<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S x) where S : struct, ISimd<S, T> => MathVector.Tanh<T, S>(x);
    }
}

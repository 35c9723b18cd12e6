using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DL.Core.Kernels;

namespace DL.Core.Losses;

/// <summary>One term of an elementwise loss and its slope in the prediction.</summary>
internal interface IPairTerm<T> where T : unmanaged
{
    S Value<S>(S prediction, S target, out S slope) where S : struct, ISimd<S, T>;
}

/// <summary>Losses that are a sum of one term per element: value and gradient in one pass over the memory.</summary>
internal static unsafe class PairLoss
{
    /// <summary>Elements of one partial sum; fixed, so that the value does not depend on the number of threads.</summary>
    private const int Block = 8192;

    /// <summary>Vectors that are added in T.</summary>
    private const int Chunk = 32;

    /// <summary>The value, and the gradient where slopes are asked for.</summary>
    public static double Evaluate<T, TTerm>(
        string where, TTerm term, ReadOnlySpan<T> prediction, ReadOnlySpan<T> target, Reduction reduction, Span<T> gradient, bool slopes)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TTerm : unmanaged, IPairTerm<T>
    {
        Reductions.CheckSingle(reduction, where, "PerElement and Backward");
        Apply.SameLength(prediction.Length, target.Length, where);
        if (slopes) Apply.SameLength(prediction.Length, gradient.Length, where);
        var n = prediction.Length;
        var factor = Reductions.Factor(reduction, n);
        var blocks = (int)(((long)n + Block - 1) / Block);
        var partials = (double*)Scratch.Left(blocks * (long)sizeof(double));
        fixed (T* p = prediction, t = target, g = gradient)
        {
            var job = new SumJob<T, TTerm> { Prediction = p, Target = t, Gradient = slopes ? g : null, N = n, Factor = factor, Partials = partials, Term = term };
            Workers.For(blocks, 2, &SumJob<T, TTerm>.Run, &job);
        }

        var sum = 0.0;
        for (var block = 0; block < blocks; block++) sum += partials[block];
        return sum * factor;
    }

    /// <summary>The value of every term.</summary>
    public static void PerElement<T, TTerm>(string where, TTerm term, ReadOnlySpan<T> prediction, ReadOnlySpan<T> target, Span<T> values)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TTerm : unmanaged, IPairTerm<T>
    {
        Apply.SameLength(prediction.Length, target.Length, where);
        Apply.SameLength(prediction.Length, values.Length, where);
        Elementwise.Map(prediction, target, values, new ValueOf<T, TTerm>(term));
    }

    /// <summary>dx = dy slope.</summary>
    public static void Backward<T, TTerm>(string where, TTerm term, ReadOnlySpan<T> dy, ReadOnlySpan<T> prediction, ReadOnlySpan<T> target, Span<T> dx)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TTerm : unmanaged, IPairTerm<T>
    {
        Apply.SameLength(prediction.Length, target.Length, where);
        Apply.SameLength(prediction.Length, dy.Length, where);
        Apply.SameLength(prediction.Length, dx.Length, where);
        if (dx.Overlaps(dy)) throw new InvalidArgumentException(where, "a dx apart from dy", "the same memory");
        Elementwise.Map(prediction, target, dx, new SlopeOf<T, TTerm>(term));
        Elementwise.Map(dy, dx, dx, default(Product<T>));
    }

    private struct SumJob<T, TTerm>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TTerm : unmanaged, IPairTerm<T>
    {
        public T* Prediction;
        public T* Target;
        public T* Gradient;
        public long N;
        public double Factor;
        public double* Partials;
        public TTerm Term;

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(SumJob<T, TTerm>*)state;
            for (var block = from; block < to; block++)
            {
                if (Vector512.IsHardwareAccelerated) job.Sum<Simd512<T>>(block);
                else if (Vector256.IsHardwareAccelerated) job.Sum<Simd256<T>>(block);
                else job.Sum<Simd128<T>>(block);
            }
        }

        // Some vectors are added in T, all beyond that in float64.
        private readonly void Sum<S>(long block) where S : struct, ISimd<S, T>
        {
            var i = block * Block;
            var end = Math.Min(i + Block, N);
            var sums = stackalloc T[S.Count];
            var total = 0.0;
            while (i + S.Count <= end)
            {
                var n = Math.Min(Chunk * S.Count, (end - i) / S.Count * S.Count);
                Add<S>(Prediction + i, Target + i, Gradient is null ? null : Gradient + i, n, sums);
                for (var lane = 0; lane < S.Count; lane++) total += double.CreateTruncating(sums[lane]);
                i += n;
            }

            if (i < end) total += Rest<S>(i, (int)(end - i), sums);
            Partials[block] = total;
        }

        private readonly double Rest<S>(long i, int left, T* sums) where S : struct, ISimd<S, T>
        {
            var room = stackalloc T[3 * S.Count];
            new Span<T>(room, 3 * S.Count).Clear();
            var slopes = room + (2 * S.Count);
            new Span<T>(Prediction + i, left).CopyTo(new Span<T>(room, left));
            new Span<T>(Target + i, left).CopyTo(new Span<T>(room + S.Count, left));
            Add<S>(room, room + S.Count, slopes, S.Count, sums);
            if (Gradient is not null) new Span<T>(slopes, left).CopyTo(new Span<T>(Gradient + i, left));
            var total = 0.0;
            for (var lane = 0; lane < left; lane++) total += double.CreateTruncating(sums[lane]);
            return total;
        }

        // The term is used once in the method, for a second use would take the compiler past its budget of inlining.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Add<S>(T* prediction, T* target, T* gradient, long n, T* sums) where S : struct, ISimd<S, T>
        {
            var term = Term;
            var factor = S.Create(Factor);
            S sum = default;
            for (var i = 0L; i < n; i += S.Count)
            {
                sum += term.Value(S.Load(prediction + i), S.Load(target + i), out var slope);
                if (gradient is not null) (slope * factor).Store(gradient + i);
            }

            sum.Store(sums);
        }
    }

    private readonly struct ValueOf<T, TTerm>(TTerm term) : IBinary<T>
        where T : unmanaged
        where TTerm : unmanaged, IPairTerm<T>
    {
        private readonly TTerm _term = term;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S a, S b) where S : struct, ISimd<S, T> => _term.Value(a, b, out _);
    }

    private readonly struct SlopeOf<T, TTerm>(TTerm term) : IBinary<T>
        where T : unmanaged
        where TTerm : unmanaged, IPairTerm<T>
    {
        private readonly TTerm _term = term;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S a, S b) where S : struct, ISimd<S, T>
        {
            _term.Value(a, b, out var slope);
            return slope;
        }
    }

    private readonly struct Product<T> : IBinary<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S a, S b) where S : struct, ISimd<S, T> => a * b;
    }
}

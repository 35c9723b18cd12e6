using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DL.Core.Kernels;

/// <summary>Maps over contiguous memory: whole vectors first, then the rest in a zero-padded one, so that every element meets the same instructions.</summary>
internal static unsafe class Elementwise
{
    /// <summary>Elements under which a second thread costs more than it saves.</summary>
    private const long Grain = 32 * 1024;

    /// <summary>y = f(x). The spans are equally long; y may be x.</summary>
    public static void Map<T, TOp>(ReadOnlySpan<T> x, Span<T> y, TOp op)
        where T : unmanaged
        where TOp : unmanaged, IUnary<T>
    {
        fixed (T* px = x, py = y)
        {
            var job = new UnaryJob<T, TOp> { X = px, Y = py, Op = op };
            Workers.For(y.Length, Grain, &UnaryJob<T, TOp>.Run, &job);
        }
    }

    /// <summary>y = f(a, b). The spans are equally long; y may be a or b.</summary>
    public static void Map<T, TOp>(ReadOnlySpan<T> a, ReadOnlySpan<T> b, Span<T> y, TOp op)
        where T : unmanaged
        where TOp : unmanaged, IBinary<T>
    {
        fixed (T* pa = a, pb = b, py = y)
        {
            var job = new BinaryJob<T, TOp> { A = pa, B = pb, Y = py, Op = op };
            Workers.For(y.Length, Grain, &BinaryJob<T, TOp>.Run, &job);
        }
    }

    private struct UnaryJob<T, TOp>
        where T : unmanaged
        where TOp : unmanaged, IUnary<T>
    {
        public T* X;
        public T* Y;
        public TOp Op;

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(UnaryJob<T, TOp>*)state;
            if (Vector512.IsHardwareAccelerated) Loop<Simd512<T>>(job.X + from, job.Y + from, to - from, job.Op);
            else if (Vector256.IsHardwareAccelerated) Loop<Simd256<T>>(job.X + from, job.Y + from, to - from, job.Op);
            else Loop<Simd128<T>>(job.X + from, job.Y + from, to - from, job.Op);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Loop<S>(T* x, T* y, long n, TOp op) where S : struct, ISimd<S, T>
        {
            var i = 0L;
            for (; i + (2 * S.Count) <= n; i += 2 * S.Count)
            {
                var first = op.Apply(S.Load(x + i));
                var second = op.Apply(S.Load(x + i + S.Count));
                first.Store(y + i);
                second.Store(y + i + S.Count);
            }

            for (; i < n; i += S.Count)
            {
                var left = n - i;
                if (left >= S.Count) op.Apply(S.Load(x + i)).Store(y + i);
                else Tail.Store(op.Apply(Tail.Load<T, S>(x + i, left)), y + i, left);
            }
        }
    }

    private struct BinaryJob<T, TOp>
        where T : unmanaged
        where TOp : unmanaged, IBinary<T>
    {
        public T* A;
        public T* B;
        public T* Y;
        public TOp Op;

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(BinaryJob<T, TOp>*)state;
            if (Vector512.IsHardwareAccelerated) Loop<Simd512<T>>(job.A + from, job.B + from, job.Y + from, to - from, job.Op);
            else if (Vector256.IsHardwareAccelerated) Loop<Simd256<T>>(job.A + from, job.B + from, job.Y + from, to - from, job.Op);
            else Loop<Simd128<T>>(job.A + from, job.B + from, job.Y + from, to - from, job.Op);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Loop<S>(T* a, T* b, T* y, long n, TOp op) where S : struct, ISimd<S, T>
        {
            var i = 0L;
            for (; i + S.Count <= n; i += S.Count) op.Apply(S.Load(a + i), S.Load(b + i)).Store(y + i);
            if (i == n) return;
            var left = n - i;
            Tail.Store(op.Apply(Tail.Load<T, S>(a + i, left), Tail.Load<T, S>(b + i, left)), y + i, left);
        }
    }
}

/// <summary>The part of a vector that is left at the end of a row.</summary>
internal static unsafe class Tail
{
    /// <summary>The first <paramref name="left"/> lanes from memory, the others zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static S Load<T, S>(T* source, long left)
        where T : unmanaged
        where S : struct, ISimd<S, T>
    {
        var lanes = default(Buffer64);
        Unsafe.CopyBlockUnaligned(&lanes, source, (uint)(left * sizeof(T)));
        return S.Load((T*)&lanes);
    }

    /// <summary>Writes the first <paramref name="left"/> lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<T, S>(S value, T* destination, long left)
        where T : unmanaged
        where S : struct, ISimd<S, T>
    {
        var lanes = default(Buffer64);
        value.Store((T*)&lanes);
        Unsafe.CopyBlockUnaligned(destination, &lanes, (uint)(left * sizeof(T)));
    }

    [InlineArray(8)]
    private struct Buffer64
    {
        private long _first;
    }
}

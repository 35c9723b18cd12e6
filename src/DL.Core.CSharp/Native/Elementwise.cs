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
            if (Vector512.IsHardwareAccelerated) Whole<Simd512<T>>(job.X + from, job.Y + from, to - from, job.Op);
            else if (Vector256.IsHardwareAccelerated) Whole<Simd256<T>>(job.X + from, job.Y + from, to - from, job.Op);
            else Whole<Simd128<T>>(job.X + from, job.Y + from, to - from, job.Op);
        }

        // One use of the operation, for the whole vectors and then for the rest: a second one would take the compiler past its budget of inlining,
        // and so would a method of the loop alone, whose budget is the smaller.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Whole<S>(T* x, T* y, long n, TOp op) where S : struct, ISimd<S, T>
        {
            var room = stackalloc T[S.Count];
            long rest = n % S.Count, end = n - rest;
            for (var target = y + end; ; end = S.Count)
            {
                for (var i = 0L; i < end; i += S.Count) op.Apply(S.Load(x + i)).Store(y + i);
                if (rest == 0) return;
                if (x == room)
                {
                    S.Load(room, rest).Store(target, rest);
                    return;
                }

                S.Load(x + end, rest).Store(room);
                x = y = room;
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
            if (Vector512.IsHardwareAccelerated) Whole<Simd512<T>>(job.A + from, job.B + from, job.Y + from, to - from, job.Op);
            else if (Vector256.IsHardwareAccelerated) Whole<Simd256<T>>(job.A + from, job.B + from, job.Y + from, to - from, job.Op);
            else Whole<Simd128<T>>(job.A + from, job.B + from, job.Y + from, to - from, job.Op);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Whole<S>(T* a, T* b, T* y, long n, TOp op) where S : struct, ISimd<S, T>
        {
            T* roomA = stackalloc T[S.Count], roomB = stackalloc T[S.Count];
            long rest = n % S.Count, end = n - rest;
            for (var target = y + end; ; end = S.Count)
            {
                for (var i = 0L; i < end; i += S.Count) op.Apply(S.Load(a + i), S.Load(b + i)).Store(y + i);
                if (rest == 0) return;
                if (a == roomA)
                {
                    S.Load(roomA, rest).Store(target, rest);
                    return;
                }

                S.Load(a + end, rest).Store(roomA);
                S.Load(b + end, rest).Store(roomB);
                a = y = roomA;
                b = roomB;
            }
        }
    }
}

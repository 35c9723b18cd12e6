using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DL.Core.Kernels;

/// <summary>Two functions of the same three arguments, computed together.</summary>
internal interface IGated<T> where T : unmanaged
{
    S Apply<S>(S a, S b, S c, out S second) where S : struct, ISimd<S, T>;
}

/// <summary>Maps three inputs to two outputs over contiguous memory, reading each input once.</summary>
internal static unsafe class Gated
{
    private const long Grain = 16 * 1024;

    /// <summary>(y, z) = f(a, b, c). The spans are equally long; an output may be an input.</summary>
    public static void Map<T, TOp>(ReadOnlySpan<T> a, ReadOnlySpan<T> b, ReadOnlySpan<T> c, Span<T> y, Span<T> z, TOp op)
        where T : unmanaged
        where TOp : unmanaged, IGated<T>
    {
        fixed (T* pa = a, pb = b, pc = c, py = y, pz = z)
        {
            var job = new Job<T, TOp> { A = pa, B = pb, C = pc, Y = py, Z = pz, Op = op };
            Workers.For(y.Length, Grain, &Job<T, TOp>.Run, &job);
        }
    }

    private struct Job<T, TOp>
        where T : unmanaged
        where TOp : unmanaged, IGated<T>
    {
        public T* A;
        public T* B;
        public T* C;
        public T* Y;
        public T* Z;
        public TOp Op;

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(Job<T, TOp>*)state;
            if (Vector512.IsHardwareAccelerated) Loop<Simd512<T>>(ref job, from, to);
            else if (Vector256.IsHardwareAccelerated) Loop<Simd256<T>>(ref job, from, to);
            else Loop<Simd128<T>>(ref job, from, to);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Loop<S>(ref Job<T, TOp> job, long i, long to) where S : struct, ISimd<S, T>
        {
            for (; i + S.Count <= to; i += S.Count)
            {
                var first = job.Op.Apply(S.Load(job.A + i), S.Load(job.B + i), S.Load(job.C + i), out var second);
                first.Store(job.Y + i);
                second.Store(job.Z + i);
            }

            if (i == to) return;
            var left = to - i;
            var y = job.Op.Apply(Tail.Load<T, S>(job.A + i, left), Tail.Load<T, S>(job.B + i, left), Tail.Load<T, S>(job.C + i, left), out var z);
            Tail.Store(y, job.Y + i, left);
            Tail.Store(z, job.Z + i, left);
        }
    }
}

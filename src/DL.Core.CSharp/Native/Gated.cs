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
            if (Vector512.IsHardwareAccelerated) Whole<Simd512<T>>(ref job, from, to);
            else if (Vector256.IsHardwareAccelerated) Whole<Simd256<T>>(ref job, from, to);
            else Whole<Simd128<T>>(ref job, from, to);
        }

        private static void Whole<S>(ref Job<T, TOp> job, long from, long to) where S : struct, ISimd<S, T>
        {
            var whole = to - ((to - from) % S.Count);
            Loop<S>(job.A + from, job.B + from, job.C + from, job.Y + from, job.Z + from, whole - from, job.Op);
            var left = to - whole;
            if (left == 0) return;
            Vector512<byte> a, b, c;
            S.Load(job.A + whole, left).Store((T*)&a);
            S.Load(job.B + whole, left).Store((T*)&b);
            S.Load(job.C + whole, left).Store((T*)&c);
            Loop<S>((T*)&a, (T*)&b, (T*)&c, (T*)&a, (T*)&b, S.Count, job.Op);
            S.Load((T*)&a).Store(job.Y + whole, left);
            S.Load((T*)&b).Store(job.Z + whole, left);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Loop<S>(T* a, T* b, T* c, T* y, T* z, long n, TOp op) where S : struct, ISimd<S, T>
        {
            for (var i = 0L; i < n; i += S.Count)
            {
                var first = op.Apply(S.Load(a + i), S.Load(b + i), S.Load(c + i), out var second);
                first.Store(y + i);
                second.Store(z + i);
            }
        }
    }
}

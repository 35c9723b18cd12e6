using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DL.Core.Kernels;

/// <summary>Turns the halves of every head against each other, by an angle for each position and each pair.</summary>
internal unsafe struct AttentionTurn<T> where T : unmanaged
{
    public T* X, Y;

    /// <summary>Of each position the cosines of half a head, then the sines.</summary>
    public T* Table;

    public nint Positions, Heads, Half;

    /// <summary>Positions [from, to) of all examples.</summary>
    public static void Run(void* state, long from, long to)
    {
        ref var job = ref *(AttentionTurn<T>*)state;
        if (Vector512.IsHardwareAccelerated) Rows<Simd512<T>>(job, from, to);
        else if (Vector256.IsHardwareAccelerated) Rows<Simd256<T>>(job, from, to);
        else Rows<Simd128<T>>(job, from, to);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows<S>(in AttentionTurn<T> job, long from, long to) where S : struct, ISimd<S, T>
    {
        nint half = job.Half, width = 2 * half * job.Heads;
        for (var row = (nint)from; row < to; row++)
        {
            var cosines = job.Table + (row % job.Positions * 2 * half);
            for (nint at = row * width; at < (row + 1) * width; at += 2 * half)
            {
                nint c = 0;
                for (; c + S.Count <= half; c += S.Count)
                {
                    S a = S.Load(job.X + at + c), b = S.Load(job.X + at + half + c), cos = S.Load(cosines + c), sin = S.Load(cosines + half + c);
                    S.Fma(a, cos, -(b * sin)).Store(job.Y + at + c);
                    S.Fma(b, cos, a * sin).Store(job.Y + at + half + c);
                }

                if (c == half) continue;
                var lanes = half - c;
                S p = S.Load(job.X + at + c, lanes), q = S.Load(job.X + at + half + c, lanes);
                S u = S.Load(cosines + c, lanes), v = S.Load(cosines + half + c, lanes);
                S.Fma(p, u, -(q * v)).Store(job.Y + at + c, lanes);
                S.Fma(q, u, p * v).Store(job.Y + at + half + c, lanes);
            }
        }
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DL.Core.Kernels;

/// <summary>Products of a few rows with B stored as [n,k]: every element is the dot product of two stored rows.</summary>
internal static unsafe class GemmDots
{
    internal static void Run<V, T>(in Product<T> part)
        where V : struct, IGemmWidth
        where T : unmanaged, INumber<T>
    {
        if (V.Count == Vector512<T>.Count)
            Run<Lanes512<T>, Vector512<T>, T>(part);
        else
            Run<Lanes256<T>, Vector256<T>, T>(part);
    }

    private static void Run<V, L, T>(in Product<T> part)
        where V : struct, IGemmLanes<L, T>
        where L : struct
        where T : unmanaged, INumber<T>
    {
        var a = part.A;
        var lda = part.Lda;
        if (part.TransposeA)
        {
            lda = part.K;
            a = (T*)Scratch.Left(part.M * part.K * sizeof(T));
            for (nint i = 0; i < part.M; i++)
                for (nint p = 0; p < part.K; p++)
                    a[i * lda + p] = part.A[p * part.Lda + i];
        }
        var four = stackalloc T[4];
        for (nint j = 0; j < part.N; j += 4)
            for (nint i = 0; i < part.M; i++)
            {
                var columns = (int)Math.Min(4, part.N - j);
                var b = part.B + j * part.Ldb;
                if (columns == 4)
                    Four<V, L, T>(a + i * lda, b, part.Ldb, part.K, four);
                else
                    for (var q = 0; q < columns; q++)
                        four[q] = One<V, L, T>(a + i * lda, b + q * part.Ldb, part.K);
                var c = part.C + i * part.Ldc + j;
                for (var q = 0; q < columns; q++)
                    c[q] = part.Accumulate ? c[q] + four[q] : four[q];
            }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Four<V, L, T>(T* a, T* b, nint ldb, nint k, T* target)
        where V : struct, IGemmLanes<L, T>
        where L : struct
        where T : unmanaged
    {
        L even0 = default, even1 = default, even2 = default, even3 = default;
        L odd0 = default, odd1 = default, odd2 = default, odd3 = default;
        T* b0 = b, b1 = b + ldb, b2 = b + 2 * ldb, b3 = b1 + 2 * ldb;
        nint p = 0;
        for (; p + 2 * V.Count <= k; p += 2 * V.Count)
        {
            var x = V.Load(a + p);
            even0 = V.MultiplyAdd(x, V.Load(b0 + p), even0);
            even1 = V.MultiplyAdd(x, V.Load(b1 + p), even1);
            even2 = V.MultiplyAdd(x, V.Load(b2 + p), even2);
            even3 = V.MultiplyAdd(x, V.Load(b3 + p), even3);
            x = V.Load(a + p + V.Count);
            odd0 = V.MultiplyAdd(x, V.Load(b0 + p + V.Count), odd0);
            odd1 = V.MultiplyAdd(x, V.Load(b1 + p + V.Count), odd1);
            odd2 = V.MultiplyAdd(x, V.Load(b2 + p + V.Count), odd2);
            odd3 = V.MultiplyAdd(x, V.Load(b3 + p + V.Count), odd3);
        }
        for (; p < k; p += V.Count)
        {
            var mask = V.Mask((int)Math.Min(k - p, V.Count));
            var x = V.Load(a + p, mask);
            even0 = V.MultiplyAdd(x, V.Load(b0 + p, mask), even0);
            even1 = V.MultiplyAdd(x, V.Load(b1 + p, mask), even1);
            even2 = V.MultiplyAdd(x, V.Load(b2 + p, mask), even2);
            even3 = V.MultiplyAdd(x, V.Load(b3 + p, mask), even3);
        }
        target[0] = V.Sum(V.Add(even0, odd0));
        target[1] = V.Sum(V.Add(even1, odd1));
        target[2] = V.Sum(V.Add(even2, odd2));
        target[3] = V.Sum(V.Add(even3, odd3));
    }

    // The same order of additions as one column of Four.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static T One<V, L, T>(T* a, T* b, nint k)
        where V : struct, IGemmLanes<L, T>
        where L : struct
        where T : unmanaged
    {
        L even = default, odd = default;
        nint p = 0;
        for (; p + 2 * V.Count <= k; p += 2 * V.Count)
        {
            even = V.MultiplyAdd(V.Load(a + p), V.Load(b + p), even);
            odd = V.MultiplyAdd(V.Load(a + p + V.Count), V.Load(b + p + V.Count), odd);
        }
        for (; p < k; p += V.Count)
        {
            var mask = V.Mask((int)Math.Min(k - p, V.Count));
            even = V.MultiplyAdd(V.Load(a + p, mask), V.Load(b + p, mask), even);
        }
        return V.Sum(V.Add(even, odd));
    }
}

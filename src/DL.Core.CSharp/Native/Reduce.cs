using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DL.Core.Kernels;

/// <summary>Sums and maxima of contiguous memory in an order that depends on the length alone.</summary>
internal static unsafe class Reduce
{
    /// <summary>Elements added in the element type before the total is carried on in float64.</summary>
    private const long Block = 4096;

    /// <summary>Elements above which one sum is shared by several threads.</summary>
    private const long Shared = 64 * 1024;

    private const int MaxParts = 256;

    /// <summary>The sum of n elements; long ones are cut into parts, and the parts do not depend on the number of threads.</summary>
    public static double Sum<T>(T* x, long n) where T : unmanaged
    {
        if (n <= Shared) return SumHere(x, n);
        var size = Math.Max(Shared / 4, ((((n - 1) / MaxParts) + Block) / Block) * Block);
        var parts = (int)(((n - 1) / size) + 1);
        var sums = stackalloc double[parts];
        var job = new SumJob<T> { X = x, Count = n, Size = size, Sums = sums };
        Workers.For(parts, 1, &SumJob<T>.Run, &job);
        var total = 0.0;
        for (var part = 0; part < parts; part++) total += sums[part];
        return total;
    }

    /// <summary>The sum of n elements on this thread.</summary>
    public static double SumHere<T>(T* x, long n) where T : unmanaged =>
        Vector512.IsHardwareAccelerated ? Sum<T, Simd512<T>>(x, n)
        : Vector256.IsHardwareAccelerated ? Sum<T, Simd256<T>>(x, n)
        : Sum<T, Simd128<T>>(x, n);

    /// <summary>The sum of n elements: blocks of four lines of lanes, their totals in float64.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double Sum<T, S>(T* x, long n)
        where T : unmanaged
        where S : struct, ISimd<S, T>
    {
        var total = 0.0;
        if (n < S.Count)
        {
            for (var i = 0L; i < n; i++) total += Wide(x[i]);
            return total;
        }

        for (var from = 0L; from < n; from += Block)
        {
            var to = Math.Min(from + Block, n);
            S s0 = S.Create(0), s1 = s0, s2 = s0, s3 = s0;
            var i = from;
            for (; i + (4 * S.Count) <= to; i += 4 * S.Count)
            {
                s0 += S.Load(x + i);
                s1 += S.Load(x + i + S.Count);
                s2 += S.Load(x + i + (2 * S.Count));
                s3 += S.Load(x + i + (3 * S.Count));
            }

            for (; i + S.Count <= to; i += S.Count) s0 += S.Load(x + i);
            if (i < to) s1 += S.Load(x + i, to - i);
            total += Wide(S.Sum((s0 + s1) + (s2 + s3)));
        }

        return total;
    }

    /// <summary>The largest of n elements, at least one; NaN where one is NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static T Max<T, S>(T* x, long n)
        where T : unmanaged
        where S : struct, ISimd<S, T>
    {
        if (n < S.Count) return S.MaxLane(Lanes.Load(x, n, S.Create(double.NegativeInfinity)));
        S m0 = S.Load(x), m1 = m0;
        var i = (long)S.Count;
        for (; i + (2 * S.Count) <= n; i += 2 * S.Count)
        {
            m0 = S.Max(m0, S.Load(x + i));
            m1 = S.Max(m1, S.Load(x + i + S.Count));
        }

        if (i + S.Count <= n) m0 = S.Max(m0, S.Load(x + i));
        // The last vector may overlap the one before it: a maximum does not mind.
        return S.MaxLane(S.Max(S.Max(m0, m1), S.Load(x + n - S.Count)));
    }

    /// <summary>The largest of n elements where none is NaN; any number where one is: for a shift, after which a NaN shows by itself.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static T Peak<T, S>(T* x, long n)
        where T : unmanaged
        where S : struct, ISimd<S, T>
    {
        if (n < 4 * S.Count) return Max<T, S>(x, n);
        S m0 = S.Load(x), m1 = m0, m2 = m0, m3 = m0;
        var i = 0L;
        for (; i + (4 * S.Count) <= n; i += 4 * S.Count)
        {
            m0 = S.Higher(m0, S.Load(x + i));
            m1 = S.Higher(m1, S.Load(x + i + S.Count));
            m2 = S.Higher(m2, S.Load(x + i + (2 * S.Count)));
            m3 = S.Higher(m3, S.Load(x + i + (3 * S.Count)));
        }

        for (; i + S.Count <= n; i += S.Count) m0 = S.Higher(m0, S.Load(x + i));
        // The last vector may overlap the one before it: a maximum does not mind.
        return S.MaxLane(S.Higher(S.Higher(S.Higher(m0, m1), S.Higher(m2, m3)), S.Load(x + n - S.Count)));
    }

    /// <summary>An element in float64.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Wide<T>(T value) where T : unmanaged =>
        typeof(T) == typeof(float) ? Unsafe.BitCast<T, float>(value) : Unsafe.BitCast<T, double>(value);

    /// <summary>A float64 number rounded to the element type.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Narrow<T>(double value) where T : unmanaged =>
        typeof(T) == typeof(float) ? Unsafe.BitCast<float, T>((float)value) : Unsafe.BitCast<double, T>(value);

    private struct SumJob<T> where T : unmanaged
    {
        public T* X;
        public long Count;
        public long Size;
        public double* Sums;

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(SumJob<T>*)state;
            for (var part = from; part < to; part++)
            {
                var start = part * job.Size;
                job.Sums[part] = SumHere(job.X + start, Math.Min(job.Size, job.Count - start));
            }
        }
    }
}

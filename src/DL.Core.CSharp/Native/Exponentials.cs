using System.Runtime.CompilerServices;

namespace DL.Core.Kernels;

/// <summary>The shift and the sum that softmax, log-softmax and log-sum-exp have in common.</summary>
internal static unsafe class Exponentials
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>max_e x_e in every lane, but 0 where all are -infinity, which leaves the sum at 0 instead of NaN.</summary>
    [MethodImpl(Inline)]
    public static S RowShift<T, S>(T* x, long n) where T : unmanaged where S : struct, ISimd<S, T> =>
        n == 0 ? S.Create(0) : Shift<T, S>(S.Broadcast(Reduce.Peak<T, S>(x, n)));

    /// <summary>The shift of each column.</summary>
    [MethodImpl(Inline)]
    public static S ColumnShift<T, S>(T* x, long n, long stride, long lanes) where T : unmanaged where S : struct, ISimd<S, T>
    {
        var max = S.Create(double.NegativeInfinity);
        for (var e = 0L; e < n; e++) max = S.Max(max, S.Load(x + (e * stride), lanes));
        return Shift<T, S>(max);
    }

    /// <summary>sum_e e^(x_e - shift) in every lane; the terms are kept in y unless it is null.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static S RowSum<T, S>(T* x, T* y, long n, S shift) where T : unmanaged where S : struct, ISimd<S, T>
    {
        S s0 = S.Create(0), s1 = s0;
        var i = 0L;
        for (; i + (2 * S.Count) <= n; i += 2 * S.Count)
        {
            // The next row, which the machine does not foresee while it works through this one several times.
            Lanes.Prefetch(x + n + i);
            Lanes.Prefetch(x + n + i + S.Count);
            var e0 = MathVector.ExpOfNegative<T, S>(S.Load(x + i) - shift);
            var e1 = MathVector.ExpOfNegative<T, S>(S.Load(x + i + S.Count) - shift);
            if (y != null)
            {
                Lanes.Prefetch(y + n + i);
                Lanes.Prefetch(y + n + i + S.Count);
                e0.Store(y + i);
                e1.Store(y + i + S.Count);
            }

            s0 += e0;
            s1 += e1;
        }

        for (; i < n; i += S.Count)
        {
            var lanes = Math.Min(S.Count, n - i);
            var e = MathVector.ExpOfNegative<T, S>(S.Load(x + i, lanes) - shift);
            if (y != null) e.Store(y + i, lanes);
            s0 += S.First(lanes) & e;
        }

        return S.Broadcast(S.Sum(s0 + s1));
    }

    /// <summary>The sum of each column; the terms are kept in y unless it is null.</summary>
    [MethodImpl(Inline)]
    public static S ColumnSum<T, S>(T* x, T* y, long n, long stride, long lanes, S shift) where T : unmanaged where S : struct, ISimd<S, T>
    {
        var sum = S.Create(0);
        for (var e = 0L; e < n; e++)
        {
            var term = MathVector.ExpOfNegative<T, S>(S.Load(x + (e * stride), lanes) - shift);
            if (y != null) term.Store(y + (e * stride), lanes);
            sum += term;
        }

        return sum;
    }

    /// <summary>All bits set where a sum is 0, as it is for a row of -infinity alone.</summary>
    [MethodImpl(Inline)]
    public static S Masked<T, S>(S sum) where T : unmanaged where S : struct, ISimd<S, T> => S.Less(S.Abs(sum), S.Create(0.5));

    [MethodImpl(Inline)]
    private static S Shift<T, S>(S max) where T : unmanaged where S : struct, ISimd<S, T>
    {
        var lowest = S.Create(typeof(T) == typeof(float) ? float.MinValue : double.MinValue);
        return S.Select(S.Less(max, lowest), S.Create(0), max);
    }
}

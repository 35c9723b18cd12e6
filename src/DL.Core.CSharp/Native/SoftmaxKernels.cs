using System.Runtime.CompilerServices;

namespace DL.Core.Kernels;

/// <summary>y_e = e^(x_e - m) / sum; a is x. A row of -infinity alone gives zeros.</summary>
internal readonly unsafe struct SoftmaxForward<T> : IAxisKernel<T> where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Row<S>(T* a, T* b, T* c, T* y, long n) where S : struct, ISimd<S, T>
    {
        var inverse = Inverse<S>(Exponentials.RowSum(a, y, n, Exponentials.RowShift<T, S>(a, n)));
        var i = 0L;
        for (; i + S.Count <= n; i += S.Count) (S.Load(y + i) * inverse).Store(y + i);
        if (i < n) (S.Load(y + i, n - i) * inverse).Store(y + i, n - i);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Columns<S>(T* a, T* b, T* c, T* y, long n, long stride, long lanes) where S : struct, ISimd<S, T>
    {
        var shift = Exponentials.ColumnShift<T, S>(a, n, stride, lanes);
        var inverse = Inverse<S>(Exponentials.ColumnSum(a, y, n, stride, lanes, shift));
        for (var e = 0L; e < n; e++) (S.Load(y + (e * stride), lanes) * inverse).Store(y + (e * stride), lanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static S Inverse<S>(S sum) where S : struct, ISimd<S, T> =>
        S.Create(1) / S.Select(Exponentials.Masked<T, S>(sum), S.Create(1), sum);
}

/// <summary>dx = y (dy - sum_e dy_e y_e); a is dy, b is y, y is dx.</summary>
internal readonly unsafe struct SoftmaxBackward<T> : IAxisKernel<T> where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Row<S>(T* a, T* b, T* c, T* y, long n) where S : struct, ISimd<S, T>
    {
        S d0 = S.Create(0), d1 = d0;
        var i = 0L;
        for (; i + (2 * S.Count) <= n; i += 2 * S.Count)
        {
            d0 = S.Fma(S.Load(a + i), S.Load(b + i), d0);
            d1 = S.Fma(S.Load(a + i + S.Count), S.Load(b + i + S.Count), d1);
        }

        for (; i < n; i += S.Count)
        {
            var lanes = Math.Min(S.Count, n - i);
            d0 = S.Fma(S.Load(a + i, lanes), S.Load(b + i, lanes), d0);
        }

        var dot = S.Broadcast(S.Sum(d0 + d1));
        for (i = 0; i + S.Count <= n; i += S.Count) (S.Load(b + i) * (S.Load(a + i) - dot)).Store(y + i);
        if (i < n) (S.Load(b + i, n - i) * (S.Load(a + i, n - i) - dot)).Store(y + i, n - i);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Columns<S>(T* a, T* b, T* c, T* y, long n, long stride, long lanes) where S : struct, ISimd<S, T>
    {
        var dot = S.Create(0);
        for (var e = 0L; e < n; e++)
            dot = S.Fma(S.Load(a + (e * stride), lanes), S.Load(b + (e * stride), lanes), dot);
        for (var e = 0L; e < n; e++)
        {
            var at = e * stride;
            (S.Load(b + at, lanes) * (S.Load(a + at, lanes) - dot)).Store(y + at, lanes);
        }
    }
}

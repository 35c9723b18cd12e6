using System.Runtime.CompilerServices;

namespace DL.Core.Kernels;

/// <summary>y_e = x_e - m - log sum; a is x. A row of -infinity alone stays so.</summary>
internal readonly unsafe struct LogSoftmaxForward<T> : IAxisKernel<T> where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Row<S>(T* a, T* b, T* c, T* y, long n) where S : struct, ISimd<S, T>
    {
        var shift = Exponentials.RowShift<T, S>(a, n);
        var log = LogOf<S>(Exponentials.RowSum(a, null, n, shift));
        var i = 0L;
        for (; i + S.Count <= n; i += S.Count) (S.Load(a + i) - shift - log).Store(y + i);
        if (i < n) (S.Load(a + i, n - i) - shift - log).Store(y + i, n - i);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Columns<S>(T* a, T* b, T* c, T* y, long n, long stride, long lanes) where S : struct, ISimd<S, T>
    {
        var shift = Exponentials.ColumnShift<T, S>(a, n, stride, lanes);
        var log = LogOf<S>(Exponentials.ColumnSum(a, null, n, stride, lanes, shift));
        for (var e = 0L; e < n; e++) (S.Load(a + (e * stride), lanes) - shift - log).Store(y + (e * stride), lanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static S LogOf<S>(S sum) where S : struct, ISimd<S, T> =>
        MathVector.Log<T, S>(S.Select(Exponentials.Masked<T, S>(sum), S.Create(1), sum));
}

/// <summary>dx = dy - e^y sum_e dy_e, and 0 where the whole row is masked; a is dy, b is y, y is dx.</summary>
internal readonly unsafe struct LogSoftmaxBackward<T> : IAxisKernel<T> where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Row<S>(T* a, T* b, T* c, T* y, long n) where S : struct, ISimd<S, T>
    {
        if (n == 0) return;
        var masked = Masked(S.Broadcast(Reduce.Max<T, S>(b, n)));
        var sum = S.Broadcast(Reduce.Narrow<T>(Reduce.Sum<T, S>(a, n)));
        for (var i = 0L; i < n; i += S.Count) Step(a + i, b + i, y + i, Math.Min(S.Count, n - i), masked, sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Columns<S>(T* a, T* b, T* c, T* y, long n, long stride, long lanes) where S : struct, ISimd<S, T>
    {
        S max = S.Create(double.NegativeInfinity), sum = S.Create(0);
        for (var e = 0L; e < n; e++)
        {
            max = S.Max(max, S.Load(b + (e * stride), lanes));
            sum += S.Load(a + (e * stride), lanes);
        }

        var masked = Masked(max);
        for (var e = 0L; e < n; e++) Step(a + (e * stride), b + (e * stride), y + (e * stride), lanes, masked, sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static S Masked<S>(S max) where S : struct, ISimd<S, T> =>
        S.Less(max, S.Create(typeof(T) == typeof(float) ? float.MinValue : double.MinValue));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step<S>(T* dy, T* y, T* dx, long lanes, S masked, S sum) where S : struct, ISimd<S, T>
    {
        var gradient = S.Fma(-MathVector.Exp<T, S>(S.Load(y, lanes)), sum, S.Load(dy, lanes));
        S.Select(masked, S.Create(0), gradient).Store(dx, lanes);
    }
}

/// <summary>y = m + log sum; a is x, y is reduced.</summary>
internal readonly unsafe struct LogSumExpForward<T> : IAxisKernel<T> where T : unmanaged
{
    public void Row<S>(T* a, T* b, T* c, T* y, long n) where S : struct, ISimd<S, T>
    {
        var shift = Exponentials.RowShift<T, S>(a, n);
        (shift + MathVector.Log<T, S>(Exponentials.RowSum(a, null, n, shift))).Store(y, 1);
    }

    public void Columns<S>(T* a, T* b, T* c, T* y, long n, long stride, long lanes) where S : struct, ISimd<S, T>
    {
        var shift = Exponentials.ColumnShift<T, S>(a, n, stride, lanes);
        (shift + MathVector.Log<T, S>(Exponentials.ColumnSum(a, null, n, stride, lanes, shift))).Store(y, lanes);
    }
}

/// <summary>dx = dy e^(x - y), and 0 where y is -infinity; a is dy and c is y, both reduced, b is x, y is dx.</summary>
internal readonly unsafe struct LogSumExpBackward<T> : IAxisKernel<T> where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Row<S>(T* a, T* b, T* c, T* y, long n) where S : struct, ISimd<S, T>
    {
        S dy = S.Broadcast(*a), total = S.Broadcast(*c);
        for (var i = 0L; i < n; i += S.Count) Step(dy, total, b + i, y + i, Math.Min(S.Count, n - i));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Columns<S>(T* a, T* b, T* c, T* y, long n, long stride, long lanes) where S : struct, ISimd<S, T>
    {
        S dy = S.Load(a, lanes), total = S.Load(c, lanes);
        for (var e = 0L; e < n; e++) Step(dy, total, b + (e * stride), y + (e * stride), lanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step<S>(S dy, S total, T* x, T* dx, long lanes) where S : struct, ISimd<S, T>
    {
        var masked = S.Less(total, S.Create(typeof(T) == typeof(float) ? float.MinValue : double.MinValue));
        var share = MathVector.Exp<T, S>(S.Load(x, lanes) - total);
        S.Select(masked, S.Create(0), dy * share).Store(dx, lanes);
    }
}

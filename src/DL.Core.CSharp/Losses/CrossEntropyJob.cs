using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DL.Core.Kernels;

namespace DL.Core.Losses;

/// <summary>Cross entropy row by row: maximum, exponentials into the gradient's row, then their scaling; a row stays in the second cache.</summary>
internal unsafe struct CrossEntropyJob<T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public T* Logits;
    public T* Distributions;
    public T* Weights;
    public int* Ids;
    public T* Upstream;
    public T* Gradient;
    public double* Values;
    public long Classes;
    public double Smoothing;
    public double Factor;
    public int Ignored;
    public bool Ignores;

    public static void Run(void* state, long from, long to)
    {
        ref var job = ref *(CrossEntropyJob<T>*)state;
        for (var row = from; row < to; row++)
        {
            if (Vector512.IsHardwareAccelerated) job.Row<Simd512<T>>(row);
            else if (Vector256.IsHardwareAccelerated) job.Row<Simd256<T>>(row);
            else job.Row<Simd128<T>>(row);
        }
    }

    private readonly void Row<S>(long row) where S : struct, ISimd<S, T>
    {
        var z = Logits + (row * Classes);
        var gradient = Gradient is null ? null : Gradient + (row * Classes);
        if (Ids is not null && Ignores && Ids[row] == Ignored)
        {
            Values[row] = 0;
            if (gradient is not null) new Span<T>(gradient, (int)Classes).Clear();
            return;
        }

        var q = Distributions is null ? null : Distributions + (row * Classes);
        var spread = q is not null || Smoothing > 0;
        var largest = Reduce.Peak<T, S>(z, Classes);
        var center = double.CreateTruncating(largest);
        // The sum of a and of a (z - largest): spread over all classes, at the class, or both.
        var (total, product) = spread ? Spread<S>(z, q, S.Broadcast(largest)) : (0, 0);
        var peak = 0.0;
        if (Ids is not null)
        {
            var id = Ids[row];
            peak = (1 - Smoothing) * (Weights is null ? 1 : double.CreateTruncating(Weights[id]));
            total += peak;
            product += peak * (double.CreateTruncating(z[id]) - center);
        }

        var sum = Exponentials<S>(z, gradient, largest);
        Values[row] = (total * Math.Log(sum)) - product;
        if (gradient is null) return;
        var factor = Upstream is null ? Factor : double.CreateTruncating(Upstream[row]);
        if (spread) ScaleLessSpread(gradient, q, S.Create(factor * total / sum), S.Create(-factor));
        else Scale(gradient, S.Create(factor * total / sum));
        if (Ids is not null) gradient[Ids[row]] -= T.CreateTruncating(factor * peak);
    }

    /// <summary>e^(z - largest), written where there is a gradient, and their sum.</summary>
    private readonly double Exponentials<S>(T* z, T* gradient, T largest) where S : struct, ISimd<S, T>
    {
        var whole = Classes - (Classes % S.Count);
        var sum = S.Create(0);
        sum = Exponentials(z, gradient, whole, largest, sum);
        if (whole < Classes) sum = Last(z + whole, gradient is null ? null : gradient + whole, Classes - whole, largest, sum);
        return double.CreateTruncating(S.Sum(sum));
    }

    // Classes that do not fill a vector; the missing ones are at -infinity and add nothing.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static S Last<S>(T* z, T* gradient, long left, T largest, S sum) where S : struct, ISimd<S, T>
    {
        var e = MathVector.ExpOfNegative<T, S>(Lanes.Load(z, left, S.Create(double.NegativeInfinity)) - S.Broadcast(largest));
        if (gradient is not null) e.Store(gradient, left);
        return sum + e;
    }

    // The exponential is used once in the method, for a second use would take the compiler past its budget of inlining.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static S Exponentials<S>(T* z, T* gradient, long n, T largest, S sum) where S : struct, ISimd<S, T>
    {
        var shift = S.Broadcast(largest);
        for (var i = 0L; i < n; i += S.Count)
        {
            var e = MathVector.ExpOfNegative<T, S>(S.Load(z + i) - shift);
            sum += e;
            if (gradient is not null) e.Store(gradient + i);
        }

        return sum;
    }

    /// <summary>The sums of a and of a (z - largest) over all classes, without the peak at a class id.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly (double Total, double Product) Spread<S>(T* z, T* q, S largest) where S : struct, ISimd<S, T>
    {
        S total = default, product = default;
        var i = 0L;
        for (; i + S.Count <= Classes; i += S.Count)
        {
            var a = Coefficient<S>(q, i, S.Count);
            total += a;
            product = S.Fma(a, S.Load(z + i) - largest, product);
        }

        if (i < Classes)
        {
            // Missing logits are the largest, so that their difference is 0; missing coefficients are cut off.
            var left = Classes - i;
            var a = S.First(left) & Coefficient<S>(q, i, left);
            total += a;
            product = S.Fma(a, Lanes.Load(z + i, left, largest) - largest, product);
        }

        return (double.CreateTruncating(S.Sum(total)), double.CreateTruncating(S.Sum(product)));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Scale<S>(T* gradient, S scale) where S : struct, ISimd<S, T>
    {
        var i = 0L;
        for (; i + S.Count <= Classes; i += S.Count) (S.Load(gradient + i) * scale).Store(gradient + i);
        if (i < Classes) (S.Load(gradient + i, Classes - i) * scale).Store(gradient + i, Classes - i);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void ScaleLessSpread<S>(T* gradient, T* q, S scale, S minus) where S : struct, ISimd<S, T>
    {
        var i = 0L;
        for (; i + S.Count <= Classes; i += S.Count)
            S.Fma(Coefficient<S>(q, i, S.Count), minus, S.Load(gradient + i) * scale).Store(gradient + i);
        if (i == Classes) return;
        var left = Classes - i;
        S.Fma(Coefficient<S>(q, i, left), minus, S.Load(gradient + i, left) * scale).Store(gradient + i, left);
    }

    /// <summary>w ((1 - smoothing) q + smoothing / C), or w smoothing / C without q.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly S Coefficient<S>(T* q, long i, long left) where S : struct, ISimd<S, T>
    {
        var a = S.Create(Smoothing / Classes);
        if (q is not null) a = S.Fma(S.Load(q + i, left), S.Create(1 - Smoothing), a);
        return Weights is null ? a : a * S.Load(Weights + i, left);
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Losses;

/// <summary>The focal loss of one row of logits; the exponentials of the classes beside the right one are added apart from it, so that a small 1 - p is not
/// what 1 less p leaves.</summary>
internal unsafe struct FocalTerm<T> : IRowTerm<T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public T* Logits;
    public int* Ids;
    public T* Weights;
    public T* Gradient;
    public long Classes;
    public double Gamma;

    public readonly double Row<S>(long row, double factor) where S : struct, ISimd<S, T>
    {
        var z = Logits + (row * Classes);
        var gradient = Gradient is null ? null : Gradient + (row * Classes);
        long id = Ids[row];
        var largest = Reduce.Peak<T, S>(z, Classes);
        var others = Exponentials<S>(z, gradient, 0, id, largest) + Exponentials<S>(z, gradient, id + 1, Classes, largest);
        var below = Reduce.Wide(largest) - Reduce.Wide(z[id]);
        var own = Math.Exp(-below);
        var sum = own + others;
        var missed = others / sum;
        // -log p, which is log(1 + others) where the right class is the largest.
        var entropy = below + (below == 0 ? LogOnePlus(others) : Math.Log(sum));
        var weight = (Weights is null ? 1 : Reduce.Wide(Weights[id])) * Math.Pow(missed, Gamma);
        if (gradient is not null)
        {
            // -log p is 1 - p itself in the limit, where both vanish.
            var steepness = weight * (1 + (Gamma * (own / sum) * (missed == 0 ? 1 : entropy / missed)));
            Scale<S>(gradient, S.Create(factor * steepness / sum));
            gradient[id] = Reduce.Narrow<T>(-factor * steepness * missed);
        }

        return weight * entropy;
    }

    /// <summary>The sum of e^(z - largest) over a run of classes, written where there is a gradient.</summary>
    private static double Exponentials<S>(T* z, T* gradient, long from, long to, T largest) where S : struct, ISimd<S, T>
    {
        var shift = S.Broadcast(largest);
        var whole = from + ((to - from) / S.Count * S.Count);
        var sum = Run(z, gradient, from, whole, shift);
        if (whole < to) sum += Last(z + whole, gradient is null ? null : gradient + whole, to - whole, shift);
        return Reduce.Wide(S.Sum(sum));
    }

    // The exponential is used once in each of these, for a second use would take the compiler past its budget of inlining.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static S Run<S>(T* z, T* gradient, long from, long to, S shift) where S : struct, ISimd<S, T>
    {
        S sum = default;
        for (var i = from; i < to; i += S.Count)
        {
            var e = MathVector.ExpOfNegative<T, S>(S.Load(z + i) - shift);
            sum += e;
            if (gradient is not null) e.Store(gradient + i);
        }

        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static S Last<S>(T* z, T* gradient, long left, S shift) where S : struct, ISimd<S, T>
    {
        var e = MathVector.ExpOfNegative<T, S>(Lanes.Load(z, left, S.Create(double.NegativeInfinity)) - shift);
        if (gradient is not null) e.Store(gradient, left);
        return e;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Scale<S>(T* gradient, S scale) where S : struct, ISimd<S, T>
    {
        var i = 0L;
        for (; i + S.Count <= Classes; i += S.Count) (S.Load(gradient + i) * scale).Store(gradient + i);
        if (i < Classes) (S.Load(gradient + i, Classes - i) * scale).Store(gradient + i, Classes - i);
    }

    // log(1 + x) with the rounding of 1 + x taken back: W. Kahan's form.
    private static double LogOnePlus(double x)
    {
        var u = 1 + x;
        return u == 1 ? x : Math.Log(u) * x / (u - 1);
    }
}

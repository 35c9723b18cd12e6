namespace DL.Core.Kernels;

/// <summary>A vector of lanes, one width and one precision. A kernel written once over it runs at every width and in both precisions.</summary>
/// <typeparam name="TSelf">The vector itself.</typeparam>
/// <typeparam name="T">The lane: <c>float</c> or <c>double</c>.</typeparam>
internal unsafe interface ISimd<TSelf, T>
    where TSelf : struct, ISimd<TSelf, T>
    where T : unmanaged
{
    static abstract int Count { get; }

    static abstract TSelf Load(T* source);

    /// <summary>The first lanes from memory, the others zero; no memory behind them is touched. The number is from 0 to <see cref="Count"/>.</summary>
    static abstract TSelf Load(T* source, long lanes);

    static abstract TSelf Create(double value);

    static abstract TSelf Broadcast(T value);

    void Store(T* destination);

    /// <summary>Writes the first lanes; no memory behind them is touched.</summary>
    void Store(T* destination, long lanes);

    /// <summary>All bits set in the first lanes.</summary>
    static abstract TSelf First(long lanes);

    static abstract TSelf operator +(TSelf a, TSelf b);

    static abstract TSelf operator -(TSelf a, TSelf b);

    static abstract TSelf operator *(TSelf a, TSelf b);

    static abstract TSelf operator /(TSelf a, TSelf b);

    static abstract TSelf operator -(TSelf a);

    static abstract TSelf operator &(TSelf a, TSelf b);

    /// <summary>a b + c, rounded once.</summary>
    static abstract TSelf Fma(TSelf a, TSelf b, TSelf c);

    /// <summary>The larger; NaN where either is NaN.</summary>
    static abstract TSelf Max(TSelf a, TSelf b);

    /// <summary>The smaller; NaN where either is NaN.</summary>
    static abstract TSelf Min(TSelf a, TSelf b);

    /// <summary>a limited to [low, high]; NaN stays NaN. One instruction a bound, where <see cref="Max"/> needs three to keep NaN on either side.</summary>
    static abstract TSelf Clamp(TSelf a, double low, double high);

    /// <summary>a, but at least low; NaN stays NaN.</summary>
    static abstract TSelf Lift(TSelf a, double low);

    /// <summary>a, but at most high; NaN stays NaN.</summary>
    static abstract TSelf Cap(TSelf a, double high);

    /// <summary>The larger; either of them where one is NaN.</summary>
    static abstract TSelf Higher(TSelf a, TSelf b);

    static abstract TSelf Abs(TSelf a);

    /// <summary>The size of the one number with the sign of the other.</summary>
    static abstract TSelf CopySign(TSelf size, TSelf sign);

    static abstract TSelf Sqrt(TSelf a);

    /// <summary>The nearest integer, ties to even.</summary>
    static abstract TSelf Round(TSelf a);

    /// <summary>All bits set where a &gt; b.</summary>
    static abstract TSelf Greater(TSelf a, TSelf b);

    /// <summary>All bits set where a &lt; b.</summary>
    static abstract TSelf Less(TSelf a, TSelf b);

    /// <summary>All bits set in lane i where words[i] is at least the threshold; as many words as lanes are read.</summary>
    static abstract TSelf AtLeast(uint* words, uint threshold);

    /// <summary>Bit i for lane i of a mask.</summary>
    static abstract uint Bits(TSelf mask);

    /// <summary>All bits set in lane i where bit i is.</summary>
    static abstract TSelf Mask(uint bits);

    /// <summary>Lanes of a where the mask is set, else of b.</summary>
    static abstract TSelf Select(TSelf mask, TSelf a, TSelf b);

    /// <summary>a 2^n for integral n, gradual underflow and overflow included.</summary>
    static abstract TSelf Scale(TSelf a, TSelf n);

    /// <summary>a = mantissa 2^exponent with the mantissa in [1, 2), for positive finite normal a.</summary>
    static abstract TSelf Exponent(TSelf a, out TSelf mantissa);

    /// <summary>The lanes added in a fixed order.</summary>
    static abstract T Sum(TSelf a);

    /// <summary>The largest lane; NaN where one is NaN.</summary>
    static abstract T MaxLane(TSelf a);
}

/// <summary>An elementwise function of one argument, with whatever settings it holds.</summary>
internal interface IUnary<T> where T : unmanaged
{
    S Apply<S>(S x) where S : struct, ISimd<S, T>;
}

/// <summary>An elementwise function of two arguments, with whatever settings it holds.</summary>
internal interface IBinary<T> where T : unmanaged
{
    S Apply<S>(S a, S b) where S : struct, ISimd<S, T>;
}

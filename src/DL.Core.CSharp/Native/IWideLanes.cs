namespace DL.Core.Kernels;

/// <summary>A vector of unsigned 64-bit lanes with a product of their low halves.</summary>
internal unsafe interface IWideLanes<TSelf> where TSelf : struct, IWideLanes<TSelf>
{
    static abstract int Count { get; }

    /// <summary>0, 1, 2, ...</summary>
    static abstract TSelf Iota { get; }

    static abstract TSelf Create(ulong value);

    /// <summary>The product of the low halves, 64 bits wide.</summary>
    static abstract TSelf Product(TSelf a, TSelf b);

    /// <summary>The high half, moved down; what is left in the high half is not defined.</summary>
    static abstract TSelf High(TSelf a);

    /// <summary>The low half, moved up.</summary>
    static abstract TSelf Raise(TSelf a);

    static abstract TSelf operator +(TSelf a, TSelf b);

    /// <summary>The exclusive or of all three.</summary>
    static abstract TSelf Xor(TSelf a, TSelf b, TSelf c);

    static abstract TSelf operator &(TSelf a, TSelf b);

    static abstract TSelf operator |(TSelf a, TSelf b);

    /// <summary>Writes a0, b0, a1, b1, ...</summary>
    static abstract void Interleave(TSelf a, TSelf b, ulong* destination);
}

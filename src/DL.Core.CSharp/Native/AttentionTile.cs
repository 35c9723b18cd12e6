namespace DL.Core.Kernels;

/// <summary>Some queries of one head and the keys they see. Numbers of a tile lie key by key, the queries side by side.</summary>
internal struct AttentionTile
{
    /// <summary>The example, the first query and how many there are, and how many keys the example has.</summary>
    public nint Example, First, Count, Keys;

    /// <summary>From one key to the next.</summary>
    public nint Stride;

    public bool Causal;

    /// <summary>The position of the head's first query among the keys.</summary>
    public nint Offset;

    public AttentionVisible Visible;

    /// <summary>How many keys query i of the tile sees.</summary>
    public readonly nint End(nint i) => Causal ? Math.Clamp(First + i + Offset + 1, 0, Keys) : Keys;

    /// <summary>The first query of the tile that sees a key.</summary>
    public readonly nint From(nint key) => Causal ? Math.Clamp(key - Offset - First, 0, Count) : 0;

    public readonly bool Sees(nint i, nint key) => key < End(i) && Visible.At(Example, First + i, key);
}

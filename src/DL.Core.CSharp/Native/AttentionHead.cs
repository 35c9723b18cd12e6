namespace DL.Core.Kernels;

/// <summary>The part of an <see cref="AttentionJob{T}"/> that is one head of one example; pointers to what the job does not have are never used.</summary>
internal unsafe struct AttentionHead<T> where T : unmanaged
{
    public T* Q, K, V, RecentK, RecentV, Y, Dy, Dq, Dk, Dv, Max, Inverse, Weights;

    /// <summary>How many queries are real.</summary>
    public nint Queries;

    /// <summary>The number of the word that decides over key 0 and query 0.</summary>
    public ulong FirstWord;

    /// <summary>What all tiles of the head have in common.</summary>
    public AttentionTile Tile;

    /// <summary>Whether some keys are hidden from some queries that are beside others which see them.</summary>
    public readonly bool Hides => Tile.Causal || Tile.Visible.Given;

    /// <summary>The tile of so many queries from one on.</summary>
    public readonly AttentionTile At(nint first, nint count)
    {
        var tile = Tile;
        (tile.First, tile.Count) = (first, count);
        return tile;
    }

    /// <summary>Zeros in some rows of one head.</summary>
    public static void Clear(T* rows, nint ld, nint from, nint to, int width)
    {
        for (var row = from; row < to; row++) new Span<T>(rows + (row * ld), width).Clear();
    }
}

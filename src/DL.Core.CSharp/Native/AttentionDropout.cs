using DL.Core.Random;

namespace DL.Core.Kernels;

/// <summary>Which weights of an attention are dropped: word <c>((n h + head) keys + key) queries + query</c> of a key's stream decides.</summary>
internal unsafe struct AttentionDropout
{
    /// <summary>Weights whose word is below this are dropped; 0 drops none.</summary>
    public uint Threshold;

    /// <summary>What the others are multiplied by.</summary>
    public double Factor;

    public Key Key;

    private const int BlockWords = 4;
    private const int VectorBlocks = 16;

    /// <summary>The words a tile takes.</summary>
    public readonly long Room(nint keys, nint width) => Threshold == 0 ? 0 : (keys + 1) * (long)RowOf(width);

    /// <summary>Drops weights of a tile and multiplies the others by <paramref name="factor"/>.</summary>
    /// <param name="tile">The tile.</param>
    /// <param name="first">The number of the word of key 0 and query 0.</param>
    /// <param name="queries">From one key's words to the next.</param>
    /// <param name="words">Room for the words.</param>
    /// <param name="drawn">Whether the words are there already.</param>
    /// <param name="weights">The weights.</param>
    /// <param name="factor">What those that stay are multiplied by.</param>
    public readonly void Apply<T, S>(in AttentionTile tile, ulong first, nint queries, uint* words, bool drawn, T* weights, double factor)
        where T : unmanaged
        where S : struct, ISimd<S, T>
    {
        first += (ulong)tile.First;
        var keys = tile.End(tile.Count - 1);
        var whole = tile.Count == queries;
        var row = whole ? queries : RowOf(tile.Count);
        if (!drawn && whole) Fill(first, keys * queries, words);
        for (nint key = 0; key < keys; key++)
        {
            var at = first + (ulong)(key * queries);
            if (!drawn && !whole) Fill(at, tile.Count, words + (key * row));
            var from = words + (key * row) + (whole ? first % BlockWords : at % BlockWords);
            Row<T, S>(weights + (key * tile.Stride), tile.Count, from, factor);
        }
    }

    // Whole vectors of blocks, which are drawn many times faster than single ones.
    private static nint RowOf(nint count) => (Blocks(count + BlockWords - 1) + 1) * BlockWords;

    private static nint Blocks(nint words) => (((words + BlockWords - 1) / BlockWords) + VectorBlocks - 1) / VectorBlocks * VectorBlocks;

    private readonly void Fill(ulong first, nint count, uint* words) =>
        PhiloxVector.Fill(Key, first / BlockWords, (int)Blocks(count + (nint)(first % BlockWords)), words);

    private readonly void Row<T, S>(T* weights, nint count, uint* words, double factor) where T : unmanaged where S : struct, ISimd<S, T>
    {
        var scale = S.Create(factor);
        for (nint i = 0; i < count; i += S.Count) (S.AtLeast(words + i, Threshold) & (S.Load(weights + i) * scale)).Store(weights + i);
    }
}

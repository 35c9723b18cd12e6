namespace DL.Core.Kernels;

/// <summary>One attention over a batch: where the numbers of a position lie, a head's beside those of the head before, and who sees whom.</summary>
internal unsafe struct AttentionJob<T> where T : unmanaged
{
    public T* Q, K, V, Y, Dy, Dq, Dk, Dv;

    /// <summary>The last keys and values, where these lie apart from the others: only <see cref="AttentionStep{T}"/> reads them there.</summary>
    public T* RecentK, RecentV;

    /// <summary>How many of all keys are apart, of each example.</summary>
    public int Recent;

    /// <summary>The largest score of every query and the reciprocal of its sum: two planes of [N, heads, queries].</summary>
    public T* Statistics;

    /// <summary>From one position to the next; a gradient lies as what it is the gradient of.</summary>
    public nint QRow, KRow, VRow, YRow;

    public int Batch, Heads, Queries, Keys, KeyWidth, ValueWidth;

    /// <summary>How many queries and keys of each example are real, or null for all.</summary>
    public int* QueryLengths, KeyLengths;

    public bool Causal;

    /// <summary>The position of the first query among the keys.</summary>
    public nint Offset;

    /// <summary>Which keys each query may see, beside all other limits.</summary>
    public AttentionVisible Visible;

    public double Scale;
    public AttentionDropout Dropout;

    /// <summary>The weights [N, heads, queries, keys], where they are asked for.</summary>
    public T* Weights;

    // So many queries by all keys are worked on at once; where that leaves the second-level cache, fewer.
    private const int Width = 64;
    private const int Room = 1 << 20;
    private const int Pad = 16;

    /// <summary>So many keys past the last that a column of a causal tile sees are zero, for groups of rows reach there.</summary>
    public const int Margin = 8;

    /// <summary>How many queries a tile has.</summary>
    public readonly nint TileWidth(nint strip)
    {
        var whole = (Queries + strip - 1) / strip * strip;
        var most = (long)Keys * Width * sizeof(T) > Room ? Math.Min(strip, Width) : Width;
        return Math.Min(whole, Math.Max(strip, most));
    }

    /// <summary>From one key of a tile to the next.</summary>
    public static nint Stride(nint width) => width + Pad;

    /// <summary>The elements a tile takes.</summary>
    public readonly long TileSize(nint width) => (((Keys + Margin) * (long)Stride(width)) + Pad) / Pad * Pad;

    /// <summary>Runs a body over all heads of all examples, which share nothing.</summary>
    public void Run(delegate*<void*, long, long, void> body)
    {
        var work = Math.Max(1, (long)Queries * Keys * (KeyWidth + ValueWidth));
        fixed (AttentionJob<T>* job = &this) Workers.For((long)Batch * Heads, GemmManaged.ParallelWork / work, body, job);
    }

    /// <summary>One head of one example.</summary>
    public readonly AttentionHead<T> Head(long item, nint width)
    {
        nint example = (nint)(item / Heads), head = (nint)(item % Heads);
        nint q = (example * Queries * QRow) + (head * KeyWidth), k = (example * (Keys - Recent) * KRow) + (head * KeyWidth);
        nint v = (example * (Keys - Recent) * VRow) + (head * ValueWidth), y = (example * Queries * YRow) + (head * ValueWidth);
        nint statistics = (nint)item * Queries, plane = (nint)Batch * Heads * Queries;
        return new()
        {
            Q = Q + q,
            K = K + k,
            V = V + v,
            RecentK = RecentK + (example * Recent * KRow) + (head * KeyWidth),
            RecentV = RecentV + (example * Recent * VRow) + (head * ValueWidth),
            Y = Y + y,
            Dy = Dy + y,
            Dq = Dq + q,
            Dk = Dk + k,
            Dv = Dv + v,
            Max = Statistics + statistics,
            Inverse = Statistics + plane + statistics,
            Weights = Weights == null ? null : Weights + (statistics * Keys),
            Queries = QueryLengths == null ? Queries : QueryLengths[example],
            FirstWord = (ulong)item * (ulong)Keys * (ulong)Queries,
            Tile = new()
            {
                Example = example,
                Keys = KeyLengths == null ? Keys : KeyLengths[example],
                Stride = Stride(width),
                Causal = Causal,
                Offset = Offset,
                Visible = Visible,
            },
        };
    }
}

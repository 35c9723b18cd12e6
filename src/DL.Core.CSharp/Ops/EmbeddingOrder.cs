using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>The valid places sorted by id, those of one id in their own order: all that is added to a row lies side by side.</summary>
/// <remarks>Sorted by digits, so that the time is linear in the places and owes nothing to the size of the table. It lies in the thread's work space.</remarks>
internal readonly unsafe ref struct EmbeddingOrder
{
    private const int Digit = 8;
    private const int Buckets = 1 << Digit;
    private const int IdShift = 32;

    private readonly ulong* _entries;

    private EmbeddingOrder(ulong* entries, int count)
    {
        _entries = entries;
        Count = count;
    }

    /// <summary>The number of valid places.</summary>
    public int Count { get; }

    /// <summary>For each valid place its id in the upper and its place in the lower 32 bits, ascending.</summary>
    public ulong* Entries => _entries;

    /// <summary>Sorts checked ids.</summary>
    /// <param name="places">The ids in their places.</param>
    /// <param name="count">The rows of the table.</param>
    public static EmbeddingOrder Of(EmbeddingPlaces places, int count)
    {
        var from = (ulong*)Scratch.Left(2L * places.Ids.Length * sizeof(ulong));
        var to = from + places.Ids.Length;
        var n = Gather(places, from);
        for (var shift = IdShift; shift < 64 && (ulong)(uint)Math.Max(0, count - 1) << IdShift >> shift != 0; shift += Digit)
        {
            Pass(from, to, n, shift);
            var sorted = to;
            to = from;
            from = sorted;
        }

        return new EmbeddingOrder(from, n);
    }

    /// <summary>The row an entry belongs to.</summary>
    public static int Row(ulong entry) => (int)(entry >> IdShift);

    /// <summary>The place an entry stands for.</summary>
    public static uint Place(ulong entry) => (uint)entry;

    /// <summary>Tells a gradient the rows that are about to be touched.</summary>
    public void Tell(RowGradient gradient)
    {
        var distinct = 0;
        for (var i = 0; i < Count; i++)
            if (IsFirst(i)) distinct++;
        var rows = gradient.Touch(distinct);
        var row = 0;
        for (var i = 0; i < Count; i++)
            if (IsFirst(i)) rows[row++] = Row(_entries[i]);
    }

    private bool IsFirst(int i) => i == 0 || Row(_entries[i]) != Row(_entries[i - 1]);

    private static int Gather(EmbeddingPlaces places, ulong* entries)
    {
        var n = 0;
        for (var run = 0; run < places.Runs; run++)
        {
            var end = places.End(run);
            for (var place = places.Start(run); place < end; place++) entries[n++] = ((ulong)(uint)places.Ids[place] << IdShift) | (uint)place;
        }

        return n;
    }

    private static void Pass(ulong* from, ulong* to, int n, int shift)
    {
        var starts = stackalloc int[Buckets];
        new Span<int>(starts, Buckets).Clear();
        for (var i = 0; i < n; i++) starts[(from[i] >> shift) & (Buckets - 1)]++;
        var sum = 0;
        for (var bucket = 0; bucket < Buckets; bucket++) (starts[bucket], sum) = (sum, sum + starts[bucket]);
        for (var i = 0; i < n; i++) to[starts[(from[i] >> shift) & (Buckets - 1)]++] = from[i];
    }
}

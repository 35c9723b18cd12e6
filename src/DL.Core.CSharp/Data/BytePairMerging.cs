namespace DL.Core.Data;

/// <summary>Applies the merges of a byte-pair encoding to one piece of text: the earliest merge first, and of equal ones the leftmost.</summary>
/// <remarks>Pairs wait in a queue and symbols in a linked list, so that a piece of n bytes costs O(n log n), however long it is.</remarks>
internal sealed class BytePairMerging(Dictionary<long, int> merges, int firstByte)
{
    private const int None = -1;
    private readonly PriorityQueue<int, long> _waiting = new();
    private int[] _symbols = [], _next = [], _previous = [];

    public static long PairOf(int left, int right) => ((long)left << 32) | (uint)right;

    public void Append(ReadOnlySpan<byte> piece, List<int> ids)
    {
        Begin(piece);
        while (_waiting.TryDequeue(out var at, out var order))
        {
            // An entry whose pair is no longer there is out of date.
            if (IdAt(at) == (int)(order >> 32)) Merge(at, (int)(order >> 32));
        }

        for (var at = piece.IsEmpty ? None : 0; at != None; at = _next[at]) ids.Add(_symbols[at]);
    }

    private void Begin(ReadOnlySpan<byte> piece)
    {
        if (_symbols.Length < piece.Length)
        {
            var room = Math.Max(64, (int)Math.Min(2L * piece.Length, Array.MaxLength));
            (_symbols, _next, _previous) = (new int[room], new int[room], new int[room]);
        }

        for (var i = 0; i < piece.Length; i++)
        {
            _symbols[i] = firstByte + piece[i];
            _previous[i] = i - 1;
            _next[i] = i + 1 < piece.Length ? i + 1 : None;
        }

        for (var i = 0; i + 1 < piece.Length; i++) Offer(i);
    }

    private void Merge(int at, int id)
    {
        var gone = _next[at];
        _symbols[at] = id;
        _symbols[gone] = None;
        _next[at] = _next[gone];
        if (_next[at] != None) _previous[_next[at]] = at;
        if (_previous[at] != None) Offer(_previous[at]);
        Offer(at);
    }

    private void Offer(int at)
    {
        if (IdAt(at) is var id && id != None) _waiting.Enqueue(at, ((long)id << 32) | (uint)at);
    }

    /// <summary>What the symbol at a place and the one after it become, or none.</summary>
    private int IdAt(int at) =>
        _symbols[at] != None && _next[at] != None && merges.TryGetValue(PairOf(_symbols[at], _symbols[_next[at]]), out var id) ? id : None;
}

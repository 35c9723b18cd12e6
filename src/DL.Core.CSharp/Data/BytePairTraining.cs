using System.Text;

namespace DL.Core.Data;

/// <summary>Finds the merges of a byte-pair encoding: again and again the pair of neighbours that comes most often in the pieces of a text.</summary>
/// <remarks>The counts are kept up to date as pieces change, and a pair's entry in the queue is set right when it comes up, so that a merge costs what it changes.</remarks>
internal sealed class BytePairTraining
{
    private readonly int _firstByte;
    private readonly List<int[]> _pieces = [];
    private readonly List<long> _counts = [];
    private readonly List<int> _changedBy = [];
    private readonly List<int> _lengths = [];
    private readonly Dictionary<long, long> _pairs = [];
    private readonly Dictionary<long, List<int>> _places = [];
    private readonly PriorityQueue<long, (long Count, long Pair)> _best = new();

    public BytePairTraining(IEnumerable<string> texts, int firstByte)
    {
        _firstByte = firstByte;
        for (var value = 0; value < firstByte + 256; value++) _lengths.Add(value < firstByte ? 0 : 1);
        foreach (var (piece, count) in Count(texts))
        {
            _pieces.Add([.. Encoding.UTF8.GetBytes(piece).Select(value => firstByte + value)]);
            _counts.Add(count);
            _changedBy.Add(-1);
        }

        for (var piece = 0; piece < _pieces.Count; piece++) Tell(piece, 1, null);
        foreach (var pair in _pairs.Keys) Offer(pair);
    }

    /// <summary>The merges in their order, at most so many; pairs that come less often than <paramref name="minCount"/> are not merged.</summary>
    public List<(int Left, int Right)> Merges(int most, long minCount, int maxBytes)
    {
        var merges = new List<(int, int)>();
        while (merges.Count < most && TakeBest(minCount) is { } pair)
        {
            var (left, right) = ((int)(pair >> 32), (int)pair);
            if (_lengths[left] + _lengths[right] > maxBytes)
            {
                _pairs.Remove(pair);
                continue;
            }

            _lengths.Add(_lengths[left] + _lengths[right]);
            Merge(pair, left, right, _firstByte + 256 + merges.Count);
            merges.Add((left, right));
        }

        return merges;
    }

    private static Dictionary<string, long> Count(IEnumerable<string> texts)
    {
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        var lookup = counts.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (var text in texts)
        {
            for (int start = 0, end; start < text.Length; start = end)
            {
                end = TextPieces.End(text, start);
                var piece = text.AsSpan(start, end - start);
                lookup[piece] = lookup.TryGetValue(piece, out var count) ? count + 1 : 1;
            }
        }

        return counts;
    }

    private long? TakeBest(long minCount)
    {
        while (_best.TryDequeue(out var pair, out var order))
        {
            var count = _pairs.GetValueOrDefault(pair);
            if (count < minCount) continue;
            if (count == -order.Count) return pair;
            Offer(pair);
        }

        return null;
    }

    private void Merge(long pair, int left, int right, int id)
    {
        var touched = new HashSet<long>();
        foreach (var piece in _places[pair])
        {
            if (_changedBy[piece] == id) continue;
            _changedBy[piece] = id;
            Tell(piece, -1, null);
            _pieces[piece] = Joined(_pieces[piece], left, right, id);
            Tell(piece, 1, touched);
        }

        _pairs.Remove(pair);
        _places.Remove(pair);
        foreach (var changed in touched) Offer(changed);
    }

    private static int[] Joined(int[] symbols, int left, int right, int id)
    {
        var joined = new List<int>(symbols.Length);
        for (var i = 0; i < symbols.Length; i++)
        {
            var both = i + 1 < symbols.Length && symbols[i] == left && symbols[i + 1] == right;
            joined.Add(both ? id : symbols[i]);
            if (both) i++;
        }

        return [.. joined];
    }

    /// <summary>Adds the neighbours of a piece to the counts or takes them out.</summary>
    private void Tell(int piece, int sign, HashSet<long>? touched)
    {
        var symbols = _pieces[piece];
        for (var i = 0; i + 1 < symbols.Length; i++)
        {
            var pair = BytePairMerging.PairOf(symbols[i], symbols[i + 1]);
            _pairs[pair] = _pairs.GetValueOrDefault(pair) + sign * _counts[piece];
            if (sign < 0) continue;
            touched?.Add(pair);
            if (!_places.TryGetValue(pair, out var places)) _places[pair] = places = [];
            if (places.Count == 0 || places[^1] != piece) places.Add(piece);
        }
    }

    // Equal counts go by the pair: the smaller ids first.
    private void Offer(long pair) => _best.Enqueue(pair, (-_pairs[pair], pair));
}

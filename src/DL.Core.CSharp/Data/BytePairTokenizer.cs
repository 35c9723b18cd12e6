using System.Text;
using static System.FormattableString;

namespace DL.Core.Data;

/// <summary>Text as pieces of UTF-8 that were learned from a text: every text has ids, and <c>Decode(Encode(text)) = text</c>.</summary>
/// <remarks>Byte-pair encoding: R. Sennrich, B. Haddow, A. Birch, Neural machine translation of rare words with subword units, 2016; over bytes as in
/// A. Radford et al., Language models are unsupervised multitask learners, 2019. Ids: the special tokens, the 256 bytes, the merges in their order. Merges do
/// not reach over the borders of words: a piece is a run of letters, digits or other signs with the space before it, or a run of white space.</remarks>
public sealed class BytePairTokenizer : ITokenizer
{
    /// <summary>The most bytes of one token.</summary>
    public const int MaxTokenBytes = 256;

    private const int Bytes = 256;
    private const int KeptPieces = 1 << 16, KeptLength = 32;

    private readonly (int Left, int Right)[] _merges;
    private readonly Dictionary<long, int> _ids = [];
    private readonly byte[][] _bytes;

    /// <summary>The tokenizer of given merges.</summary>
    /// <param name="merges">The pairs of ids that become one token, in the order of their learning: the first gives id <c>SpecialCount + 256</c>.</param>
    /// <param name="special">The special tokens that come before the bytes.</param>
    /// <exception cref="InvalidArgumentException">A pair is there twice, is none of bytes and earlier merges, or has more than <see cref="MaxTokenBytes"/> bytes.</exception>
    public BytePairTokenizer(IEnumerable<(int Left, int Right)> merges, SpecialTokens special = SpecialTokens.None)
    {
        Words = Vocabulary.Of([], special);
        _merges = [.. merges];
        _bytes = new byte[FirstByte + Bytes + _merges.Length][];
        for (var id = 0; id < FirstByte + Bytes; id++) _bytes[id] = id < FirstByte ? [] : [(byte)(id - FirstByte)];
        for (var i = 0; i < _merges.Length; i++) Add(i, FirstByte + Bytes + i);
    }

    /// <summary>The merges in the order of their learning.</summary>
    public IReadOnlyList<(int Left, int Right)> Merges => _merges;

    /// <inheritdoc/>
    public int Count => _bytes.Length;

    /// <inheritdoc/>
    public SpecialTokens Special => Words.Special;

    private Vocabulary Words { get; }

    private int FirstByte => Words.SpecialCount;

    /// <summary>Learns merges from a text: the pair of neighbours that comes most often, again and again; of equally frequent ones that of the smaller ids.</summary>
    /// <param name="text">The text.</param>
    /// <param name="count">The tokens there shall be, special ones and the 256 bytes among them; fewer if there are no more pairs.</param>
    /// <param name="special">The special tokens.</param>
    /// <param name="minCount">Pairs that come less often are not merged; at least 1.</param>
    /// <exception cref="InvalidArgumentException">The count is less than the special tokens and bytes, <paramref name="minCount"/> is below 1, or half a
    /// surrogate pair is in the text.</exception>
    public static BytePairTokenizer Train(string text, int count, SpecialTokens special = SpecialTokens.None, int minCount = 2) =>
        Train([text], count, special, minCount);

    /// <summary>Learns merges from several texts, none of them longer than memory bears.</summary>
    /// <param name="texts">The texts; which of them a word is in makes no difference.</param>
    /// <param name="count">The tokens there shall be, special ones and the 256 bytes among them; fewer if there are no more pairs.</param>
    /// <param name="special">The special tokens.</param>
    /// <param name="minCount">Pairs that come less often are not merged; at least 1.</param>
    /// <exception cref="InvalidArgumentException">The count is less than the special tokens and bytes, <paramref name="minCount"/> is below 1, or half a
    /// surrogate pair is in a text.</exception>
    public static BytePairTokenizer Train(IEnumerable<string> texts, int count, SpecialTokens special = SpecialTokens.None, int minCount = 2)
    {
        var first = Vocabulary.Of([], special).SpecialCount;
        if (count < first + Bytes)
            throw new InvalidArgumentException("BytePairTokenizer.Train, count", Invariant($"at least {first + Bytes}, for {first} special tokens and {Bytes} bytes"), Invariant($"{count}"));
        if (minCount < 1) throw new InvalidArgumentException("BytePairTokenizer.Train, minCount", "at least 1", Invariant($"{minCount}"));
        return new(new BytePairTraining(texts, first).Merges(count - first - Bytes, minCount, MaxTokenBytes), special);
    }

    /// <inheritdoc/>
    public int IdOf(SpecialTokens special) => Words.IdOf(special);

    /// <summary>The bytes of a token in UTF-8; none for a special one. A token may hold part of a character.</summary>
    /// <param name="id">The token.</param>
    /// <exception cref="InvalidArgumentException">There is no such id.</exception>
    public byte[] BytesOf(int id) => (uint)id < (uint)_bytes.Length
        ? [.. _bytes[id]]
        : throw new InvalidArgumentException("BytePairTokenizer.BytesOf, id", Invariant($"0 to {_bytes.Length - 1}"), Invariant($"{id}"));

    /// <summary>The ids of a text: in every piece the earliest merge first, of equal ones the leftmost. Never a special one.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="InvalidArgumentException">Half a surrogate pair is in the text; the message names its position.</exception>
    public int[] Encode(string text)
    {
        var (ids, merging) = (new List<int>(), new BytePairMerging(_ids, FirstByte));
        var known = new Dictionary<string, int[]>(StringComparer.Ordinal);
        var lookup = known.GetAlternateLookup<ReadOnlySpan<char>>();
        var utf8 = Array.Empty<byte>();
        for (int start = 0, end; start < text.Length; start = end)
        {
            end = TextPieces.End(text, start);
            var piece = text.AsSpan(start, end - start);
            if (lookup.TryGetValue(piece, out var before))
            {
                ids.AddRange(before);
                continue;
            }

            if (utf8.Length < 3L * piece.Length) utf8 = new byte[Math.Max(64, Encoding.UTF8.GetMaxByteCount(piece.Length))];
            var from = ids.Count;
            merging.Append(utf8.AsSpan(0, Encoding.UTF8.GetBytes(piece, utf8)), ids);
            if (piece.Length <= KeptLength && known.Count < KeptPieces) lookup[piece] = ids.GetRange(from, ids.Count - from).ToArray();
        }

        return [.. ids];
    }

    /// <summary>The text of ids; the inverse of <see cref="Encode"/>. Bytes that are no UTF-8 become U+FFFD.</summary>
    /// <param name="ids">The ids; special ones leave nothing, but <c>&lt;unk&gt;</c>, which no text gives, leaves U+FFFD.</param>
    /// <exception cref="InvalidArgumentException">There is no such id; the message names its position.</exception>
    public string Decode(ReadOnlySpan<int> ids)
    {
        var unknown = Special.HasFlag(SpecialTokens.Unknown) ? IdOf(SpecialTokens.Unknown) : -1;
        using var bytes = new MemoryStream(4 * ids.Length);
        for (var i = 0; i < ids.Length; i++)
        {
            if ((uint)ids[i] >= (uint)_bytes.Length)
                throw new InvalidArgumentException(Invariant($"BytePairTokenizer.Decode, ids[{i}]"), Invariant($"0 to {_bytes.Length - 1}"), Invariant($"{ids[i]}"));
            bytes.Write(ids[i] == unknown ? "\uFFFD"u8 : _bytes[ids[i]]);
        }

        return Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
    }

    private void Add(int i, int id)
    {
        var (left, right) = _merges[i];
        if (left < FirstByte || left >= id || right < FirstByte || right >= id)
            throw new InvalidArgumentException(Invariant($"BytePairTokenizer, merge {i}"), Invariant($"ids of bytes and earlier merges, {FirstByte} to {id - 1}"), Invariant($"{left} and {right}"));
        if (_bytes[left].Length + _bytes[right].Length > MaxTokenBytes)
            throw new InvalidArgumentException(Invariant($"BytePairTokenizer, merge {i}"), Invariant($"at most {MaxTokenBytes} bytes"), Invariant($"{_bytes[left].Length + _bytes[right].Length}"));
        if (!_ids.TryAdd(BytePairMerging.PairOf(left, right), id))
            throw new InvalidArgumentException(Invariant($"BytePairTokenizer, merge {i}"), "every pair once", Invariant($"{left} and {right} twice"));
        _bytes[id] = [.. _bytes[left], .. _bytes[right]];
    }
}

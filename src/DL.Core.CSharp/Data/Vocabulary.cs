using static System.FormattableString;

namespace DL.Core.Data;

/// <summary>Distinct tokens and their ids, 0 to <see cref="Count"/> - 1: special tokens first, then the others.</summary>
public sealed partial class Vocabulary
{
    private static readonly (SpecialTokens Kind, string Token)[] Names =
    [
        (SpecialTokens.Padding, "<pad>"), (SpecialTokens.Begin, "<bos>"), (SpecialTokens.End, "<eos>"),
        (SpecialTokens.Unknown, "<unk>"), (SpecialTokens.Mask, "<mask>"),
    ];

    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly string[] _tokens;

    private Vocabulary(IEnumerable<string> tokens, SpecialTokens special)
    {
        if ((special & ~SpecialTokens.All) != 0) throw new InvalidArgumentException("Vocabulary, special", "special tokens there are", $"{special}");
        Special = special;
        _tokens = [.. Names.Where(name => special.HasFlag(name.Kind)).Select(name => name.Token), .. tokens];
        for (var id = 0; id < _tokens.Length; id++)
        {
            if (!_ids.TryAdd(_tokens[id], id))
                throw new InvalidArgumentException("Vocabulary, tokens", "every token once", $"'{_tokens[id]}' twice");
        }
    }

    /// <summary>The tokens by id.</summary>
    public IReadOnlyList<string> Tokens => _tokens;

    /// <summary>The number of tokens, special ones among them.</summary>
    public int Count => _tokens.Length;

    /// <summary>Which special tokens there are.</summary>
    public SpecialTokens Special { get; }

    /// <summary>The number of special tokens; they have the ids below it.</summary>
    public int SpecialCount => int.PopCount((int)Special);

    /// <summary>The vocabulary of the given tokens in their order.</summary>
    /// <param name="tokens">The tokens, each once, without special ones.</param>
    /// <param name="special">The special tokens that come before them.</param>
    /// <exception cref="InvalidArgumentException">A token is there twice.</exception>
    public static Vocabulary Of(IEnumerable<string> tokens, SpecialTokens special = SpecialTokens.None) => new(tokens, special);

    /// <summary>The distinct tokens of a text, the most frequent first and equally frequent ones in the order they come in.</summary>
    /// <param name="tokens">The text, token by token; a special token in it is the special token.</param>
    /// <param name="special">The special tokens that come before them.</param>
    /// <param name="minCount">Tokens that come less often are left out; at least 1.</param>
    /// <param name="most">The most tokens, special ones not counted; at least 1.</param>
    /// <exception cref="InvalidArgumentException">A setting is out of range.</exception>
    public static Vocabulary ByFrequency(
        IEnumerable<string> tokens, SpecialTokens special = SpecialTokens.None, int minCount = 1, int most = int.MaxValue)
    {
        if (minCount < 1) throw new InvalidArgumentException("Vocabulary.ByFrequency, minCount", "at least 1", Invariant($"{minCount}"));
        if (most < 1) throw new InvalidArgumentException("Vocabulary.ByFrequency, most", "at least 1", Invariant($"{most}"));
        var (counts, order) = (new Dictionary<string, int>(StringComparer.Ordinal), new List<string>());
        foreach (var token in tokens)
        {
            if (!counts.TryGetValue(token, out var count)) order.Add(token);
            counts[token] = count + 1;
        }

        var specials = Names.Where(name => special.HasFlag(name.Kind)).Select(name => name.Token).ToHashSet();
        // A stable sort: equally frequent tokens keep the order they came in.
        return new(order.Where(token => counts[token] >= minCount && !specials.Contains(token)).OrderByDescending(token => counts[token]).Take(most), special);
    }

    /// <summary>The id of a special token.</summary>
    /// <param name="special">One special token.</param>
    /// <exception cref="InvalidArgumentException">The vocabulary does not have it.</exception>
    public int IdOf(SpecialTokens special)
    {
        if (int.PopCount((int)special) != 1 || !Special.HasFlag(special))
            throw new InvalidArgumentException("Vocabulary.IdOf", $"one of its special tokens, {Special}", $"{special}", "Make the vocabulary with it.");
        return int.PopCount((int)Special & ((int)special - 1));
    }

    /// <summary>The id of a token; that of <c>&lt;unk&gt;</c> if it is not there.</summary>
    /// <param name="token">The token.</param>
    /// <exception cref="InvalidArgumentException">The token is not there, and neither is <c>&lt;unk&gt;</c>.</exception>
    public int IdOf(string token) => Find(token) ?? throw Missing("Vocabulary.IdOf", token);

    /// <summary>True if the token itself is there.</summary>
    /// <param name="token">The token.</param>
    public bool Contains(string token) => _ids.ContainsKey(token);

    /// <summary>The token of an id.</summary>
    /// <param name="id">The id.</param>
    /// <exception cref="InvalidArgumentException">There is no such id.</exception>
    public string TokenOf(int id) => (uint)id < (uint)_tokens.Length
        ? _tokens[id]
        : throw new InvalidArgumentException("Vocabulary.TokenOf, id", Invariant($"0 to {_tokens.Length - 1}"), Invariant($"{id}"));

    /// <summary>The ids of a text; tokens that are not there get that of <c>&lt;unk&gt;</c>.</summary>
    /// <param name="tokens">The text, token by token.</param>
    /// <exception cref="InvalidArgumentException">A token is not there and neither is <c>&lt;unk&gt;</c>; the message names its position.</exception>
    public int[] Encode(IEnumerable<string> tokens) =>
        [.. tokens.Select((token, i) => Find(token) ?? throw Missing(Invariant($"Vocabulary.Encode, tokens[{i}]"), token))];

    /// <summary>The text of ids, token by token; the inverse of <see cref="Encode"/> where all tokens are there.</summary>
    /// <param name="ids">The ids.</param>
    /// <exception cref="InvalidArgumentException">There is no such id.</exception>
    public string[] Decode(IEnumerable<int> ids) => [.. ids.Select(TokenOf)];

    private int? Find(string token) =>
        _ids.TryGetValue(token, out var id) ? id : Special.HasFlag(SpecialTokens.Unknown) ? IdOf(SpecialTokens.Unknown) : null;

    private InvalidArgumentException Missing(string where, string token) =>
        new(where, Invariant($"one of the {Count} tokens of the vocabulary"), $"'{token}'", "Make the vocabulary with SpecialTokens.Unknown, or of all text.");
}

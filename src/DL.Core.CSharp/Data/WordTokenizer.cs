using System.Text;
using static System.FormattableString;

namespace DL.Core.Data;

/// <summary>Text as words and signs: a word is a run of letters and digits, with apostrophes between letters; every other sign but white space is by itself.</summary>
/// <remarks>White space is not kept: <c>Encode(Decode(ids)) = ids</c> for ids of words, but <c>Decode(Encode(text))</c> has one space between any two tokens.</remarks>
public sealed class WordTokenizer : ITokenizer
{
    private readonly string[] _texts;

    /// <summary>The tokenizer over a vocabulary whose tokens, special ones apart, are one word or sign each.</summary>
    /// <param name="vocabulary">The words and their ids.</param>
    /// <param name="lowerCase">Whether a text is brought to lower case first; the words must then be in lower case.</param>
    /// <exception cref="InvalidArgumentException">A token is not one word or sign.</exception>
    public WordTokenizer(Vocabulary vocabulary, bool lowerCase = false)
    {
        (Vocabulary, LowerCase) = (vocabulary, lowerCase);
        _texts = [.. vocabulary.Tokens];
        for (var id = 0; id < _texts.Length; id++)
        {
            if (id < vocabulary.SpecialCount) _texts[id] = "";
            else if (Words(_texts[id], lowerCase) is not [var word] || word != _texts[id])
                throw new InvalidArgumentException(Invariant($"WordTokenizer, token {id}"), lowerCase ? "one word in lower case, or one sign" : "one word or sign", $"'{_texts[id]}'");
        }

        if (vocabulary.Special.HasFlag(SpecialTokens.Unknown)) _texts[vocabulary.IdOf(SpecialTokens.Unknown)] = Rune.ReplacementChar.ToString();
    }

    /// <summary>The words of the vocabulary.</summary>
    public Vocabulary Vocabulary { get; }

    /// <summary>Whether a text is brought to lower case first.</summary>
    public bool LowerCase { get; }

    /// <inheritdoc/>
    public int Count => Vocabulary.Count;

    /// <inheritdoc/>
    public SpecialTokens Special => Vocabulary.Special;

    /// <summary>The tokenizer of the words of a text, the most frequent first and equally frequent ones in the order they come in.</summary>
    /// <param name="text">The text.</param>
    /// <param name="special">The special tokens that come before them.</param>
    /// <param name="minCount">Words that come less often are left out; at least 1.</param>
    /// <param name="most">The most words, special tokens not counted; at least 1.</param>
    /// <param name="lowerCase">Whether a text is brought to lower case first.</param>
    /// <exception cref="InvalidArgumentException">A setting is out of range, or half a surrogate pair is in the text.</exception>
    public static WordTokenizer Of(
        string text, SpecialTokens special = SpecialTokens.Unknown, int minCount = 1, int most = int.MaxValue, bool lowerCase = false) =>
        new(Vocabulary.ByFrequency(Words(text, lowerCase), special, minCount, most), lowerCase);

    /// <summary>The words and signs of a text, in their order.</summary>
    /// <param name="text">The text.</param>
    /// <param name="lowerCase">Whether it is brought to lower case first.</param>
    /// <exception cref="InvalidArgumentException">Half a surrogate pair is in the text; the message names its position.</exception>
    public static string[] Words(string text, bool lowerCase = false)
    {
        var seen = lowerCase ? text.ToLowerInvariant() : text;
        return [.. TextPieces.Words(seen).Select(range => seen[range])];
    }

    /// <inheritdoc/>
    public int IdOf(SpecialTokens special) => Vocabulary.IdOf(special);

    /// <summary>The ids of the words and signs of a text; those that are not there get that of <c>&lt;unk&gt;</c>.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="InvalidArgumentException">A word is not there and neither is <c>&lt;unk&gt;</c>, or half a surrogate pair is in the text.</exception>
    public int[] Encode(string text) => Vocabulary.Encode(Words(text, LowerCase));

    /// <summary>The words of ids with one space between any two.</summary>
    /// <param name="ids">The ids; special ones leave nothing, but <c>&lt;unk&gt;</c> leaves U+FFFD.</param>
    /// <exception cref="InvalidArgumentException">There is no such id; the message names its position.</exception>
    public string Decode(ReadOnlySpan<int> ids)
    {
        var text = new StringBuilder();
        for (var i = 0; i < ids.Length; i++)
        {
            if ((uint)ids[i] >= (uint)_texts.Length)
                throw new InvalidArgumentException(Invariant($"WordTokenizer.Decode, ids[{i}]"), Invariant($"0 to {_texts.Length - 1}"), Invariant($"{ids[i]}"));
            var word = _texts[ids[i]];
            if (word.Length > 0 && text.Length > 0) text.Append(' ');
            text.Append(word);
        }

        return text.ToString();
    }
}

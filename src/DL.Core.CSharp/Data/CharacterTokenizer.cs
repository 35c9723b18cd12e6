using System.Text;
using static System.FormattableString;

namespace DL.Core.Data;

/// <summary>Text as characters, which are Unicode code points, and their ids.</summary>
public sealed class CharacterTokenizer : ITokenizer
{
    private readonly Dictionary<int, int> _ids = [];
    private readonly string[] _texts;

    /// <summary>The tokenizer over a vocabulary whose tokens, special ones apart, are one character each.</summary>
    /// <param name="vocabulary">The characters and their ids.</param>
    /// <exception cref="InvalidArgumentException">A token is not one character.</exception>
    public CharacterTokenizer(Vocabulary vocabulary)
    {
        Vocabulary = vocabulary;
        _texts = [.. vocabulary.Tokens];
        for (var id = 0; id < _texts.Length; id++)
        {
            if (id < vocabulary.SpecialCount) _texts[id] = "";
            else if (Rune.TryGetRuneAt(_texts[id] + ' ', 0, out var rune) && rune.Utf16SequenceLength == _texts[id].Length) _ids[rune.Value] = id;
            else throw new InvalidArgumentException(Invariant($"CharacterTokenizer, token {id}"), "one character", $"'{_texts[id]}'");
        }

        if (vocabulary.Special.HasFlag(SpecialTokens.Unknown)) _texts[vocabulary.IdOf(SpecialTokens.Unknown)] = Rune.ReplacementChar.ToString();
    }

    /// <summary>The characters of the vocabulary.</summary>
    public Vocabulary Vocabulary { get; }

    /// <inheritdoc/>
    public int Count => Vocabulary.Count;

    /// <inheritdoc/>
    public SpecialTokens Special => Vocabulary.Special;

    /// <summary>The tokenizer of the characters of a text, by code point.</summary>
    /// <param name="text">The text.</param>
    /// <param name="special">The special tokens that come before them.</param>
    /// <exception cref="InvalidArgumentException">Half a surrogate pair is in the text.</exception>
    public static CharacterTokenizer Of(string text, SpecialTokens special = SpecialTokens.None)
    {
        var found = new SortedSet<int>();
        for (var i = 0; i < text.Length;)
        {
            var rune = At(text, i);
            found.Add(rune.Value);
            i += rune.Utf16SequenceLength;
        }

        return new(Vocabulary.Of(found.Select(char.ConvertFromUtf32), special));
    }

    /// <inheritdoc/>
    public int IdOf(SpecialTokens special) => Vocabulary.IdOf(special);

    /// <summary>The ids of a text, one for each character; those that are not there get that of <c>&lt;unk&gt;</c>.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="InvalidArgumentException">A character is not there and neither is <c>&lt;unk&gt;</c>, or is half a surrogate pair; the message names its position.</exception>
    public int[] Encode(string text)
    {
        var ids = new List<int>(text.Length);
        for (var i = 0; i < text.Length;)
        {
            var rune = At(text, i);
            ids.Add(_ids.TryGetValue(rune.Value, out var id) ? id : Unknown(rune, i));
            i += rune.Utf16SequenceLength;
        }

        return [.. ids];
    }

    /// <summary>The text of ids; the inverse of <see cref="Encode"/> where all characters are there.</summary>
    /// <param name="ids">The ids; special ones leave nothing, but <c>&lt;unk&gt;</c> leaves U+FFFD.</param>
    /// <exception cref="InvalidArgumentException">There is no such id; the message names its position.</exception>
    public string Decode(ReadOnlySpan<int> ids)
    {
        var text = new StringBuilder(ids.Length);
        for (var i = 0; i < ids.Length; i++)
        {
            if ((uint)ids[i] >= (uint)_texts.Length)
                throw new InvalidArgumentException(Invariant($"CharacterTokenizer.Decode, ids[{i}]"), Invariant($"0 to {_texts.Length - 1}"), Invariant($"{ids[i]}"));
            text.Append(_texts[ids[i]]);
        }

        return text.ToString();
    }

    private static Rune At(string text, int i) => Rune.TryGetRuneAt(text, i, out var rune)
        ? rune
        : throw new InvalidArgumentException(Invariant($"CharacterTokenizer, text[{i}]"), "a whole character", Invariant($"half a surrogate pair, U+{(int)text[i]:X4}"));

    private int Unknown(Rune rune, int i) => Vocabulary.Special.HasFlag(SpecialTokens.Unknown)
        ? Vocabulary.IdOf(SpecialTokens.Unknown)
        : throw new InvalidArgumentException(
            Invariant($"CharacterTokenizer.Encode, text[{i}]"),
            Invariant($"one of the {Vocabulary.Count} characters of the vocabulary"),
            Invariant($"'{rune}', U+{rune.Value:X4}"),
            "Make the tokenizer with SpecialTokens.Unknown, or of all text.");
}

using System.Globalization;
using System.Text;
using static System.FormattableString;

namespace DL.Core.Data;

/// <summary>Where a text may be cut: tokenizers look at one piece at a time.</summary>
internal static class TextPieces
{
    private enum Kind
    {
        Letter,
        Digit,
        Space,
        Other,
    }

    /// <summary>The end of the piece that begins at a place: a run of letters, of digits or of other signs, with the one space before it if any, or a run of
    /// white space without the space that goes with what follows. The pieces one after the other are the text.</summary>
    public static int End(string text, int start)
    {
        var kind = At(text, start, out var next);
        if (kind != Kind.Space) return EndOfRun(text, next, kind);
        var end = EndOfRun(text, next, Kind.Space);
        if (end == text.Length || text[end - 1] != ' ') return end;
        if (end - 1 > start) return end - 1;
        kind = At(text, end, out next);
        return EndOfRun(text, next, kind);
    }

    /// <summary>The words of a text: runs of letters and digits, with apostrophes between letters, and every other sign by itself; white space is left out.</summary>
    public static IEnumerable<Range> Words(string text)
    {
        for (var at = 0; at < text.Length;)
        {
            var kind = At(text, at, out var next);
            if (kind is Kind.Letter or Kind.Digit) next = EndOfWord(text, next);
            if (kind != Kind.Space) yield return at..next;
            at = next;
        }
    }

    /// <summary>Fails if a text holds half a surrogate pair.</summary>
    public static void Check(string text, string where)
    {
        for (var at = 0; at < text.Length;) at += RuneAt(text, at, where).Utf16SequenceLength;
    }

    private static int EndOfWord(string text, int at)
    {
        while (at < text.Length)
        {
            var kind = At(text, at, out var next);
            if (kind is Kind.Letter or Kind.Digit) at = next;
            else if (text[at] is '\'' or '\u2019' && next < text.Length && At(text, next, out var afterwards) is Kind.Letter) at = afterwards;
            else break;
        }

        return at;
    }

    private static int EndOfRun(string text, int at, Kind kind)
    {
        while (at < text.Length && At(text, at, out var next) == kind) at = next;
        return at;
    }

    private static Kind At(string text, int at, out int next)
    {
        var rune = RuneAt(text, at, "text");
        next = at + rune.Utf16SequenceLength;
        if (Rune.IsLetter(rune)) return Kind.Letter;
        if (Rune.IsWhiteSpace(rune)) return Kind.Space;
        return Rune.GetUnicodeCategory(rune) switch
        {
            UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark => Kind.Letter,
            UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => Kind.Digit,
            _ => Kind.Other,
        };
    }

    private static Rune RuneAt(string text, int at, string where) => Rune.TryGetRuneAt(text, at, out var rune)
        ? rune
        : throw new InvalidArgumentException(Invariant($"{where}[{at}]"), "a whole character", Invariant($"half a surrogate pair, U+{(int)text[at]:X4}"));
}

using System.Text;
using DL.Core.Formats;
using static System.FormattableString;

namespace DL.Core.Data;

/// <summary>A text to learn from and the rest of it to judge by.</summary>
/// <param name="Train">The beginning.</param>
/// <param name="Validation">The end.</param>
public sealed record TextSplit(string Train, string Validation);

/// <summary>Texts from files.</summary>
public static partial class Texts
{
    private const double ShakespeareHeldOut = 0.1;

    /// <summary>The whole text of a UTF-8 file, plain or gzip; a byte order mark is not part of it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="limits">How much may be read, <see cref="ReadLimits.Default"/> if null; MaxElements bounds the characters.</param>
    /// <exception cref="DataFormatException">The file cannot be read, is not UTF-8, or is too large; the message says where.</exception>
    /// <exception cref="InvalidArgumentException">The path is empty.</exception>
    public static string Read(string path, ReadLimits? limits = null) =>
        DataSource.FromFile(path, stream => Read(DataSource.Over(stream, limits ?? ReadLimits.Default, path), limits ?? ReadLimits.Default));

    /// <summary>Holds out the end of a text: training text is the first <c>floor((1 - heldOut) n)</c> of its n characters.</summary>
    /// <param name="text">The text.</param>
    /// <param name="heldOut">The share held out, above 0 and below 1.</param>
    /// <exception cref="InvalidArgumentException">The share is out of range, or a part would stay empty.</exception>
    public static TextSplit HoldOut(string text, double heldOut)
    {
        if (!(heldOut > 0 && heldOut < 1)) throw new InvalidArgumentException("Texts.HoldOut, heldOut", "a share above 0 and below 1", Invariant($"{heldOut}"));
        var cut = (int)((1 - heldOut) * text.Length);
        if (cut > 0 && cut < text.Length && char.IsSurrogatePair(text, cut - 1)) cut--;
        if (cut == 0 || cut == text.Length)
            throw new InvalidArgumentException("Texts.HoldOut, text", "enough characters for both parts", Invariant($"{text.Length}"));
        return new(text[..cut], text[cut..]);
    }

    /// <summary>Tiny Shakespeare: 40,000 lines of his plays, 1,115,394 characters of which 65 are distinct; the last 10% are held out.</summary>
    /// <remarks>In the public domain; A. Karpathy's selection of 2015.</remarks>
    /// <param name="folder">The folder of the file <c>tinyshakespeare.txt</c>, or <c>tinyshakespeare.txt.gz</c>.</param>
    /// <exception cref="DataFormatException">There is no such file, or it cannot be read.</exception>
    public static TextSplit TinyShakespeare(string folder)
    {
        var plain = Path.Combine(folder, "tinyshakespeare.txt");
        return HoldOut(Read(!File.Exists(plain) && File.Exists(plain + ".gz") ? plain + ".gz" : plain), ShakespeareHeldOut);
    }

    private static string Read(DataSource source, ReadLimits limits)
    {
        using var reader = new StreamReader(source, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true), detectEncodingFromByteOrderMarks: false);
        var (text, buffer) = (new StringBuilder(), new char[1 << 14]);
        try
        {
            for (int count; (count = reader.Read(buffer)) > 0;)
            {
                text.Append(buffer, 0, count);
                if (text.Length > limits.MaxElements)
                    throw new DataFormatException(source.Where, Invariant($"at most {limits.MaxElements} characters"), "more", "Raise ReadLimits.MaxElements if you trust the source.");
            }
        }
        catch (DecoderFallbackException e)
        {
            throw new DataFormatException(source.Where, "text in UTF-8", "bytes that are none, at or before this place", inner: e);
        }

        return text.Length > 0 && text[0] == '\uFEFF' ? text.ToString(1, text.Length - 1) : text.ToString();
    }
}

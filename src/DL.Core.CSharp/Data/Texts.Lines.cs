using System.Text;
using DL.Core.Formats;
using static System.FormattableString;

namespace DL.Core.Data;

public static partial class Texts
{
    /// <summary>The lines of a UTF-8 file, plain or gzip, without their ends, <c>\n</c> or <c>\r\n</c>; the last one may have none. A byte order mark is left out.</summary>
    /// <param name="path">The file.</param>
    /// <param name="limits">How much may be read, <see cref="ReadLimits.Default"/> if null; MaxElements bounds the lines, MaxLineLength the bytes of one.</param>
    /// <exception cref="DataFormatException">The file cannot be read, is too large, or a line is not UTF-8 or too long: the message names the line.</exception>
    /// <exception cref="InvalidArgumentException">The path is empty.</exception>
    public static string[] Lines(string path, ReadLimits? limits = null) =>
        DataSource.FromFile(path, stream => new LineReader(DataSource.Over(stream, limits ?? ReadLimits.Default, path), limits ?? ReadLimits.Default).ToEnd());

    private sealed class LineReader(DataSource source, ReadLimits limits)
    {
        private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
        private readonly List<string> _lines = [];
        private readonly MemoryStream _begun = new();

        private string Where => Invariant($"{source.Name}, line {_lines.Count + 1}");

        public string[] ToEnd()
        {
            var buffer = new byte[1 << 16];
            for (int count; (count = source.Read(buffer)) > 0;) Take(buffer.AsSpan(0, count));
            if (_begun.Length > 0) Add(ended: false);
            return [.. _lines];
        }

        private void Take(ReadOnlySpan<byte> bytes)
        {
            for (int end; (end = bytes.IndexOf((byte)'\n')) >= 0; bytes = bytes[(end + 1)..])
            {
                Append(bytes[..end]);
                Add(ended: true);
            }

            Append(bytes);
        }

        private void Append(ReadOnlySpan<byte> bytes)
        {
            if (_begun.Length + bytes.Length > limits.MaxLineLength)
                throw new DataFormatException(Where, Invariant($"at most {limits.MaxLineLength} bytes"), "more", "Raise ReadLimits.MaxLineLength if you trust the source.");
            _begun.Write(bytes);
        }

        private void Add(bool ended)
        {
            if (_lines.Count >= limits.MaxElements)
                throw new DataFormatException(Where, Invariant($"at most {limits.MaxElements} lines"), "more", "Raise ReadLimits.MaxElements if you trust the source.");
            var bytes = _begun.GetBuffer().AsSpan(0, (int)_begun.Length);
            if (ended && bytes is [.., (byte)'\r']) bytes = bytes[..^1];
            if (_lines.Count == 0 && bytes.StartsWith("\uFEFF"u8)) bytes = bytes[3..];
            try
            {
                _lines.Add(Strict.GetString(bytes));
            }
            catch (DecoderFallbackException e)
            {
                throw new DataFormatException(Where, "text in UTF-8", "bytes that are none", inner: e);
            }

            _begun.SetLength(0);
        }
    }
}

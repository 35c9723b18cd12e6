using System.Text;
using static System.FormattableString;

namespace DL.Core.Formats;

/// <summary>Splits a text into records and fields after RFC 4180, one record in memory at a time.</summary>
/// <remarks>Lines may end in CRLF, LF or CR. A byte order mark is skipped; the text must be UTF-8.</remarks>
internal sealed class CsvRecords
{
    private const int NoCharacter = -1;
    private readonly DataSource _source;
    private readonly StreamReader _reader;
    private readonly char _delimiter;
    private readonly int _maxLength;
    private readonly char[] _input = new char[1 << 14];
    private readonly List<int> _ends = [];
    private int _inputNext, _inputEnd, _line = 1;
    private char[] _text = new char[256];
    private int _textLength, _recordLength;
    private bool _quoted;

    public CsvRecords(DataSource source, char delimiter, int maxLength)
    {
        (_source, _delimiter, _maxLength) = (source, delimiter, maxLength);
        _reader = new StreamReader(source, new UTF8Encoding(false, throwOnInvalidBytes: true), detectEncodingFromByteOrderMarks: false);
        if (Peek() == '\uFEFF')
            _inputNext++;
    }

    /// <summary>The line the record began on, from 1.</summary>
    public int Line { get; private set; }

    public int FieldCount => _ends.Count;

    /// <summary>True if the record is an empty line.</summary>
    public bool IsBlank => FieldCount == 1 && !_quoted && Field(0).IsWhiteSpace();

    public ReadOnlySpan<char> Field(int index)
    {
        var start = index == 0 ? 0 : _ends[index - 1];
        return _text.AsSpan(start, _ends[index] - start);
    }

    public string At(int line, int column) => Invariant($"{_source.Name}, line {line}, column {column}");

    /// <summary>Reads the next record; false at the end of the text.</summary>
    public bool Next()
    {
        (Line, _textLength, _recordLength, _quoted) = (_line, 0, 0, false);
        _ends.Clear();
        if (Peek() == NoCharacter)
            return false;
        while (true)
        {
            if (Peek() == '"')
                ReadQuoted();
            else
                ReadPlain();
            _ends.Add(_textLength);
            var c = Take();
            if (c == _delimiter)
                continue;
            if (c == '\r' && Peek() == '\n')
                Take();
            _line++;
            return true;
        }
    }

    private bool AtFieldEnd(int c) => c is NoCharacter or '\n' or '\r' || c == _delimiter;

    private void ReadPlain()
    {
        int c;
        while (!AtFieldEnd(c = Peek()))
        {
            if (c == '"')
                throw new DataFormatException(At(_line, FieldCount + 1), "a field quoted as a whole or not at all", "a quote inside it", "Quote the field and double the quotes inside.");
            Append((char)Take());
        }
    }

    private void ReadQuoted()
    {
        var opened = _line;
        _quoted = true;
        Take();
        while (true)
        {
            var c = Take();
            if (c == NoCharacter)
                throw new DataFormatException(At(opened, FieldCount + 1), "a closing quote", "the end of the text");
            if (c == '"' && Peek() != '"')
                break;
            if (c == '"')
                Take();
            if (c == '\n' || (c == '\r' && Peek() != '\n'))
                _line++;
            Append((char)c);
        }
        if (!AtFieldEnd(Peek()))
            throw new DataFormatException(At(_line, FieldCount + 1), "a delimiter or the end of the line after the closing quote", $"'{(char)Peek()}'");
    }

    private int Peek() => _inputNext < _inputEnd || Fill() ? _input[_inputNext] : NoCharacter;

    private int Take()
    {
        var c = Peek();
        if (c == NoCharacter)
            return c;
        _inputNext++;
        if (++_recordLength > _maxLength && c is not ('\r' or '\n'))
            throw new DataFormatException(At(Line, FieldCount + 1), Invariant($"a line of at most {_maxLength} characters"), "a longer one",
                "A quote that is never closed or a file that is no text looks like this; else raise ReadLimits.MaxLineLength.");
        return c;
    }

    private bool Fill()
    {
        try
        {
            (_inputNext, _inputEnd) = (0, _reader.Read(_input));
            return _inputEnd > 0;
        }
        catch (DecoderFallbackException e)
        {
            throw new DataFormatException(Invariant($"{_source.Name}, at or after line {_line}"), "UTF-8 text", "bytes that are not", inner: e);
        }
    }

    private void Append(char c)
    {
        if (_textLength == _text.Length)
            Array.Resize(ref _text, 2 * _text.Length);
        _text[_textLength++] = c;
    }
}

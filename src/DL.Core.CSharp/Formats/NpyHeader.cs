using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using static System.FormattableString;

namespace DL.Core.Formats;

/// <summary>The header of an npy file: a Python dictionary of <c>descr</c>, <c>fortran_order</c> and <c>shape</c>, read strictly.</summary>
internal sealed class NpyHeader
{
    private const int MaxLength = 1 << 16, Alignment = 64, FixedBytes = 10;
    private readonly string _text, _where;
    private readonly ReadLimits _limits;
    private int _at;

    private NpyHeader(string text, string where, ReadLimits limits) => (_text, _where, _limits) = (text, where, limits);

    private static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    public NumberFormat Format { get; private set; }

    /// <summary>True if the first axis runs fastest.</summary>
    public bool Reversed { get; private set; }

    public Shape Shape { get; private set; } = Shape.Scalar;

    /// <summary>Reads the header, up to the first byte of the elements.</summary>
    /// <exception cref="DataFormatException">It is none.</exception>
    public static NpyHeader Read(DataSource data, ReadLimits limits)
    {
        Span<byte> start = stackalloc byte[8];
        var read = data.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        if (read < start.Length || !start.StartsWith(Magic))
            throw new DataFormatException($"{data.Name}, byte 0", "an npy header: 93 4e 55 4d 50 59 and a version", read == 0 ? "nothing" : Convert.ToHexStringLower(start[..read]));
        if (start[6] is < 1 or > 3 || start[7] != 0)
            throw new DataFormatException($"{data.Name}, byte 6", "npy version 1.0, 2.0 or 3.0", Invariant($"{start[6]}.{start[7]}"));
        var text = ReadText(data, start[6] == 1 ? 2 : 4);
        var header = new NpyHeader(text, $"{data.Name}, header", limits);
        header.Parse();
        return header;
    }

    /// <summary>The bytes numpy writes before an array: version 1.0, padded to a multiple of 64.</summary>
    public static byte[] Write(Tensor tensor)
    {
        var code = tensor.ElementType switch { ElementType.Float32 => "<f4", ElementType.Float64 => "<f8", _ => "<i4" };
        var extents = string.Join(", ", tensor.Shape.Extents.ToArray().Select(e => e.ToString(CultureInfo.InvariantCulture)));
        var tuple = tensor.Shape.Rank == 1 ? $"({extents},)" : $"({extents})";
        var text = $"{{'descr': '{code}', 'fortran_order': False, 'shape': {tuple}, }}";
        var whole = (FixedBytes + text.Length + 1 + Alignment - 1) / Alignment * Alignment;
        var bytes = new byte[whole];
        bytes.AsSpan().Fill((byte)' ');
        Magic.CopyTo(bytes);
        (bytes[6], bytes[7]) = (1, 0);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(8), (ushort)(whole - FixedBytes));
        Encoding.ASCII.GetBytes(text).CopyTo(bytes, FixedBytes);
        bytes[^1] = (byte)'\n';
        return bytes;
    }

    private static string ReadText(DataSource data, int lengthBytes)
    {
        var prefix = new byte[4];
        var length = data.ReadAtLeast(prefix.AsSpan(0, lengthBytes), lengthBytes, throwOnEndOfStream: false) < lengthBytes
            ? throw new DataFormatException(data.Where, "the length of the header", "the end of the data")
            : BinaryPrimitives.ReadUInt32LittleEndian(prefix);
        if (length > MaxLength) throw new DataFormatException(data.Where, Invariant($"a header of at most {MaxLength} bytes"), Invariant($"{length}"));
        var bytes = new byte[(int)length];
        if (data.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length)
            throw new DataFormatException(data.Where, Invariant($"a header of {length} bytes"), "the end of the data");
        return Encoding.Latin1.GetString(bytes);
    }

    private void Parse()
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        Take('{');
        while (Next() != '}')
        {
            var name = TakeText();
            if (!seen.Add(name)) throw Wrong("every name once", $"'{name}' again");
            Take(':');
            if (name == "descr") Format = FormatOf(TakeText());
            else if (name == "fortran_order") Reversed = TakeTruth();
            else if (name == "shape") Shape = ShapeOf(TakeTuple());
            else throw Wrong("descr, fortran_order and shape", $"'{name}'");
            if (Next() != '}') Take(',');
        }
        Take('}');
        if (seen.Count != 3) throw Wrong("descr, fortran_order and shape", string.Join(", ", seen));
        if (_text[_at..].Trim(' ', '\n').Length > 0) throw Wrong("the end of the header", Shown());
    }

    private NumberFormat FormatOf(string code) => code switch
    {
        "<f4" => NumberFormat.Single,
        "<f8" => NumberFormat.Double,
        "<f2" => NumberFormat.Half,
        "<i8" => NumberFormat.Int64,
        "<i4" => NumberFormat.Int32,
        "<i2" => NumberFormat.Int16,
        "|i1" => NumberFormat.Int8,
        "<u8" => NumberFormat.UInt64,
        "<u4" => NumberFormat.UInt32,
        "<u2" => NumberFormat.UInt16,
        "|u1" => NumberFormat.UInt8,
        "|b1" => NumberFormat.Bool,
        _ => throw Wrong("numbers: <f4, <f8, <f2, <i8, <i4, <i2, |i1, <u8, <u4, <u2, |u1 or |b1", $"'{code}'", "Convert the array in numpy, as in a.astype('<f4')."),
    };

    private Shape ShapeOf(List<int> extents)
    {
        var count = extents.Contains(0) ? 0L : 1L;
        foreach (var extent in extents)
        {
            count *= extent;
            if (count > Math.Min(_limits.MaxElements, Shape.MaxCount))
                throw Wrong(Invariant($"at most {Math.Min(_limits.MaxElements, Shape.MaxCount)} elements"), string.Join(" x ", extents), "Raise ReadLimits.MaxElements if you trust the source.");
        }
        return new Shape([.. extents]);
    }

    private List<int> TakeTuple()
    {
        var extents = new List<int>();
        Take('(');
        while (Next() != ')')
        {
            if (extents.Count == _limits.MaxDimensions) throw Wrong(Invariant($"at most {_limits.MaxDimensions} axes"), "more", "Raise ReadLimits.MaxDimensions if you trust the source.");
            extents.Add(TakeNumber());
            if (Next() != ')') Take(',');
        }
        Take(')');
        return extents;
    }

    private int TakeNumber()
    {
        Next();
        var from = _at;
        while (_at < _text.Length && char.IsAsciiDigit(_text[_at])) _at++;
        return int.TryParse(_text.AsSpan(from, _at - from), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw Wrong("an extent below 2^31", Shown());
    }

    private bool TakeTruth()
    {
        Next();
        foreach (var (word, value) in new[] { ("True", true), ("False", false) })
        {
            if (!_text.AsSpan(_at).StartsWith(word)) continue;
            _at += word.Length;
            return value;
        }
        throw Wrong("True or False", Shown());
    }

    private string TakeText()
    {
        var quote = Next();
        var end = quote is '\'' or '"' ? _text.IndexOf(quote, _at + 1) : -1;
        if (end < 0) throw Wrong("a text in quotes", Shown());
        var text = _text[(_at + 1)..end];
        _at = end + 1;
        return text;
    }

    private void Take(char mark)
    {
        if (Next() != mark) throw Wrong($"'{mark}'", Shown());
        _at++;
    }

    private char Next()
    {
        while (_at < _text.Length && _text[_at] == ' ') _at++;
        return _at < _text.Length ? _text[_at] : '\0';
    }

    private string Shown() => _at >= _text.Length ? "the end of the header" : $"'{_text[_at..Math.Min(_text.Length, _at + 20)]}'";

    private DataFormatException Wrong(string expected, string got, string? mend = null) => new(_where, expected, got, mend);
}

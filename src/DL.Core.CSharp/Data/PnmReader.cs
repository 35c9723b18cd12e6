using DL.Core.Formats;
using static System.FormattableString;

namespace DL.Core.Data;

/// <summary>Reads one image of the formats P2, P3, P5 or P6: sizes and the largest value as text, then values as text or as big-endian bytes.</summary>
internal sealed class PnmReader(byte[] file, string source, ReadLimits limits)
{
    private const int MostValue = ushort.MaxValue;
    private int _at = 2;

    private string Where => Invariant($"{source}, byte {_at}");

    public Picture Read()
    {
        var channels = file[1] is (byte)'3' or (byte)'6' ? 3 : 1;
        var (width, height, most) = (Number(int.MaxValue), Number(int.MaxValue), Number(MostValue));
        if (most < 1) throw new DataFormatException(Where, Invariant($"a largest value from 1 to {MostValue}"), "0");
        Pictures.CheckSize(source, height, width, channels, limits);
        var count = height * width * channels;
        return new(file[1] is (byte)'2' or (byte)'3' ? AsText(count, most) : AsBytes(count, most), height, width, channels);
    }

    private float[] AsText(int count, int most)
    {
        // Every number has a digit and a separator.
        if (count > file.Length - _at) throw Short(count);
        var pixels = new float[count];
        for (var i = 0; i < count; i++) pixels[i] = (float)((double)Number(most) / most);
        SkipBlank();
        return _at == file.Length ? pixels : throw Longer(count);
    }

    private float[] AsBytes(int count, int most)
    {
        if (_at == file.Length || !IsBlank(file[_at])) throw new DataFormatException(Where, "one blank before the values", "none");
        _at++;
        var size = most > byte.MaxValue ? 2 : 1;
        if ((file.Length - _at) / size < count) throw Short(count);
        if (file.Length - _at > (long)count * size) throw Longer(count);
        var pixels = new float[count];
        for (var i = 0; i < count; i++, _at += size)
        {
            var value = size == 1 ? file[_at] : file[_at] << 8 | file[_at + 1];
            if (value > most) throw new DataFormatException(Where, Invariant($"a value from 0 to {most}"), Invariant($"{value}"));
            pixels[i] = (float)((double)value / most);
        }

        return pixels;
    }

    private DataFormatException Short(int count) => new(Where, Invariant($"{count} values"), "the end of the data before the last", "The file was cut short.");

    private DataFormatException Longer(int count) => new(Where, Invariant($"the end of the data after {count} values"), "more");

    private int Number(int most)
    {
        SkipBlank();
        if (_at == file.Length || !char.IsAsciiDigit((char)file[_at])) throw new DataFormatException(Where, "a whole number", _at == file.Length ? "the end of the data" : Invariant($"byte {file[_at]:x2}"));
        var number = 0L;
        for (; _at < file.Length && char.IsAsciiDigit((char)file[_at]); _at++)
        {
            number = number * 10 + file[_at] - '0';
            if (number > most) throw new DataFormatException(Where, Invariant($"a number of at most {most}"), "more");
        }

        return (int)number;
    }

    /// <summary>Passes over blanks, and over comments, from a # to the end of its line.</summary>
    private void SkipBlank()
    {
        for (; _at < file.Length && (IsBlank(file[_at]) || file[_at] == '#'); _at++)
        {
            if (file[_at] != '#') continue;
            while (_at < file.Length && file[_at] is not ((byte)'\n' or (byte)'\r')) _at++;
            if (_at == file.Length) break;
        }
    }

    private static bool IsBlank(byte value) => value is (byte)' ' or (>= 9 and <= 13);
}

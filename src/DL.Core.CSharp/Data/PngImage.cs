using static System.FormattableString;

namespace DL.Core.Data;

/// <summary>What the header of a PNG file says, and the pixels of rows that were filtered by it.</summary>
/// <param name="Width">The number of columns.</param>
/// <param name="Height">The number of rows.</param>
/// <param name="Bits">The bits of a sample.</param>
/// <param name="Color">0 gray, 2 red, green and blue, 3 places in a palette, 4 gray and opacity, 6 red, green, blue and opacity.</param>
/// <param name="Interlaced">Whether the image comes in the seven passes of Adam7.</param>
internal sealed record PngImage(int Width, int Height, int Bits, int Color, bool Interlaced)
{
    // Where each pass begins, and how far its rows and columns are apart.
    private static readonly (int Top, int Left, int Down, int Right)[] Adam7 =
        [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)];

    public bool IsIndexed => Color == 3;

    /// <summary>The samples of a pixel in the file.</summary>
    public int Samples => Color switch { 2 => 3, 4 => 2, 6 => 4, _ => 1 };

    /// <summary>The numbers of a pixel of the result.</summary>
    public int Channels => IsIndexed ? 3 : Samples;

    /// <summary>The bytes of all filtered rows.</summary>
    public long RawLength => Passes().Sum(pass => (long)pass.Rows * (1 + RowBytes(pass.Columns)));

    public Picture Decode(byte[] raw, byte[]? palette, string source)
    {
        var (pixels, at) = (new float[Height * Width * Channels], 0);
        foreach (var (rows, columns, (top, left, down, right)) in Passes())
        {
            var size = RowBytes(columns);
            ReadOnlySpan<byte> above = new byte[size];
            for (var i = 0; i < rows; i++, at += 1 + size)
            {
                var row = raw.AsSpan(at + 1, size);
                Unfilter(raw[at], row, above, Invariant($"{source}, row {top + i * down}"));
                above = row;
                for (var j = 0; j < columns; j++) Put(row, j, pixels.AsSpan(((top + i * down) * Width + left + j * right) * Channels, Channels), palette, source);
            }
        }

        return new(pixels, Height, Width, Channels);
    }

    private int RowBytes(int columns) => (int)(((long)columns * Samples * Bits + 7) / 8);

    private IEnumerable<(int Rows, int Columns, (int Top, int Left, int Down, int Right) Grid)> Passes()
    {
        (int Top, int Left, int Down, int Right)[] grids = Interlaced ? Adam7 : [(0, 0, 1, 1)];
        foreach (var grid in grids)
        {
            var rows = (Height - grid.Top + grid.Down - 1) / grid.Down;
            var columns = (Width - grid.Left + grid.Right - 1) / grid.Right;
            if (rows > 0 && columns > 0) yield return (rows, columns, grid);
        }
    }

    /// <summary>Turns differences from the bytes before, above, and both, into the bytes themselves.</summary>
    private void Unfilter(byte filter, Span<byte> row, ReadOnlySpan<byte> above, string where)
    {
        if (filter > 4) throw new DataFormatException(where, "a filter from 0 to 4", Invariant($"{filter}"), "The file is damaged: fetch it again.");
        var step = Math.Max(1, Samples * Bits / 8);
        for (var i = 0; i < row.Length && filter != 0; i++)
        {
            int left = i < step ? 0 : row[i - step], up = above[i], corner = i < step ? 0 : above[i - step];
            row[i] += (byte)(filter switch { 1 => left, 2 => up, 3 => (left + up) / 2, _ => Paeth(left, up, corner) });
        }
    }

    /// <summary>The one of three bytes that is nearest to <c>left + up - corner</c>.</summary>
    private static int Paeth(int left, int up, int corner)
    {
        var (a, b, c) = (Math.Abs(up - corner), Math.Abs(left - corner), Math.Abs(left + up - 2 * corner));
        return a <= b && a <= c ? left : b <= c ? up : corner;
    }

    private void Put(ReadOnlySpan<byte> row, int column, Span<float> pixel, byte[]? palette, string source)
    {
        if (!IsIndexed)
        {
            var most = (1 << Bits) - 1;
            for (var c = 0; c < pixel.Length; c++) pixel[c] = (float)((double)Sample(row, column * Samples + c) / most);
            return;
        }

        var place = Sample(row, column);
        if (3 * place >= palette!.Length) throw new DataFormatException(source, Invariant($"a place from 0 to {palette.Length / 3 - 1} in the palette"), Invariant($"{place}"));
        for (var c = 0; c < 3; c++) pixel[c] = palette[3 * place + c] / 255f;
    }

    private int Sample(ReadOnlySpan<byte> row, int i) => Bits switch
    {
        8 => row[i],
        16 => row[2 * i] << 8 | row[2 * i + 1],
        _ => row[i * Bits / 8] >> (8 - Bits - i * Bits % 8) & (1 << Bits) - 1,
    };
}

using System.Buffers.Binary;
using System.IO.Compression;

namespace DL.Core.Formats;

/// <summary>Portable Network Graphics: images of one gray channel or of red, green and blue, eight bits each, without loss.</summary>
/// <remarks>Source: W3C, Portable Network Graphics (PNG) Specification, third edition, 2025; ISO/IEC 15948.</remarks>
public static class Png
{
    private const int ChunkFrame = 12;
    private const byte DepthBits = 8, GrayColor = 0, RgbColor = 2;
    private static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>An image as the bytes of a PNG file.</summary>
    /// <param name="pixels">The bytes row by row from the top, [height; width; channels].</param>
    /// <param name="height">The number of rows, at least 1.</param>
    /// <param name="width">The number of columns, at least 1.</param>
    /// <param name="channels">1 for gray, 3 for red, green and blue.</param>
    /// <returns>The file's bytes: the same image gives the same bytes on the same runtime.</returns>
    /// <exception cref="InvalidArgumentException">An extent is below 1, or the channels are neither 1 nor 3.</exception>
    /// <exception cref="ShapeException">There are not height * width * channels bytes.</exception>
    public static byte[] Encode(ReadOnlySpan<byte> pixels, int height, int width, int channels)
    {
        Check(pixels.Length, height, width, channels);
        using var file = new MemoryStream();
        file.Write(Signature);
        Chunk(file, "IHDR"u8, Header(height, width, channels));
        Chunk(file, "IDAT"u8, Compressed(pixels, height, width * channels));
        Chunk(file, "IEND"u8, []);
        return file.ToArray();
    }

    /// <summary>Writes an image to a file, whole or not at all; a file of that name is replaced.</summary>
    /// <param name="path">The file.</param>
    /// <param name="pixels">The bytes row by row from the top, [height; width; channels].</param>
    /// <param name="height">The number of rows, at least 1.</param>
    /// <param name="width">The number of columns, at least 1.</param>
    /// <param name="channels">1 for gray, 3 for red, green and blue.</param>
    /// <exception cref="DLException">As <see cref="Encode"/>, or the file cannot be written: nothing is changed.</exception>
    public static void Save(string path, ReadOnlySpan<byte> pixels, int height, int width, int channels) =>
        WholeFile.Write(path, Encode(pixels, height, width, channels));

    private static void Check(int count, int height, int width, int channels)
    {
        if (height < 1 || width < 1)
            throw new InvalidArgumentException("Png", "a height and a width of at least 1", $"{height} and {width}");
        if (channels is not (1 or 3))
            throw new InvalidArgumentException("Png", "1 channel or 3", $"{channels}");
        // A byte before every row tells its filter, and all of it must fit one array.
        if ((long)height * ((long)width * channels + 1) > Array.MaxLength / 2)
            throw new InvalidArgumentException("Png", $"at most {Array.MaxLength / 2} bytes", $"{height} x {width} x {channels}");
        if (count != height * width * channels)
            throw new ShapeException("Png", $"{height * width * channels} bytes, for {height} x {width} x {channels}", $"{count}");
    }

    private static byte[] Header(int height, int width, int channels)
    {
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        header[8] = DepthBits;
        header[9] = channels == 1 ? GrayColor : RgbColor;
        return header;
    }

    private static byte[] Compressed(ReadOnlySpan<byte> pixels, int height, int rowBytes)
    {
        using var data = new MemoryStream();
        using (var zlib = new ZLibStream(data, CompressionLevel.Optimal, leaveOpen: true))
            for (var row = 0; row < height; row++)
            {
                zlib.WriteByte(0);
                zlib.Write(pixels.Slice(row * rowBytes, rowBytes));
            }
        return data.ToArray();
    }

    private static void Chunk(MemoryStream file, ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        var chunk = new byte[data.Length + ChunkFrame];
        BinaryPrimitives.WriteInt32BigEndian(chunk, data.Length);
        type.CopyTo(chunk.AsSpan(4));
        data.CopyTo(chunk.AsSpan(8));
        var covered = chunk.AsSpan(4, data.Length + 4);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(data.Length + 8), Crc32.Append(0, covered));
        file.Write(chunk);
    }
}

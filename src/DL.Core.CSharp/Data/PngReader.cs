using System.Buffers.Binary;
using System.IO.Compression;
using DL.Core.Formats;
using static System.FormattableString;

namespace DL.Core.Data;

/// <summary>Reads the chunks of a PNG file, each with its checksum, and inflates its image.</summary>
internal static class PngReader
{
    private const int MostDeflate = 1032;
    private static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    public static Picture Read(byte[] file, string source, ReadLimits limits)
    {
        if (!file.AsSpan().StartsWith(Signature)) throw new DataFormatException($"{source}, byte 0", "a PNG signature", Convert.ToHexStringLower(file.AsSpan(0, Math.Min(8, file.Length))));
        PngImage? image = null;
        byte[]? palette = null;
        using var data = new MemoryStream();
        for (var at = Signature.Length; ;)
        {
            var (name, body) = Chunk(file, at, source);
            var where = Invariant($"{source}, chunk {name} at byte {at}");
            if (image is null != (name == "IHDR")) throw new DataFormatException(where, "one chunk IHDR, the first of all", name);
            switch (name)
            {
                case "IHDR":
                    image = Header(file.AsSpan(body), where, limits);
                    break;
                case "PLTE":
                    palette = Palette(file.AsSpan(body), palette, where);
                    break;
                case "IDAT":
                    data.Write(file.AsSpan(body));
                    break;
                case "IEND":
                    if (body.End.Value + 4 != file.Length) throw new DataFormatException(where, "the end of the data", "more bytes");
                    return Finish(image!, data, palette, source);
                default:
                    // A capital at its beginning says that the image cannot be shown without it.
                    if (char.IsAsciiLetterUpper(name[0])) throw new DataFormatException(where, "chunks of PNG", name);
                    break;
            }

            at = body.End.Value + 4;
        }
    }

    private static (string Name, Range Body) Chunk(byte[] file, int at, string source)
    {
        var where = Invariant($"{source}, byte {at}");
        if (file.Length - at < 12) throw new DataFormatException(where, "a chunk", "the end of the data", "The file was cut short.");
        var length = BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(at));
        if (length > file.Length - at - 12) throw new DataFormatException(where, Invariant($"a chunk of at most the {file.Length - at - 12} bytes that follow"), Invariant($"{length}"), "The file was cut short.");
        var covered = file.AsSpan(at + 4, (int)length + 4);
        if (Crc32.Append(0, covered) != BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(at + 8 + (int)length)))
            throw new DataFormatException(where, "a chunk that fits its checksum", "another", "The file is damaged: fetch it again.");
        foreach (var letter in covered[..4])
            if (!char.IsAsciiLetter((char)letter)) throw new DataFormatException(where, "a chunk named by four letters", Convert.ToHexStringLower(covered[..4]));
        return (System.Text.Encoding.ASCII.GetString(covered[..4]), (at + 8)..(at + 8 + (int)length));
    }

    private static PngImage Header(ReadOnlySpan<byte> body, string where, ReadLimits limits)
    {
        if (body.Length != 13) throw new DataFormatException(where, "13 bytes", Invariant($"{body.Length}"));
        var (width, height) = (BinaryPrimitives.ReadUInt32BigEndian(body), BinaryPrimitives.ReadUInt32BigEndian(body[4..]));
        var (bits, color, interlaced) = (body[8], body[9], body[12]);
        var fits = (color, bits) is (0, 1 or 2 or 4 or 8 or 16) or (3, 1 or 2 or 4 or 8) or (2 or 4 or 6, 8 or 16);
        if (!fits || body[10] != 0 || body[11] != 0 || interlaced > 1)
            throw new DataFormatException(where, "a kind, depth, compression, filter and interlace of PNG", Invariant($"{color}, {bits}, {body[10]}, {body[11]} and {interlaced}"));
        var image = new PngImage((int)Math.Min(width, int.MaxValue), (int)Math.Min(height, int.MaxValue), bits, color, interlaced == 1);
        Pictures.CheckSize(where, height, width, Math.Max(image.Channels, image.Samples * Math.Max(1, bits / 8)), limits);
        return image;
    }

    private static byte[] Palette(ReadOnlySpan<byte> body, byte[]? before, string where) => before is null && body.Length is > 0 and <= 768 && body.Length % 3 == 0
        ? body.ToArray()
        : throw new DataFormatException(where, "one palette of 1 to 256 colours", before is null ? Invariant($"{body.Length} bytes") : "another");

    private static Picture Finish(PngImage image, MemoryStream data, byte[]? palette, string source)
    {
        if (image.IsIndexed && palette is null) throw new DataFormatException(source, "a chunk PLTE of colours", "none");
        var length = image.RawLength;
        if (length > Math.Min(Array.MaxLength, (data.Length + 16) * MostDeflate)) throw new DataFormatException($"{source}, chunk IDAT", Invariant($"{length} bytes, compressed"), Invariant($"{data.Length}, which cannot hold them"), "The file was cut short.");
        data.Position = 0;
        return image.Decode(Inflate(data, (int)length, source), palette, source);
    }

    private static byte[] Inflate(MemoryStream data, int length, string source)
    {
        var raw = new byte[length];
        try
        {
            using var inflated = new ZLibStream(data, CompressionMode.Decompress, leaveOpen: true);
            var count = inflated.ReadAtLeast(raw, length, throwOnEndOfStream: false);
            if (count < length) throw new DataFormatException($"{source}, chunk IDAT", Invariant($"{length} bytes of image"), Invariant($"the end of the data after {count}"), "The file was cut short.");
            // Reading on also has the checksum behind the data looked at.
            if (inflated.ReadByte() >= 0) throw new DataFormatException($"{source}, chunk IDAT", Invariant($"{length} bytes of image"), "more");
        }
        catch (InvalidDataException e)
        {
            throw new DataFormatException($"{source}, chunk IDAT", "deflate-compressed data", "a block that does not decode", "The file is damaged: fetch it again.", e);
        }

        return raw;
    }
}

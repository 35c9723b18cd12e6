using System.Buffers.Binary;
using System.Globalization;
using static System.FormattableString;

namespace DL.Core.Formats;

/// <summary>Reads and writes safetensors: named tensors behind a JSON header, the format trained weights are passed on in.</summary>
/// <remarks>
/// <para>The format: the length of the header as a 64-bit little-endian integer; the header, from each name to <c>dtype</c>, <c>shape</c> and
/// <c>data_offsets</c>, with texts under <c>__metadata__</c>; the numbers, little-endian and row-major.</para>
/// <para>Reading is strict: a header of at most 100 MB, no name twice, every byte of the data in exactly one tensor, nothing after the last.
/// F32 and F64 are read as they are, F16 and BF16 as float32, integers and BOOL as int32 where every value fits, which is an error otherwise.</para>
/// <para>Writing is canonical: equal contents give equal bytes, whatever their order. Tensors lie by size of element, then by name, and every
/// tensor is aligned to its elements. A CRC-32C over the whole file stands among the metadata and is verified when the file is read.</para>
/// <para>Source of the format: Hugging Face, safetensors, README, "Format".</para>
/// </remarks>
public static class Safetensors
{
    internal const string ChecksumName = "dl.crc32c", CheckedName = "dl.checked", CheckedBy = "crc32c";
    private const int LengthBytes = 8, MaxHeader = 100_000_000, FirstPiece = 1 << 16;

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file; errors name it.</param>
    /// <param name="limits">How much may be read, <see cref="ReadLimits.Default"/> if null.</param>
    /// <exception cref="DataFormatException">There is no such file, it cannot be read, or it is not safetensors within the limits.</exception>
    /// <exception cref="InvalidArgumentException">The path is empty.</exception>
    public static SafetensorsFile Read(string path, ReadLimits? limits = null) =>
        DataSource.FromFile(path, stream => Read(stream, limits, path));

    /// <summary>Reads from a stream, to its end; the stream stays open and need not be seekable.</summary>
    /// <param name="stream">The data.</param>
    /// <param name="limits">How much may be read, <see cref="ReadLimits.Default"/> if null.</param>
    /// <param name="source">What errors call the stream.</param>
    /// <exception cref="DataFormatException">It is not safetensors within the limits, is cut short, goes on after the last tensor, or does not match its checksum.</exception>
    /// <exception cref="InvalidArgumentException">The stream cannot be read.</exception>
    public static SafetensorsFile Read(Stream stream, ReadLimits? limits = null, string source = "stream")
    {
        limits ??= ReadLimits.Default;
        var data = DataSource.Plain(stream, limits, source);
        var prefix = new byte[LengthBytes];
        if (data.ReadAtLeast(prefix, LengthBytes, throwOnEndOfStream: false) < LengthBytes)
            throw new DataFormatException($"{source}, byte 0", "the length of a safetensors header in 8 bytes", "the end of the data");
        var bytes = ReadHeader(data, BinaryPrimitives.ReadUInt64LittleEndian(prefix));
        var header = SafetensorsHeader.Parse(bytes, $"{source}, header", limits);
        var checksum = TakeChecksum(header, bytes, $"{source}, header");
        if (checksum is not null) data.Sum = SumOf(prefix, bytes, header.ChecksumAt);
        var tensors = ReadTensors(data, header);
        if (checksum is not null && checksum != Shown(data.Sum!.Value))
            throw new DataFormatException(source, $"the checksum {checksum}", Shown(data.Sum.Value), "The file is damaged: take another copy of it.");
        return new SafetensorsFile(tensors, header.Metadata, checksum is not null);
    }

    /// <summary>Writes a file, whole or not at all; a file of that name is replaced.</summary>
    /// <param name="path">The file.</param>
    /// <param name="tensors">The tensors by name, such as a dictionary.</param>
    /// <param name="metadata">Texts by name.</param>
    /// <exception cref="InvalidArgumentException">A name is there twice or is reserved, the header would exceed 100 MB, or the file cannot be written: nothing is changed.</exception>
    public static void Write(string path, IEnumerable<KeyValuePair<string, Tensor>> tensors, IEnumerable<KeyValuePair<string, string>>? metadata = null)
    {
        Write(path, Stored(tensors), metadata);
    }

    /// <summary>Writes to a stream, which stays open and need not be seekable.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="tensors">The tensors by name, such as a dictionary.</param>
    /// <param name="metadata">Texts by name.</param>
    /// <exception cref="InvalidArgumentException">A name is there twice or is reserved, or the header would exceed 100 MB: nothing is written.</exception>
    public static void Write(Stream stream, IEnumerable<KeyValuePair<string, Tensor>> tensors, IEnumerable<KeyValuePair<string, string>>? metadata = null)
    {
        if (stream is not { CanWrite: true }) throw new InvalidArgumentException("Safetensors.Write", "a stream that can be written to", "another");
        Write(stream, Stored(tensors), metadata);
    }

    internal static void Write(string path, IEnumerable<StoredTensor> tensors, IEnumerable<KeyValuePair<string, string>>? metadata)
    {
        var plan = SafetensorsPlan.Of(tensors, metadata);
        WholeFile.Write(path, plan.WriteTo);
    }

    internal static void Write(Stream stream, IEnumerable<StoredTensor> tensors, IEnumerable<KeyValuePair<string, string>>? metadata) =>
        SafetensorsPlan.Of(tensors, metadata).WriteTo(stream);

    private static IEnumerable<StoredTensor> Stored(IEnumerable<KeyValuePair<string, Tensor>> tensors) =>
        tensors.Select(t => new StoredTensor(t.Key, t.Value, Transposed: false));

    /// <summary>What stands in the place of the checksum while it is computed.</summary>
    internal static ReadOnlySpan<byte> NoChecksum => "00000000"u8;

    /// <summary>The checksum of what stands before the data, zeros in the place of the checksum itself.</summary>
    internal static uint SumOf(ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> header, int checksumAt)
    {
        var sum = Crc32C.Append(Crc32C.Append(0, prefix), header[..checksumAt]);
        return Crc32C.Append(Crc32C.Append(sum, NoChecksum), header[(checksumAt + NoChecksum.Length)..]);
    }

    internal static string Shown(uint checksum) => checksum.ToString("x8", CultureInfo.InvariantCulture);

    /// <summary>The memory grows with what has come, so a header that claims to be long costs nothing.</summary>
    private static byte[] ReadHeader(DataSource data, ulong length)
    {
        if (length > MaxHeader)
            throw new DataFormatException($"{data.Name}, byte 0", Invariant($"a safetensors header of at most {MaxHeader} bytes"), Invariant($"{length}"), "Is it safetensors at all?");
        var bytes = new byte[(int)Math.Min(length, FirstPiece)];
        var read = 0;
        while (true)
        {
            read += data.ReadAtLeast(bytes.AsSpan(read), bytes.Length - read, throwOnEndOfStream: false);
            if (read < bytes.Length)
                throw new DataFormatException(data.Where, Invariant($"a header of {length} bytes"), Invariant($"the end of the data after {read}"), "The file was cut short: fetch it again.");
            if (read == (int)length) return bytes;
            Array.Resize(ref bytes, (int)Math.Min((long)length, 2L * bytes.Length));
        }
    }

    private static string? TakeChecksum(SafetensorsHeader header, ReadOnlySpan<byte> bytes, string where)
    {
        var names = header.Metadata;
        if (!names.Remove(CheckedName, out var kind) & !names.Remove(ChecksumName, out var text)) return null;
        // Each name stands for the other, so that no single damage makes a checked file an unchecked one.
        if (kind != CheckedBy || text is not { Length: 8 } || !text.All(char.IsAsciiHexDigitLower)
            || !bytes.Slice(header.ChecksumAt, text.Length).SequenceEqual(System.Text.Encoding.ASCII.GetBytes(text)))
            throw new DataFormatException(where, $"{CheckedName} '{CheckedBy}' and {ChecksumName} in 8 hexadecimal digits", $"'{kind}' and '{text}'");
        return text;
    }

    private static OrderedDictionary<string, Tensor> ReadTensors(DataSource data, SafetensorsHeader header)
    {
        var announced = header.Entries.Count == 0 ? 0 : header.Entries[^1].End;
        if (data.Left is { } left && left != announced)
            throw new DataFormatException(data.Where, Invariant($"{announced} bytes of data"), Invariant($"{left}"),
                left < announced ? "The file was cut short: fetch it again." : null);
        var tensors = new OrderedDictionary<string, Tensor>(header.Entries.Count, StringComparer.Ordinal);
        foreach (var entry in header.Entries)
            tensors.Add(entry.Name, TensorBytes.Read(data, entry.Format, entry.Shape, $"'{entry.Name}'"));
        if (data.Read(stackalloc byte[1]) != 0) throw new DataFormatException(data.Where, "the end of the data after the last tensor", "more bytes");
        return tensors;
    }
}

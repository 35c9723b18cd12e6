using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using static System.FormattableString;

namespace DL.Core.Formats;

/// <summary>A tensor to be written under a name.</summary>
/// <param name="Name">The name.</param>
/// <param name="Tensor">The tensor.</param>
/// <param name="Transposed">True to write a matrix with its axes exchanged, without a copy of it.</param>
internal readonly record struct StoredTensor(string Name, Tensor Tensor, bool Transposed)
{
    /// <summary>The bytes of an element.</summary>
    public long Size => Numbers.SizeOf(Numbers.Of(Tensor.ElementType));

    /// <summary>The extents as they are written.</summary>
    public int[] Extents => Transposed ? [Tensor.Shape[1], Tensor.Shape[0]] : Tensor.Shape.Extents.ToArray();

    /// <summary>Hands out the bytes as they are written, a piece at a time.</summary>
    public void Each(Action<ReadOnlySpan<byte>> take)
    {
        if (Transposed) TransposedBytes.Each(Tensor, take);
        else TensorBytes.Each(Tensor, take);
    }
}

/// <summary>A safetensors file before it is written: all that can be wrong with it is found while nothing is written yet.</summary>
internal sealed class SafetensorsPlan
{
    private const int MaxHeader = 100_000_000, Alignment = 8;
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);
    private readonly StoredTensor[] _tensors;
    private readonly byte[] _prefix = new byte[8];
    private readonly byte[] _header;
    private readonly int _checksumAt;

    private SafetensorsPlan(StoredTensor[] tensors, KeyValuePair<string, string>[] metadata)
    {
        _tensors = tensors;
        _header = Header(tensors, metadata);
        if (_header.Length > MaxHeader)
            throw Wrong("names and texts that make a header of at most 100 MB", Invariant($"{_header.Length} bytes"));
        BinaryPrimitives.WriteInt64LittleEndian(_prefix, _header.Length);
        // The checksum comes before every name and text of the caller's.
        _checksumAt = _header.AsSpan().IndexOf(Safetensors.NoChecksum);
    }

    /// <summary>A plan for tensors and texts.</summary>
    /// <exception cref="InvalidArgumentException">A name is there twice or is reserved, a text is no Unicode, or the header would exceed 100 MB.</exception>
    public static SafetensorsPlan Of(IEnumerable<StoredTensor> tensors, IEnumerable<KeyValuePair<string, string>>? metadata)
    {
        // Large elements first: then every tensor is aligned to its elements.
        var sorted = tensors.OrderByDescending(t => t.Size).ThenBy(t => t.Name, StringComparer.Ordinal).ToArray();
        var texts = (metadata ?? []).OrderBy(t => t.Key, StringComparer.Ordinal).ToArray();
        Check([.. sorted.Select(t => t.Name)], [SafetensorsHeader.MetadataName]);
        Check([.. texts.Select(t => t.Key)], [Safetensors.CheckedName, Safetensors.ChecksumName]);
        foreach (var text in texts) CheckText(text.Value);
        return new SafetensorsPlan(sorted, texts);
    }

    /// <summary>Writes the file. Where the stream cannot go back to fill in the checksum, the data is gone through twice.</summary>
    public void WriteTo(Stream stream)
    {
        if (stream.CanSeek)
        {
            var start = stream.Position;
            var sum = WriteAll(stream);
            var end = stream.Position;
            stream.Position = start + _prefix.Length + _checksumAt;
            stream.Write(Encoding.ASCII.GetBytes(Safetensors.Shown(sum)));
            stream.Position = end;
            return;
        }
        var known = Safetensors.SumOf(_prefix, _header, _checksumAt);
        foreach (var tensor in _tensors) tensor.Each(bytes => known = Crc32C.Append(known, bytes));
        Encoding.ASCII.GetBytes(Safetensors.Shown(known)).CopyTo(_header, _checksumAt);
        WriteAll(stream);
    }

    /// <summary>Writes everything, and gives the checksum of what was written.</summary>
    private uint WriteAll(Stream stream)
    {
        var sum = Safetensors.SumOf(_prefix, _header, _checksumAt);
        var disk = stream is FileStream file ? new WriteBack(file.SafeFileHandle) : null;
        stream.Write(_prefix);
        stream.Write(_header);
        foreach (var tensor in _tensors)
            tensor.Each(bytes =>
            {
                sum = Crc32C.Append(sum, bytes);
                stream.Write(bytes);
                disk?.Written(bytes.Length);
            });
        return sum;
    }

    private static void Check(string[] names, string[] reserved)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var name in names)
        {
            CheckText(name);
            if (reserved.Contains(name)) throw Wrong("names other than those the format reserves", $"'{name}'");
            if (!seen.Add(name)) throw Wrong("every name once", $"'{name}' again");
        }
    }

    private static void CheckText(string text)
    {
        try
        {
            Strict.GetByteCount(text);
        }
        catch (EncoderFallbackException)
        {
            throw Wrong("names and texts of whole Unicode characters", "half a surrogate pair");
        }
    }

    private static byte[] Header(StoredTensor[] tensors, KeyValuePair<string, string>[] metadata)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            WriteMetadata(json, metadata);
            var at = 0L;
            foreach (var tensor in tensors) at = WriteEntry(json, tensor, at);
            json.WriteEndObject();
        }
        var padding = (Alignment - (buffer.WrittenCount % Alignment)) % Alignment;
        buffer.GetSpan(padding)[..padding].Fill((byte)' ');
        buffer.Advance(padding);
        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteMetadata(Utf8JsonWriter json, KeyValuePair<string, string>[] metadata)
    {
        json.WriteStartObject(SafetensorsHeader.MetadataName);
        json.WriteString(Safetensors.CheckedName, Safetensors.CheckedBy);
        json.WriteString(Safetensors.ChecksumName, Safetensors.NoChecksum);
        foreach (var (name, text) in metadata) json.WriteString(name, text);
        json.WriteEndObject();
    }

    private static long WriteEntry(Utf8JsonWriter json, StoredTensor stored, long at)
    {
        var end = at + (stored.Tensor.Count * stored.Size);
        json.WriteStartObject(stored.Name);
        json.WriteString("dtype", stored.Tensor.ElementType switch { ElementType.Float32 => "F32", ElementType.Float64 => "F64", _ => "I32" });
        json.WriteStartArray("shape");
        foreach (var extent in stored.Extents) json.WriteNumberValue(extent);
        json.WriteEndArray();
        json.WriteStartArray("data_offsets");
        json.WriteNumberValue(at);
        json.WriteNumberValue(end);
        json.WriteEndArray();
        json.WriteEndObject();
        return end;
    }

    private static InvalidArgumentException Wrong(string expected, string got) => new("Safetensors.Write", expected, got);
}

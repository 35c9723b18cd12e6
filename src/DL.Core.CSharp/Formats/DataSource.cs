using static System.FormattableString;

namespace DL.Core.Formats;

/// <summary>What every reader reads from: the caller's stream, decompressed if it is gzip, counted against the limits.</summary>
internal sealed class DataSource : ReadOnlyStream
{
    private readonly RawStream _raw;
    private readonly Stream _decoded;
    private readonly ReadLimits _limits;
    private readonly long? _length;

    private DataSource(RawStream raw, Stream decoded, ReadLimits limits, string name, long? length)
    {
        (_raw, _decoded, _limits, Name, _length) = (raw, decoded, limits, name, length);
    }

    public string Name { get; }

    /// <summary>The decompressed bytes read so far.</summary>
    public long Count { get; private set; }

    /// <summary>The CRC-32C of all that was read since it was set; none is computed where it is null.</summary>
    public uint? Sum { get; set; }

    public string Where => Invariant($"{Name}, byte {Count}");

    /// <summary>How many bytes are still to come, where the stream knows: what is claimed beyond them can be refused before it is read.</summary>
    public long? Left => _length - Count;

    /// <summary>Wraps a stream, which stays the caller's to close.</summary>
    public static DataSource Over(Stream stream, ReadLimits limits, string name)
    {
        var raw = Readable(stream, name);
        var length = LengthOf(stream);
        return GzipMembers.Announced(raw.Peek(2))
            ? new DataSource(raw, new GzipMembers(raw), limits, name, null)
            : new DataSource(raw, raw, limits, name, length);
    }

    /// <summary>Wraps a stream of a format whose first bytes may be any, gzip's among them: it is never decompressed.</summary>
    public static DataSource Plain(Stream stream, ReadLimits limits, string name)
    {
        var raw = Readable(stream, name);
        return new DataSource(raw, raw, limits, name, LengthOf(stream));
    }

    private static RawStream Readable(Stream stream, string name) => stream is { CanRead: true }
        ? new RawStream(stream, name)
        : throw new InvalidArgumentException(name, "a stream that can be read", stream is null ? "null" : "a closed or write-only stream");

    private static long? LengthOf(Stream stream) => stream.CanSeek ? stream.Length - stream.Position : null;

    /// <summary>Opens a file for the time of <paramref name="read"/>; errors name it by its path.</summary>
    public static T FromFile<T>(string path, Func<Stream, T> read)
    {
        if (string.IsNullOrWhiteSpace(path))
            throw new InvalidArgumentException("path", "the path of a file", path is null ? "null" : "an empty text");
        using var file = OpenFile(path);
        return read(file);
    }

    public override int Read(Span<byte> buffer)
    {
        var allowed = _limits.MaxBytes - Count;
        var wanted = buffer.Length > allowed ? buffer[..(int)Math.Min(allowed + 1, buffer.Length)] : buffer;
        var count = ReferenceEquals(_decoded, _raw) ? _raw.ReadThrough(wanted) : _decoded.Read(wanted);
        Count += count;
        if (Sum is { } sum) Sum = Crc32C.Append(sum, wanted[..count]);
        if (Count > _limits.MaxBytes)
            throw TooMuch(Invariant($"at most {_limits.MaxBytes} bytes"), "more", nameof(ReadLimits.MaxBytes));
        if (Count > ReadLimits.ExpansionGrace && Count / _limits.MaxExpansion > _raw.Consumed)
            throw TooMuch(
                Invariant($"at most {_limits.MaxExpansion} bytes from each compressed one"), Invariant($"{Count} bytes from {_raw.Consumed}"), nameof(ReadLimits.MaxExpansion));
        return count;
    }

    private DataFormatException TooMuch(string expected, string got, string limit) =>
        new(Where, expected, got, $"Raise ReadLimits.{limit} if you trust the source.");

    private static FileStream OpenFile(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new DataFormatException(path, "a file", "no file of that name", $"Check the path; the current directory is {Environment.CurrentDirectory}.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new DataFormatException(path, "a file that can be read", e.Message.TrimEnd('.'), inner: e);
        }
    }
}

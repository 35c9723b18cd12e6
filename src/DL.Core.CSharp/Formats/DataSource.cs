using static System.FormattableString;

namespace DL.Core.Formats;

/// <summary>What every reader reads from: the caller's stream, decompressed if it is gzip, counted against the limits.</summary>
internal sealed class DataSource : ReadOnlyStream
{
    private readonly RawStream _raw;
    private readonly Stream _decoded;
    private readonly ReadLimits _limits;

    private DataSource(RawStream raw, Stream decoded, ReadLimits limits, string name)
    {
        (_raw, _decoded, _limits, Name) = (raw, decoded, limits, name);
    }

    public string Name { get; }

    /// <summary>The decompressed bytes read so far.</summary>
    public long Count { get; private set; }

    public string Where => Invariant($"{Name}, byte {Count}");

    /// <summary>Wraps a stream, which stays the caller's to close.</summary>
    public static DataSource Over(Stream stream, ReadLimits limits, string name)
    {
        if (stream is null || !stream.CanRead)
            throw new InvalidArgumentException(name, "a stream that can be read", stream is null ? "null" : "a closed or write-only stream");
        var raw = new RawStream(stream, name);
        var compressed = GzipMembers.Announced(raw.Peek(2));
        return new DataSource(raw, compressed ? new GzipMembers(raw) : raw, limits, name);
    }

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
        var count = _decoded.Read(buffer.Length > allowed ? buffer[..(int)Math.Min(allowed + 1, buffer.Length)] : buffer);
        Count += count;
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

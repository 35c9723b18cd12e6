using DL.Core.Formats;

namespace DL.Core.Data;

/// <summary>Whole files, plain or gzip, within limits.</summary>
internal static class FileBytes
{
    /// <summary>All bytes of a file; errors name it by its path.</summary>
    public static byte[] Read(string path, ReadLimits? limits) => DataSource.FromFile(path, stream => Read(stream, limits, path));

    /// <summary>All bytes of a stream, which stays open.</summary>
    public static byte[] Read(Stream stream, ReadLimits? limits, string source)
    {
        limits ??= ReadLimits.Default;
        var data = DataSource.Over(stream, limits with { MaxBytes = Math.Min(limits.MaxBytes, Array.MaxLength) }, source);
        var (bytes, count) = (new byte[1 << 16], 0);
        for (int read; (read = data.Read(bytes.AsSpan(count))) > 0;)
        {
            count += read;
            if (count == bytes.Length) Array.Resize(ref bytes, (int)Math.Min(2L * count, Array.MaxLength));
        }

        Array.Resize(ref bytes, count);
        return bytes;
    }
}

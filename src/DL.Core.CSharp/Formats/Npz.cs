using System.IO.Compression;
using static System.FormattableString;

namespace DL.Core.Formats;

/// <summary>Reads and writes npz, the format of named arrays of numpy: a zip archive with an npy file for each.</summary>
/// <remarks>
/// Reading checks the length and the checksum of every array against the archive, and holds what comes out of it against the limits. Equal
/// arrays in equal order give equal bytes when written. Source of the format: the numpy developers, <c>numpy.savez</c>.
/// </remarks>
public static class Npz
{
    private const string Extension = ".npy";
    private const int MaxName = ushort.MaxValue - 4;

    // The first moment a zip archive can name: what is written must not depend on the time.
    private static readonly DateTimeOffset Timeless = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Reads arrays from a file.</summary>
    /// <param name="path">The file; errors name it.</param>
    /// <param name="limits">How much may be read, <see cref="ReadLimits.Default"/> if null.</param>
    /// <returns>The arrays by name, in the order of the archive.</returns>
    /// <exception cref="DataFormatException">There is no such file, it cannot be read, or it is not npz within the limits.</exception>
    /// <exception cref="InvalidArgumentException">The path is empty.</exception>
    public static IReadOnlyDictionary<string, Tensor> Read(string path, ReadLimits? limits = null) =>
        DataSource.FromFile(path, stream => Read(stream, limits, path));

    /// <summary>Reads arrays from a stream, to its end; the stream stays open. One that is not seekable is held in memory meanwhile.</summary>
    /// <param name="stream">The archive.</param>
    /// <param name="limits">How much may be read, <see cref="ReadLimits.Default"/> if null.</param>
    /// <param name="source">What errors call the stream.</param>
    /// <returns>The arrays by name, in the order of the archive.</returns>
    /// <exception cref="DataFormatException">It is not npz within the limits: no archive, a file other than npy, a name twice, a wrong length or checksum.</exception>
    /// <exception cref="InvalidArgumentException">The stream cannot be read.</exception>
    public static IReadOnlyDictionary<string, Tensor> Read(Stream stream, ReadLimits? limits = null, string source = "stream")
    {
        limits ??= ReadLimits.Default;
        var held = stream is { CanRead: true, CanSeek: true } ? stream : Held(DataSource.Plain(stream, limits, source));
        try
        {
            using var archive = new ZipArchive(held, ZipArchiveMode.Read, leaveOpen: true);
            return ReadAll(archive, limits, source);
        }
        catch (Exception e) when (e is InvalidDataException or IOException or NotSupportedException or ArgumentException or ObjectDisposedException)
        {
            throw new DataFormatException(source, "an npz archive", e.Message.TrimEnd('.'), inner: e);
        }
    }

    /// <summary>Writes arrays to a file, whole or not at all; a file of that name is replaced.</summary>
    /// <param name="path">The file.</param>
    /// <param name="tensors">The arrays by name, such as a dictionary.</param>
    /// <param name="compress">True to deflate, as <c>numpy.savez_compressed</c> does.</param>
    /// <exception cref="InvalidArgumentException">A name is there twice, is empty or too long, or the file cannot be written: nothing is changed.</exception>
    public static void Write(string path, IEnumerable<KeyValuePair<string, Tensor>> tensors, bool compress = false)
    {
        var all = Checked(tensors);
        WholeFile.Write(path, stream => WriteAll(stream, all, compress));
    }

    /// <summary>Writes arrays to a stream, which stays open.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="tensors">The arrays by name, such as a dictionary.</param>
    /// <param name="compress">True to deflate, as <c>numpy.savez_compressed</c> does.</param>
    /// <exception cref="InvalidArgumentException">A name is there twice, is empty or too long, or the stream cannot be written to: nothing is written.</exception>
    public static void Write(Stream stream, IEnumerable<KeyValuePair<string, Tensor>> tensors, bool compress = false)
    {
        if (stream is not { CanWrite: true }) throw new InvalidArgumentException("Npz.Write", "a stream that can be written to", "another");
        WriteAll(stream, Checked(tensors), compress);
    }

    private static OrderedDictionary<string, Tensor> ReadAll(ZipArchive archive, ReadLimits limits, string source)
    {
        var tensors = new OrderedDictionary<string, Tensor>(StringComparer.Ordinal);
        var left = limits.MaxBytes;
        foreach (var entry in archive.Entries)
        {
            var where = $"{source}, {entry.FullName}";
            if (!entry.FullName.EndsWith(Extension, StringComparison.Ordinal) || entry.FullName.Length == Extension.Length)
                throw new DataFormatException(where, "names that end in .npy", $"'{entry.FullName}'");
            if (entry.Length > left)
                throw new DataFormatException(where, Invariant($"at most {limits.MaxBytes} bytes in all"), "more", "Raise ReadLimits.MaxBytes if you trust the source.");
            left -= entry.Length;
            if (!tensors.TryAdd(entry.FullName[..^Extension.Length], ReadEntry(entry, limits, where)))
                throw new DataFormatException(where, "every name once", $"'{entry.FullName}' again");
        }
        return tensors;
    }

    private static Tensor ReadEntry(ZipArchiveEntry entry, ReadLimits limits, string where)
    {
        using var opened = entry.Open();
        var unpacked = new NpzEntry(opened, entry, limits, where);
        var tensor = Npy.Read(DataSource.Plain(unpacked, limits, where), limits);
        unpacked.CheckEnd();
        return tensor;
    }

    private static MemoryStream Held(DataSource data)
    {
        var held = new MemoryStream();
        data.CopyTo(held);
        held.Position = 0;
        return held;
    }

    private static KeyValuePair<string, Tensor>[] Checked(IEnumerable<KeyValuePair<string, Tensor>> tensors)
    {
        var all = tensors.ToArray();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, _) in all)
        {
            if (string.IsNullOrEmpty(name)) throw new InvalidArgumentException("Npz.Write", "names", "an empty one");
            if (System.Text.Encoding.UTF8.GetByteCount(name) > MaxName)
                throw new InvalidArgumentException("Npz.Write", Invariant($"names of at most {MaxName} bytes"), $"'{name[..40]}...'");
            if (!seen.Add(name)) throw new InvalidArgumentException("Npz.Write", "every name once", $"'{name}' again");
        }
        return all;
    }

    private static void WriteAll(Stream stream, KeyValuePair<string, Tensor>[] tensors, bool compress)
    {
        using var archive = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
        foreach (var (name, tensor) in tensors)
        {
            var entry = archive.CreateEntry(name + Extension, compress ? CompressionLevel.Optimal : CompressionLevel.NoCompression);
            entry.LastWriteTime = Timeless;
            using var target = entry.Open();
            Npy.Write(target, tensor);
        }
    }
}

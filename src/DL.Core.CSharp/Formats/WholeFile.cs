namespace DL.Core.Formats;

/// <summary>Files that are written whole or not at all.</summary>
public static class WholeFile
{
    /// <summary>Writes a file of these bytes; a file of that name is replaced.</summary>
    /// <param name="path">The file; its folder must be there.</param>
    /// <param name="bytes">All its bytes.</param>
    /// <exception cref="InvalidArgumentException">The path is empty or cannot be written to: a file that was there is as it was.</exception>
    public static void Write(string path, ReadOnlySpan<byte> bytes)
    {
        if (string.IsNullOrWhiteSpace(path)) throw new InvalidArgumentException("file to write", "a path", $"'{path}'");
        // In the same folder, since a rename is one step only within a file system.
        var partial = $"{path}.{Guid.NewGuid():N}.partial";
        try
        {
            using (var file = new FileStream(partial, FileMode.CreateNew, FileAccess.Write))
                file.Write(bytes);
            File.Move(partial, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            Remove(partial);
            throw new InvalidArgumentException(path, "a file that can be written", e.Message, "Make its folder, or name another.");
        }
    }

    private static void Remove(string partial)
    {
        try
        {
            File.Delete(partial);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            // What could not be written is what is told.
        }
    }
}

namespace DL.Core.Formats;

/// <summary>Files that are written whole or not at all: after a crash, a kill or a full disk the old file is there or the new one, never a part.</summary>
/// <remarks>
/// The bytes go to a file of another name in the same folder, are flushed to the disk, and the file is renamed, which is one step within a
/// file system; then the folder is flushed where the system can do that (Linux, macOS), so that the new name outlives a power failure.
/// What a killed process left behind is removed when the same file is written next.
/// </remarks>
public static class WholeFile
{
    private const string Suffix = ".partial";

    /// <summary>Writes a file of these bytes; a file of that name is replaced.</summary>
    /// <param name="path">The file; its folder must be there.</param>
    /// <param name="bytes">All its bytes.</param>
    /// <exception cref="InvalidArgumentException">The path is empty or cannot be written to: a file that was there is as it was.</exception>
    public static void Write(string path, ReadOnlySpan<byte> bytes)
    {
        using var save = new Save(path);
        try
        {
            save.File.Write(bytes);
            save.Commit();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw NotWritten(path, e);
        }
    }

    /// <summary>Writes a file by a function; a file of that name is replaced.</summary>
    /// <param name="path">The file; its folder must be there. A link is followed, and the permissions of a file that was there are kept.</param>
    /// <param name="write">Writes all bytes to the stream it is given, which can be searched and stays open.</param>
    /// <exception cref="InvalidArgumentException">The path is empty or cannot be written to: a file that was there is as it was.</exception>
    /// <remarks>An exception of the function's own goes through; the file that was there is as it was then, too.</remarks>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        using var save = new Save(path);
        try
        {
            write(save.File);
            save.Commit();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw NotWritten(path, e);
        }
    }

    private static bool IsDevice(string path) =>
        !OperatingSystem.IsWindows() && path.StartsWith("/dev/", StringComparison.Ordinal) && !path.StartsWith("/dev/shm/", StringComparison.Ordinal);

    private static bool IsOfFiles(Exception e) => e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException;

    private static InvalidArgumentException NotWritten(string path, Exception e) =>
        new(path, "a file that can be written", e.Message.TrimEnd('.'), "Make its folder, free the disk, or name another file.");

    /// <summary>One write: a file beside the target that takes its place or goes.</summary>
    private sealed class Save : IDisposable
    {
        private const int NameLength = 32;
        private readonly string _target, _partial;
        private bool _committed;

        public Save(string path)
        {
            if (string.IsNullOrWhiteSpace(path)) throw new InvalidArgumentException("file to write", "a path", $"'{path}'");
            try
            {
                // A rename would put a file in the place of a link, and leave what it points to.
                var link = new FileInfo(path);
                _target = link.LinkTarget is null ? link.FullName : link.ResolveLinkTarget(returnFinalTarget: true)!.FullName;
                if (IsDevice(_target)) throw new InvalidArgumentException(path, "a file", "a place for devices, one of which a file would replace");
                RemoveAbandoned(_target);
                _partial = $"{_target}.{Guid.NewGuid():N}{Suffix}";
                // Sharing that lets the file be renamed while it is open, and tells other processes that it is in use.
                File = new FileStream(_partial, FileMode.CreateNew, FileAccess.Write, FileShare.Delete);
            }
            catch (Exception e) when (IsOfFiles(e))
            {
                throw NotWritten(path, e);
            }
        }

        public FileStream File { get; }

        public void Commit()
        {
            if (!OperatingSystem.IsWindows() && System.IO.File.Exists(_target))
                System.IO.File.SetUnixFileMode(File.SafeFileHandle, System.IO.File.GetUnixFileMode(_target));
            File.Flush(flushToDisk: true);
            System.IO.File.Move(_partial, _target, overwrite: true);
            _committed = true;
            Disk.FlushFolder(Path.GetDirectoryName(_target)!);
        }

        public void Dispose()
        {
            Close();
            if (!_committed) Remove(_partial);
        }

        // A disk that is full is found so when the last bytes leave the buffer, which may be here.
        private void Close()
        {
            try
            {
                File.Dispose();
            }
            catch (Exception e) when (IsOfFiles(e))
            {
                // What could not be written has been told already.
            }
        }

        private static void RemoveAbandoned(string target)
        {
            var folder = Path.GetDirectoryName(target);
            var name = Path.GetFileName(target);
            if (folder is null || name.Length == 0 || !Directory.Exists(folder)) return;
            foreach (var file in Directory.EnumerateFiles(folder))
            {
                var other = Path.GetFileName(file);
                if (other.Length == name.Length + 1 + NameLength + Suffix.Length && other.StartsWith(name + ".", StringComparison.Ordinal)
                    && other.EndsWith(Suffix, StringComparison.Ordinal) && Guid.TryParseExact(other.AsSpan(name.Length + 1, NameLength), "N", out _))
                    RemoveUnused(file);
            }
        }

        /// <summary>A file that another process still writes is locked, and left.</summary>
        private static void RemoveUnused(string file)
        {
            try
            {
                using (new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.None))
                {
                }
                System.IO.File.Delete(file);
            }
            catch (Exception e) when (IsOfFiles(e))
            {
                // It is in use, or gone already.
            }
        }

        private static void Remove(string partial)
        {
            try
            {
                System.IO.File.Delete(partial);
            }
            catch (Exception e) when (IsOfFiles(e))
            {
                // What could not be written is what is told.
            }
        }
    }
}

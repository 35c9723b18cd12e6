using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace DL.Core.Formats;

/// <summary>What the base library does not ask of a disk.</summary>
internal static partial class Disk
{
    private const int ReadOnly = 0;
    private const uint StartWriting = 2;

    /// <summary>Makes the names in a folder lasting, which flushing the files does not do on Unix.</summary>
    /// <remarks>On Windows, whose file systems keep a journal of names, nothing happens. A file system that cannot do this refuses it, and then
    /// there is nothing to be done: the names in it are right already.</remarks>
    public static void FlushFolder(string path)
    {
        if (OperatingSystem.IsWindows()) return;
        var descriptor = Open(path, ReadOnly);
        if (descriptor < 0) return;
        _ = Synchronize(descriptor);
        _ = Close(descriptor);
    }

    /// <summary>Lets the disk begin with what has been written to a file, while more of it is made; false where the system cannot be asked to.</summary>
    public static bool Begin(SafeFileHandle file)
    {
        if (!OperatingSystem.IsLinux()) return false;
        try
        {
            // Zero bytes are all there are.
            return SynchronizeRange(file, 0, 0, StartWriting) == 0;
        }
        catch (EntryPointNotFoundException)
        {
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Synchronize(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "sync_file_range")]
    private static partial int SynchronizeRange(SafeFileHandle file, long offset, long count, uint flags);
}

/// <summary>Keeps the disk busy while a large file is written, so that less is left to wait for at the end.</summary>
internal sealed class WriteBack(SafeFileHandle file)
{
    private const long Share = 1 << 23;
    private long _waiting;
    private bool _refused;

    /// <summary>Tells that so many bytes more have been written.</summary>
    public void Written(int count)
    {
        _waiting += count;
        if (_refused || _waiting < Share) return;
        _waiting = 0;
        _refused = !Disk.Begin(file);
    }
}

using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace DL.Core.Kernels;

/// <summary>Looks at a library before the loader of Linux does, which ends the process when a file is shorter than its own header says.</summary>
internal static class ElfFile
{
    private const int HeaderSize = 64;
    private const int EntrySize = 56;
    private const int LoadSegment = 1;
    private const int MostSegments = 1024;

    /// <summary>Why the file is no library of this processor, or null when nothing speaks against it.</summary>
    internal static string? Fault(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            return Fault(file);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return "it cannot be read";
        }
    }

    private static string? Fault(FileStream file)
    {
        Span<byte> header = stackalloc byte[HeaderSize];
        if (file.ReadAtLeast(header, HeaderSize, throwOnEndOfStream: false) < HeaderSize || !header[..4].SequenceEqual("\u007fELF"u8))
            return "it is not an ELF file";
        const byte Bits64 = 2;
        var machine = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 183 : 62;
        if (header[4] != Bits64 || BinaryPrimitives.ReadUInt16LittleEndian(header[18..]) != machine)
            return "it is made for another processor";
        var table = BinaryPrimitives.ReadInt64LittleEndian(header[32..]);
        int size = BinaryPrimitives.ReadUInt16LittleEndian(header[54..]), count = BinaryPrimitives.ReadUInt16LittleEndian(header[56..]);
        if (size != EntrySize || count > MostSegments || table < 0 || table > file.Length - (long)count * EntrySize)
            return "its header is damaged";
        file.Position = table;
        Span<byte> segment = stackalloc byte[EntrySize];
        for (var i = 0; i < count; i++)
        {
            file.ReadExactly(segment);
            long offset = BinaryPrimitives.ReadInt64LittleEndian(segment[8..]), bytes = BinaryPrimitives.ReadInt64LittleEndian(segment[32..]);
            if (BinaryPrimitives.ReadInt32LittleEndian(segment) == LoadSegment && (offset < 0 || bytes < 0 || offset > file.Length - bytes))
                return $"it is cut short at {file.Length} bytes";
        }
        return null;
    }
}

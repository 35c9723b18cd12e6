using System.IO.Compression;
using static System.FormattableString;

namespace DL.Core.Formats;

/// <summary>The unpacked bytes of one file of an archive, held against what the archive says of it: length, checksum, and how far they may expand.</summary>
/// <remarks>The base library reads an entry without comparing its checksum.</remarks>
internal sealed class NpzEntry(Stream opened, ZipArchiveEntry entry, ReadLimits limits, string where) : ReadOnlyStream
{
    private uint _crc;
    private long _count;

    public override int Read(Span<byte> buffer)
    {
        var count = Unpacked(buffer);
        _crc = Crc32.Append(_crc, buffer[..count]);
        _count += count;
        if (_count > entry.Length) throw new DataFormatException(where, Invariant($"{entry.Length} bytes, as the archive says"), "more");
        if (_count > ReadLimits.ExpansionGrace && _count / limits.MaxExpansion > entry.CompressedLength)
            throw new DataFormatException(where, Invariant($"at most {limits.MaxExpansion} bytes from each compressed one"),
                Invariant($"{_count} from {entry.CompressedLength}"), "Raise ReadLimits.MaxExpansion if you trust the source.");
        return count;
    }

    /// <summary>Demands that all was read and matches the checksum.</summary>
    public void CheckEnd()
    {
        if (_count != entry.Length) throw new DataFormatException(where, Invariant($"{entry.Length} bytes, as the archive says"), Invariant($"{_count}"));
        if (_crc != entry.Crc32) throw new DataFormatException(where, Invariant($"the checksum {entry.Crc32:x8}"), Invariant($"{_crc:x8}"), "The file is damaged: take another copy of it.");
    }

    private int Unpacked(Span<byte> buffer)
    {
        try
        {
            return opened.Read(buffer);
        }
        catch (InvalidDataException e)
        {
            throw new DataFormatException(where, "deflate-compressed data", "a block that does not decode", inner: e);
        }
    }
}

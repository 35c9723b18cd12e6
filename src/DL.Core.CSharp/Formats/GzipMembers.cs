using System.Buffers.Binary;
using System.IO.Compression;
using static System.FormattableString;

namespace DL.Core.Formats;

/// <summary>The decompressed bytes of a gzip file (RFC 1952), every member's checksum and length verified, nothing allowed after the last.</summary>
/// <remarks>
/// The base library's GZipStream takes a file cut anywhere for a complete one and ignores what follows it, so the frame is read here.
/// DeflateStream reads ahead without telling how far; but what the trailer must hold is known once the data is out, so it is looked
/// for in the chunk the data ended in.
/// </remarks>
internal sealed class GzipMembers(RawStream raw) : ReadOnlyStream
{
    private const int TrailerLength = 8;
    private const int CheckHeader = 2, Extra = 4, Name = 8, Comment = 16, Reserved = 0xE0;
    private Feed _feed = new(raw);
    private DeflateStream? _member;
    private uint _crc, _length;
    private bool _ended;

    /// <summary>True if the bytes begin as gzip does; no format that may come compressed does.</summary>
    public static bool Announced(ReadOnlySpan<byte> start) => start is [0x1F, 0x8B, ..];

    public override int Read(Span<byte> buffer)
    {
        while (!_ended && !buffer.IsEmpty)
        {
            _member ??= OpenMember();
            var count = Inflate(_member, buffer);
            if (count > 0)
            {
                _crc = Crc32.Append(_crc, buffer[..count]);
                _length += (uint)count;
                return count;
            }
            CloseMember();
        }
        return 0;
    }

    private int Inflate(DeflateStream member, Span<byte> buffer)
    {
        try
        {
            return member.Read(buffer);
        }
        catch (InvalidDataException e)
        {
            throw new DataFormatException(raw.Where, "deflate-compressed data", "a block that does not decode", Mend, e);
        }
    }

    private DeflateStream OpenMember()
    {
        var header = raw.Peek(10);
        if (header.Length < 10 || !Announced(header) || header[2] != 8 || (header[3] & Reserved) != 0)
            throw new DataFormatException(raw.Where, "a gzip header (1f 8b, method 8)", Bytes(header), Mend);
        var flags = header[3];
        raw.Skip(10);
        if ((flags & Extra) != 0)
            SkipBytes(BinaryPrimitives.ReadUInt16LittleEndian(Take(2)));
        if ((flags & Name) != 0)
            SkipText();
        if ((flags & Comment) != 0)
            SkipText();
        if ((flags & CheckHeader) != 0)
            SkipBytes(2);
        (_crc, _length, _feed) = (0, 0, new Feed(raw));
        return new DeflateStream(_feed, CompressionMode.Decompress, leaveOpen: true);
    }

    private void CloseMember()
    {
        _member!.Dispose();
        _member = null;
        raw.StepBack(_feed.LastCount);
        Span<byte> trailer = stackalloc byte[TrailerLength];
        BinaryPrimitives.WriteUInt32LittleEndian(trailer, _crc);
        BinaryPrimitives.WriteUInt32LittleEndian(trailer[4..], _length);
        var window = raw.Peek(_feed.LastCount + TrailerLength);
        var at = window.IndexOf(trailer);
        if (at < 0)
            throw Damaged();
        // An empty member's trailer is all zeros, as the last byte of its data is: the trailer is the last eight of them.
        while (_length == 0 && at + 1 + TrailerLength <= window.Length && window.Slice(at + 1, TrailerLength).SequenceEqual(trailer))
            at++;
        raw.Skip(at + TrailerLength);
        var rest = raw.Peek(2);
        _ended = rest.IsEmpty;
        if (!_ended && !Announced(rest))
            throw new DataFormatException(raw.Where, "the end of the gzip data", $"more bytes: {Bytes(rest)}", "Remove what follows the gzip data.");
    }

    private DataFormatException Damaged()
    {
        var expected = Invariant($"a gzip trailer with checksum {_crc:x8} and length {_length}");
        return new DataFormatException(raw.Where, expected, "none", Mend, new InvalidDataException("The gzip data is cut short or its checksum does not match."));
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        var bytes = raw.Peek(count);
        if (bytes.Length < count)
            throw new DataFormatException(raw.Where, "a complete gzip header", "the end of the data", Mend);
        raw.Skip(count);
        return bytes[..count];
    }

    private void SkipBytes(int count)
    {
        for (var i = 0; i < count; i++)
            Take(1);
    }

    private void SkipText()
    {
        while (Take(1)[0] != 0)
        {
        }
    }

    private const string Mend = "The file is damaged or was cut short: fetch it again.";

    private static string Bytes(ReadOnlySpan<byte> bytes) =>
        bytes.IsEmpty ? "the end of the data" : Convert.ToHexStringLower(bytes[..Math.Min(bytes.Length, 10)]);

    /// <summary>Hands the compressed bytes to the decoder and remembers how many it was given last.</summary>
    private sealed class Feed(RawStream raw) : ReadOnlyStream
    {
        public int LastCount { get; private set; }

        public override int Read(Span<byte> buffer)
        {
            var count = raw.Read(buffer);
            if (count > 0)
                LastCount = count;
            return count;
        }
    }
}

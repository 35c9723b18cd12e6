using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace DL.Core.Formats;

/// <summary>The CRC-32 of RFC 1952 (polynomial 0xEDB88320, reflected), eight bytes a step.</summary>
internal static class Crc32
{
    private const uint Polynomial = 0xEDB88320;
    private static readonly uint[] Table = BuildTable();

    /// <summary>The checksum of a text followed by <paramref name="bytes"/>, from the text's checksum (0 for none).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        var t = Table;
        crc = ~crc;
        while (bytes.Length >= 8)
        {
            var low = BinaryPrimitives.ReadUInt32LittleEndian(bytes) ^ crc;
            var high = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
            crc = t[0x700 + (low & 0xFF)] ^ t[0x600 + (low >> 8 & 0xFF)] ^ t[0x500 + (low >> 16 & 0xFF)] ^ t[0x400 + (low >> 24)]
                ^ t[0x300 + (high & 0xFF)] ^ t[0x200 + (high >> 8 & 0xFF)] ^ t[0x100 + (high >> 16 & 0xFF)] ^ t[high >> 24];
            bytes = bytes[8..];
        }
        foreach (var b in bytes)
            crc = t[(crc ^ b) & 0xFF] ^ crc >> 8;
        return ~crc;
    }

    private static uint[] BuildTable()
    {
        var table = new uint[8 * 256];
        for (var i = 0; i < 256; i++)
        {
            var crc = (uint)i;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? crc >> 1 ^ Polynomial : crc >> 1;
            table[i] = crc;
        }
        for (var i = 256; i < table.Length; i++)
            table[i] = table[table[i - 256] & 0xFF] ^ table[i - 256] >> 8;
        return table;
    }
}

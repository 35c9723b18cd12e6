using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace DL.Core.Formats;

/// <summary>The CRC-32C of RFC 3720 (polynomial 0x82F63B78, reflected), by the processor's own instruction where it has one.</summary>
/// <remarks>It finds every error within 32 bits. The CRC of gzip has no instruction and is several times slower.</remarks>
internal static class Crc32C
{
    /// <summary>The checksum of a text followed by <paramref name="bytes"/>, from the text's checksum (0 for none).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        crc = ~crc;
        while (bytes.Length >= 8)
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[8..];
        }
        foreach (var b in bytes)
            crc = BitOperations.Crc32C(crc, b);
        return ~crc;
    }
}

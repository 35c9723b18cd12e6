using System.Buffers.Binary;

namespace DL.Core.Formats;

/// <summary>How numbers lie in a file, little-endian.</summary>
internal enum NumberFormat
{
    Bool,
    Int8,
    UInt8,
    Int16,
    UInt16,
    Int32,
    UInt32,
    Int64,
    UInt64,
    Half,
    BFloat16,
    Single,
    Double,
}

/// <summary>Numbers of a file as elements of a tensor: floating point as float32, or float64 where it is that; integers and truth values as int32.</summary>
internal static class Numbers
{
    /// <summary>Elements decoded from bytes; the place of the first that does not fit, or -1.</summary>
    public delegate int Decode<T>(ReadOnlySpan<byte> from, Span<T> to);

    /// <summary>The bytes of one number.</summary>
    public static int SizeOf(NumberFormat format) => format switch
    {
        NumberFormat.Bool or NumberFormat.Int8 or NumberFormat.UInt8 => 1,
        NumberFormat.Int16 or NumberFormat.UInt16 or NumberFormat.Half or NumberFormat.BFloat16 => 2,
        NumberFormat.Int32 or NumberFormat.UInt32 or NumberFormat.Single => 4,
        _ => 8,
    };

    /// <summary>The format a tensor's elements are written in.</summary>
    public static NumberFormat Of(ElementType type) => type switch
    {
        ElementType.Float32 => NumberFormat.Single,
        ElementType.Float64 => NumberFormat.Double,
        _ => NumberFormat.Int32,
    };

    public static int Halves(ReadOnlySpan<byte> from, Span<float> to)
    {
        for (var i = 0; i < to.Length; i++) to[i] = (float)BinaryPrimitives.ReadHalfLittleEndian(from[(2 * i)..]);
        return -1;
    }

    public static int BFloats(ReadOnlySpan<byte> from, Span<float> to)
    {
        for (var i = 0; i < to.Length; i++) to[i] = BitConverter.UInt32BitsToSingle((uint)BinaryPrimitives.ReadUInt16LittleEndian(from[(2 * i)..]) << 16);
        return -1;
    }

    public static int Truths(ReadOnlySpan<byte> from, Span<int> to)
    {
        for (var i = 0; i < to.Length; i++)
        {
            if (from[i] > 1) return i;
            to[i] = from[i];
        }
        return -1;
    }

    public static int Bytes(ReadOnlySpan<byte> from, Span<int> to)
    {
        for (var i = 0; i < to.Length; i++) to[i] = from[i];
        return -1;
    }

    public static int SignedBytes(ReadOnlySpan<byte> from, Span<int> to)
    {
        for (var i = 0; i < to.Length; i++) to[i] = (sbyte)from[i];
        return -1;
    }

    public static int Shorts(ReadOnlySpan<byte> from, Span<int> to)
    {
        for (var i = 0; i < to.Length; i++) to[i] = BinaryPrimitives.ReadInt16LittleEndian(from[(2 * i)..]);
        return -1;
    }

    public static int UnsignedShorts(ReadOnlySpan<byte> from, Span<int> to)
    {
        for (var i = 0; i < to.Length; i++) to[i] = BinaryPrimitives.ReadUInt16LittleEndian(from[(2 * i)..]);
        return -1;
    }

    public static int UnsignedInts(ReadOnlySpan<byte> from, Span<int> to)
    {
        for (var i = 0; i < to.Length; i++)
        {
            to[i] = BinaryPrimitives.ReadInt32LittleEndian(from[(4 * i)..]);
            if (to[i] < 0) return i;
        }
        return -1;
    }

    public static int Longs(ReadOnlySpan<byte> from, Span<int> to)
    {
        for (var i = 0; i < to.Length; i++)
        {
            var value = BinaryPrimitives.ReadInt64LittleEndian(from[(8 * i)..]);
            if (value != (int)value) return i;
            to[i] = (int)value;
        }
        return -1;
    }

    public static int UnsignedLongs(ReadOnlySpan<byte> from, Span<int> to)
    {
        for (var i = 0; i < to.Length; i++)
        {
            var value = BinaryPrimitives.ReadUInt64LittleEndian(from[(8 * i)..]);
            if (value > int.MaxValue) return i;
            to[i] = (int)value;
        }
        return -1;
    }
}

using System.Buffers.Binary;
using static System.FormattableString;

namespace DL.Core.Formats;

/// <summary>The element types of the IDX format, by their codes.</summary>
public enum IdxType : byte
{
    /// <summary>Unsigned 8-bit integers.</summary>
    UnsignedByte = 0x08,

    /// <summary>Signed 8-bit integers.</summary>
    SignedByte = 0x09,

    /// <summary>Signed 16-bit integers.</summary>
    Int16 = 0x0B,

    /// <summary>Signed 32-bit integers.</summary>
    Int32 = 0x0C,

    /// <summary>32-bit floating point.</summary>
    Single = 0x0D,

    /// <summary>64-bit floating point.</summary>
    Double = 0x0E,
}

/// <summary>An array read from an IDX file: its sizes and its elements, row-major.</summary>
public sealed class IdxArray
{
    private readonly byte[] _bytes;

    internal IdxArray(IdxType type, int[] dims, byte[] bytes)
    {
        (Type, Dims, _bytes) = (type, dims, bytes);
        Count = bytes.Length / SizeOf(type);
    }

    /// <summary>The type of the elements in the file.</summary>
    public IdxType Type { get; }

    /// <summary>The size of each axis, outermost first.</summary>
    public IReadOnlyList<int> Dims { get; }

    /// <summary>The number of elements, the product of <see cref="Dims"/>.</summary>
    public int Count { get; }

    /// <summary>The elements as unsigned bytes, [Count].</summary>
    /// <exception cref="InvalidArgumentException">The elements are of another type.</exception>
    public byte[] ToBytes() => [.. Held()];

    /// <summary>The unsigned bytes themselves, for readers that keep them and drop the array.</summary>
    internal byte[] Held() => Type == IdxType.UnsignedByte ? _bytes : throw NotOf("unsigned bytes");

    /// <summary>The elements as integers, [Count]; exact for every integer type.</summary>
    /// <exception cref="InvalidArgumentException">The elements are floating point.</exception>
    public int[] ToInt32s()
    {
        if (Type is IdxType.Single or IdxType.Double)
            throw NotOf("integers");
        var integers = new int[Count];
        for (var i = 0; i < integers.Length; i++)
            integers[i] = (int)Element(i);
        return integers;
    }

    /// <summary>The elements as float64, [Count]; exact for every type.</summary>
    public double[] ToDoubles()
    {
        var doubles = new double[Count];
        for (var i = 0; i < doubles.Length; i++)
            doubles[i] = Element(i);
        return doubles;
    }

    /// <summary>The elements as float32, [Count], rounded to nearest where they do not fit.</summary>
    public float[] ToSingles()
    {
        var singles = new float[Count];
        for (var i = 0; i < singles.Length; i++)
            singles[i] = (float)Element(i);
        return singles;
    }

    internal static int SizeOf(IdxType type) => type switch
    {
        IdxType.UnsignedByte or IdxType.SignedByte => 1,
        IdxType.Int16 => 2,
        IdxType.Int32 or IdxType.Single => 4,
        _ => 8,
    };

    private double Element(int index)
    {
        var at = _bytes.AsSpan(index * SizeOf(Type));
        return Type switch
        {
            IdxType.UnsignedByte => at[0],
            IdxType.SignedByte => (sbyte)at[0],
            IdxType.Int16 => BinaryPrimitives.ReadInt16BigEndian(at),
            IdxType.Int32 => BinaryPrimitives.ReadInt32BigEndian(at),
            IdxType.Single => BinaryPrimitives.ReadSingleBigEndian(at),
            _ => BinaryPrimitives.ReadDoubleBigEndian(at),
        };
    }

    private InvalidArgumentException NotOf(string kind) =>
        new("IdxArray", kind, Invariant($"elements of type {Type}"), "Use ToDoubles or ToSingles.");
}

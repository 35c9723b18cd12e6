using System.Buffers.Binary;
using static System.FormattableString;

namespace DL.Core.Formats;

/// <summary>Reads the IDX format of the MNIST files, plain or gzip: 00 00, type, rank, sizes as big-endian 32-bit integers, elements.</summary>
/// <remarks>Source of the format: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits".</remarks>
public static class Idx
{
    private const int FirstPiece = 1 << 16;

    /// <summary>Reads an array from a file.</summary>
    /// <param name="path">The file; errors name it.</param>
    /// <param name="limits">How much may be read, <see cref="ReadLimits.Default"/> if null.</param>
    /// <returns>The array.</returns>
    /// <exception cref="DataFormatException">There is no such file, it cannot be read, or it is not one IDX array within the limits.</exception>
    /// <exception cref="InvalidArgumentException">The path is empty.</exception>
    public static IdxArray Read(string path, ReadLimits? limits = null) =>
        DataSource.FromFile(path, stream => Read(stream, limits, path));

    /// <summary>Reads an array from a stream, to its end; the stream stays open.</summary>
    /// <param name="stream">The IDX data or its gzip form.</param>
    /// <param name="limits">How much may be read, <see cref="ReadLimits.Default"/> if null.</param>
    /// <param name="source">What errors call the stream.</param>
    /// <returns>The array.</returns>
    /// <exception cref="DataFormatException">It is not one IDX array within the limits, is cut short, or goes on after the last element.</exception>
    /// <exception cref="InvalidArgumentException">The stream cannot be read.</exception>
    public static IdxArray Read(Stream stream, ReadLimits? limits = null, string source = "stream")
    {
        limits ??= ReadLimits.Default;
        var data = DataSource.Over(stream, limits, source);
        var (type, rank) = ReadMagic(data, limits);
        var dims = ReadDims(data, rank);
        var bytes = ReadElements(data, CheckedLength(data, type, dims, limits), dims);
        if (data.Read(stackalloc byte[1]) != 0)
            throw new DataFormatException(data.Where, Invariant($"the end of the data after {Show(dims)} elements"), "more bytes");
        return new IdxArray(type, dims, bytes);
    }

    private static (IdxType Type, int Rank) ReadMagic(DataSource data, ReadLimits limits)
    {
        Span<byte> magic = stackalloc byte[4];
        var read = data.ReadAtLeast(magic, 4, throwOnEndOfStream: false);
        if (read < 4 || magic[0] != 0 || magic[1] != 0 || !Enum.IsDefined((IdxType)magic[2]))
            throw new DataFormatException($"{data.Name}, byte 0", "an IDX header: 00 00, a type (08, 09, 0b, 0c, 0d or 0e) and a rank",
                read == 0 ? "nothing" : Convert.ToHexStringLower(magic[..read]));
        if (magic[3] == 0 || magic[3] > limits.MaxDimensions)
            throw new DataFormatException($"{data.Name}, byte 3", Invariant($"a rank from 1 to {limits.MaxDimensions}"), Invariant($"{magic[3]}"),
                magic[3] == 0 ? null : "Raise ReadLimits.MaxDimensions if you trust the source.");
        return ((IdxType)magic[2], magic[3]);
    }

    private static int[] ReadDims(DataSource data, int rank)
    {
        var dims = new int[rank];
        Span<byte> size = stackalloc byte[4];
        for (var axis = 0; axis < rank; axis++)
        {
            var where = data.Where;
            if (data.ReadAtLeast(size, 4, throwOnEndOfStream: false) < 4)
                throw new DataFormatException(where, Invariant($"the sizes of {rank} axes"), Invariant($"the end of the data in axis {axis}"));
            dims[axis] = BinaryPrimitives.ReadInt32BigEndian(size);
            if (dims[axis] < 0)
                throw new DataFormatException(where, Invariant($"a size of axis {axis} below 2^31"), Invariant($"{(uint)dims[axis]}"));
        }
        return dims;
    }

    private static int CheckedLength(DataSource data, IdxType type, int[] dims, ReadLimits limits)
    {
        var size = IdxArray.SizeOf(type);
        var most = Math.Min(limits.MaxElements, Math.Min(limits.MaxBytes, Array.MaxLength) / size);
        var count = dims.Contains(0) ? 0L : 1L;
        foreach (var dim in dims)
        {
            count *= dim;
            if (count > most)
                throw new DataFormatException(data.Where, Invariant($"at most {most} elements"), Show(dims),
                    "Raise ReadLimits.MaxElements and MaxBytes if you trust the source.");
        }
        return (int)count * size;
    }

    /// <summary>The memory grows with what has come, so a header that claims much costs nothing.</summary>
    private static byte[] ReadElements(DataSource data, int length, int[] dims)
    {
        var bytes = new byte[Math.Min(length, FirstPiece)];
        var read = 0;
        while (true)
        {
            read += data.ReadAtLeast(bytes.AsSpan(read), bytes.Length - read, throwOnEndOfStream: false);
            if (read < bytes.Length)
                throw new DataFormatException(data.Where, Invariant($"{length} bytes of elements, {Show(dims)}"), Invariant($"the end of the data after {read}"),
                    "The file was cut short: fetch it again.");
            if (read == length)
                return bytes;
            Array.Resize(ref bytes, (int)Math.Min(length, 2L * bytes.Length));
        }
    }

    private static string Show(int[] dims) => string.Join(" x ", dims.Select(d => Invariant($"{d}")));
}

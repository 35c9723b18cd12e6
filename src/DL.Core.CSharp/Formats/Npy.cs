namespace DL.Core.Formats;

/// <summary>Reads and writes npy, the format of one array of numpy.</summary>
/// <remarks>
/// <para>Versions 1.0, 2.0 and 3.0 are read, plain or gzip, of float16, float32 and float64, integers of all sizes and truth values, little-endian;
/// float16 as float32, integers and truth values as int32 where every value fits, which is an error otherwise. Arrays in Fortran order are
/// transposed. Version 1.0 in C order is written, byte for byte what <c>numpy.save</c> writes.</para>
/// <para>Source of the format: the numpy developers, numpy.lib.format, "NPY format".</para>
/// </remarks>
public static class Npy
{
    /// <summary>Reads an array from a file.</summary>
    /// <param name="path">The file; errors name it.</param>
    /// <param name="limits">How much may be read, <see cref="ReadLimits.Default"/> if null.</param>
    /// <exception cref="DataFormatException">There is no such file, it cannot be read, or it is not one npy array within the limits.</exception>
    /// <exception cref="InvalidArgumentException">The path is empty.</exception>
    public static Tensor Read(string path, ReadLimits? limits = null) => DataSource.FromFile(path, stream => Read(stream, limits, path));

    /// <summary>Reads an array from a stream, to its end; the stream stays open and need not be seekable.</summary>
    /// <param name="stream">The npy data or its gzip form.</param>
    /// <param name="limits">How much may be read, <see cref="ReadLimits.Default"/> if null.</param>
    /// <param name="source">What errors call the stream.</param>
    /// <exception cref="DataFormatException">It is not one npy array within the limits, is cut short, or goes on after the last element.</exception>
    /// <exception cref="InvalidArgumentException">The stream cannot be read.</exception>
    public static Tensor Read(Stream stream, ReadLimits? limits = null, string source = "stream")
    {
        limits ??= ReadLimits.Default;
        return Read(DataSource.Over(stream, limits, source), limits);
    }

    /// <summary>Writes an array to a file, whole or not at all; a file of that name is replaced.</summary>
    /// <param name="path">The file.</param>
    /// <param name="tensor">The array.</param>
    /// <exception cref="InvalidArgumentException">The file cannot be written: nothing is changed.</exception>
    public static void Write(string path, Tensor tensor) => WholeFile.Write(path, stream => Write(stream, tensor));

    /// <summary>Writes an array to a stream, which stays open.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="tensor">The array.</param>
    /// <exception cref="InvalidArgumentException">The stream cannot be written to.</exception>
    public static void Write(Stream stream, Tensor tensor)
    {
        if (stream is not { CanWrite: true }) throw new InvalidArgumentException("Npy.Write", "a stream that can be written to", "another");
        stream.Write(NpyHeader.Write(tensor));
        TensorBytes.Each(tensor, stream.Write);
    }

    internal static Tensor Read(DataSource data, ReadLimits limits)
    {
        var header = NpyHeader.Read(data, limits);
        var tensor = TensorBytes.Read(data, header.Format, header.Shape, "elements");
        if (data.Read(stackalloc byte[1]) != 0) throw new DataFormatException(data.Where, $"the end of the data after {header.Shape} elements", "more bytes");
        return header.Reversed ? Turned(tensor) : tensor;
    }

    private static Tensor Turned(Tensor tensor) => tensor switch
    {
        Tensor<float> single => Turned(single),
        Tensor<double> wide => Turned(wide),
        _ => Turned(tensor.As<int>("Npy")),
    };

    /// <summary>The elements with the first axis running fastest, put in row-major order.</summary>
    private static Tensor<T> Turned<T>(Tensor<T> tensor) where T : unmanaged
    {
        var shape = tensor.Shape;
        var result = Tensor<T>.OnHeap(shape);
        var to = result.Write();
        var index = new int[shape.Rank];
        foreach (var value in tensor.Span)
        {
            var at = 0;
            for (var axis = 0; axis < index.Length; axis++) at = (at * shape[axis]) + index[axis];
            to[at] = value;
            for (var axis = 0; axis < index.Length && ++index[axis] == shape[axis]; axis++) index[axis] = 0;
        }
        return result;
    }
}

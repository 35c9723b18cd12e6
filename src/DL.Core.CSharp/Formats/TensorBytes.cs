using System.Runtime.InteropServices;
using static System.FormattableString;

namespace DL.Core.Formats;

/// <summary>Tensors out of the bytes of a file and into them, without a second copy of a large one.</summary>
internal static class TensorBytes
{
    private const int FirstPiece = 1 << 16, Piece = 1 << 16;

    /// <summary>Reads the elements of one tensor.</summary>
    /// <param name="data">Where from.</param>
    /// <param name="format">How the numbers lie there.</param>
    /// <param name="shape">The shape.</param>
    /// <param name="what">What errors call the tensor.</param>
    /// <exception cref="DataFormatException">The data ends before, or an integer does not fit 32 bits.</exception>
    public static Tensor Read(DataSource data, NumberFormat format, Shape shape, string what)
    {
        Demand(data, (long)shape.Count * Numbers.SizeOf(format), what);
        return format switch
        {
            NumberFormat.Single => Direct<float>(data, shape, what),
            NumberFormat.Double => Direct<double>(data, shape, what),
            NumberFormat.Int32 => Direct<int>(data, shape, what),
            NumberFormat.Half => Decoded<float>(data, format, shape, Numbers.Halves, what),
            NumberFormat.BFloat16 => Decoded<float>(data, format, shape, Numbers.BFloats, what),
            NumberFormat.Bool => Decoded<int>(data, format, shape, Numbers.Truths, what),
            NumberFormat.Int8 => Decoded<int>(data, format, shape, Numbers.SignedBytes, what),
            NumberFormat.UInt8 => Decoded<int>(data, format, shape, Numbers.Bytes, what),
            NumberFormat.Int16 => Decoded<int>(data, format, shape, Numbers.Shorts, what),
            NumberFormat.UInt16 => Decoded<int>(data, format, shape, Numbers.UnsignedShorts, what),
            NumberFormat.UInt32 => Decoded<int>(data, format, shape, Numbers.UnsignedInts, what),
            NumberFormat.Int64 => Decoded<int>(data, format, shape, Numbers.Longs, what),
            _ => Decoded<int>(data, format, shape, Numbers.UnsignedLongs, what),
        };
    }

    /// <summary>Hands out the bytes of a tensor's elements, a piece at a time.</summary>
    public static void Each(Tensor tensor, Action<ReadOnlySpan<byte>> take)
    {
        switch (tensor)
        {
            case Tensor<float> single:
                Each(single.Span, take);
                break;
            case Tensor<double> wide:
                Each(wide.Span, take);
                break;
            default:
                Each(tensor.As<int>("TensorBytes").Span, take);
                break;
        }
    }

    private static void Each<T>(ReadOnlySpan<T> elements, Action<ReadOnlySpan<byte>> take) where T : unmanaged
    {
        for (var at = 0; at < elements.Length; at += Math.Min(Piece, elements.Length - at))
            take(MemoryMarshal.AsBytes(elements.Slice(at, Math.Min(Piece, elements.Length - at))));
    }

    private static Tensor<T> Direct<T>(DataSource data, Shape shape, string what) where T : unmanaged =>
        Grown<T>(data, shape, (target, at) => Fill(data, MemoryMarshal.AsBytes(target), what));

    private static Tensor<T> Decoded<T>(DataSource data, NumberFormat format, Shape shape, Numbers.Decode<T> decode, string what) where T : unmanaged
    {
        var size = Numbers.SizeOf(format);
        var piece = new byte[(int)Math.Min(FirstPiece, (long)shape.Count * size)];
        return Grown<T>(data, shape, (target, at) =>
        {
            for (var done = 0; done < target.Length;)
            {
                var count = Math.Min(piece.Length / size, target.Length - done);
                var bytes = piece.AsSpan(0, count * size);
                Fill(data, bytes, what);
                var wrong = decode(bytes, target.Slice(done, count));
                if (wrong >= 0)
                    throw new DataFormatException(Invariant($"{data.Name}, {what}, element {at + done + wrong}"),
                        format == NumberFormat.Bool ? "0 or 1" : "an integer that fits 32 bits", Shown(bytes.Slice(wrong * size, size)));
                done += count;
            }
        });
    }

    private delegate void Filler<T>(Span<T> target, int at);

    /// <summary>The memory grows with what has come, unless the stream is known to hold it all: what a header claims costs nothing.</summary>
    private static Tensor<T> Grown<T>(DataSource data, Shape shape, Filler<T> fill) where T : unmanaged
    {
        var first = data.Left is null ? Math.Min(shape.Count, FirstPiece) : shape.Count;
        var tensor = Tensor<T>.OnHeap(new Shape(first));
        fill(tensor.Write(), 0);
        while (tensor.Count < shape.Count)
        {
            var larger = Tensor<T>.OnHeap(new Shape((int)Math.Min(shape.Count, 2L * tensor.Count)));
            tensor.Span.CopyTo(larger.Write());
            fill(larger.Write()[tensor.Count..], tensor.Count);
            tensor = larger;
        }
        return tensor.First(shape);
    }

    private static void Demand(DataSource data, long bytes, string what)
    {
        if (data.Left is { } left && left < bytes) throw CutShort(data, what, bytes, left);
    }

    private static void Fill(DataSource data, Span<byte> target, string what)
    {
        var read = data.ReadAtLeast(target, target.Length, throwOnEndOfStream: false);
        if (read < target.Length) throw CutShort(data, what, target.Length, read);
    }

    private static DataFormatException CutShort(DataSource data, string what, long bytes, long left) =>
        new(data.Where, Invariant($"{bytes} more bytes of {what}"), Invariant($"the end of the data after {left}"), "The file was cut short: fetch it again.");

    private static string Shown(ReadOnlySpan<byte> bytes) => bytes.Length switch
    {
        1 => Invariant($"{bytes[0]}"),
        4 => Invariant($"{BitConverter.ToUInt32(bytes)}"),
        _ => Invariant($"{BitConverter.ToInt64(bytes)}"),
    };
}

using DL.Core.Formats;
using static System.FormattableString;

namespace DL.Core.Data;

/// <summary>Which classes of CIFAR-100 are read.</summary>
public enum CifarLabels
{
    /// <summary>The 100 classes.</summary>
    Fine,

    /// <summary>The 20 classes of classes.</summary>
    Coarse,
}

/// <summary>The CIFAR images in their binary form: records of a label, in CIFAR-100 two, and 32 x 32 pixels of red, then green, then blue.</summary>
/// <remarks>A. Krizhevsky, Learning multiple layers of features from tiny images, 2009.</remarks>
public static class Cifar
{
    private const int Side = 32, Channels = 3, Pixels = Channels * Side * Side;
    private const int CoarseClasses = 20, FineClasses = 100;

    /// <summary>The names of the classes of CIFAR-10.</summary>
    public static IReadOnlyList<string> Names { get; } = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

    /// <summary>CIFAR-10 from files such as <c>data_batch_1.bin</c>, one after the other: records of 3073 bytes.</summary>
    /// <param name="paths">The files, plain or gzip; at least one.</param>
    /// <param name="limits">How much may be read of each, <see cref="ReadLimits.Default"/> if null.</param>
    /// <exception cref="DataFormatException">A file cannot be read, is empty or no whole number of records, or a label is above 9: the message names the record.</exception>
    /// <exception cref="InvalidArgumentException">There is no path, or an empty one.</exception>
    public static LabelledImages Read10(IReadOnlyList<string> paths, ReadLimits? limits = null)
    {
        if (paths.Count == 0) throw new InvalidArgumentException("Cifar.Read10, paths", "at least one file", "none");
        var parts = paths.Select(path => Records(FileBytes.Read(path, limits), path, [Names.Count], 0)).ToList();
        if (parts.Sum(part => (long)part.Pixels.Length) > Array.MaxLength) throw new ShapeException("Cifar.Read10", Invariant($"at most {Array.MaxLength} bytes of pixels"), "more");
        return parts.Count == 1 ? parts[0] : Images([.. parts.SelectMany(part => part.Pixels)], [.. parts.SelectMany(part => part.Labels)]);
    }

    /// <summary>CIFAR-10 from a stream, which stays open: records of 3073 bytes.</summary>
    /// <param name="stream">The records, plain or gzip.</param>
    /// <param name="limits">How much may be read, <see cref="ReadLimits.Default"/> if null.</param>
    /// <param name="source">What errors call the stream.</param>
    /// <exception cref="DataFormatException">It is empty or no whole number of records, or a label is above 9: the message names the record.</exception>
    /// <exception cref="InvalidArgumentException">The stream cannot be read.</exception>
    public static LabelledImages Read10(Stream stream, ReadLimits? limits = null, string source = "stream") =>
        Records(FileBytes.Read(stream, limits, source), source, [Names.Count], 0);

    /// <summary>CIFAR-100 from a file such as <c>train.bin</c>: records of 3074 bytes.</summary>
    /// <param name="path">The file, plain or gzip.</param>
    /// <param name="labels">Which of the two labels of an image is its class.</param>
    /// <param name="limits">How much may be read, <see cref="ReadLimits.Default"/> if null.</param>
    /// <exception cref="DataFormatException">The file cannot be read, is empty or no whole number of records, or a label is out of range: the message names the record.</exception>
    /// <exception cref="InvalidArgumentException">The path is empty.</exception>
    public static LabelledImages Read100(string path, CifarLabels labels = CifarLabels.Fine, ReadLimits? limits = null) =>
        Records(FileBytes.Read(path, limits), path, [CoarseClasses, FineClasses], labels == CifarLabels.Fine ? 1 : 0);

    /// <summary>CIFAR-100 from a stream, which stays open: records of 3074 bytes.</summary>
    /// <param name="stream">The records, plain or gzip.</param>
    /// <param name="labels">Which of the two labels of an image is its class.</param>
    /// <param name="limits">How much may be read, <see cref="ReadLimits.Default"/> if null.</param>
    /// <param name="source">What errors call the stream.</param>
    /// <exception cref="DataFormatException">It is empty or no whole number of records, or a label is out of range: the message names the record.</exception>
    /// <exception cref="InvalidArgumentException">The stream cannot be read.</exception>
    public static LabelledImages Read100(Stream stream, CifarLabels labels = CifarLabels.Fine, ReadLimits? limits = null, string source = "stream") =>
        Records(FileBytes.Read(stream, limits, source), source, [CoarseClasses, FineClasses], labels == CifarLabels.Fine ? 1 : 0);

    /// <summary>Cuts bytes into records of one label for each number of classes, followed by the pixels.</summary>
    private static LabelledImages Records(byte[] bytes, string source, int[] classes, int chosen)
    {
        var record = classes.Length + Pixels;
        if (bytes.Length == 0 || bytes.Length % record != 0)
            throw new DataFormatException(source, Invariant($"records of {record} bytes, at least one"), Invariant($"{bytes.Length} bytes"), "The file was cut short, or is of another format.");
        var (pixels, labels) = (new byte[bytes.Length / record * Pixels], new int[bytes.Length / record]);
        for (var i = 0; i < labels.Length; i++)
        {
            for (var k = 0; k < classes.Length; k++)
                if (bytes[i * record + k] >= classes[k])
                    throw new DataFormatException(Invariant($"{source}, record {i}"), Invariant($"a class from 0 to {classes[k] - 1}"), Invariant($"{bytes[i * record + k]}"));
            labels[i] = bytes[i * record + chosen];
            bytes.AsSpan(i * record + classes.Length, Pixels).CopyTo(pixels.AsSpan(i * Pixels));
        }

        return Images(pixels, labels);
    }

    private static LabelledImages Images(byte[] pixels, int[] labels) => new(pixels, labels, Channels, Side, Side);
}

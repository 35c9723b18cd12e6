using DL.Core.Formats;
using static System.FormattableString;

namespace DL.Core.Data;

public sealed partial class Dataset
{
    private const string MnistAttribution = "MNIST: Y. LeCun, C. Cortes, C. J. C. Burges, The MNIST database of handwritten digits; CC BY-SA 3.0.";
    private const int DigitClasses = 10;

    /// <summary>The MNIST digits, or any images and labels in its format, from its two files: pixels scaled from [0, 255] to [0, 1].</summary>
    /// <param name="images">The file of images, [n, height, width] unsigned bytes, plain or gzip.</param>
    /// <param name="labels">The file of labels, [n] unsigned bytes 0 to 9, plain or gzip.</param>
    /// <param name="limits">How much may be read of each, <see cref="ReadLimits.Default"/> if null.</param>
    /// <returns>n rows of height * width features.</returns>
    /// <exception cref="DataFormatException">A file cannot be read or is of another format, the counts differ, there are no images, or a label is above 9.</exception>
    /// <exception cref="InvalidArgumentException">A path is empty.</exception>
    public static Dataset Mnist(string images, string labels, ReadLimits? limits = null) =>
        Mnist(Idx.Read(images, limits), Idx.Read(labels, limits), images, labels);

    /// <summary>The MNIST digits, or any images and labels in its format, from two streams; they stay open.</summary>
    /// <param name="images">The images, [n, height, width] unsigned bytes, plain or gzip.</param>
    /// <param name="labels">The labels, [n] unsigned bytes 0 to 9, plain or gzip.</param>
    /// <param name="limits">How much may be read of each, <see cref="ReadLimits.Default"/> if null.</param>
    /// <returns>n rows of height * width features.</returns>
    /// <exception cref="DataFormatException">A stream is of another format, the counts differ, there are no images, or a label is above 9.</exception>
    /// <exception cref="InvalidArgumentException">A stream cannot be read.</exception>
    public static Dataset Mnist(Stream images, Stream labels, ReadLimits? limits = null) =>
        Mnist(Idx.Read(images, limits, "images"), Idx.Read(labels, limits, "labels"), "images", "labels");

    private static Dataset Mnist(IdxArray images, IdxArray labels, string imagesName, string labelsName)
    {
        CheckIdx(images, 3, imagesName, "images, [n, height, width] unsigned bytes");
        CheckIdx(labels, 1, labelsName, "labels, [n] unsigned bytes");
        if (images.Dims[0] != labels.Dims[0])
            throw new DataFormatException(labelsName, Invariant($"{images.Dims[0]} labels, one per image"), Invariant($"{labels.Dims[0]}"),
                "The two files belong to different sets.");
        if (images.Count == 0)
            throw new DataFormatException(imagesName, "at least one image with pixels", "none");
        var ids = labels.ToInt32s();
        var wrong = Array.FindIndex(ids, id => id >= DigitClasses);
        if (wrong >= 0)
            throw new DataFormatException(Invariant($"{labelsName}, label {wrong}"), "a digit from 0 to 9", Invariant($"{ids[wrong]}"));
        int height = images.Dims[1], width = images.Dims[2];
        string[] pixels = [.. Enumerable.Range(0, height * width).Select(i => Invariant($"pixel_{i / width}_{i % width}"))];
        string[] digits = [.. Enumerable.Range(0, DigitClasses).Select(d => Invariant($"{d}"))];
        return new Dataset("mnist", Rescale.ToUnit(images.ToBytes()), pixels, [height, width], ids, digits, null, MnistAttribution);
    }

    private static void CheckIdx(IdxArray array, int rank, string name, string expected)
    {
        if (array.Dims.Count != rank || array.Type != IdxType.UnsignedByte)
            throw new DataFormatException(name, expected, Invariant($"[{string.Join(", ", array.Dims)}] of type {array.Type}"));
    }
}

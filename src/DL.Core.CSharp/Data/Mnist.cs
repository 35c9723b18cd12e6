using DL.Core.Formats;
using static System.FormattableString;

namespace DL.Core.Data;

/// <summary>The MNIST digits, or any images and labels in its format: bytes as they are in the files.</summary>
/// <remarks>Y. LeCun, C. Cortes, C. J. C. Burges, The MNIST database of handwritten digits; CC BY-SA 3.0.</remarks>
public static class Mnist
{
    internal const int Classes = 10;

    /// <summary>Images and labels from their two files.</summary>
    /// <param name="images">The file of images, [n, height, width] unsigned bytes, plain or gzip.</param>
    /// <param name="labels">The file of labels, [n] unsigned bytes 0 to 9, plain or gzip.</param>
    /// <param name="limits">How much may be read of each, <see cref="ReadLimits.Default"/> if null.</param>
    /// <exception cref="DataFormatException">A file cannot be read or is of another format, the counts differ, there are no images, or a label is above 9.</exception>
    /// <exception cref="InvalidArgumentException">A path is empty.</exception>
    public static LabelledImages Read(string images, string labels, ReadLimits? limits = null) =>
        Of(Idx.Read(images, limits), Idx.Read(labels, limits), images, labels);

    /// <summary>Images and labels from two streams; they stay open.</summary>
    /// <param name="images">The images, [n, height, width] unsigned bytes, plain or gzip.</param>
    /// <param name="labels">The labels, [n] unsigned bytes 0 to 9, plain or gzip.</param>
    /// <param name="limits">How much may be read of each, <see cref="ReadLimits.Default"/> if null.</param>
    /// <exception cref="DataFormatException">A stream is of another format, the counts differ, there are no images, or a label is above 9.</exception>
    /// <exception cref="InvalidArgumentException">A stream cannot be read.</exception>
    public static LabelledImages Read(Stream images, Stream labels, ReadLimits? limits = null) =>
        Of(Idx.Read(images, limits, "images"), Idx.Read(labels, limits, "labels"), "images", "labels");

    private static LabelledImages Of(IdxArray images, IdxArray labels, string imagesName, string labelsName)
    {
        CheckIdx(images, 3, imagesName, "images, [n, height, width] unsigned bytes");
        CheckIdx(labels, 1, labelsName, "labels, [n] unsigned bytes");
        if (images.Dims[0] != labels.Dims[0])
            throw new DataFormatException(labelsName, Invariant($"{images.Dims[0]} labels, one per image"), Invariant($"{labels.Dims[0]}"),
                "The two files belong to different sets.");
        if (images.Count == 0)
            throw new DataFormatException(imagesName, "at least one image with pixels", "none");
        var ids = labels.ToInt32s();
        var wrong = Array.FindIndex(ids, id => id >= Classes);
        if (wrong >= 0)
            throw new DataFormatException(Invariant($"{labelsName}, label {wrong}"), "a digit from 0 to 9", Invariant($"{ids[wrong]}"));
        return new(images.Held(), ids, 1, images.Dims[1], images.Dims[2]);
    }

    private static void CheckIdx(IdxArray array, int rank, string name, string expected)
    {
        if (array.Dims.Count != rank || array.Type != IdxType.UnsignedByte)
            throw new DataFormatException(name, expected, Invariant($"[{string.Join(", ", array.Dims)}] of type {array.Type}"));
    }
}

using DL.Core.Formats;
using static System.FormattableString;

namespace DL.Core.Data;

public sealed partial class Dataset
{
    private const string MnistAttribution = "MNIST: Y. LeCun, C. Cortes, C. J. C. Burges, The MNIST database of handwritten digits; CC BY-SA 3.0.";

    /// <summary>The MNIST digits, or any images and labels in its format, from its two files: pixels scaled from [0, 255] to [0, 1].</summary>
    /// <param name="images">The file of images, [n, height, width] unsigned bytes, plain or gzip.</param>
    /// <param name="labels">The file of labels, [n] unsigned bytes 0 to 9, plain or gzip.</param>
    /// <param name="limits">How much may be read of each, <see cref="ReadLimits.Default"/> if null.</param>
    /// <returns>n rows of height * width features.</returns>
    /// <exception cref="DataFormatException">A file cannot be read or is of another format, the counts differ, there are no images, or a label is above 9.</exception>
    /// <exception cref="InvalidArgumentException">A path is empty.</exception>
    public static Dataset Mnist(string images, string labels, ReadLimits? limits = null) =>
        Of(Data.Mnist.Read(images, labels, limits));

    /// <summary>The MNIST digits, or any images and labels in its format, from two streams; they stay open.</summary>
    /// <param name="images">The images, [n, height, width] unsigned bytes, plain or gzip.</param>
    /// <param name="labels">The labels, [n] unsigned bytes 0 to 9, plain or gzip.</param>
    /// <param name="limits">How much may be read of each, <see cref="ReadLimits.Default"/> if null.</param>
    /// <returns>n rows of height * width features.</returns>
    /// <exception cref="DataFormatException">A stream is of another format, the counts differ, there are no images, or a label is above 9.</exception>
    /// <exception cref="InvalidArgumentException">A stream cannot be read.</exception>
    public static Dataset Mnist(Stream images, Stream labels, ReadLimits? limits = null) =>
        Of(Data.Mnist.Read(images, labels, limits));

    private static Dataset Of(LabelledImages set)
    {
        string[] pixels = [.. Enumerable.Range(0, set.Height * set.Width).Select(i => Invariant($"pixel_{i / set.Width}_{i % set.Width}"))];
        string[] digits = [.. Enumerable.Range(0, Data.Mnist.Classes).Select(d => Invariant($"{d}"))];
        return new Dataset("mnist", Rescale.ToUnit(set.Pixels), pixels, [set.Height, set.Width], set.Labels, digits, null, MnistAttribution);
    }
}

using static System.FormattableString;

namespace DL.Core.Metrics;

/// <summary>How well maps of labels agree, pixel by pixel.</summary>
public static class Segmentation
{
    /// <summary>Counts pairs of true and predicted labels: the source of intersection over union of each class, of its mean, and of pixel accuracy.</summary>
    /// <remarks>Maps of several images are counted together, or one by one and joined by <see cref="ConfusionMatrix.Merge"/>.</remarks>
    /// <param name="truth">The true label of every pixel, in any order.</param>
    /// <param name="predicted">The predicted label of every pixel, in the same order.</param>
    /// <param name="classes">The number of classes, at least 1.</param>
    /// <param name="ignored">A true label whose pixels do not count, such as 255 or -1.</param>
    /// <returns>The matrix, empty if no pixel counts.</returns>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    /// <exception cref="InvalidArgumentException">There is no class, or a label of a pixel that counts is out of range.</exception>
    public static ConfusionMatrix Compare(ReadOnlySpan<int> truth, ReadOnlySpan<int> predicted, int classes, int? ignored = null)
    {
        const string where = "Segmentation.Compare";
        if (truth.Length != predicted.Length)
            throw new ShapeException(where, Invariant($"as many predicted pixels as the {truth.Length} true ones"), Invariant($"{predicted.Length}"));
        if (classes < 1) throw new InvalidArgumentException($"{where}, classes", "at least 1", Invariant($"{classes}"));
        var counts = new long[classes, classes];
        for (var i = 0; i < truth.Length; i++)
        {
            if (truth[i] == ignored) continue;
            if ((uint)truth[i] >= (uint)classes || (uint)predicted[i] >= (uint)classes)
                throw new InvalidArgumentException(Invariant($"{where}, pixel {i}"), Invariant($"labels from 0 to {classes - 1}"), Invariant($"{truth[i]} and {predicted[i]}"));
            counts[truth[i], predicted[i]]++;
        }

        return ConfusionMatrix.FromCounts(counts);
    }
}

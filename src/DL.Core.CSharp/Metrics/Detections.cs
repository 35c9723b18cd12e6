using static System.FormattableString;

namespace DL.Core.Metrics;

/// <summary>Something found in an image.</summary>
/// <param name="Image">The number of the image.</param>
/// <param name="Class">The class, from 0.</param>
/// <param name="Score">How sure the detector is; only the order counts.</param>
/// <param name="Box">Where.</param>
public readonly record struct Detection(int Image, int Class, double Score, Box Box);

/// <summary>Something that is in an image.</summary>
/// <param name="Image">The number of the image.</param>
/// <param name="Class">The class, from 0.</param>
/// <param name="Box">Where.</param>
public readonly record struct LabelledBox(int Image, int Class, Box Box);

/// <summary>From what a detector predicts at its anchors to what it found.</summary>
public static class Detections
{
    /// <summary>Every class with at least the least probability at an anchor, its box by <see cref="BoxOffsets"/>, thinned out class by class by <see cref="NonMaximumSuppression"/>.</summary>
    /// <param name="anchors"><c>[n]</c>, each with an area.</param>
    /// <param name="offsets"><c>[n, 4]</c>.</param>
    /// <param name="probabilities"><c>[n, 1 + classes]</c>; column 0 is the background.</param>
    /// <param name="classes">The number of classes, at least 1.</param>
    /// <param name="image">The number of the image.</param>
    /// <param name="least">The least probability.</param>
    /// <param name="threshold">The largest overlap of two boxes of a class, from 0 to 1.</param>
    /// <param name="most">The most detections.</param>
    /// <returns>By falling score; equal scores by anchor, then by class.</returns>
    /// <exception cref="ShapeException">The lengths do not fit the number of anchors.</exception>
    /// <exception cref="InvalidArgumentException">An anchor has no area, a number is NaN, a box is not finite, or a setting is out of range.</exception>
    public static Detection[] At(
        ReadOnlySpan<Box> anchors,
        ReadOnlySpan<double> offsets,
        ReadOnlySpan<double> probabilities,
        int classes,
        int image = 0,
        double least = 0.01,
        double threshold = 0.5,
        int most = 100)
    {
        const string where = "Detections.At";
        if (classes < 1) throw new InvalidArgumentException($"{where}, classes", "at least 1", Invariant($"{classes}"));
        if (double.IsNaN(least)) throw new InvalidArgumentException($"{where}, least", "a number", "NaN");
        var columns = classes + 1L;
        if (probabilities.Length != anchors.Length * columns)
            throw new ShapeException(where, Invariant($"{columns} probabilities for each of {anchors.Length} anchors"), Invariant($"{probabilities.Length}"));
        var boxes = BoxOffsets.Decode(anchors, offsets);
        var (candidates, scores, labels) = (new List<Box>(), new List<double>(), new List<int>());
        for (var i = 0; i < probabilities.Length; i++)
        {
            if (double.IsNaN(probabilities[i])) throw new InvalidArgumentException(Invariant($"{where}, probabilities[{i}]"), "a number", "NaN");
            if (i % columns == 0 || probabilities[i] < least) continue;
            candidates.Add(boxes[i / columns]);
            scores.Add(probabilities[i]);
            labels.Add((int)(i % columns) - 1);
        }

        var kept = NonMaximumSuppression.Keep([.. candidates], [.. scores], [.. labels], threshold, most);
        return Array.ConvertAll(kept, i => new Detection(image, labels[i], scores[i], candidates[i]));
    }
}

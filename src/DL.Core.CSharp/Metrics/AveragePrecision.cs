using static System.FormattableString;

namespace DL.Core.Metrics;

/// <summary>How the area under precision over recall is taken.</summary>
public enum PrecisionInterpolation
{
    /// <summary>The exact area under <c>p(r) = max of precision at recalls of at least r</c>.</summary>
    AllPoints,

    /// <summary>The mean of the same p at r = 0, 0.1, .. 1, as of the Pascal VOC challenge to 2009.</summary>
    ElevenPoints,
}

/// <summary>The average precision of every class and their mean.</summary>
/// <param name="PerClass">[classes]; 0 for a class without true boxes.</param>
/// <param name="Mean">The mean over the classes with true boxes; 0 without any.</param>
/// <param name="Undefined">The classes without true boxes; class -1 for a mean over none.</param>
public sealed record AveragePrecisions(IReadOnlyList<double> PerClass, double Mean, IReadOnlyList<UndefinedMetric> Undefined);

/// <summary>How well detections are ranked: the area under precision over recall as less and less sure detections are let in.</summary>
public static class AveragePrecision
{
    private const string Name = "average precision";

    /// <summary>The average precision of every class at one threshold of overlap, and their mean.</summary>
    /// <remarks>Detections of a class go by falling score, equal scores in their order. Each is held against the true box of its class and image that it overlaps most, the first
    /// of several: it is a hit if the overlap reaches the threshold and no detection hit that box before, else a miss. Source: M. Everingham et al., The Pascal
    /// Visual Object Classes Challenge, 2010.</remarks>
    /// <param name="detections">What was found, in any order; may be none.</param>
    /// <param name="truths">What is there; may be none.</param>
    /// <param name="classes">The number of classes, at least 1.</param>
    /// <param name="threshold">The least <see cref="Boxes.IntersectionOverUnion(Box, Box)"/> of a hit, above 0 and at most 1.</param>
    /// <param name="interpolation">How the area is taken.</param>
    /// <exception cref="InvalidArgumentException">A class or setting is out of range, a box is not sound, or a score is NaN.</exception>
    public static AveragePrecisions Of(
        ReadOnlySpan<Detection> detections,
        ReadOnlySpan<LabelledBox> truths,
        int classes,
        double threshold = 0.5,
        PrecisionInterpolation interpolation = PrecisionInterpolation.AllPoints)
    {
        Check(detections, truths, classes, threshold);
        var byImage = Group(truths);
        var positives = new long[classes];
        foreach (var truth in truths) positives[truth.Class]++;
        var hits = Hits(detections, truths, byImage, classes, threshold);
        var (perClass, undefined, sum) = (new double[classes], new List<UndefinedMetric>(), 0.0);
        for (var c = 0; c < classes; c++)
        {
            perClass[c] = OfRanking(hits[c].ToArray(), positives[c], interpolation);
            sum += perClass[c];
            if (positives[c] == 0) undefined.Add(new(Name, c));
        }

        var counted = classes - undefined.Count;
        if (counted == 0) undefined.Add(new(Name, -1));
        return new(perClass, counted == 0 ? 0 : sum / counted, undefined);
    }

    /// <summary>The average precision of one ranking: <c>sum over hits of (1 / positives) max of precision from that hit on</c>.</summary>
    /// <remarks>After n of the ranking, with t hits among them, precision is <c>t / n</c> and recall <c>t / positives</c>.</remarks>
    /// <param name="hits">Whether each of the ranking is a hit, the surest first.</param>
    /// <param name="positives">How many there are to be found; 0 gives 0.</param>
    /// <param name="interpolation">How the area is taken.</param>
    /// <returns>From 0, nothing found, to 1: everything, before any miss.</returns>
    /// <exception cref="InvalidArgumentException">There are more hits than positives, or there is no such interpolation.</exception>
    public static double OfRanking(
        ReadOnlySpan<bool> hits, long positives, PrecisionInterpolation interpolation = PrecisionInterpolation.AllPoints)
    {
        var found = 0;
        var precisions = new List<double>();
        for (var n = 0; n < hits.Length; n++)
        {
            if (hits[n]) precisions.Add(++found / (n + 1.0));
        }

        if (found > positives) throw new InvalidArgumentException("AveragePrecision.OfRanking, positives", Invariant($"at least the {found} hits"), Invariant($"{positives}"));
        for (var n = precisions.Count - 2; n >= 0; n--) precisions[n] = Math.Max(precisions[n], precisions[n + 1]);
        return interpolation switch
        {
            PrecisionInterpolation.AllPoints => found == 0 ? 0 : precisions.Sum() / positives,
            PrecisionInterpolation.ElevenPoints => Enumerable.Range(0, 11).Sum(tenth => AtRecall(precisions, positives, tenth)) / 11,
            _ => throw new InvalidArgumentException("AveragePrecision, interpolation", "AllPoints or ElevenPoints", $"{interpolation}"),
        };
    }

    /// <summary>The best precision from the first hit on that brings recall to so many tenths; 0 if none does.</summary>
    private static double AtRecall(List<double> precisions, long positives, int tenths)
    {
        var needed = Math.Max(1, ((positives * tenths) + 9) / 10);
        return needed <= precisions.Count ? precisions[(int)needed - 1] : 0;
    }

    private static Dictionary<(int Image, int Class), List<int>> Group(ReadOnlySpan<LabelledBox> truths)
    {
        var groups = new Dictionary<(int, int), List<int>>();
        for (var i = 0; i < truths.Length; i++)
        {
            var key = (truths[i].Image, truths[i].Class);
            if (!groups.TryGetValue(key, out var group)) groups.Add(key, group = []);
            group.Add(i);
        }

        return groups;
    }

    private static List<bool>[] Hits(
        ReadOnlySpan<Detection> detections,
        ReadOnlySpan<LabelledBox> truths,
        Dictionary<(int Image, int Class), List<int>> byImage,
        int classes,
        double threshold)
    {
        var scores = new double[detections.Length];
        for (var i = 0; i < scores.Length; i++) scores[i] = detections[i].Score;
        var (hits, taken) = (new List<bool>[classes], new bool[truths.Length]);
        for (var c = 0; c < classes; c++) hits[c] = [];
        foreach (var i in NonMaximumSuppression.ByFallingScore(scores))
        {
            var detection = detections[i];
            var (best, overlap) = (-1, 0.0);
            foreach (var truth in byImage.GetValueOrDefault((detection.Image, detection.Class)) ?? [])
            {
                var next = Boxes.Overlap(detection.Box, truths[truth].Box);
                if (next > overlap) (best, overlap) = (truth, next);
            }

            var hit = overlap >= threshold && !taken[best];
            if (hit) taken[best] = true;
            hits[detection.Class].Add(hit);
        }

        return hits;
    }

    private static void Check(ReadOnlySpan<Detection> detections, ReadOnlySpan<LabelledBox> truths, int classes, double threshold)
    {
        const string where = "AveragePrecision.Of";
        if (classes < 1) throw new InvalidArgumentException($"{where}, classes", "at least 1", Invariant($"{classes}"));
        if (!(threshold > 0 && threshold <= 1)) throw new InvalidArgumentException($"{where}, threshold", "above 0 and at most 1", Invariant($"{threshold}"));
        for (var i = 0; i < detections.Length; i++)
        {
            CheckClass(detections[i].Class, classes, where, "detections", i);
            if (double.IsNaN(detections[i].Score)) throw new InvalidArgumentException(Invariant($"{where}, detections[{i}]"), "a score", "NaN");
        }

        for (var i = 0; i < truths.Length; i++)
            CheckClass(truths[i].Class, classes, where, "truths", i);
        Box.CheckAll(Array.ConvertAll(detections.ToArray(), detection => detection.Box), where, "detections");
        Box.CheckAll(Array.ConvertAll(truths.ToArray(), truth => truth.Box), where, "truths");
    }

    private static void CheckClass(int @class, int classes, string where, string name, int i)
    {
        if ((uint)@class >= (uint)classes)
            throw new InvalidArgumentException(Invariant($"{where}, {name}[{i}]"), Invariant($"a class from 0 to {classes - 1}"), Invariant($"{@class}"));
    }
}

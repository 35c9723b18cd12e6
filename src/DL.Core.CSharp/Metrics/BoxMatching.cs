using static System.FormattableString;

namespace DL.Core.Metrics;

/// <summary>Which anchor answers for which true box.</summary>
public static class BoxMatching
{
    /// <summary>First each truth gets an anchor, the pair that overlaps most first; then each anchor left gets the truth it overlaps most, if by the threshold or more.</summary>
    /// <remarks>Overlap is <see cref="Boxes.IntersectionOverUnion(Box, Box)"/>. Of equal overlaps the first anchor is taken, then the first truth. A truth that overlaps no
    /// free anchor gets none in the first round. Source: W. Liu et al., SSD, 2016, with the order of A. Zhang et al., Dive into Deep Learning, 14.4.</remarks>
    /// <param name="anchors"><c>[n]</c>.</param>
    /// <param name="truths"><c>[m]</c>; may be none.</param>
    /// <param name="threshold">The least overlap of the second round, above 0 and at most 1.</param>
    /// <returns><c>[n]</c>: the number of each anchor's truth, or -1 for background.</returns>
    /// <exception cref="InvalidArgumentException">A box is not sound, or the threshold is out of range.</exception>
    public static int[] Match(ReadOnlySpan<Box> anchors, ReadOnlySpan<Box> truths, double threshold = 0.5)
    {
        const string where = "BoxMatching.Match";
        if (!(threshold > 0 && threshold <= 1)) throw new InvalidArgumentException($"{where}, threshold", "above 0 and at most 1", Invariant($"{threshold}"));
        Box.CheckAll(anchors, where, "anchors");
        Box.CheckAll(truths, where, "truths");
        var matches = new int[anchors.Length];
        Array.Fill(matches, -1);
        OneForEachTruth(anchors, truths, matches);
        for (var i = 0; i < anchors.Length; i++)
        {
            if (matches[i] >= 0) continue;
            var (truth, overlap) = Best(anchors[i], truths);
            if (overlap >= threshold) matches[i] = truth;
        }

        return matches;
    }

    /// <summary>What a detector is to predict at every anchor of an image: the class and the offsets of its match.</summary>
    /// <param name="anchors"><c>[n]</c>, each with an area.</param>
    /// <param name="truths"><c>[m]</c>, each with an area; may be none.</param>
    /// <param name="classes"><c>[m]</c>, each at least 0.</param>
    /// <param name="threshold">As in <see cref="Match"/>.</param>
    /// <returns>The matches, the classes counted from 1 with 0 for background, and the offsets, 0 for background.</returns>
    /// <exception cref="ShapeException">There is not one class for every truth.</exception>
    /// <exception cref="InvalidArgumentException">A box is not sound or has no area, or a class or the threshold is out of range.</exception>
    public static DetectionTargets Targets(ReadOnlySpan<Box> anchors, ReadOnlySpan<Box> truths, ReadOnlySpan<int> classes, double threshold = 0.5)
    {
        const string where = "BoxMatching.Targets";
        if (classes.Length != truths.Length)
            throw new ShapeException(where, Invariant($"a class for each of {truths.Length} boxes"), Invariant($"{classes.Length}"));
        for (var i = 0; i < classes.Length; i++)
        {
            if (classes[i] is < 0 or int.MaxValue)
                throw new InvalidArgumentException(Invariant($"{where}, classes[{i}]"), "a class of at least 0", Invariant($"{classes[i]}"));
        }

        BoxOffsets.CheckAreas(anchors, where, "anchors");
        BoxOffsets.CheckAreas(truths, where, "truths");
        var matches = Match(anchors, truths, threshold);
        var (labels, offsets) = (new int[anchors.Length], new double[4L * anchors.Length]);
        for (var i = 0; i < anchors.Length; i++)
        {
            if (matches[i] < 0) continue;
            labels[i] = classes[matches[i]] + 1;
            BoxOffsets.Encode(anchors[i], truths[matches[i]], offsets.AsSpan(4 * i, 4), where);
        }

        return new(matches, labels, offsets);
    }

    private static void OneForEachTruth(ReadOnlySpan<Box> anchors, ReadOnlySpan<Box> truths, int[] matches)
    {
        var best = new (int Anchor, double Overlap)[truths.Length];
        for (var t = 0; t < truths.Length; t++) best[t] = BestFree(truths[t], anchors, matches);
        while (true)
        {
            var next = -1;
            for (var t = 0; t < best.Length; t++)
            {
                if (best[t].Anchor >= 0 && (next < 0 || Before(best[t], best[next]))) next = t;
            }

            if (next < 0) return;
            var taken = best[next].Anchor;
            matches[taken] = next;
            best[next] = (-1, 0);
            for (var t = 0; t < best.Length; t++)
            {
                if (best[t].Anchor == taken) best[t] = BestFree(truths[t], anchors, matches);
            }
        }
    }

    private static bool Before((int Anchor, double Overlap) a, (int Anchor, double Overlap) b) =>
        a.Overlap > b.Overlap || (a.Overlap == b.Overlap && a.Anchor < b.Anchor);

    private static (int Anchor, double Overlap) BestFree(in Box truth, ReadOnlySpan<Box> anchors, int[] matches)
    {
        var best = (Anchor: -1, Overlap: 0.0);
        for (var i = 0; i < anchors.Length; i++)
        {
            if (matches[i] >= 0) continue;
            var overlap = Boxes.Overlap(anchors[i], truth);
            if (overlap > best.Overlap) best = (i, overlap);
        }

        return best;
    }

    private static (int Truth, double Overlap) Best(in Box anchor, ReadOnlySpan<Box> truths)
    {
        var best = (Truth: -1, Overlap: 0.0);
        for (var t = 0; t < truths.Length; t++)
        {
            var overlap = Boxes.Overlap(anchor, truths[t]);
            if (overlap > best.Overlap) best = (t, overlap);
        }

        return best;
    }
}

/// <summary>What a detector is to predict at every anchor of an image.</summary>
/// <param name="Matches"><c>[n]</c>: the number of the anchor's true box, or -1; offsets count in the loss where it is at least 0.</param>
/// <param name="Classes"><c>[n]</c>: 0 for background, else 1 + the class.</param>
/// <param name="Offsets"><c>[n, 4]</c>, see <see cref="BoxOffsets"/>; zeros for background.</param>
public sealed record DetectionTargets(int[] Matches, int[] Classes, double[] Offsets);

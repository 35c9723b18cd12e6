using static System.FormattableString;

namespace DL.Core.Metrics;

/// <summary>One box for every thing: of boxes that overlap, the one with the highest score.</summary>
public static class NonMaximumSuppression
{
    /// <summary>Goes through the boxes by falling score, and keeps each that overlaps no box kept before by more than the threshold.</summary>
    /// <param name="boxes"><c>[n]</c>; may be none.</param>
    /// <param name="scores"><c>[n]</c>.</param>
    /// <param name="threshold">The largest <see cref="Boxes.IntersectionOverUnion(Box, Box)"/> two kept boxes may have, from 0 to 1.</param>
    /// <param name="most">The most boxes to keep.</param>
    /// <returns>The numbers of the kept boxes by falling score, equal scores by number.</returns>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    /// <exception cref="InvalidArgumentException">A box is not sound, a score is not a number, or a setting is out of range.</exception>
    public static int[] Keep(ReadOnlySpan<Box> boxes, ReadOnlySpan<double> scores, double threshold = 0.5, int most = int.MaxValue) =>
        Keep(boxes, scores, new int[boxes.Length], threshold, most);

    /// <summary>As without classes, but a box is only held against kept boxes of its own class.</summary>
    /// <param name="boxes"><c>[n]</c>; may be none.</param>
    /// <param name="scores"><c>[n]</c>.</param>
    /// <param name="classes"><c>[n]</c>.</param>
    /// <param name="threshold">The largest overlap two kept boxes of a class may have, from 0 to 1.</param>
    /// <param name="most">The most boxes to keep, of all classes together.</param>
    /// <returns>The numbers of the kept boxes by falling score, equal scores by number.</returns>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    /// <exception cref="InvalidArgumentException">A box is not sound, a score is not a number, or a setting is out of range.</exception>
    public static int[] Keep(
        ReadOnlySpan<Box> boxes, ReadOnlySpan<double> scores, ReadOnlySpan<int> classes, double threshold = 0.5, int most = int.MaxValue)
    {
        Check(boxes, scores, classes, threshold, most);
        var kept = new List<int>();
        foreach (var candidate in ByFallingScore(scores))
        {
            if (kept.Count >= most) break;
            if (IsFree(candidate, kept, boxes, classes, threshold)) kept.Add(candidate);
        }

        return [.. kept];
    }

    /// <summary>The numbers from the highest score to the lowest, equal scores in their order.</summary>
    internal static int[] ByFallingScore(ReadOnlySpan<double> scores)
    {
        var (order, falling) = (new int[scores.Length], scores.ToArray());
        for (var i = 0; i < order.Length; i++) order[i] = i;
        Array.Sort(order, (a, b) => falling[a] == falling[b] ? a.CompareTo(b) : falling[b].CompareTo(falling[a]));
        return order;
    }

    private static bool IsFree(int candidate, List<int> kept, ReadOnlySpan<Box> boxes, ReadOnlySpan<int> classes, double threshold)
    {
        foreach (var other in kept)
        {
            if (classes[other] == classes[candidate] && Boxes.Overlap(boxes[other], boxes[candidate]) > threshold) return false;
        }

        return true;
    }

    private static void Check(ReadOnlySpan<Box> boxes, ReadOnlySpan<double> scores, ReadOnlySpan<int> classes, double threshold, int most)
    {
        const string where = "NonMaximumSuppression.Keep";
        if (scores.Length != boxes.Length || classes.Length != boxes.Length)
            throw new ShapeException(where, Invariant($"a score and a class for each of {boxes.Length} boxes"), Invariant($"{scores.Length} and {classes.Length}"));
        if (!(threshold >= 0 && threshold <= 1)) throw new InvalidArgumentException($"{where}, threshold", "0 to 1", Invariant($"{threshold}"));
        if (most < 0) throw new InvalidArgumentException($"{where}, most", "at least 0", Invariant($"{most}"));
        Box.CheckAll(boxes, where, "boxes");
        for (var i = 0; i < scores.Length; i++)
        {
            if (double.IsNaN(scores[i])) throw new InvalidArgumentException(Invariant($"{where}, scores[{i}]"), "a number", "NaN");
        }
    }
}

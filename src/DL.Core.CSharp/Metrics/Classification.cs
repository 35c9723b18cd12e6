using static System.FormattableString;

namespace DL.Core.Metrics;

/// <summary>Figures of predicted classes that need no table of counts.</summary>
public static class Classification
{
    /// <summary><c>(number of i with truth[i] = predicted[i]) / n</c>.</summary>
    /// <param name="truth">The true class ids, [n], n at least 1.</param>
    /// <param name="predicted">The predicted class ids, [n].</param>
    /// <returns>A share in [0, 1].</returns>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    /// <exception cref="InvalidArgumentException">There are no rows.</exception>
    public static double Accuracy(ReadOnlySpan<int> truth, ReadOnlySpan<int> predicted)
    {
        CheckPair(truth.Length, predicted.Length, "Accuracy");
        var hits = 0;
        for (var i = 0; i < truth.Length; i++)
            hits += truth[i] == predicted[i] ? 1 : 0;
        return (double)hits / truth.Length;
    }

    /// <summary>The share of rows whose true class is among the k of the highest scores; of equal scores the one of the lower class comes first.</summary>
    /// <remarks>With k = 1 it is the accuracy of <see cref="ArgMax.Rows(ReadOnlySpan{double}, int)"/>.</remarks>
    /// <param name="truth">The true class ids, [n], n at least 1.</param>
    /// <param name="scores">The scores, row-major [n, classes].</param>
    /// <param name="k">From 1 to the number of classes.</param>
    /// <returns>A share in [0, 1], which grows with k.</returns>
    /// <exception cref="ShapeException">The scores do not divide into as many rows.</exception>
    /// <exception cref="InvalidArgumentException">There are no rows, k or a class id is out of range, or a score is NaN, named by row.</exception>
    public static double TopK(ReadOnlySpan<int> truth, ReadOnlySpan<double> scores, int k) => (double)TopKHits(truth, scores, k) / truth.Length;

    /// <summary>The number of rows that <see cref="TopK"/> is the share of.</summary>
    internal static int TopKHits(ReadOnlySpan<int> truth, ReadOnlySpan<double> scores, int k)
    {
        if (truth.Length == 0) throw new InvalidArgumentException("TopK", "at least one row", "none");
        if (scores.Length == 0 || scores.Length % truth.Length != 0)
            throw new ShapeException("TopK", Invariant($"a row of scores for each of {truth.Length} true classes"), Invariant($"{scores.Length} scores"));
        var classes = scores.Length / truth.Length;
        if (k < 1 || k > classes) throw new InvalidArgumentException("TopK, k", Invariant($"a number from 1 to {classes}"), Invariant($"{k}"));
        var hits = 0;
        for (var i = 0; i < truth.Length; i++)
            hits += Rank(scores.Slice(i * classes, classes), truth[i], i) < k ? 1 : 0;
        return hits;
    }

    private static int Rank(ReadOnlySpan<double> row, int truth, int index)
    {
        if ((uint)truth >= (uint)row.Length)
            throw new InvalidArgumentException(Invariant($"TopK, truth[{index}]"), Invariant($"a class id from 0 to {row.Length - 1}"), Invariant($"{truth}"));
        var before = 0;
        for (var c = 0; c < row.Length; c++)
        {
            if (double.IsNaN(row[c])) throw new InvalidArgumentException(Invariant($"TopK, row {index}, class {c}"), "a number", "NaN");
            if (row[c] > row[truth] || (row[c] == row[truth] && c < truth)) before++;
        }

        return before;
    }

    internal static void CheckPair(int truth, int predicted, string where)
    {
        if (truth != predicted)
            throw new ShapeException(where, Invariant($"as many predictions as the {truth} true values"), Invariant($"{predicted}"));
        if (truth == 0)
            throw new InvalidArgumentException(where, "at least one row", "none");
    }
}

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

    internal static void CheckPair(int truth, int predicted, string where)
    {
        if (truth != predicted)
            throw new ShapeException(where, Invariant($"as many predictions as the {truth} true values"), Invariant($"{predicted}"));
        if (truth == 0)
            throw new InvalidArgumentException(where, "at least one row", "none");
    }
}

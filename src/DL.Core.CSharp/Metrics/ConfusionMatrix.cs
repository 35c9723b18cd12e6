using static System.FormattableString;

namespace DL.Core.Metrics;

/// <summary>The number of rows of each pair of true class (matrix row) and predicted class (matrix column), and the figures made of it.</summary>
/// <remarks>
/// A value: counting on makes a new matrix by <see cref="Merge"/>. With tp, fp and fn of a class, precision is tp / (tp + fp),
/// recall tp / (tp + fn), F1 their harmonic mean 2 tp / (2 tp + fp + fn); 0/0 gives 0 and is listed in <see cref="Undefined"/>.
/// </remarks>
public sealed partial class ConfusionMatrix
{
    // The square of a larger number is beyond an array.
    private const int MostClasses = 46_340;

    private readonly long[,] _counts;
    private readonly long[] _true, _predicted;

    private ConfusionMatrix(long[,] counts, IReadOnlyList<string> classNames)
    {
        (_counts, ClassNames) = (counts, classNames);
        Classes = counts.GetLength(0);
        (_true, _predicted) = (new long[Classes], new long[Classes]);
        for (var t = 0; t < Classes; t++)
        {
            Hits += counts[t, t];
            for (var p = 0; p < Classes; p++)
            {
                _true[t] += counts[t, p];
                _predicted[p] += counts[t, p];
            }
            Total += _true[t];
        }
    }

    /// <summary>Counts pairs of classes.</summary>
    /// <param name="truth">The true class ids, [n], n at least 1.</param>
    /// <param name="predicted">The predicted class ids, [n].</param>
    /// <param name="classes">The number of classes.</param>
    /// <param name="classNames">One name per class; if null they are named by their number.</param>
    /// <returns>The matrix, its total n.</returns>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    /// <exception cref="InvalidArgumentException">There are no rows, a class id is out of range (named by position), or the names do not fit.</exception>
    public static ConfusionMatrix Of(ReadOnlySpan<int> truth, ReadOnlySpan<int> predicted, int classes, IReadOnlyList<string>? classNames = null)
    {
        Classification.CheckPair(truth.Length, predicted.Length, "ConfusionMatrix");
        if (classes is < 1 or > MostClasses)
            throw new InvalidArgumentException("ConfusionMatrix, classes", $"from 1 to {MostClasses}", Invariant($"{classes}"));
        CheckIds(truth, classes, "truth");
        CheckIds(predicted, classes, "predicted");
        var counts = new long[classes, classes];
        for (var i = 0; i < truth.Length; i++)
            counts[truth[i], predicted[i]]++;
        return FromCounts(counts, classNames);
    }

    /// <summary>A matrix of given counts, which may all be 0: the neutral start of <see cref="Merge"/>.</summary>
    /// <param name="counts">The counts, [true class, predicted class]; copied.</param>
    /// <param name="classNames">One name per class; if null they are named by their number.</param>
    /// <returns>The matrix.</returns>
    /// <exception cref="ShapeException">The counts are not square or hold no class.</exception>
    /// <exception cref="InvalidArgumentException">A count is negative, or the names do not fit.</exception>
    public static ConfusionMatrix FromCounts(long[,] counts, IReadOnlyList<string>? classNames = null)
    {
        int rows = counts.GetLength(0), columns = counts.GetLength(1);
        if (rows != columns || rows == 0)
            throw new ShapeException("ConfusionMatrix", "a square of at least one class", Invariant($"{rows} x {columns}"));
        if (classNames is not null && classNames.Count != rows)
            throw new InvalidArgumentException("ConfusionMatrix, classNames", Invariant($"{rows} names"), Invariant($"{classNames.Count}"));
        foreach (var count in counts)
        {
            if (count < 0)
                throw new InvalidArgumentException("ConfusionMatrix, counts", "counts of at least 0", Invariant($"{count}"));
        }
        return new ConfusionMatrix((long[,])counts.Clone(), classNames ?? [.. Enumerable.Range(0, rows).Select(c => Invariant($"{c}"))]);
    }

    /// <summary>The number of classes.</summary>
    public int Classes { get; }

    /// <summary>One name per class.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>The sum of all counts.</summary>
    public long Total { get; }

    /// <summary>The trace: the rows predicted right.</summary>
    public long Hits { get; }

    /// <summary>A copy of the counts, [true class, predicted class].</summary>
    public long[,] Counts => (long[,])_counts.Clone();

    /// <summary>One count.</summary>
    /// <param name="truth">The true class.</param>
    /// <param name="predicted">The predicted class.</param>
    /// <exception cref="InvalidArgumentException">There is no such class.</exception>
    public long this[int truth, int predicted] => _counts[Checked(truth), Checked(predicted)];

    /// <summary>trace / total.</summary>
    public double Accuracy => Ratio(Hits, Total);

    /// <summary><c>tp / (tp + fp)</c>: the share of the rows predicted as the class that are of it.</summary>
    /// <param name="class">The class.</param>
    /// <exception cref="InvalidArgumentException">There is no such class.</exception>
    public double Precision(int @class) => Ratio(_counts[Checked(@class), @class], _predicted[@class]);

    /// <summary><c>tp / (tp + fn)</c>: the share of the rows of the class that are predicted as it.</summary>
    /// <param name="class">The class.</param>
    /// <exception cref="InvalidArgumentException">There is no such class.</exception>
    public double Recall(int @class) => Ratio(_counts[Checked(@class), @class], _true[@class]);

    /// <summary><c>2 tp / (2 tp + fp + fn)</c>, the harmonic mean of precision and recall.</summary>
    /// <param name="class">The class.</param>
    /// <exception cref="InvalidArgumentException">There is no such class.</exception>
    public double F1(int @class) => Ratio(2 * _counts[Checked(@class), @class], _true[@class] + _predicted[@class]);

    /// <summary>Precision over all classes.</summary>
    /// <param name="average">How the classes are averaged.</param>
    /// <exception cref="InvalidArgumentException">No such average.</exception>
    public double Precision(Average average) => Over(average, Precision);

    /// <summary>Recall over all classes.</summary>
    /// <param name="average">How the classes are averaged.</param>
    /// <exception cref="InvalidArgumentException">No such average.</exception>
    public double Recall(Average average) => Over(average, Recall);

    /// <summary>F1 over all classes: the average of the classes' F1, not the F1 of averages.</summary>
    /// <param name="average">How the classes are averaged.</param>
    /// <exception cref="InvalidArgumentException">No such average.</exception>
    public double F1(Average average) => Over(average, F1);

    /// <summary>The figures that are 0 because they are 0/0, class by class: a class never predicted, never true, or neither.</summary>
    public IReadOnlyList<UndefinedMetric> Undefined
    {
        get
        {
            var undefined = new List<UndefinedMetric>();
            if (Total == 0)
                undefined.Add(new UndefinedMetric("accuracy", -1));
            for (var c = 0; c < Classes; c++)
            {
                if (_predicted[c] == 0)
                    undefined.Add(new UndefinedMetric("precision", c));
                if (_true[c] == 0)
                    undefined.Add(new UndefinedMetric("recall", c));
                if (_predicted[c] + _true[c] == 0)
                    undefined.Add(new UndefinedMetric("F1", c));
            }
            return undefined;
        }
    }

    /// <summary>The matrix of the rows of both: <c>Of(a ++ b) = Of(a).Merge(Of(b))</c>.</summary>
    /// <param name="other">A matrix of the same classes.</param>
    /// <returns>A new matrix with this one's class names.</returns>
    /// <exception cref="ShapeException">The number of classes differs.</exception>
    public ConfusionMatrix Merge(ConfusionMatrix other)
    {
        if (other.Classes != Classes)
            throw new ShapeException("ConfusionMatrix.Merge", Invariant($"{Classes} classes"), Invariant($"{other.Classes}"));
        return Map((t, p) => _counts[t, p] + other._counts[t, p]);
    }

    /// <summary>Truth and prediction exchanged, which exchanges precision and recall.</summary>
    /// <returns>A new matrix.</returns>
    public ConfusionMatrix Transpose() => Map((t, p) => _counts[p, t]);

    private ConfusionMatrix Map(Func<int, int, long> count)
    {
        var counts = new long[Classes, Classes];
        for (var t = 0; t < Classes; t++)
        {
            for (var p = 0; p < Classes; p++)
                counts[t, p] = count(t, p);
        }
        return new ConfusionMatrix(counts, ClassNames);
    }

    private double Over(Average average, Func<int, double> figure) => average switch
    {
        // Each miss is one class's fp and another's fn, so the summed precision, recall and F1 are all the accuracy.
        Average.Micro => Accuracy,
        Average.Macro => Total == 0 ? 0 : Enumerable.Range(0, Classes).Where(c => Union(c) > 0).Average(figure),
        Average.Weighted => Total == 0 ? 0 : Enumerable.Range(0, Classes).Sum(c => _true[c] * figure(c)) / Total,
        _ => throw new InvalidArgumentException("ConfusionMatrix, average", "Micro, Macro or Weighted", $"{average}"),
    };

    private static void CheckIds(ReadOnlySpan<int> ids, int classes, string name)
    {
        for (var i = 0; i < ids.Length; i++)
        {
            if ((uint)ids[i] >= (uint)classes)
                throw new InvalidArgumentException(Invariant($"ConfusionMatrix, {name}[{i}]"), Invariant($"a class id from 0 to {classes - 1}"), Invariant($"{ids[i]}"));
        }
    }

    private int Checked(int @class) => (uint)@class < (uint)Classes
        ? @class
        : throw new InvalidArgumentException("ConfusionMatrix, class", Invariant($"0 to {Classes - 1}"), Invariant($"{@class}"));

    private static double Ratio(long part, long whole) => whole == 0 ? 0 : (double)part / whole;
}

using static System.FormattableString;

namespace DL.Core.Data;

/// <summary><c>y = (x - mu) / (sigma + eps)</c> for each column, with mean and deviation learnt from the training rows alone.</summary>
/// <remarks>
/// sigma is the biased deviation, <c>sqrt(mean((x - mu)^2))</c>. A column that is constant over the training rows tells nothing and becomes
/// 0 in every row, also where a later row differs: dividing that by eps would give values of 1e8.
/// </remarks>
public sealed class Standardizer
{
    private readonly double[] _mean, _deviation;

    private Standardizer(double[] mean, double[] deviation, double epsilon) => (_mean, _deviation, Epsilon) = (mean, deviation, epsilon);

    /// <summary>mu of each column.</summary>
    public IReadOnlyList<double> Mean => _mean;

    /// <summary>sigma of each column; exactly 0 for a constant one.</summary>
    public IReadOnlyList<double> Deviation => _deviation;

    /// <summary>eps, added to sigma.</summary>
    public double Epsilon { get; }

    /// <summary>Learns mean and deviation from all rows.</summary>
    /// <param name="x">The training rows, row-major [rows, columns].</param>
    /// <param name="columns">The number of columns, at least 1.</param>
    /// <param name="epsilon">eps, at least 0.</param>
    /// <returns>The fitted map.</returns>
    /// <exception cref="InvalidArgumentException">No rows, a value that is not finite (named by row and column), a column whose deviation
    /// overflows, or a bad eps.</exception>
    /// <exception cref="ShapeException">x does not divide into rows.</exception>
    public static Standardizer Fit(ReadOnlySpan<double> x, int columns, double epsilon = 1e-8)
    {
        CheckRows(x, columns);
        if (x.IsEmpty)
            throw new InvalidArgumentException("Standardizer.Fit, x", "at least one row", "none");
        if (!(epsilon >= 0 && double.IsFinite(epsilon)))
            throw new InvalidArgumentException("Standardizer.Fit, epsilon", "a finite number of at least 0", Invariant($"{epsilon}"));
        double[] mean = new double[columns], deviation = new double[columns];
        for (var c = 0; c < columns; c++)
        {
            (mean[c], deviation[c]) = Moments(x, c, columns);
            if (!double.IsFinite(deviation[c]))
                throw new InvalidArgumentException(Invariant($"Standardizer.Fit, column {c}"), "a finite mean and deviation", "values too large to square");
        }
        return new Standardizer(mean, deviation, epsilon);
    }

    /// <summary>Learns from some rows of a data set, usually <see cref="Split.Train"/>.</summary>
    /// <param name="data">The data set.</param>
    /// <param name="rows">The training rows.</param>
    /// <param name="epsilon">eps, at least 0.</param>
    /// <returns>The fitted map.</returns>
    /// <exception cref="InvalidArgumentException">As for the other form, or a row that is not there.</exception>
    public static Standardizer Fit(Dataset data, ReadOnlySpan<int> rows, double epsilon = 1e-8) =>
        Fit(data.Take(rows).Features, data.FeatureCount, epsilon);

    /// <summary>The standardized values.</summary>
    /// <param name="x">Rows of as many columns as were fitted, row-major.</param>
    /// <returns>A new array of the same shape.</returns>
    /// <exception cref="ShapeException">x does not divide into such rows.</exception>
    /// <exception cref="InvalidArgumentException">A value is not finite.</exception>
    public double[] Apply(ReadOnlySpan<double> x)
    {
        var columns = _mean.Length;
        CheckRows(x, columns);
        var y = new double[x.Length];
        for (var i = 0; i < y.Length; i++)
        {
            var c = i % columns;
            CheckFinite(x[i], i, columns);
            y[i] = _deviation[c] == 0 ? 0 : (x[i] - _mean[c]) / (_deviation[c] + Epsilon);
        }
        return y;
    }

    /// <summary>The data set with its features standardized.</summary>
    /// <param name="data">A data set of as many features as were fitted.</param>
    /// <returns>A new data set; the labels or targets are shared.</returns>
    /// <exception cref="ShapeException">The number of features differs.</exception>
    public Dataset Apply(Dataset data)
    {
        if (data.FeatureCount != _mean.Length)
            throw new ShapeException("Standardizer.Apply", Invariant($"{_mean.Length} features"), Invariant($"{data.FeatureCount}"));
        return data.WithFeatures(Apply(data.Features));
    }

    private static (double Mean, double Deviation) Moments(ReadOnlySpan<double> x, int column, int columns)
    {
        var first = x[column];
        double sum = 0;
        var constant = true;
        for (var i = column; i < x.Length; i += columns)
        {
            CheckFinite(x[i], i, columns);
            constant &= x[i] == first;
            sum += x[i] - first;
        }
        if (constant)
            return (first, 0);
        var rows = x.Length / columns;
        // Summed from the first value on, so that a large common offset costs no digits.
        var mean = first + sum / rows;
        double squares = 0;
        for (var i = column; i < x.Length; i += columns)
            squares += (x[i] - mean) * (x[i] - mean);
        return (mean, Math.Sqrt(squares / rows));
    }

    private static void CheckRows(ReadOnlySpan<double> x, int columns)
    {
        if (columns < 1)
            throw new InvalidArgumentException("Standardizer, columns", "at least 1", Invariant($"{columns}"));
        if (x.Length % columns != 0)
            throw new ShapeException("Standardizer", Invariant($"rows of {columns} values"), Invariant($"{x.Length} values"));
    }

    private static void CheckFinite(double value, int index, int columns)
    {
        if (!double.IsFinite(value))
            throw new InvalidArgumentException(Invariant($"Standardizer, row {index / columns}, column {index % columns}"), "a finite number", Invariant($"{value}"));
    }
}

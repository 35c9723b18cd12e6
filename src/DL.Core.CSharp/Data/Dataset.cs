using DL.Core.Formats;
using static System.FormattableString;

namespace DL.Core.Data;

/// <summary>Rows of features with a class id or a number to predict for each.</summary>
/// <remarks>Features lie row-major in one array, [Rows, FeatureCount], finite throughout. The arrays belong to the caller and are not copied on reading.</remarks>
public sealed partial class Dataset
{
    /// <summary>Class ids above this are taken for a mistake where the classes are not named.</summary>
    private const int MostUnnamedClasses = 1 << 16;

    private readonly int[]? _labels;
    private readonly double[]? _targets;

    private Dataset(string name, double[] features, string[] featureNames, int[] featureShape, int[]? labels, string[] classNames, double[]? targets, string attribution)
    {
        (Name, Features, FeatureNames, FeatureShape, Attribution) = (name, features, featureNames, featureShape, attribution);
        (_labels, ClassNames, _targets) = (labels, classNames, targets);
    }

    /// <summary>What messages call the data.</summary>
    public string Name { get; }

    /// <summary>The source and the licence, to be kept with the data; empty for the caller's own.</summary>
    public string Attribution { get; }

    /// <summary>The features, row-major [Rows, FeatureCount].</summary>
    public double[] Features { get; }

    /// <summary>One name per feature.</summary>
    public IReadOnlyList<string> FeatureNames { get; }

    /// <summary>The axes of one row's features: [n] for a table, [height, width] for images.</summary>
    public IReadOnlyList<int> FeatureShape { get; }

    /// <summary>The number of features of a row.</summary>
    public int FeatureCount => FeatureNames.Count;

    /// <summary>The number of rows.</summary>
    public int Rows => _labels?.Length ?? _targets!.Length;

    /// <summary>True if a class is to be predicted, false if a number.</summary>
    public bool IsClassification => _labels is not null;

    /// <summary>The class id of each row, [Rows], from 0 to ClassCount - 1.</summary>
    /// <exception cref="InvalidArgumentException">The data set has numbers to predict; see <see cref="IsClassification"/>.</exception>
    public int[] Labels => _labels ?? throw new InvalidArgumentException($"data set '{Name}', Labels", "classes to predict", "numbers", "Use Targets.");

    /// <summary>The number to predict for each row, [Rows].</summary>
    /// <exception cref="InvalidArgumentException">The data set has classes to predict; see <see cref="IsClassification"/>.</exception>
    public double[] Targets => _targets ?? throw new InvalidArgumentException($"data set '{Name}', Targets", "numbers to predict", "classes", "Use Labels.");

    /// <summary>One name per class; empty if numbers are to be predicted.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>The number of classes; 0 if numbers are to be predicted.</summary>
    public int ClassCount => ClassNames.Count;

    /// <summary>A classification set from a table: one column holds class ids, the others are the features.</summary>
    /// <param name="table">The table.</param>
    /// <param name="labelColumn">The column of class ids, integers from 0.</param>
    /// <param name="classNames">One name per class; if null the classes are 0 to the largest id and named by their number.</param>
    /// <param name="name">What messages call the data.</param>
    /// <returns>The data set.</returns>
    /// <exception cref="InvalidArgumentException">There is no such column, or no other.</exception>
    /// <exception cref="DataFormatException">No rows, a label that is no class id, or a feature that is not finite; the message names the row.</exception>
    public static Dataset FromTable(Table table, string labelColumn, IReadOnlyList<string>? classNames = null, string name = "table")
    {
        var features = FeaturesOf(table, labelColumn, name);
        var labels = ClassIds(table.Column(labelColumn), classNames?.Count ?? MostUnnamedClasses, $"{name}, column {labelColumn}");
        var classes = classNames ?? [.. Enumerable.Range(0, labels.Max() + 1).Select(c => Invariant($"{c}"))];
        return new Dataset(name, features.Values, [.. features.ColumnNames], [features.Columns], labels, [.. classes], null, "");
    }

    /// <summary>A regression set from a table: one column holds the numbers to predict, the others are the features.</summary>
    /// <param name="table">The table.</param>
    /// <param name="targetColumn">The column of numbers to predict.</param>
    /// <param name="name">What messages call the data.</param>
    /// <returns>The data set.</returns>
    /// <exception cref="InvalidArgumentException">There is no such column, or no other.</exception>
    /// <exception cref="DataFormatException">No rows, or a value that is not finite; the message names the row.</exception>
    public static Dataset RegressionFromTable(Table table, string targetColumn, string name = "table")
    {
        var features = FeaturesOf(table, targetColumn, name);
        var targets = table.Column(targetColumn);
        CheckFinite(targets, [targetColumn], name);
        return new Dataset(name, features.Values, [.. features.ColumnNames], [features.Columns], null, [], targets, "");
    }

    /// <summary>The data set of some rows, in the order given; a row may come twice.</summary>
    /// <param name="rows">The rows, from 0.</param>
    /// <returns>A new data set with arrays of its own.</returns>
    /// <exception cref="InvalidArgumentException">A row that is not there.</exception>
    public Dataset Take(ReadOnlySpan<int> rows)
    {
        var width = FeatureCount;
        var features = new double[checked(rows.Length * width)];
        for (var i = 0; i < rows.Length; i++)
        {
            if ((uint)rows[i] >= (uint)Rows)
                throw new InvalidArgumentException(Invariant($"data set '{Name}', rows[{i}]"), Invariant($"0 to {Rows - 1}"), Invariant($"{rows[i]}"));
            Features.AsSpan(rows[i] * width, width).CopyTo(features.AsSpan(i * width));
        }
        return Copy(features, Gather(_labels, rows), Gather(_targets, rows));
    }

    /// <summary>The same rows with other values for the features.</summary>
    /// <param name="features">Row-major [Rows, FeatureCount].</param>
    /// <returns>A new data set over the given array.</returns>
    /// <exception cref="ShapeException">The number of values differs.</exception>
    public Dataset WithFeatures(double[] features) => features.Length == Features.Length
        ? Copy(features, _labels, _targets)
        : throw new ShapeException($"data set '{Name}'", Invariant($"{Rows} x {FeatureCount} values"), Invariant($"{features.Length}"));

    /// <summary>The features rounded to float32, row-major [Rows, FeatureCount].</summary>
    public float[] FeaturesAsSingle() => Array.ConvertAll(Features, x => (float)x);

    internal Dataset Describe(string attribution, int[]? featureShape = null) =>
        new(Name, Features, [.. FeatureNames], featureShape ?? [.. FeatureShape], _labels, [.. ClassNames], _targets, attribution);

    private Dataset Copy(double[] features, int[]? labels, double[]? targets) =>
        new(Name, features, [.. FeatureNames], [.. FeatureShape], labels, [.. ClassNames], targets, Attribution);

    private static T[]? Gather<T>(T[]? values, ReadOnlySpan<int> rows)
    {
        if (values is null)
            return null;
        var gathered = new T[rows.Length];
        for (var i = 0; i < gathered.Length; i++)
            gathered[i] = values[rows[i]];
        return gathered;
    }

    private static Table FeaturesOf(Table table, string predicted, string name)
    {
        table.Place(predicted);
        if (table.Columns < 2)
            throw new InvalidArgumentException(name, "at least one column beside the one to predict", "none");
        if (table.Rows == 0)
            throw new DataFormatException(name, "at least one row", "none");
        var features = table.Without(predicted);
        CheckFinite(features.Values, features.ColumnNames, name);
        return features;
    }

    private static int[] ClassIds(double[] column, int classes, string where)
    {
        var labels = new int[column.Length];
        for (var r = 0; r < labels.Length; r++)
        {
            if (!(column[r] >= 0 && column[r] < classes && column[r] == Math.Floor(column[r])))
                throw new DataFormatException(Invariant($"{where}, row {r + 1}"), Invariant($"a class id from 0 to {classes - 1}"), Invariant($"{column[r]}"));
            labels[r] = (int)column[r];
        }
        return labels;
    }

    private static void CheckFinite(double[] values, IReadOnlyList<string> names, string where)
    {
        for (var i = 0; i < values.Length; i++)
        {
            if (!double.IsFinite(values[i]))
                throw new DataFormatException(Invariant($"{where}, row {i / names.Count + 1}, column {names[i % names.Count]}"), "a finite number", Invariant($"{values[i]}"));
        }
    }
}

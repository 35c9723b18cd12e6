using static System.FormattableString;

namespace DL.Core.Data;

/// <summary>Checks and encodings of class ids, the integers 0 to classes - 1.</summary>
public static class Labels
{
    /// <summary>Returns if every label is a class id from 0 to <paramref name="classes"/> - 1.</summary>
    /// <param name="labels">The labels, [n].</param>
    /// <param name="classes">The number of classes, at least 1.</param>
    /// <param name="where">What errors call the labels.</param>
    /// <exception cref="InvalidArgumentException">A label is out of range; the message names the first one and its position.</exception>
    public static void Check(ReadOnlySpan<int> labels, int classes, string where = "labels")
    {
        CheckClasses(classes, where);
        for (var i = 0; i < labels.Length; i++)
        {
            if ((uint)labels[i] >= (uint)classes)
                throw new InvalidArgumentException(Invariant($"{where}[{i}]"), Invariant($"a class id from 0 to {classes - 1}"), Invariant($"{labels[i]}"));
        }
    }

    /// <summary><c>y[i, c] = 1 if labels[i] = c, else 0</c>.</summary>
    /// <param name="labels">The labels, [n].</param>
    /// <param name="classes">The number of classes, at least 1.</param>
    /// <returns>One row per label, row-major [n, classes].</returns>
    /// <exception cref="InvalidArgumentException">A label is out of range.</exception>
    /// <exception cref="ShapeException">n * classes is more than an array can hold.</exception>
    public static double[] OneHot(ReadOnlySpan<int> labels, int classes)
    {
        Check(labels, classes, "OneHot, labels");
        if ((long)labels.Length * classes > Array.MaxLength)
            throw new ShapeException("OneHot", Invariant($"at most {Array.MaxLength} elements"), Invariant($"{labels.Length} x {classes}"));
        var encoded = new double[labels.Length * classes];
        for (var i = 0; i < labels.Length; i++)
            encoded[i * classes + labels[i]] = 1;
        return encoded;
    }

    internal static void CheckClasses(int classes, string where)
    {
        if (classes < 1)
            throw new InvalidArgumentException($"{where}, classes", "at least 1", Invariant($"{classes}"));
    }
}

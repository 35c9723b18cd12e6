namespace DL.Core.Losses;

/// <summary>Weights of classes for losses over examples of classes that are not equally common.</summary>
public static class ClassWeights
{
    /// <summary><c>w_c = n / (classes * n_c)</c>: every class weighs as much in the whole data as every other, and the examples weigh n together.</summary>
    /// <remarks>It is "balanced" of scikit-learn, after G. King, L. Zeng, Logistic regression in rare events data, 2001.</remarks>
    /// <param name="labels">The class of every example, [n].</param>
    /// <param name="classes">The number of classes, at least 1.</param>
    /// <returns>[classes].</returns>
    /// <exception cref="InvalidArgumentException">A label is no class, or a class has no example: the message names it.</exception>
    public static double[] Balanced(ReadOnlySpan<int> labels, int classes)
    {
        if (classes < 1) throw new InvalidArgumentException("ClassWeights.Balanced, classes", "at least 1", $"{classes}");
        ClassTargets.CheckIds("ClassWeights.Balanced, labels", labels, classes);
        // Of more classes than labels one of the first has no example, whatever the others have.
        var counts = new int[Math.Min(classes, labels.Length + 1)];
        foreach (var label in labels)
            if (label < counts.Length) counts[label]++;
        return Balanced(counts);
    }

    /// <summary><c>w_c = n / (classes * n_c)</c>, from the number of examples of every class.</summary>
    /// <param name="counts">The number of examples of every class, [classes].</param>
    /// <returns>[classes].</returns>
    /// <exception cref="InvalidArgumentException">There is no class, or one has no example: the message names it.</exception>
    public static double[] Balanced(ReadOnlySpan<int> counts)
    {
        if (counts.IsEmpty) throw new InvalidArgumentException("ClassWeights.Balanced, counts", "at least 1 class", "none");
        var total = 0L;
        for (var c = 0; c < counts.Length; c++)
        {
            if (counts[c] < 1) throw new InvalidArgumentException("ClassWeights.Balanced", "at least 1 example of every class", $"{counts[c]} of class {c}");
            total += counts[c];
        }

        var weights = new double[counts.Length];
        for (var c = 0; c < weights.Length; c++) weights[c] = total / ((double)counts.Length * counts[c]);
        return weights;
    }
}

namespace DL.Core.Metrics;

/// <summary>How one figure is made of the classes' figures.</summary>
public enum Average
{
    /// <summary>The figure of the counts summed over the classes; for one label per row all of them equal the accuracy.</summary>
    Micro,

    /// <summary>The plain mean over the classes that are true or predicted at least once, as scikit-learn takes it; a figure that is 0/0 counts 0.</summary>
    Macro,

    /// <summary>The mean weighted by the number of rows truly of each class.</summary>
    Weighted,
}

/// <summary>A figure that came out 0 because it was 0/0.</summary>
/// <param name="Metric">precision, recall, F1 or accuracy.</param>
/// <param name="Class">The class; -1 for the accuracy, which has none.</param>
public sealed record UndefinedMetric(string Metric, int Class);

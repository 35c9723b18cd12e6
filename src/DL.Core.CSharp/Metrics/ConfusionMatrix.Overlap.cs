namespace DL.Core.Metrics;

public sealed partial class ConfusionMatrix
{
    /// <summary><c>tp / (tp + fp + fn)</c>: the pixels that are of the class in both maps, over those that are in either; 0 for a class in neither.</summary>
    /// <param name="class">The class.</param>
    /// <exception cref="InvalidArgumentException">There is no such class.</exception>
    public double IntersectionOverUnion(int @class) => Ratio(_counts[Checked(@class), @class], Union(@class));

    /// <summary>The mean of <see cref="IntersectionOverUnion"/> over the classes that are true or predicted at least once; 0 without any.</summary>
    public double MeanIntersectionOverUnion
    {
        get
        {
            var met = Enumerable.Range(0, Classes).Where(c => Union(c) > 0).ToArray();
            return met.Length == 0 ? 0 : met.Average(IntersectionOverUnion);
        }
    }

    private long Union(int @class) => _true[@class] + _predicted[@class] - _counts[@class, @class];
}

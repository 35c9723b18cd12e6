using System.Globalization;

namespace DL.Core.Optimizers;

/// <summary>Vectors of the minimizers over points.</summary>
internal static class Points
{
    // The distance of 1 from the next number.
    private const double Unit = 1.0 / (1L << 52);

    /// <summary>Size under which a difference of values may be rounding alone.</summary>
    public static double Rounding(double value) => 16 * Unit * Math.Abs(value);

    public static double Dot(double[] a, double[] b)
    {
        var sum = 0.0;
        for (var i = 0; i < a.Length; i++) sum += a[i] * b[i];
        return sum;
    }

    /// <summary>point + share step.</summary>
    public static double[] Along(double[] point, double share, double[] step)
    {
        var next = new double[point.Length];
        for (var i = 0; i < next.Length; i++) next[i] = point[i] + (share * step[i]);
        return next;
    }

    /// <summary>y += factor x.</summary>
    public static void Add(double[] y, double factor, double[] x)
    {
        for (var i = 0; i < y.Length; i++) y[i] += factor * x[i];
    }

    /// <summary>The largest size of an element; NaN where one is NaN.</summary>
    public static double Largest(double[] x)
    {
        var largest = 0.0;
        foreach (var element in x) largest = Math.Max(largest, Math.Abs(element));
        return largest;
    }

    public static bool AreFinite(double[] x) => double.IsFinite(Largest(x));

    public static void CheckStart(double value, double[] gradient, string where)
    {
        if (!double.IsFinite(value))
            throw new InvalidArgumentException($"{where}, start", "a point with a finite value", value.ToString(CultureInfo.InvariantCulture));
        if (!AreFinite(gradient)) throw new InvalidArgumentException($"{where}, start", "a point with a finite gradient", "one that is not");
    }
}

using System.Globalization;

namespace DL.Core.Optimizers;

/// <summary>What the perceptron rule came to.</summary>
/// <param name="Weights">One weight for each feature.</param>
/// <param name="Bias">The bias.</param>
/// <param name="Passes">The number of passes over the data.</param>
/// <param name="Converged">True when the last pass made no error, false when the limit of passes was reached first.</param>
public sealed record PerceptronFit(double[] Weights, double Bias, int Passes, bool Converged)
{
    /// <summary><c>sign(w x + b)</c> with sign(0) = +1.</summary>
    /// <param name="x">One example.</param>
    /// <returns>+1 or -1.</returns>
    /// <exception cref="ShapeException">The example has another number of features.</exception>
    public int Predict(ReadOnlySpan<double> x)
    {
        if (x.Length != Weights.Length) throw new ShapeException("Perceptron", $"{Weights.Length} features", $"{x.Length}");
        return PerceptronRule.Score(x, Weights, Bias) >= 0 ? 1 : -1;
    }
}

/// <summary>The perceptron's error-driven rule: on an error <c>w += eta y x</c>, <c>b += eta y</c>; nothing happens on a right answer.</summary>
/// <remarks>Separable data are separated after finitely many errors. Source: F. Rosenblatt, The perceptron, 1958; A. Novikoff, 1962.</remarks>
public static class PerceptronRule
{
    /// <summary>Passes over the data until one makes no error.</summary>
    /// <param name="x">[n; features], row-major.</param>
    /// <param name="y">[n], +1 or -1.</param>
    /// <param name="rate">The learning rate eta, above 0.</param>
    /// <param name="maxPasses">The most passes, at least 1.</param>
    /// <exception cref="InvalidArgumentException">There is no example, a target is neither +1 nor -1, a number is not finite, or a setting is out of range.</exception>
    /// <exception cref="ShapeException">The number of features is not a whole number.</exception>
    public static PerceptronFit Fit(ReadOnlySpan<double> x, ReadOnlySpan<int> y, double rate = 1, int maxPasses = 1000)
    {
        Check(x, y, rate, maxPasses);
        var features = x.Length / y.Length;
        var weights = new double[features];
        var bias = 0.0;
        for (var pass = 1; ; pass++)
        {
            var errors = 0;
            for (var i = 0; i < y.Length; i++)
            {
                var row = x.Slice(i * features, features);
                if ((Score(row, weights, bias) >= 0 ? 1 : -1) == y[i]) continue;
                errors++;
                for (var j = 0; j < features; j++) weights[j] += rate * y[i] * row[j];
                bias += rate * y[i];
            }

            if (errors == 0 || pass == maxPasses) return new PerceptronFit(weights, bias, pass, errors == 0);
        }
    }

    internal static double Score(ReadOnlySpan<double> x, ReadOnlySpan<double> weights, double bias)
    {
        var score = bias;
        for (var j = 0; j < x.Length; j++) score += weights[j] * x[j];
        return score;
    }

    private static void Check(ReadOnlySpan<double> x, ReadOnlySpan<int> y, double rate, int maxPasses)
    {
        if (y.Length == 0) throw new InvalidArgumentException("PerceptronRule", "at least one example", "none");
        if (x.Length % y.Length != 0) throw new ShapeException("PerceptronRule", $"{y.Length} rows of equally many features", $"{x.Length} numbers");
        if (!double.IsFinite(rate) || rate <= 0)
            throw new InvalidArgumentException("PerceptronRule rate", "a finite number above 0", rate.ToString(CultureInfo.InvariantCulture));
        if (maxPasses < 1) throw new InvalidArgumentException("PerceptronRule maxPasses", "at least 1", $"{maxPasses}");
        for (var i = 0; i < y.Length; i++)
            if (y[i] is not (1 or -1)) throw new InvalidArgumentException($"PerceptronRule target {i}", "+1 or -1", $"{y[i]}");
        for (var i = 0; i < x.Length; i++)
            if (!double.IsFinite(x[i]))
                throw new InvalidArgumentException($"PerceptronRule row {i / (x.Length / y.Length)}", "finite numbers", x[i].ToString(CultureInfo.InvariantCulture));
    }
}

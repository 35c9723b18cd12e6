using System.Globalization;

namespace DL.Core.Optimizers;

/// <summary>Functions with value, gradient and Hessian for <see cref="Newton"/>: linear and logistic regression.</summary>
/// <remarks>A bias is the weight of a feature that is always 1. What comes in is copied.</remarks>
public static class Objectives
{
    /// <summary>Linear regression: <c>1 / (2 n) sum (x w - y)^2 + l2 / 2 |w|^2</c>, with gradient <c>X^T (X w - y) / n + l2 w</c> and Hessian <c>X^T X / n + l2 I</c>.</summary>
    /// <param name="x">[n, d], finite.</param>
    /// <param name="y">[n], finite.</param>
    /// <param name="l2">The penalty, finite and at least 0.</param>
    /// <returns>From weights [d] to value, gradient [d] and Hessian [d, d].</returns>
    /// <exception cref="ShapeException">There are not as many targets as examples, or none; in a call: the weights are not as many as features.</exception>
    /// <exception cref="InvalidArgumentException">A number is not finite, or the penalty is out of range.</exception>
    public static Func<double[], (double Value, double[] Gradient, double[,] Hessian)> LeastSquares(double[,] x, double[] y, double l2 = 0)
    {
        const string Where = "Objectives.LeastSquares";
        var (rows, targets) = Checked(x, y, l2, Where);
        return w => Sum(rows, w, l2, Where, (i, score) => (0.5 * (score - targets[i]) * (score - targets[i]), score - targets[i], 1));
    }

    /// <summary>Logistic regression: <c>1 / n sum log(1 + e^z) - y z + l2 / 2 |w|^2</c> with <c>z = x w</c>; gradient <c>X^T (p - y) / n + l2 w</c>, Hessian <c>X^T diag(p (1 - p)) X / n + l2 I</c>.</summary>
    /// <remarks>Separable data have no minimum without a penalty. Finite at every score.</remarks>
    /// <param name="x">[n, d], finite.</param>
    /// <param name="y">[n], from 0 to 1.</param>
    /// <param name="l2">The penalty, finite and at least 0.</param>
    /// <returns>From weights [d] to value, gradient [d] and Hessian [d, d].</returns>
    /// <exception cref="ShapeException">There are not as many targets as examples, or none; in a call: the weights are not as many as features.</exception>
    /// <exception cref="InvalidArgumentException">A number is not finite, a target is not from 0 to 1, or the penalty is out of range.</exception>
    public static Func<double[], (double Value, double[] Gradient, double[,] Hessian)> Logistic(double[,] x, double[] y, double l2 = 0)
    {
        const string Where = "Objectives.Logistic";
        var (rows, targets) = Checked(x, y, l2, Where);
        for (var i = 0; i < targets.Length; i++)
            if (targets[i] is not (>= 0 and <= 1)) throw new InvalidArgumentException($"{Where}, y[{i}]", "a target from 0 to 1", Text(targets[i]));
        return w => Sum(rows, w, l2, Where, (i, z) =>
        {
            var tail = Math.Exp(-Math.Abs(z));
            var p = z >= 0 ? 1 / (1 + tail) : tail / (1 + tail);
            return (Math.Max(z, 0) + Math.Log(1 + tail) - (targets[i] * z), p - targets[i], tail / ((1 + tail) * (1 + tail)));
        });
    }

    private static (double Value, double[] Gradient, double[,] Hessian) Sum(
        double[][] rows, double[] w, double l2, string where, Func<int, double, (double Value, double Slope, double Curvature)> loss)
    {
        if (w.Length != rows[0].Length) throw new ShapeException(where, $"{rows[0].Length} weights", $"{w.Length}");
        var value = l2 / 2 * Points.Dot(w, w);
        var gradient = Array.ConvertAll(w, weight => l2 * weight);
        var hessian = new double[w.Length, w.Length];
        for (var j = 0; j < w.Length; j++) hessian[j, j] = l2;
        for (var i = 0; i < rows.Length; i++)
        {
            var (term, slope, curvature) = loss(i, Points.Dot(rows[i], w));
            value += term / rows.Length;
            Points.Add(gradient, slope / rows.Length, rows[i]);
            for (var j = 0; j < w.Length; j++)
                for (var k = 0; k < w.Length; k++)
                    hessian[j, k] += curvature * rows[i][j] * rows[i][k] / rows.Length;
        }

        return (value, gradient, hessian);
    }

    private static (double[][] Rows, double[] Targets) Checked(double[,] x, double[] y, double l2, string where)
    {
        Check.AtLeastZero(l2, where, "penalty l2");
        int n = x.GetLength(0), d = x.GetLength(1);
        if (n == 0 || d == 0) throw new ShapeException(where, "at least one example of at least one feature", $"{n} x {d}");
        if (y.Length != n) throw new ShapeException(where, $"{n} targets", $"{y.Length}");
        var rows = new double[n][];
        for (var i = 0; i < n; i++)
        {
            if (!double.IsFinite(y[i])) throw new InvalidArgumentException($"{where}, y[{i}]", "a finite number", Text(y[i]));
            rows[i] = new double[d];
            for (var j = 0; j < d; j++)
            {
                if (!double.IsFinite(x[i, j])) throw new InvalidArgumentException($"{where}, x[{i}, {j}]", "a finite number", Text(x[i, j]));
                rows[i][j] = x[i, j];
            }
        }

        return (rows, (double[])y.Clone());
    }

    private static string Text(double number) => number.ToString(CultureInfo.InvariantCulture);
}

using System.Globalization;

namespace DL.Core.Optimizers;

/// <summary>The settings of <see cref="Newton"/>.</summary>
/// <param name="Damping">The lambda added to the Hessian's diagonal, finite and at least 0: the larger, the nearer the step is to gradient descent of rate 1 / lambda.</param>
/// <param name="MaxIterations">The most steps, at least 0.</param>
/// <param name="Tolerance">The largest element of the gradient that counts as none, finite and at least 0.</param>
public sealed record NewtonSettings(double Damping = 0, int MaxIterations = 100, double Tolerance = 1e-10);

/// <summary>Newton's method with damping: <c>w += s</c> where <c>(H + lambda I) s = -g</c>, for problems small enough to hold a Hessian.</summary>
/// <remarks>With damping 0 a quadratic function is at its minimum after one step. <see cref="Objectives"/> has linear and logistic regression.
/// Source: K. Levenberg, A method for the solution of certain non-linear problems in least squares, 1944; J. Nocedal and S. Wright, Numerical optimization, 2006, chapter 3.</remarks>
public static class Newton
{
    private const double SufficientDecrease = 1e-4;
    private const int MaxHalvings = 50;

    /// <summary>The step s that solves <c>(H + lambda I) s = -g</c>.</summary>
    /// <param name="gradient">[n].</param>
    /// <param name="hessian">[n, n], symmetric; its lower triangle is read.</param>
    /// <param name="damping">Lambda, finite and at least 0.</param>
    /// <returns>[n], to be added to the weights.</returns>
    /// <exception cref="ShapeException">The Hessian is not n by n, or n is 0.</exception>
    /// <exception cref="InvalidArgumentException">The damped Hessian is not positive definite, the gradient is not finite, or the damping is out of range.</exception>
    public static double[] Step(double[] gradient, double[,] hessian, double damping = 0)
    {
        const string Where = "Newton.Step";
        Check.AtLeastZero(damping, Where, "damping");
        CheckSizes(gradient.Length, gradient, hessian, Where);
        var step = new double[gradient.Length];
        for (var i = 0; i < step.Length; i++)
        {
            if (!double.IsFinite(gradient[i])) throw new InvalidArgumentException($"{Where}, gradient[{i}]", "a finite number", Text(gradient[i]));
            step[i] = -gradient[i];
        }

        var row = Cholesky.Solve(hessian, damping, step);
        return row < 0
            ? step
            : throw new InvalidArgumentException(
                Where, $"a Hessian that is positive definite with damping {Text(damping)}", $"one that is not, in row {row}", "Use more damping.");
    }

    /// <summary>Steps until the gradient is within the tolerance; a step that does not lower the value enough is halved.</summary>
    /// <param name="function">From a point to its value, gradient [n] and Hessian [n, n].</param>
    /// <param name="start">The first point; it is not changed.</param>
    /// <param name="settings">Damping, tolerance and limit; the defaults when null.</param>
    /// <returns>The minimum found.</returns>
    /// <exception cref="ShapeException">The function gives a gradient or a Hessian of another size, or the start is empty.</exception>
    /// <exception cref="InvalidArgumentException">The damped Hessian is not positive definite, the value or gradient at the start is not finite, or a setting is out of range.</exception>
    public static Minimum Minimize(
        Func<double[], (double Value, double[] Gradient, double[,] Hessian)> function, double[] start, NewtonSettings? settings = null)
    {
        const string Where = "Newton.Minimize";
        settings ??= new();
        Check.AtLeastZero(settings.Damping, Where, "damping");
        Check.AtLeastZero(settings.Tolerance, Where, "tolerance");
        if (settings.MaxIterations < 0) throw new InvalidArgumentException(Where, "at least 0 iterations", $"{settings.MaxIterations}");
        var point = (double[])start.Clone();
        var here = Evaluate(function, point, Where);
        Points.CheckStart(here.Value, here.Gradient, Where);
        for (var iteration = 0; ; iteration++)
        {
            if (Points.Largest(here.Gradient) <= settings.Tolerance) return Found(iteration, StopReason.Converged);
            if (iteration == settings.MaxIterations) return Found(iteration, StopReason.MaxIterations);
            var step = Step(here.Gradient, here.Hessian, settings.Damping);
            if (!TryMove(step)) return Found(iteration, StopReason.NoProgress);
        }

        Minimum Found(int iterations, StopReason reason) => new(point, here.Value, here.Gradient, iterations, reason);

        bool TryMove(double[] step)
        {
            var slope = Points.Dot(here.Gradient, step);
            var share = 1.0;
            for (var halving = 0; halving < MaxHalvings; halving++, share /= 2)
            {
                var next = Points.Along(point, share, step);
                var there = Evaluate(function, next, Where);
                if (!IsLower(share * slope, here.Value, there.Value, here.Gradient, there.Gradient)) continue;
                (point, here) = (next, there);
                return true;
            }

            return false;
        }
    }

    // Where the decrease asked for is lost in the rounding of the value, a smaller gradient decides.
    private static bool IsLower(double predicted, double value, double next, double[] gradient, double[] nextGradient)
    {
        if (next <= value + (SufficientDecrease * predicted)) return Points.AreFinite(nextGradient);
        return next <= value + Points.Rounding(value) && Points.Largest(nextGradient) < Points.Largest(gradient);
    }

    private static (double Value, double[] Gradient, double[,] Hessian) Evaluate(
        Func<double[], (double Value, double[] Gradient, double[,] Hessian)> function, double[] point, string where)
    {
        var (value, gradient, hessian) = function((double[])point.Clone());
        CheckSizes(point.Length, gradient, hessian, where);
        return (value, gradient, hessian);
    }

    private static void CheckSizes(int n, double[] gradient, double[,] hessian, string where)
    {
        if (n == 0) throw new ShapeException(where, "at least one weight", "none");
        if (gradient.Length != n) throw new ShapeException(where, $"a gradient of {n} numbers", $"{gradient.Length}");
        if (hessian.GetLength(0) != n || hessian.GetLength(1) != n)
            throw new ShapeException(where, $"a Hessian of {n} x {n}", $"{hessian.GetLength(0)} x {hessian.GetLength(1)}");
    }

    private static string Text(double number) => number.ToString(CultureInfo.InvariantCulture);
}

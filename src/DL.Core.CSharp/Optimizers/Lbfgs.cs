namespace DL.Core.Optimizers;

/// <summary>The settings of <see cref="Lbfgs"/>.</summary>
/// <param name="History">How many of the last steps the curvature is known from, at least 1.</param>
/// <param name="MaxIterations">The most steps, at least 0.</param>
/// <param name="Tolerance">The largest element of the gradient that counts as none, finite and at least 0.</param>
public sealed record LbfgsSettings(int History = 10, int MaxIterations = 1000, double Tolerance = 1e-8);

/// <summary>L-BFGS: steps along <c>-H g</c>, with H from the last steps s and differences of gradients y by the two-loop recursion, and a line search.</summary>
/// <remarks>For functions of all examples at once: a batch that changes from call to call breaks the differences. A pure function: the start and what the function gives are not
/// changed. Source: J. Nocedal, Updating quasi-Newton matrices with limited storage, 1980; D. Liu and J. Nocedal, 1989.</remarks>
public static class Lbfgs
{
    private const string Where = "Lbfgs.Minimize";

    /// <summary>Steps until the gradient is within the tolerance.</summary>
    /// <param name="function">From a point to its value and gradient [n]; points where either is not finite are stepped back from.</param>
    /// <param name="start">The first point [n]; it is not changed.</param>
    /// <param name="settings">History, tolerance and limit; the defaults when null.</param>
    /// <returns>The minimum found.</returns>
    /// <exception cref="ShapeException">The function gives a gradient of another size, or the start is empty.</exception>
    /// <exception cref="InvalidArgumentException">The value or gradient at the start is not finite, or a setting is out of range.</exception>
    public static Minimum Minimize(Func<double[], (double Value, double[] Gradient)> function, double[] start, LbfgsSettings? settings = null)
    {
        settings ??= new();
        if (settings.History < 1) throw new InvalidArgumentException(Where, "a history of at least 1", $"{settings.History}");
        if (settings.MaxIterations < 0) throw new InvalidArgumentException(Where, "at least 0 iterations", $"{settings.MaxIterations}");
        Check.AtLeastZero(settings.Tolerance, Where, "tolerance");
        if (start.Length == 0) throw new ShapeException(Where, "at least one weight", "none");
        Probe Evaluate(double[] point) => At(function, point);
        var here = Evaluate((double[])start.Clone());
        Points.CheckStart(here.Value, here.Gradient, Where);
        var history = new Queue<Pair>(settings.History);
        for (var iteration = 0; ; iteration++)
        {
            if (Points.Largest(here.Gradient) <= settings.Tolerance) return Found(here, iteration, StopReason.Converged);
            if (iteration == settings.MaxIterations) return Found(here, iteration, StopReason.MaxIterations);
            var next = Advance(Evaluate, here, history);
            if (next is null) return Found(here, iteration, StopReason.NoProgress);
            Remember(history, settings.History, here, next);
            here = next;
        }
    }

    /// <summary>A step s, the difference y of its gradients, and <c>1 / (s.y)</c>.</summary>
    private sealed record Pair(double[] Step, double[] Turn, double Scale);

    // Where the curvature that is remembered leads nowhere, the gradient itself is tried once more.
    private static Probe? Advance(Func<double[], Probe> evaluate, Probe here, Queue<Pair> history)
    {
        var direction = Direction(here.Gradient, [.. history]);
        var slope = Points.Dot(direction, here.Gradient);
        if (history.Count > 0 && slope < 0 && double.IsFinite(slope) && new LineSearch(evaluate, here, direction).Run(1) is { } next) return next;
        history.Clear();
        var size = Math.Sqrt(Points.Dot(here.Gradient, here.Gradient));
        return new LineSearch(evaluate, here, Direction(here.Gradient, [])).Run(Math.Min(1, 1 / size));
    }

    private static void Remember(Queue<Pair> history, int most, Probe from, Probe to)
    {
        var step = Points.Along(to.Point, -1, from.Point);
        var turn = Points.Along(to.Gradient, -1, from.Gradient);
        var curvature = Points.Dot(step, turn);

        // The recursion keeps its matrix positive definite only over pairs of positive curvature.
        if (!(curvature > 1e-12 * Math.Sqrt(Points.Dot(step, step) * Points.Dot(turn, turn)))) return;
        if (history.Count == most) history.Dequeue();
        history.Enqueue(new Pair(step, turn, 1 / curvature));
    }

    /// <summary>-H g by the two-loop recursion; -g without history.</summary>
    private static double[] Direction(double[] gradient, Pair[] history)
    {
        var direction = Array.ConvertAll(gradient, g => -g);
        var weights = new double[history.Length];
        for (var i = history.Length - 1; i >= 0; i--)
        {
            weights[i] = history[i].Scale * Points.Dot(history[i].Step, direction);
            Points.Add(direction, -weights[i], history[i].Turn);
        }

        if (history.Length > 0)
        {
            var newest = history[^1];
            var scale = 1 / (newest.Scale * Points.Dot(newest.Turn, newest.Turn));
            for (var i = 0; i < direction.Length; i++) direction[i] *= scale;
        }

        for (var i = 0; i < history.Length; i++)
            Points.Add(direction, weights[i] - (history[i].Scale * Points.Dot(history[i].Turn, direction)), history[i].Step);
        return direction;
    }

    private static Probe At(Func<double[], (double Value, double[] Gradient)> function, double[] point)
    {
        var (value, gradient) = function((double[])point.Clone());
        if (gradient.Length != point.Length) throw new ShapeException(Where, $"a gradient of {point.Length} numbers", $"{gradient.Length}");
        return new Probe(point, value, (double[])gradient.Clone());
    }

    private static Minimum Found(Probe probe, int iterations, StopReason reason) => new(probe.Point, probe.Value, probe.Gradient, iterations, reason);
}

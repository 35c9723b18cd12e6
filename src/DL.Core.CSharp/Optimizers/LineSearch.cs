namespace DL.Core.Optimizers;

/// <summary>A search along a direction of descent for a point under the strong Wolfe conditions.</summary>
/// <remarks><c>f(x + t d) &lt;= f(x) + c1 t g.d</c> and <c>|g(x + t d).d| &lt;= c2 |g.d|</c> with c1 = 1e-4 and c2 = 0.9.
/// Source: J. Nocedal and S. Wright, Numerical optimization, 2006, algorithms 3.5 and 3.6.</remarks>
internal sealed class LineSearch(Func<double[], Probe> evaluate, Probe from, double[] direction)
{
    private const double Decrease = 1e-4;
    private const double Curvature = 0.9;
    private const int MaxProbes = 40;

    private readonly Trial _start = new(0, from, Points.Dot(from.Gradient, direction));

    /// <summary>A point along the line: the share of the direction, what is there, and the slope along the direction.</summary>
    private sealed record Trial(double Share, Probe Probe, double Slope)
    {
        public double Value => Probe.Value;

        public bool IsFinite => double.IsFinite(Probe.Value) && double.IsFinite(Slope);
    }

    /// <summary>The point found, or null where no point of the line is lower.</summary>
    public Probe? Run(double share)
    {
        var last = _start;
        var limit = double.PositiveInfinity;
        for (var probe = 0; probe < MaxProbes; probe++)
        {
            var trial = At(share);
            if (!trial.IsFinite)
            {
                limit = share;
            }
            else if (IsEnough(trial))
            {
                return trial.Probe;
            }
            else if (trial.Value > Bound(share) || (last.Share > 0 && trial.Value >= last.Value))
            {
                return Zoom(last, trial);
            }
            else if (trial.Slope >= 0)
            {
                return Zoom(trial, last);
            }
            else
            {
                last = trial;
            }

            share = double.IsInfinity(limit) ? 2 * share : (last.Share + limit) / 2;
        }

        return Lower(last);
    }

    // The lowest point that lies low enough is at low, and points of the second condition lie between low and high.
    private Probe? Zoom(Trial low, Trial high)
    {
        for (var probe = 0; probe < MaxProbes; probe++)
        {
            var trial = At(Between(low, high));
            if (trial.IsFinite && IsEnough(trial)) return trial.Probe;
            if (!trial.IsFinite || trial.Value > Bound(trial.Share) || trial.Value >= low.Value)
            {
                high = trial;
                continue;
            }

            if (trial.Slope * (high.Share - low.Share) >= 0) high = low;
            low = trial;
        }

        return Lower(low);
    }

    private Probe? Lower(Trial trial) => trial.Share > 0 && trial.Value < _start.Value ? trial.Probe : null;

    private bool IsEnough(Trial trial) => trial.Value <= Bound(trial.Share) && Math.Abs(trial.Slope) <= -Curvature * _start.Slope;

    // A decrease that is lost in the rounding of the value is not asked for.
    private double Bound(double share)
    {
        var decrease = -Decrease * share * _start.Slope;
        var rounding = Points.Rounding(_start.Value);
        return decrease <= rounding ? _start.Value + rounding : _start.Value - decrease;
    }

    private Trial At(double share)
    {
        var probe = evaluate(Points.Along(from.Point, share, direction));
        return new Trial(share, probe, Points.Dot(probe.Gradient, direction));
    }

    // The minimum of the cubic through both values and slopes, kept off the ends: eq. 3.59.
    private static double Between(Trial low, Trial high)
    {
        var width = high.Share - low.Share;
        var first = low.Slope + high.Slope - (3 * (low.Value - high.Value) / (low.Share - high.Share));
        var second = Math.Sign(width) * Math.Sqrt((first * first) - (low.Slope * high.Slope));
        var part = 1 - ((high.Slope + second - first) / (high.Slope - low.Slope + (2 * second)));
        return low.Share + (width * (double.IsFinite(part) ? Math.Clamp(part, 0.1, 0.9) : 0.5));
    }
}

/// <summary>A point with its value and gradient.</summary>
internal sealed record Probe(double[] Point, double Value, double[] Gradient);

using static System.FormattableString;

namespace DL.Core.Metrics;

/// <summary>How the share of positives found grows with the share of negatives taken for positive, as the threshold of a score falls.</summary>
/// <remarks>
/// A value: counting on makes a new one by <see cref="Merge"/>. Held are the distinct scores with how many positives and negatives have each, so that merging parts
/// is the curve of the whole, exactly. Source: T. Fawcett, An introduction to ROC analysis, 2006.
/// </remarks>
public sealed class RocCurve
{
    private readonly double[] _scores;
    private readonly long[] _positives, _negatives;

    private RocCurve(double[] scores, long[] positives, long[] negatives)
    {
        (_scores, _positives, _negatives) = (scores, positives, negatives);
        (Positives, Negatives) = (positives.Sum(), negatives.Sum());
    }

    /// <summary>The curve of no rows: the neutral start of <see cref="Merge"/>.</summary>
    public static RocCurve Empty { get; } = new([], [], []);

    /// <summary>Counts scores.</summary>
    /// <param name="truth">Whether each row is positive, [n].</param>
    /// <param name="scores">The score of each row: the higher, the likelier positive, [n]; infinities are scores too.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    /// <exception cref="InvalidArgumentException">A score is NaN; the message names its position.</exception>
    public static RocCurve Of(ReadOnlySpan<bool> truth, ReadOnlySpan<double> scores)
    {
        if (truth.Length != scores.Length)
            throw new ShapeException("RocCurve", Invariant($"a score for each of {truth.Length} rows"), Invariant($"{scores.Length}"));
        var order = new int[scores.Length];
        var keys = scores.ToArray();
        for (var i = 0; i < keys.Length; i++)
        {
            if (double.IsNaN(keys[i])) throw new InvalidArgumentException(Invariant($"RocCurve, scores[{i}]"), "a number", "NaN");
            order[i] = i;
        }

        Array.Sort(keys, order);
        var groups = new Groups(keys.Length);
        for (var i = keys.Length - 1; i >= 0; i--) groups.Add(keys[i], truth[order[i]] ? 1 : 0, truth[order[i]] ? 0 : 1);
        return groups.Curve();
    }

    /// <summary>The number of positive rows.</summary>
    public long Positives { get; }

    /// <summary>The number of negative rows.</summary>
    public long Negatives { get; }

    /// <summary>The thresholds of the points: +infinity, at which nothing is taken for positive, then every score that occurs, falling.</summary>
    public double[] Thresholds => [double.PositiveInfinity, .. _scores];

    /// <summary>For each threshold the share of the negatives at or above it.</summary>
    /// <exception cref="InvalidArgumentException">There are no negatives.</exception>
    public double[] FalsePositiveRates => Rates(_negatives, Negatives, "negative");

    /// <summary>For each threshold the share of the positives at or above it.</summary>
    /// <exception cref="InvalidArgumentException">There are no positives.</exception>
    public double[] TruePositiveRates => Rates(_positives, Positives, "positive");

    /// <summary>The area under the curve: the share of pairs of a positive and a negative in which the positive has the higher score, ties counting one half.</summary>
    /// <remarks>The statistic of Mann and Whitney over the number of pairs, counted in whole numbers.</remarks>
    /// <exception cref="InvalidArgumentException">All rows are of one class.</exception>
    public double Area
    {
        get
        {
            Need(Positives, "positive");
            Need(Negatives, "negative");
            UInt128 halves = 0;
            var above = 0L;
            for (var i = 0; i < _scores.Length; i++)
            {
                halves += (UInt128)(ulong)_negatives[i] * (ulong)((2 * above) + _positives[i]);
                above += _positives[i];
            }

            return (double)halves / (2.0 * Positives * Negatives);
        }
    }

    /// <summary>The curve of the rows of both: <c>Of(a ++ b) = Of(a).Merge(Of(b))</c>.</summary>
    /// <param name="other">Of other rows.</param>
    public RocCurve Merge(RocCurve other)
    {
        var groups = new Groups(_scores.Length + other._scores.Length);
        for (int i = 0, j = 0; i < _scores.Length || j < other._scores.Length;)
        {
            if (j == other._scores.Length || (i < _scores.Length && _scores[i] >= other._scores[j])) groups.Add(_scores[i], _positives[i], _negatives[i++]);
            else groups.Add(other._scores[j], other._positives[j], other._negatives[j++]);
        }

        return groups.Curve();
    }

    private double[] Rates(long[] counts, long all, string kind)
    {
        Need(all, kind);
        var rates = new double[counts.Length + 1];
        var sum = 0L;
        for (var i = 0; i < counts.Length; i++)
        {
            sum += counts[i];
            rates[i + 1] = (double)sum / all;
        }

        return rates;
    }

    private static void Need(long count, string kind)
    {
        if (count == 0) throw new InvalidArgumentException("RocCurve", "rows of both classes", $"no {kind} row");
    }

    /// <summary>Counts of equal scores, filled in falling order.</summary>
    private sealed class Groups(int room)
    {
        private readonly List<double> _scores = new(room);
        private readonly List<long> _positives = new(room), _negatives = new(room);

        public void Add(double score, long positives, long negatives)
        {
            if (_scores.Count == 0 || _scores[^1] != score)
            {
                _scores.Add(score);
                _positives.Add(0);
                _negatives.Add(0);
            }

            _positives[^1] += positives;
            _negatives[^1] += negatives;
        }

        public RocCurve Curve() => new([.. _scores], [.. _positives], [.. _negatives]);
    }
}

using static System.FormattableString;

namespace DL.Core.Metrics;

/// <summary>What becomes of a BLEU score when an order has few matches or none.</summary>
public enum BleuSmoothing
{
    /// <summary>One order without a match makes the score 0, as in the original; right for a corpus, harsh for a sentence.</summary>
    None,

    /// <summary>One is added to the matches and the totals of every order over 1.</summary>
    /// <remarks>C.-Y. Lin, F. J. Och, ORANGE: a method for evaluating automatic evaluation metrics for machine translation, 2004.</remarks>
    AddOne,
}

/// <summary>What a BLEU score is made of: a value, and a sum over the sentences of a corpus.</summary>
public sealed class BleuCounts
{
    private readonly long[] _matches, _totals;

    internal BleuCounts(long[] matches, long[] totals, long candidateLength, long referenceLength) =>
        (_matches, _totals, CandidateLength, ReferenceLength) = (matches, totals, candidateLength, referenceLength);

    /// <summary>The counts of no sentences: the neutral start of <see cref="Merge"/>.</summary>
    /// <param name="maxOrder">The longest n-grams.</param>
    /// <exception cref="InvalidArgumentException">The order is below 1 or above 1000.</exception>
    public static BleuCounts Empty(int maxOrder = 4) => maxOrder is >= 1 and <= 1000
        ? new(new long[maxOrder], new long[maxOrder], 0, 0)
        : throw new InvalidArgumentException("Bleu, maxOrder", "from 1 to 1000", Invariant($"{maxOrder}"));

    /// <summary>For n = 1, 2, ..: how many of the candidates' n-grams are in a reference, none counted more often than there.</summary>
    public IReadOnlyList<long> Matches => _matches;

    /// <summary>For n = 1, 2, ..: how many n-grams the candidates hold.</summary>
    public IReadOnlyList<long> Totals => _totals;

    /// <summary>The tokens of all candidates.</summary>
    public long CandidateLength { get; }

    /// <summary>The tokens of the references closest in length, one for each candidate.</summary>
    public long ReferenceLength { get; }

    /// <summary><c>1 if c > r, else exp(1 - r / c)</c>, with c and r the two lengths; 0 if c is 0.</summary>
    public double BrevityPenalty =>
        CandidateLength == 0 ? 0 : CandidateLength > ReferenceLength ? 1 : Math.Exp(1 - (double)ReferenceLength / CandidateLength);

    /// <summary>The counts of the sentences of both: <c>Count(a ++ b) = Count(a).Merge(Count(b))</c>.</summary>
    /// <param name="other">Counts of the same orders.</param>
    /// <exception cref="ShapeException">The orders differ.</exception>
    public BleuCounts Merge(BleuCounts other)
    {
        if (other._matches.Length != _matches.Length)
            throw new ShapeException("BleuCounts.Merge", Invariant($"orders to {_matches.Length}"), Invariant($"to {other._matches.Length}"));
        return new(
            [.. _matches.Zip(other._matches, (a, b) => a + b)],
            [.. _totals.Zip(other._totals, (a, b) => a + b)],
            CandidateLength + other.CandidateLength,
            ReferenceLength + other.ReferenceLength);
    }

    /// <summary><c>bp exp(1/N sum over n of log(matches(n) / totals(n)))</c>.</summary>
    /// <param name="smoothing">What becomes of the score when long n-grams have no match.</param>
    /// <returns>From 0 to 1; 0 if an order has no match, or, without smoothing, no n-gram.</returns>
    /// <exception cref="InvalidArgumentException">There is no such smoothing.</exception>
    public double Score(BleuSmoothing smoothing = BleuSmoothing.None)
    {
        if (!Enum.IsDefined(smoothing)) throw new InvalidArgumentException("BleuCounts.Score, smoothing", "None or AddOne", $"{smoothing}");
        var sum = 0.0;
        for (var n = 1; n <= _matches.Length; n++)
        {
            var added = smoothing == BleuSmoothing.AddOne && n > 1 ? 1 : 0;
            if (_matches[n - 1] + added == 0) return 0;
            sum += Math.Log((double)(_matches[n - 1] + added) / (_totals[n - 1] + added));
        }

        return BrevityPenalty * Math.Exp(sum / _matches.Length);
    }
}

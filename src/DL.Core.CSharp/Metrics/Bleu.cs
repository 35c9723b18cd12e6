using static System.FormattableString;

namespace DL.Core.Metrics;

/// <summary>How near candidates, such as translations, come to references by the n-grams they share.</summary>
/// <remarks>K. Papineni et al., BLEU: a method for automatic evaluation of machine translation, 2002. Figures are from 0 to 1; some print them times 100.</remarks>
public static class Bleu
{
    /// <summary><c>bp exp(1/N sum over n = 1 .. N of log p(n))</c> over a whole corpus.</summary>
    /// <remarks>p(n) is the share of the candidates' n-grams that are in a reference, each counted at most as often as it is in the reference of the same candidate that
    /// has it most often. The brevity penalty bp is 1 if the candidates hold more tokens, c, than the references, r, else <c>exp(1 - r / c)</c>; of several
    /// references the one of the closest length counts, the shorter of two as close.</remarks>
    /// <typeparam name="T">The tokens: ids or words.</typeparam>
    /// <param name="candidates">One row of tokens for each sentence, at least one; rows may be empty.</param>
    /// <param name="references">For each candidate at least one row of tokens.</param>
    /// <param name="maxOrder">N, the longest n-grams; 4 by custom.</param>
    /// <param name="smoothing">What becomes of the score when long n-grams have no match.</param>
    /// <returns>From 0 to 1; 0 if an order has no match and there is no smoothing, or all candidates are empty.</returns>
    /// <exception cref="ShapeException">The numbers of candidates and of references differ.</exception>
    /// <exception cref="InvalidArgumentException">There are no candidates, one has no reference, or a setting is out of range.</exception>
    public static double Corpus<T>(
        T[][] candidates, T[][][] references, int maxOrder = 4, BleuSmoothing smoothing = BleuSmoothing.None) where T : IEquatable<T> =>
        Count(candidates, references, maxOrder).Score(smoothing);

    /// <summary>What the score of a corpus is made of; counts of parts of a corpus can be merged.</summary>
    /// <typeparam name="T">The tokens: ids or words.</typeparam>
    /// <param name="candidates">One row of tokens for each sentence, at least one; rows may be empty.</param>
    /// <param name="references">For each candidate at least one row of tokens.</param>
    /// <param name="maxOrder">The longest n-grams.</param>
    /// <exception cref="ShapeException">The numbers of candidates and of references differ.</exception>
    /// <exception cref="InvalidArgumentException">There are no candidates, one has no reference, or the order is below 1.</exception>
    public static BleuCounts Count<T>(T[][] candidates, T[][][] references, int maxOrder = 4) where T : IEquatable<T>
    {
        if (candidates.Length != references.Length)
            throw new ShapeException("Bleu", Invariant($"references for {candidates.Length} candidates"), Invariant($"{references.Length}"));
        if (candidates.Length == 0) throw new InvalidArgumentException("Bleu, candidates", "at least one", "none");
        var without = Array.FindIndex(references, several => several.Length == 0);
        if (without >= 0) throw new InvalidArgumentException(Invariant($"Bleu, references[{without}]"), "at least one reference", "none");
        var counts = BleuCounts.Empty(maxOrder);
        for (var i = 0; i < candidates.Length; i++) counts = counts.Merge(OfOne(candidates[i], references[i], maxOrder));
        return counts;
    }

    private static BleuCounts OfOne<T>(T[] candidate, T[][] references, int maxOrder) where T : IEquatable<T>
    {
        var (matches, totals) = (new long[maxOrder], new long[maxOrder]);
        for (var n = 1; n <= maxOrder && n <= candidate.Length; n++)
        {
            totals[n - 1] = candidate.Length - n + 1;
            var known = Array.ConvertAll(references, reference => NGrams.Count<T>(reference, n));
            foreach (var (gram, count) in NGrams.Count<T>(candidate, n))
                matches[n - 1] += Math.Min(count, known.Max(reference => reference.GetValueOrDefault(gram)));
        }

        var closest = references.Select(reference => reference.Length).MinBy(length => (Math.Abs(length - candidate.Length), length));
        return new(matches, totals, candidate.Length, closest);
    }
}

using static System.FormattableString;

namespace DL.Core.Generation;

/// <summary>What is done to the scores of the next token before they become probabilities; pure functions of arrays.</summary>
/// <remarks>A logit of -infinity is a token that is never taken. NaN, +infinity and a row that is -infinity throughout are errors.</remarks>
public static class Logits
{
    /// <summary>The token of the largest logit, the first of equals: the greedy choice.</summary>
    /// <param name="logits">[vocabulary].</param>
    /// <exception cref="InvalidArgumentException">The logits allow no token, or one is NaN or +infinity.</exception>
    public static int Best(ReadOnlySpan<double> logits)
    {
        Check(logits, "Logits.Best");
        var best = 0;
        for (var i = 1; i < logits.Length; i++)
        {
            if (logits[i] > logits[best]) best = i;
        }

        return best;
    }

    /// <summary><c>x[v] / penalty if x[v] > 0, x[v] penalty otherwise</c>, for every token v of the history, however often it is there.</summary>
    /// <remarks>N. S. Keskar et al., CTRL: a conditional transformer language model for controllable generation, 2019, where it is 1.2.</remarks>
    /// <param name="logits">[vocabulary].</param>
    /// <param name="history">The tokens so far, of the prompt and after it; may be none.</param>
    /// <param name="penalty">Above 0: over 1 makes repetition rarer, under 1 more frequent, 1 changes nothing.</param>
    /// <returns>[vocabulary].</returns>
    /// <exception cref="InvalidArgumentException">The penalty or a token of the history is out of range, or the logits are not sound.</exception>
    public static double[] PenalizeRepetition(ReadOnlySpan<double> logits, ReadOnlySpan<int> history, double penalty)
    {
        CheckPenalty(penalty, "Logits.PenalizeRepetition, penalty");
        Check(logits, "Logits.PenalizeRepetition");
        CheckTokens(history, logits.Length, "Logits.PenalizeRepetition, history");
        var penalized = logits.ToArray();
        foreach (var token in history) penalized[token] = logits[token] > 0 ? logits[token] / penalty : logits[token] * penalty;
        return penalized;
    }

    /// <summary>-infinity for every token that would end an n-gram the history already holds.</summary>
    /// <remarks>R. Paulus, C. Xiong, R. Socher, A deep reinforced model for abstractive summarization, 2018, where n is 3.</remarks>
    /// <param name="logits">[vocabulary].</param>
    /// <param name="history">The tokens so far, of the prompt and after it.</param>
    /// <param name="n">The length of the n-grams, at least 1; 1 takes every token once.</param>
    /// <returns>[vocabulary].</returns>
    /// <exception cref="InvalidArgumentException">n is below 1, a token of the history is out of range, the logits are not sound, or no token is left.</exception>
    public static double[] ForbidRepeats(ReadOnlySpan<double> logits, ReadOnlySpan<int> history, int n)
    {
        CheckRepeat(n, "Logits.ForbidRepeats, n");
        Check(logits, "Logits.ForbidRepeats");
        CheckTokens(history, logits.Length, "Logits.ForbidRepeats, history");
        return WithoutRepeats(logits, history, n) ?? throw NoneLeft("Logits.ForbidRepeats", n, history.Length);
    }

    /// <summary>The logits after the repetition penalty (1 for none) and then without the n-grams that may not repeat (null for none); null if no token is left.</summary>
    internal static double[]? ControlRepetition(ReadOnlySpan<double> logits, ReadOnlySpan<int> history, double penalty, int? noRepeat, string where)
    {
        Check(logits, where);
        CheckTokens(history, logits.Length, $"{where}, history");
        var x = penalty == 1 ? logits.ToArray() : PenalizeRepetition(logits, history, penalty);
        return noRepeat is { } n ? WithoutRepeats(x, history, n) : x;
    }

    /// <summary>What is said where every token would repeat an n-gram.</summary>
    internal static InvalidArgumentException NoneLeft(string where, int? n, int tokens) =>
        new(where, Invariant($"a token that repeats no {n}-gram"), Invariant($"none after {tokens} tokens"), "Forbid longer n-grams, or generate fewer tokens.");

    /// <summary>-infinity for all but the k largest logits; of equals at the border the lower tokens stay.</summary>
    /// <remarks>A. Fan, M. Lewis, Y. Dauphin, Hierarchical neural story generation, 2018.</remarks>
    /// <param name="logits">[vocabulary].</param>
    /// <param name="k">How many stay, from 1 to the vocabulary's size; 1 is the greedy choice.</param>
    /// <returns>[vocabulary].</returns>
    /// <exception cref="InvalidArgumentException">k is out of range, or the logits are not sound.</exception>
    public static double[] TopK(ReadOnlySpan<double> logits, int k)
    {
        Check(logits, "Logits.TopK");
        CheckTopK(k, logits.Length, "Logits.TopK, k");
        if (k == logits.Length) return logits.ToArray();
        var kept = new double[logits.Length];
        Array.Fill(kept, double.NegativeInfinity);
        foreach (var i in Ranking.Best(logits, k)) kept[i] = logits[i];
        return kept;
    }

    /// <summary><c>y[v] = x[v] - log sum over w of exp(x[w])</c>: log probabilities; of log probabilities themselves it changes nothing but the last bits.</summary>
    /// <param name="logits">[vocabulary].</param>
    /// <returns>[vocabulary]; -infinity stays.</returns>
    /// <exception cref="InvalidArgumentException">The logits are not sound.</exception>
    public static double[] LogSoftmax(ReadOnlySpan<double> logits)
    {
        var largest = logits[Best(logits)];
        var sum = 0.0;
        foreach (var x in logits) sum += Math.Exp(x - largest);
        var (y, logSum) = (new double[logits.Length], Math.Log(sum));
        for (var i = 0; i < y.Length; i++) y[i] = logits[i] - largest - logSum;
        return y;
    }

    /// <summary>Fails unless all logits are numbers or -infinity, and one is a number.</summary>
    internal static void Check(ReadOnlySpan<double> logits, string where)
    {
        for (var i = 0; i < logits.Length; i++)
        {
            if (double.IsNaN(logits[i]) || double.IsPositiveInfinity(logits[i]))
                throw new InvalidArgumentException(Invariant($"{where}, logits[{i}]"), "a number or -infinity", Invariant($"{logits[i]}"));
        }

        if (!logits.ContainsAnyExcept(double.NegativeInfinity))
            throw new InvalidArgumentException($"{where}, logits", "a token that may be taken", logits.Length == 0 ? "no tokens" : Invariant($"-infinity for all {logits.Length}"));
    }

    /// <summary>Fails with the first token that is not of the vocabulary.</summary>
    internal static void CheckTokens(ReadOnlySpan<int> tokens, int vocabulary, string where)
    {
        for (var i = 0; i < tokens.Length; i++)
        {
            if ((uint)tokens[i] >= (uint)vocabulary)
                throw new InvalidArgumentException(Invariant($"{where}[{i}]"), Invariant($"a token from 0 to {vocabulary - 1}"), Invariant($"{tokens[i]}"));
        }
    }

    private static double[]? WithoutRepeats(ReadOnlySpan<double> logits, ReadOnlySpan<int> history, int n)
    {
        var allowed = logits.ToArray();
        var beginning = history[Math.Max(0, history.Length - (n - 1))..];
        for (var i = 0; i + n <= history.Length; i++)
        {
            if (history.Slice(i, n - 1).SequenceEqual(beginning)) allowed[history[i + n - 1]] = double.NegativeInfinity;
        }

        return allowed.AsSpan().ContainsAnyExcept(double.NegativeInfinity) ? allowed : null;
    }

    internal static void CheckTopK(int k, int vocabulary, string where)
    {
        if (k < 1 || k > vocabulary)
            throw new InvalidArgumentException(where, Invariant($"from 1 to {vocabulary}, the size of the vocabulary"), Invariant($"{k}"));
    }

    internal static double CheckPenalty(double penalty, string where) => penalty > 0 && double.IsFinite(penalty)
        ? penalty
        : throw new InvalidArgumentException(where, "a finite number above 0", Invariant($"{penalty}"), "1 changes nothing.");

    internal static int CheckRepeat(int n, string where) =>
        n >= 1 ? n : throw new InvalidArgumentException(where, "n-grams of at least 1 token", Invariant($"{n}"));
}

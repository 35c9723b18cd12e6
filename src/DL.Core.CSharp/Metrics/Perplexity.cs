using static System.FormattableString;

namespace DL.Core.Metrics;

/// <summary><c>exp(1/n sum of -log p)</c> over the n tokens a model gave the probabilities p: how many equally likely tokens it wavers between.</summary>
/// <remarks>A value: counting on makes a new one by <see cref="Merge"/>. The exponential of the mean cross entropy in natural logarithms.</remarks>
public sealed record Perplexity
{
    private Perplexity(double sum, long tokens) => (Sum, Tokens) = (sum, tokens);

    /// <summary>Of no tokens: the neutral start of <see cref="Merge"/>.</summary>
    public static Perplexity Empty { get; } = new(0, 0);

    /// <summary>The sum of <c>-log p</c>.</summary>
    public double Sum { get; }

    /// <summary>The number of tokens.</summary>
    public long Tokens { get; }

    /// <summary>The perplexity, at least 1 for probabilities; +infinity if a token that came was held impossible.</summary>
    /// <exception cref="InvalidArgumentException">There are no tokens.</exception>
    public double Value => Tokens > 0 ? Math.Exp(Sum / Tokens) : throw new InvalidArgumentException("Perplexity.Value", "at least one token", "none");

    /// <summary>The perplexity of tokens one by one.</summary>
    /// <param name="losses"><c>-log p</c> of every token, in natural logarithms; may be none.</param>
    /// <exception cref="InvalidArgumentException">A loss is NaN or -infinity; the message names its position.</exception>
    public static Perplexity Of(ReadOnlySpan<double> losses)
    {
        var sum = 0.0;
        for (var i = 0; i < losses.Length; i++)
        {
            CheckLoss(losses[i], Invariant($"Perplexity.Of, losses[{i}]"));
            sum += losses[i];
        }

        return new(sum, losses.Length);
    }

    /// <summary>The perplexity of a batch, from its mean cross entropy.</summary>
    /// <param name="meanLoss">The mean of <c>-log p</c> over the tokens.</param>
    /// <param name="tokens">The number of tokens, at least 1.</param>
    /// <exception cref="InvalidArgumentException">The loss is NaN or -infinity, or there are no tokens.</exception>
    public static Perplexity OfMean(double meanLoss, long tokens)
    {
        CheckLoss(meanLoss, "Perplexity.OfMean, meanLoss");
        if (tokens < 1) throw new InvalidArgumentException("Perplexity.OfMean, tokens", "at least 1", Invariant($"{tokens}"));
        return new(meanLoss * tokens, tokens);
    }

    /// <summary>The perplexity of the tokens of both: <c>Of(a ++ b) = Of(a).Merge(Of(b))</c>.</summary>
    /// <param name="other">Of other tokens.</param>
    public Perplexity Merge(Perplexity other) => new(Sum + other.Sum, Tokens + other.Tokens);

    private static void CheckLoss(double loss, string where)
    {
        if (double.IsNaN(loss) || double.IsNegativeInfinity(loss)) throw new InvalidArgumentException(where, "a number", Invariant($"{loss}"));
    }
}

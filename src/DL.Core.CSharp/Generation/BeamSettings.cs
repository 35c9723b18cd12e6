using static System.FormattableString;

namespace DL.Core.Generation;

/// <summary>How wide and how long a beam search goes, and how it weighs long against short.</summary>
public sealed record BeamSettings
{
    /// <summary>How many hypotheses go on at every step, and the most that come out (default 4); 1 is the greedy choice.</summary>
    /// <exception cref="InvalidArgumentException">Set below 1.</exception>
    public int Width { get; init => field = AtLeastOne(value, nameof(Width)); } = 4;

    /// <summary>The exponent alpha of <see cref="BeamSearch.LengthPenalty"/> (default 0.6); 0 ranks by log probability alone, which favours the short.</summary>
    /// <exception cref="InvalidArgumentException">Set negative or not finite.</exception>
    public double LengthPenalty
    {
        get;
        init => field = value >= 0 && double.IsFinite(value)
            ? value
            : throw new InvalidArgumentException("BeamSettings.LengthPenalty", "a finite number of at least 0", Invariant($"{value}"));
    } = 0.6;

    /// <summary>As of <see cref="Logits.PenalizeRepetition"/>, over the prompt and the hypothesis, before the logarithm; 1 (the default) changes nothing.</summary>
    /// <exception cref="InvalidArgumentException">Set to 0 or below, or not finite.</exception>
    public double RepetitionPenalty { get; init => field = Logits.CheckPenalty(value, "BeamSettings.RepetitionPenalty"); } = 1;

    /// <summary>The length of the n-grams that no hypothesis may repeat, the prompt's among them, as of <see cref="Logits.ForbidRepeats"/>; null (the default) forbids none.</summary>
    /// <exception cref="InvalidArgumentException">Set below 1.</exception>
    public int? NoRepeat { get; init => field = value is { } n ? Logits.CheckRepeat(n, "BeamSettings.NoRepeat") : null; }

    /// <summary>The tokens that end a hypothesis (default none).</summary>
    public IReadOnlyList<int> Stop { get; init; } = [];

    /// <summary>The most tokens after the prompt, a stop token among them (default 100).</summary>
    /// <exception cref="InvalidArgumentException">Set below 1.</exception>
    public int MaxTokens { get; init => field = AtLeastOne(value, nameof(MaxTokens)); } = 100;

    private static int AtLeastOne(int value, string name) =>
        value >= 1 ? value : throw new InvalidArgumentException($"BeamSettings.{name}", "at least 1", Invariant($"{value}"));
}

/// <summary>A continuation of the prompt that a beam search found.</summary>
/// <param name="Tokens">The tokens after the prompt, without the stop token.</param>
/// <param name="LogProbability">The sum of the log probabilities of the tokens, the stop token's among them.</param>
/// <param name="Score"><c>LogProbability / lp(n)</c>, with n the number of tokens, a stop token counted.</param>
/// <param name="Stopped">True if a stop token ended it, false if the longest length did.</param>
public sealed record Hypothesis(IReadOnlyList<int> Tokens, double LogProbability, double Score, bool Stopped);

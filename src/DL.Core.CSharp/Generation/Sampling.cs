using DL.Core.Random;
using static System.FormattableString;

namespace DL.Core.Generation;

/// <summary>How the next token is drawn from the logits of a network: a value, and pure functions of it.</summary>
/// <remarks>The parts come in this order: the repetition penalty, the n-grams that may not repeat, the k most probable, the temperature, the set
/// that reaches the mass p. The mass is thus that of the k tokens, at the temperature.</remarks>
public sealed record Sampling
{
    /// <summary>The most probable token every time.</summary>
    public static Sampling Greedy { get; } = new() { Temperature = 0 };

    /// <summary>As of <see cref="Probabilities.Softmax"/>; 0 is greedy, 1 (the default) leaves the probabilities as they are.</summary>
    /// <exception cref="InvalidArgumentException">Set negative or not finite.</exception>
    public double Temperature
    {
        get;
        init
        {
            Probabilities.CheckTemperature(value, "Sampling.Temperature");
            field = value;
        }
    } = 1;

    /// <summary>As of <see cref="Logits.TopK"/>; null (the default) is the whole vocabulary.</summary>
    /// <exception cref="InvalidArgumentException">Set below 1.</exception>
    public int? TopK
    {
        get;
        init => field = value is null or >= 1
            ? value
            : throw new InvalidArgumentException("Sampling.TopK", "from 1 to the size of the vocabulary", Invariant($"{value}"));
    }

    /// <summary>As of <see cref="Probabilities.TopP"/>; 1 (the default) keeps every token.</summary>
    /// <exception cref="InvalidArgumentException">Set outside (0, 1].</exception>
    public double TopP
    {
        get;
        init
        {
            Probabilities.CheckTopP(value, "Sampling.TopP");
            field = value;
        }
    } = 1;

    /// <summary>As of <see cref="Logits.PenalizeRepetition"/>; 1 (the default) changes nothing.</summary>
    /// <exception cref="InvalidArgumentException">Set to 0 or below, or not finite.</exception>
    public double RepetitionPenalty { get; init => field = Logits.CheckPenalty(value, "Sampling.RepetitionPenalty"); } = 1;

    /// <summary>The length of the n-grams that may not repeat, as of <see cref="Logits.ForbidRepeats"/>; null (the default) forbids none.</summary>
    /// <exception cref="InvalidArgumentException">Set below 1.</exception>
    public int? NoRepeat { get; init => field = value is { } n ? Logits.CheckRepeat(n, "Sampling.NoRepeat") : null; }

    /// <summary>The probabilities of the next token.</summary>
    /// <param name="logits">[vocabulary].</param>
    /// <param name="history">The tokens so far, of the prompt and after it; may be none.</param>
    /// <returns>[vocabulary], the sum 1.</returns>
    /// <exception cref="InvalidArgumentException">The logits are not sound, a token of the history is out of range, k is above the vocabulary's size, or no token is left.</exception>
    public double[] Distribution(ReadOnlySpan<double> logits, ReadOnlySpan<int> history)
    {
        Logits.Check(logits, "Sampling");
        if (TopK is { } most) Logits.CheckTopK(most, logits.Length, "Sampling.TopK");
        var x = Logits.ControlRepetition(logits, history, RepetitionPenalty, NoRepeat, "Sampling") ?? throw Logits.NoneLeft("Sampling.NoRepeat", NoRepeat, history.Length);
        if (TopK is { } k) x = Logits.TopK(x, k);
        var p = Probabilities.Softmax(x, Temperature);
        return TopP < 1 ? Probabilities.TopP(p, TopP) : p;
    }

    /// <summary>As over float64.</summary>
    /// <param name="logits">[vocabulary].</param>
    /// <param name="history">The tokens so far, of the prompt and after it; may be none.</param>
    /// <returns>[vocabulary], the sum 1.</returns>
    /// <exception cref="InvalidArgumentException">As over float64.</exception>
    public double[] Distribution(ReadOnlySpan<float> logits, ReadOnlySpan<int> history) => Distribution(Widen(logits), history);

    /// <summary>The next token, drawn from <see cref="Distribution(ReadOnlySpan{double}, ReadOnlySpan{int})"/>.</summary>
    /// <param name="logits">[vocabulary].</param>
    /// <param name="history">The tokens so far, of the prompt and after it; may be none.</param>
    /// <param name="key">The draw: the same key gives the same token.</param>
    /// <exception cref="InvalidArgumentException">As of the distribution.</exception>
    public int Next(ReadOnlySpan<double> logits, ReadOnlySpan<int> history, Key key) => Probabilities.Draw(Distribution(logits, history), key);

    /// <summary>As over float64.</summary>
    /// <param name="logits">[vocabulary].</param>
    /// <param name="history">The tokens so far, of the prompt and after it; may be none.</param>
    /// <param name="key">The draw: the same key gives the same token.</param>
    /// <exception cref="InvalidArgumentException">As of the distribution.</exception>
    public int Next(ReadOnlySpan<float> logits, ReadOnlySpan<int> history, Key key) => Next(Widen(logits), history, key);

    private static double[] Widen(ReadOnlySpan<float> logits)
    {
        var wide = new double[logits.Length];
        for (var i = 0; i < wide.Length; i++) wide[i] = logits[i];
        return wide;
    }
}

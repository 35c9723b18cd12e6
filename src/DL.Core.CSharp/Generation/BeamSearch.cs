using static System.FormattableString;

namespace DL.Core.Generation;

/// <summary>Looks for the most probable continuations by following the best few at every step.</summary>
public static class BeamSearch
{
    private const string Name = "BeamSearch.Run";

    /// <summary><c>lp(n) = ((5 + n) / 6)^alpha</c>.</summary>
    /// <remarks>Y. Wu et al., Google's neural machine translation system, 2016, equation 14, without the coverage penalty.</remarks>
    /// <param name="length">n, the number of tokens.</param>
    /// <param name="alpha">The exponent.</param>
    public static double LengthPenalty(int length, double alpha) => Math.Pow((5.0 + length) / 6, alpha);

    /// <summary>As over many states at once, one call of the step for every hypothesis.</summary>
    /// <typeparam name="TState">What the step remembers of a hypothesis, such as a key/value cache; never changed in place.</typeparam>
    /// <param name="step">From a state and the new tokens to logits or log probabilities of the next token and the state after the new tokens.</param>
    /// <param name="start">The state before the prompt.</param>
    /// <param name="prompt">The tokens before the first one that is looked for, at least one.</param>
    /// <param name="settings">Width, length and weights.</param>
    /// <returns>At most as many as the beam is wide, the best score first.</returns>
    /// <exception cref="InvalidArgumentException">As over many states at once.</exception>
    public static IReadOnlyList<Hypothesis> Run<TState>(
        Func<TState, int[], (double[] Logits, TState State)> step, TState start, int[] prompt, BeamSettings settings) =>
        RunTogether((states, tokens) => [.. states.Zip(tokens, step)], start, prompt, settings);

    /// <summary>The best hypotheses of a beam search, with one call of the step for all of a length.</summary>
    /// <remarks>
    /// Of all hypotheses one token longer the <c>Width</c> most probable are kept; those that end in a stop token are done and leave their place
    /// to others at the next step. The search ends with no hypothesis left, at <c>MaxTokens</c>, or when none left could come to be among the best.
    /// Equal ones keep their order: at a step by the rank of the hypothesis they prolong and then by token, at the end by length.
    /// A hypothesis after which every token would repeat an n-gram leaves the search; it is an error if with it the last one goes and none has ended.
    /// Width 1 is greedy decoding; a width of vocabulary^MaxTokens tries everything.
    /// </remarks>
    /// <typeparam name="TState">What the step remembers of a hypothesis; never changed in place, for several hypotheses may go on from one.</typeparam>
    /// <param name="step">From the states and new tokens of all hypotheses to logits or log probabilities of their next token and their states after the new tokens.</param>
    /// <param name="start">The state before the prompt.</param>
    /// <param name="prompt">The tokens before the first one that is looked for, at least one.</param>
    /// <param name="settings">Width, length and weights.</param>
    /// <returns>At most as many as the beam is wide, the best score first.</returns>
    /// <exception cref="InvalidArgumentException">The prompt is empty, a stop token is not of the vocabulary, logits are not sound, or no hypothesis is left because
    /// every token would repeat an n-gram; with repetition control, a token of the prompt is not of the vocabulary.</exception>
    /// <exception cref="ShapeException">The step gives results for another number of hypotheses.</exception>
    public static IReadOnlyList<Hypothesis> RunTogether<TState>(
        Func<TState[], int[][], (double[] Logits, TState State)[]> step, TState start, int[] prompt, BeamSettings settings)
    {
        CheckPrompt(prompt, Name);
        var done = new List<Hypothesis>();
        Live<TState>[] live = [new(start, prompt, [], 0)];
        for (var length = 1; length <= settings.MaxTokens && live.Length > 0 && CanImprove(live, done, settings); length++)
        {
            var next = step(Array.ConvertAll(live, one => one.State), Array.ConvertAll(live, one => one.New));
            if (next.Length != live.Length)
                throw new ShapeException($"{Name}, step", Invariant($"results for {live.Length} hypotheses"), Invariant($"{next.Length}"));
            var longer = Best(live, next, prompt, settings);
            if (longer.Length == 0 && done.Count == 0) throw Logits.NoneLeft($"{Name}, NoRepeat", settings.NoRepeat, prompt.Length + length - 1);
            done.AddRange(longer.Where(one => settings.Stop.Contains(one.New[0])).Select(one => Ended(one, settings)));
            live = [.. longer.Where(one => !settings.Stop.Contains(one.New[0]))];
        }

        // What is left at the end has all the tokens it may have; what was given up on cannot come to be among the best.
        if (live.Length > 0 && live[0].Tokens.Length == settings.MaxTokens) done.AddRange(live.Select(one => Ended(one, settings)));
        return [.. done.OrderByDescending(one => one.Score).Take(settings.Width)];
    }

    /// <summary>Fails unless there is a token to start from.</summary>
    internal static void CheckPrompt(int[] prompt, string where)
    {
        if (prompt is null || prompt.Length == 0)
            throw new InvalidArgumentException($"{where}, prompt", "at least one token", "none", "Begin with a token that stands for the beginning.");
    }

    /// <summary>The most probable hypotheses that are one token longer, in their order.</summary>
    private static Live<TState>[] Best<TState>(Live<TState>[] live, (double[] Logits, TState State)[] next, int[] prompt, BeamSettings settings)
    {
        var longer = new List<(int Parent, int Token, double LogProbability)>();
        for (var i = 0; i < live.Length; i++)
        {
            Logits.CheckTokens([.. settings.Stop], next[i].Logits.Length, "BeamSettings.Stop");
            if (Controlled(next[i].Logits, prompt, live[i].Tokens, settings) is not { } logits) continue;
            var x = Logits.LogSoftmax(logits);
            foreach (var token in Ranking.Best(x, settings.Width))
            {
                if (x[token] > double.NegativeInfinity) longer.Add((i, token, live[i].LogProbability + x[token]));
            }
        }

        return [.. longer.OrderByDescending(one => one.LogProbability).Take(settings.Width)
            .Select(one => new Live<TState>(next[one.Parent].State, [one.Token], [.. live[one.Parent].Tokens, one.Token], one.LogProbability))];
    }

    /// <summary>The logits after a hypothesis, its repetitions controlled; null if no token is left.</summary>
    private static double[]? Controlled(double[] logits, int[] prompt, int[] tokens, BeamSettings settings) =>
        settings is { RepetitionPenalty: 1, NoRepeat: null }
            ? logits
            : Logits.ControlRepetition(logits, [.. prompt, .. tokens], settings.RepetitionPenalty, settings.NoRepeat, Name);

    private static Hypothesis Ended<TState>(Live<TState> one, BeamSettings settings)
    {
        var stopped = settings.Stop.Contains(one.New[0]);
        var score = one.LogProbability / LengthPenalty(one.Tokens.Length, settings.LengthPenalty);
        return new(stopped ? one.Tokens[..^1] : one.Tokens, one.LogProbability, score, stopped);
    }

    /// <summary>Whether a live hypothesis could come to be among the best: its log probability can only fall, its penalty only grow to that of the longest.</summary>
    private static bool CanImprove<TState>(Live<TState>[] live, List<Hypothesis> done, BeamSettings settings)
    {
        if (done.Count < settings.Width) return true;
        var attainable = live.Max(one => one.LogProbability) / LengthPenalty(settings.MaxTokens, settings.LengthPenalty);
        return attainable > done.OrderByDescending(one => one.Score).ElementAt(settings.Width - 1).Score;
    }

    /// <summary>A hypothesis that goes on: its state lies before its new tokens.</summary>
    private readonly record struct Live<TState>(TState State, int[] New, int[] Tokens, double LogProbability);
}

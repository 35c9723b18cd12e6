using DL.Core.Random;
using static System.FormattableString;

namespace DL.Core.Generation;

/// <summary>Probabilities of the next token, and draws from them; pure functions of arrays.</summary>
public static class Probabilities
{
    /// <summary><c>p[v] = exp(x[v] / t) / sum over w of exp(x[w] / t)</c>; at t = 0 all mass is on the first of the largest logits.</summary>
    /// <param name="logits">[vocabulary]; -infinity gives 0.</param>
    /// <param name="temperature">t, at least 0: under 1 sharpens, over 1 flattens.</param>
    /// <returns>[vocabulary], the sum 1.</returns>
    /// <exception cref="InvalidArgumentException">The temperature is negative or not finite; a logit is NaN or +infinity, or all are -infinity.</exception>
    public static double[] Softmax(ReadOnlySpan<double> logits, double temperature = 1)
    {
        CheckTemperature(temperature, "Probabilities.Softmax, temperature");
        var best = Logits.Best(logits);
        var p = new double[logits.Length];
        if (temperature == 0)
        {
            p[best] = 1;
            return p;
        }

        var sum = 0.0;
        for (var i = 0; i < p.Length; i++)
        {
            // The difference first: it is at most 0, so that no temperature, however low, can make it overflow to NaN.
            var below = logits[i] - logits[best];
            sum += p[i] = below == 0 ? 1 : Math.Exp(below / temperature);
        }

        for (var i = 0; i < p.Length; i++) p[i] /= sum;
        return p;
    }

    /// <summary>The smallest set of the most probable tokens whose mass reaches p, scaled to the sum 1; all others get 0.</summary>
    /// <remarks>A. Holtzman et al., The curious case of neural text degeneration, 2020. Masses are summed from the most probable token down, of equal ones
    /// from the lower token, and at least one token stays.</remarks>
    /// <param name="probabilities">[vocabulary], of at least 0; taken as shares of their sum.</param>
    /// <param name="p">The mass, above 0 and at most 1; 1 keeps every token.</param>
    /// <returns>[vocabulary], the sum 1.</returns>
    /// <exception cref="InvalidArgumentException">p is out of range, or the probabilities are no distribution.</exception>
    public static double[] TopP(ReadOnlySpan<double> probabilities, double p)
    {
        CheckTopP(p, "Probabilities.TopP, p");
        var sum = Sum(probabilities, "Probabilities.TopP");
        var (kept, mass) = (new double[probabilities.Length], 0.0);
        foreach (var i in Descending(probabilities))
        {
            mass += kept[i] = probabilities[i];
            if (p < 1 && mass >= p * sum) break;
        }

        for (var i = 0; i < kept.Length; i++) kept[i] /= mass;
        return kept;
    }

    /// <summary>One token, each as often as its share of the sum says; a pure function of the key.</summary>
    /// <param name="probabilities">[vocabulary], of at least 0; taken as shares of their sum.</param>
    /// <param name="key">The draw: the same key gives the same token.</param>
    /// <returns>A token whose probability is above 0.</returns>
    /// <exception cref="InvalidArgumentException">The probabilities are no distribution.</exception>
    public static int Draw(ReadOnlySpan<double> probabilities, Key key)
    {
        Span<double> uniform = stackalloc double[1];
        var sum = Sum(probabilities, "Probabilities.Draw");
        Random.Draw.Uniform(key, uniform);
        var (left, last) = (uniform[0] * sum, 0);
        for (var i = 0; i < probabilities.Length; i++)
        {
            if (probabilities[i] == 0) continue;
            // What rounding leaves over at the end belongs to the last token that can be drawn.
            last = i;
            left -= probabilities[i];
            if (left < 0) break;
        }

        return last;
    }

    internal static void CheckTemperature(double temperature, string where)
    {
        if (!(temperature >= 0 && double.IsFinite(temperature)))
            throw new InvalidArgumentException(where, "a finite number of at least 0", Invariant($"{temperature}"), "0 takes the most probable token every time.");
    }

    internal static void CheckTopP(double p, string where)
    {
        if (!(p > 0 && p <= 1)) throw new InvalidArgumentException(where, "a mass above 0 and at most 1", Invariant($"{p}"), "1 keeps every token.");
    }

    private static double Sum(ReadOnlySpan<double> probabilities, string where)
    {
        var sum = 0.0;
        for (var i = 0; i < probabilities.Length; i++)
        {
            if (!(probabilities[i] >= 0)) throw new InvalidArgumentException(Invariant($"{where}, probabilities[{i}]"), "at least 0", Invariant($"{probabilities[i]}"));
            sum += probabilities[i];
        }

        if (!(sum > 0 && double.IsFinite(sum))) throw new InvalidArgumentException($"{where}, probabilities", "a finite sum above 0", Invariant($"{sum}"));
        return sum;
    }

    /// <summary>The tokens that can be drawn, the most probable first, in pieces: a set that reaches its mass is mostly a small one.</summary>
    private static IEnumerable<int> Descending(ReadOnlySpan<double> probabilities)
    {
        var values = probabilities.ToArray();
        return Pieces(values);

        static IEnumerable<int> Pieces(double[] values)
        {
            var given = 0;
            for (var size = 64; given < values.Length; size = (int)Math.Min(8L * size, values.Length))
            {
                var best = Ranking.Best(values, size);
                for (; given < best.Length; given++) yield return best[given];
            }
        }
    }
}

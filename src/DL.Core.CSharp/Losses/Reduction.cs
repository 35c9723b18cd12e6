namespace DL.Core.Losses;

/// <summary>How the terms of a loss become its value.</summary>
public enum Reduction
{
    /// <summary>Their mean, weighted where the loss has weights. Without any term the value is 0.</summary>
    Mean,

    /// <summary>Their sum.</summary>
    Sum,

    /// <summary>They stay apart; each then takes an upstream gradient of its own.</summary>
    None,
}

internal static class Reductions
{
    /// <summary>Fails for <see cref="Reduction.None"/>, which has no single value.</summary>
    public static void CheckSingle(Reduction reduction, string where, string apart)
    {
        if (reduction is not (Reduction.Mean or Reduction.Sum))
            throw new InvalidArgumentException(where, "the reduction Mean or Sum", $"{reduction}", $"Use {apart} for terms that stay apart.");
    }

    /// <summary>The factor of every term: 1 / total for a mean, 0 for a mean over nothing, else 1.</summary>
    public static double Factor(Reduction reduction, double total) => reduction == Reduction.Sum ? 1 : total == 0 ? 0 : 1 / total;
}

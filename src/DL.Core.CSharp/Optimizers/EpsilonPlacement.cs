namespace DL.Core.Optimizers;

/// <summary>Where an adaptive rate keeps its division from zero.</summary>
public enum EpsilonPlacement
{
    /// <summary><c>g / sqrt(s + epsilon)</c>.</summary>
    InsideRoot,

    /// <summary><c>g / (sqrt(s) + epsilon)</c>, as in torch.</summary>
    OutsideRoot,
}

/// <summary>Epsilon cut into what is added under the root and what is added to it: one of both is zero, so that no element meets a branch.</summary>
internal readonly record struct EpsilonParts(double Inside, double Outside)
{
    public static EpsilonParts Of(double epsilon, EpsilonPlacement placement, string where) => placement switch
    {
        EpsilonPlacement.InsideRoot => new(epsilon, 0),
        EpsilonPlacement.OutsideRoot => new(0, epsilon),
        _ => throw new InvalidArgumentException(where, "a placement of EpsilonPlacement", $"{placement}"),
    };
}

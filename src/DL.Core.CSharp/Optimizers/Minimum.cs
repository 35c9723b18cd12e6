namespace DL.Core.Optimizers;

/// <summary>Why a minimization has ended.</summary>
public enum StopReason
{
    /// <summary>No element of the gradient is larger than the tolerance.</summary>
    Converged,

    /// <summary>No step along a direction of descent lowered the value: it is as low as rounding lets it be, or the gradient is not that of the value.</summary>
    NoProgress,

    /// <summary>The limit of iterations was reached first.</summary>
    MaxIterations,
}

/// <summary>What a minimization came to.</summary>
/// <param name="Point">The lowest point found.</param>
/// <param name="Value">The value there.</param>
/// <param name="Gradient">The gradient there.</param>
/// <param name="Iterations">The number of steps taken.</param>
/// <param name="Reason">Why it has ended.</param>
public sealed record Minimum(double[] Point, double Value, double[] Gradient, int Iterations, StopReason Reason);

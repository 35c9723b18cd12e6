using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>Weights with a batch norm folded into them, kept beside weights that predict again and again.</summary>
/// <remarks>Kept from the second use with the same numbers on, by tensors on the garbage-collected heap alone, as <see cref="KeptWeights"/> are.</remarks>
internal sealed class FoldedWeights
{
    private static readonly ConditionalWeakTable<Array, FoldedWeights> All = [];

    private Sources? _seen;
    private Folded? _kept;

    /// <summary>The folded weight and bias, or null where they are not kept.</summary>
    public static Folded? Of(Tensor weight, Tensor? bias, Tensor gamma, Tensor beta, Tensor mean, Tensor variance)
    {
        if (weight.HeldBy is not { } numbers || gamma.HeldBy is null || beta.HeldBy is null || mean.HeldBy is null || variance.HeldBy is null) return null;
        var sources = new Sources(bias?.HeldBy, gamma.HeldBy, beta.HeldBy, mean.HeldBy, variance.HeldBy);
        var all = All.GetOrCreateValue(numbers);
        if (Volatile.Read(ref all._kept) is { } kept && kept.From == sources) return kept;
        if (Interlocked.Exchange(ref all._seen, sources) != sources) return null;
        var (folded, offset) = BatchNorm.Fold(weight, bias, gamma, beta, mean, variance);
        kept = new(sources, folded, offset);
        Volatile.Write(ref all._kept, kept);
        return kept;
    }

    /// <summary>The arrays a fold is made from; arrays are equal when they are the same one.</summary>
    internal sealed record Sources(Array? Bias, Array Gamma, Array Beta, Array Mean, Array Variance);

    /// <summary>A weight and a bias that do the batch norm too.</summary>
    internal sealed record Folded(Sources From, Tensor Weight, Tensor Bias);
}

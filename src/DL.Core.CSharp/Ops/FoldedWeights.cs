using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>Weights with a batch norm folded into them, kept beside weights that predict again and again.</summary>
/// <remarks>They are folded at the first use already, so that every prediction gives the same bits; kept beside tensors on the garbage-collected heap alone.</remarks>
internal sealed class FoldedWeights
{
    private static readonly ConditionalWeakTable<Array, FoldedWeights> All = [];

    private Folded? _kept;

    /// <summary>The folded weight and bias.</summary>
    public static (Tensor Weight, Tensor Bias) Of(Tensor weight, Tensor? bias, Tensor gamma, Tensor beta, Tensor mean, Tensor variance)
    {
        if (weight.HeldBy is not { } numbers || gamma.HeldBy is null || beta.HeldBy is null || mean.HeldBy is null || variance.HeldBy is null)
            return BatchNorm.Fold(weight, bias, gamma, beta, mean, variance);
        var sources = new Sources(bias?.HeldBy, gamma.HeldBy, beta.HeldBy, mean.HeldBy, variance.HeldBy, Changes.Count);
        var all = All.GetOrCreateValue(numbers);
        if (Volatile.Read(ref all._kept) is not { } kept || kept.From != sources)
        {
            var (folded, offset) = BatchNorm.Fold(weight, bias, gamma, beta, mean, variance);
            kept = new(sources, folded, offset);
            Volatile.Write(ref all._kept, kept);
        }

        return (kept.Weight, kept.Bias);
    }

    /// <summary>The arrays a fold is made from, and how many changes in place there had been; arrays are equal when they are the same one.</summary>
    private sealed record Sources(Array? Bias, Array Gamma, Array Beta, Array Mean, Array Variance, long Changes);

    /// <summary>A weight and a bias that do the batch norm too.</summary>
    private sealed record Folded(Sources From, Tensor Weight, Tensor Bias);
}

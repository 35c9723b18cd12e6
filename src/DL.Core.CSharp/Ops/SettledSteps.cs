using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>Sequences [N, T, D] that grow: whole blocks that are settled, and the steps since, of which there are few. A value.</summary>
/// <remarks>Several continuations of one share what is settled, and each copies no more than a block.</remarks>
internal sealed class SettledSteps
{
    private const int Block = AttentionSteps.Block;
    private const int Room = 64;

    private readonly GrowingSteps _settled;
    private readonly GrowingSteps _recent;

    private SettledSteps(GrowingSteps settled, GrowingSteps recent)
    {
        _settled = settled;
        _recent = recent;
    }

    /// <summary>The number of steps.</summary>
    public int Count => Settled.Shape[1] + Recent.Shape[1];

    /// <summary>The first steps, a multiple of <see cref="AttentionSteps.Block"/> of them.</summary>
    public Tensor Settled => _settled.Steps;

    /// <summary>The steps after these, one block of them at most.</summary>
    public Tensor Recent => _recent.Steps;

    /// <summary>All steps, in memory of their own.</summary>
    public Tensor All => Concat.Forward(1, Settled, Recent);

    /// <summary>The given steps, which are copied.</summary>
    public static SettledSteps Of(Tensor steps)
    {
        var (settled, recent) = Cut(steps);
        return new(GrowingSteps.Of(settled, Room), GrowingSteps.Of(recent, Block));
    }

    /// <summary>These steps and then more.</summary>
    public SettledSteps Append(Tensor more)
    {
        if (more.Shape[1] <= Block - Recent.Shape[1]) return new(_settled, _recent.Append(more));
        var (settled, recent) = Cut(_recent.Append(more).Steps);
        return new(_settled.Append(settled), GrowingSteps.Of(recent, Block));
    }

    private static (Tensor Settled, Tensor Recent) Cut(Tensor steps)
    {
        var time = steps.Shape[1];
        var settled = Math.Max(0, (time - 1) / Block * Block);
        return (Slice.Forward(steps, 1, 0, settled), Slice.Forward(steps, 1, settled, time - settled));
    }
}

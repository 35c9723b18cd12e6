namespace DL.Core.Kernels;

/// <summary>The weights of a convolution, [taps; inputs of a group; outputs], laid out as the micro-kernel reads them: pass after pass, strip after strip.</summary>
internal unsafe struct ConvWeights<T>
    where T : unmanaged
{
    public T* Weight;
    public int Groups, Inputs, Outputs;

    /// <summary>Whether inputs and outputs change places, as in the gradient of the image.</summary>
    public bool Transposed;

    /// <summary>Numbers summed of each tap, and outputs, of one group.</summary>
    public readonly int Summed => Transposed ? Outputs / Groups : Inputs;

    /// <inheritdoc cref="Summed"/>
    public readonly int Made => Transposed ? Inputs : Outputs / Groups;

    /// <summary>Strips of two vectors that the outputs of a group fall into.</summary>
    public readonly long Strips<V>() where V : struct, IGemmWidth => (Made + (2 * V.Count) - 1) / (2 * V.Count);

    /// <summary>Elements of the packed weights of one group.</summary>
    public readonly long GroupRoom<V>(long taps) where V : struct, IGemmWidth => taps * Summed * Strips<V>() * 2 * V.Count;

    /// <summary>Packs the strips [from, to), counted through all groups.</summary>
    public readonly void Pack<V>(ReadOnlySpan<ConvTap> taps, ReadOnlySpan<ConvPass> passes, long from, long to, T* target)
        where V : struct, IGemmWidth
    {
        for (var index = from; index < to; index++)
        {
            var (group, strip) = ((int)(index / Strips<V>()), index % Strips<V>());
            foreach (var pass in passes)
                PackPass<V>(taps, pass, group, strip, target + (group * GroupRoom<V>(taps.Length)) + (((pass.First * Strips<V>()) + (strip * pass.Length)) * 2 * V.Count));
        }
    }

    // The numbers of one tap after the other; a pass may begin and end within a tap.
    private readonly void PackPass<V>(ReadOnlySpan<ConvTap> taps, ConvPass pass, int group, long strip, T* target)
        where V : struct, IGemmWidth
    {
        nint width = 2 * V.Count, from = (nint)strip * width, lanes = Math.Min(width, Made - from), ld = Outputs;
        for (var done = 0L; done < pass.Length;)
        {
            var (tap, inner) = ((pass.First + done) / Summed, (nint)((pass.First + done) % Summed));
            var steps = (nint)Math.Min(Summed - inner, pass.Length - done);
            var block = Weight + ((long)taps[(int)tap].Index * Inputs * ld) + ((long)group * (Outputs / Groups));
            if (Transposed)
                GemmPack.Transpose(block + (from * ld) + inner, ld, steps, lanes, width, target + (done * width));
            else
                GemmPack.Copy<V, T>(block + (inner * ld) + from, ld, steps, lanes, width, target + (done * width));
            done += steps;
        }
    }
}

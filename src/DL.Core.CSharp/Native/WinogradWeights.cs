namespace DL.Core.Kernels;

/// <summary>Weights [3; 3; channels; outputs], transformed and laid out as the micro-kernel reads them: 36 planes of blocks of steps of strips.</summary>
internal unsafe struct WinogradWeights
{
    private const int Taps = 9;

    public float* Weight;
    public int Channels, Outputs;

    /// <summary>Whether the taps are turned round and channels and outputs change places, as in the gradient of the image.</summary>
    public bool Turned;

    /// <summary>Channels summed over.</summary>
    public readonly int Summed => Turned ? Outputs : Channels;

    /// <summary>Channels that come out.</summary>
    public readonly int Made => Turned ? Channels : Outputs;

    public readonly long Strips<V>() where V : struct, IGemmWidth => (Made + (2 * V.Count) - 1) / (2 * V.Count);

    public readonly long Plane<V>() where V : struct, IGemmWidth => Winograd.Plane(Summed * Strips<V>() * 2 * V.Count);

    /// <summary>Where in a plane the strip's steps begin that start with p, of <paramref name="depth"/>.</summary>
    public readonly long Offset<V>(long p, long depth, long strip) where V : struct, IGemmWidth => ((p * Strips<V>()) + (strip * depth)) * 2 * V.Count;

    /// <summary>Transforms the strips [from, to).</summary>
    public readonly void Pack<V, S>(long from, long to, float* target)
        where V : struct, IGemmWidth
        where S : struct, ISimd<S, float>
    {
        long width = 2 * V.Count, steps = GemmBlocks.Steps(Summed), size = (long)Channels * Outputs;
        var work = (float*)Scratch.Left((WinogradKernels.Work + (Taps * steps * width)) * sizeof(float));
        var turned = work + WinogradKernels.Work;
        for (var strip = from; strip < to; strip++)
            for (var p = 0L; p < Summed; p += steps)
            {
                var depth = Math.Min(steps, Summed - p);
                var lanes = Math.Min(width, Made - (strip * width));
                var to0 = target + Offset<V>(p, depth, strip);
                if (Turned)
                {
                    Turn(strip * width, lanes, p, depth, width, turned);
                    Strip<V, S>(turned, depth * width, width, depth, lanes, work, to0);
                }
                else
                {
                    Strip<V, S>(Weight + (p * Outputs) + (strip * width), size, Outputs, depth, lanes, work, to0);
                }
            }
    }

    // The channels of a strip become lanes, and the last tap the first.
    private readonly void Turn(long first, long lanes, long p, long depth, long width, float* turned)
    {
        for (var tap = 0L; tap < Taps; tap++)
            GemmPack.Transpose(
                Weight + ((((Taps - 1 - tap) * Channels) + first) * Outputs) + p, Outputs, (nint)depth, (nint)lanes, (nint)width, turned + (tap * depth * width));
    }

    private readonly void Strip<V, S>(float* taps, long tap, long row, long depth, long lanes, float* work, float* target)
        where V : struct, IGemmWidth
        where S : struct, ISimd<S, float>
    {
        var plane = Plane<V>();
        for (var step = 0L; step < depth; step++, taps += row)
            for (var j = 0L; j < 2 * V.Count; j += S.Count)
                WinogradKernels.Weights<S>(taps + Math.Min(j, lanes), tap, Math.Clamp(lanes - j, 0, S.Count), work, target + (((step * 2 * V.Count) + j)), plane);
    }
}

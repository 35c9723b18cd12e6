using static System.FormattableString;

namespace DL.Core.Data;

/// <summary>A sound: samples from -1 to 1, those of one moment next to each other.</summary>
public sealed class Wave
{
    /// <summary>The sound of given samples, which are not copied.</summary>
    /// <param name="samples">[moments; channels].</param>
    /// <param name="channels">1 for mono, 2 for stereo, up to 65535.</param>
    /// <param name="rate">The moments of a second, at least 1.</param>
    /// <exception cref="InvalidArgumentException">A number is out of range.</exception>
    /// <exception cref="ShapeException">The samples are no whole number of moments.</exception>
    public Wave(float[] samples, int channels, int rate)
    {
        if (channels is < 1 or > ushort.MaxValue) throw new InvalidArgumentException("Wave, channels", Invariant($"from 1 to {ushort.MaxValue}"), Invariant($"{channels}"));
        if (rate < 1) throw new InvalidArgumentException("Wave, rate", "at least 1", Invariant($"{rate}"));
        if (samples.Length % channels != 0) throw new ShapeException("Wave, samples", Invariant($"a multiple of the {channels} channels"), Invariant($"{samples.Length}"));
        (Samples, Channels, Rate) = (samples, channels, rate);
    }

    /// <summary>The samples, [moments; channels].</summary>
    public float[] Samples { get; }

    /// <summary>The number of channels.</summary>
    public int Channels { get; }

    /// <summary>The moments of a second.</summary>
    public int Rate { get; }

    /// <summary>The number of moments.</summary>
    public int Moments => Samples.Length / Channels;

    /// <summary>The samples of one channel, or the mean of all channels.</summary>
    /// <param name="channel">The channel from 0; null for the mean.</param>
    /// <exception cref="InvalidArgumentException">There is no such channel.</exception>
    public float[] Mono(int? channel = null)
    {
        if (channel is { } asked && (uint)asked >= (uint)Channels) throw new InvalidArgumentException("Wave.Mono, channel", Invariant($"0 to {Channels - 1}"), Invariant($"{asked}"));
        var mono = new float[Moments];
        for (var i = 0; i < mono.Length; i++)
        {
            if (channel is { } one)
            {
                mono[i] = Samples[i * Channels + one];
                continue;
            }

            var sum = 0.0;
            for (var c = 0; c < Channels; c++) sum += Samples[i * Channels + c];
            mono[i] = (float)(sum / Channels);
        }

        return mono;
    }
}

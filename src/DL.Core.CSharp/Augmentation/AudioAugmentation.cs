using DL.Core.Random;
using static System.FormattableString;

namespace DL.Core.Augmentation;

/// <summary>Changes of a sound of one channel: its length without its pitch, its pitch without its length, and noise.</summary>
/// <remarks>Each is a pure function of its arguments; draw a rate or a number of semitones from a key of your own, or let <see cref="RandomTimeStretch"/> and
/// <see cref="RandomPitchShift"/> do it.</remarks>
public static class AudioAugmentation
{
    private const double Slowest = 0.1, Fastest = 10, MostSemitones = 36;

    /// <summary>The sound at another speed and the same pitch: <c>round(n / rate)</c> samples, by overlap-add of frames that fit each other best.</summary>
    /// <remarks>W. Verhelst, M. Roelands, An overlap-add technique based on waveform similarity (WSOLA), 1993. Frames are a sound's own, so that no frequency
    /// is moved; of a pure tone only the amplitude at the very ends differs. Sounds shorter than a frame are resampled as they are, pitch and all.</remarks>
    /// <param name="x">The samples.</param>
    /// <param name="rate">The speed, from 0.1 to 10: 2 is twice as fast and half as long, 1 changes nothing.</param>
    /// <param name="frame">The samples of a frame, from 16 to 65536: about 50 ms; the lowest frequency it keeps has a period of half a frame.</param>
    /// <returns>The samples, <c>round(n / rate)</c> of them.</returns>
    /// <exception cref="InvalidArgumentException">The rate or frame is out of range, or a sample is not finite.</exception>
    public static float[] TimeStretch(ReadOnlySpan<float> x, double rate, int frame = 1024)
    {
        CheckFinite(x, "TimeStretch");
        if (!(rate >= Slowest && rate <= Fastest)) throw new InvalidArgumentException("TimeStretch, rate", Invariant($"from {Slowest} to {Fastest}"), Invariant($"{rate}"));
        if (frame is < 16 or > 1 << 16) throw new InvalidArgumentException("TimeStretch, frame", Invariant($"from 16 to {1 << 16}"), Invariant($"{frame}"));
        return rate == 1 ? x.ToArray() : WaveSimilarity.Stretch(x, Length(x, 1 / rate), frame & ~1);
    }

    /// <summary>The sound at another pitch and the same length: every frequency times <c>2^(semitones / 12)</c>, by a time stretch and resampling.</summary>
    /// <param name="x">The samples.</param>
    /// <param name="semitones">From -36 to 36: 12 is an octave up, 0 changes nothing.</param>
    /// <param name="frame">As in <see cref="TimeStretch"/>.</param>
    /// <returns>As many samples.</returns>
    /// <exception cref="InvalidArgumentException">The semitones or frame are out of range, or a sample is not finite.</exception>
    public static float[] PitchShift(ReadOnlySpan<float> x, double semitones, int frame = 1024)
    {
        if (!(Math.Abs(semitones) <= MostSemitones))
            throw new InvalidArgumentException("PitchShift, semitones", Invariant($"from {-MostSemitones} to {MostSemitones}"), Invariant($"{semitones}"));
        var ratio = Math.Pow(2, semitones / 12);
        var stretched = TimeStretch(x, 1 / ratio, frame);
        return semitones == 0 ? stretched : Resampling.By(stretched, ratio, x.Length);
    }

    /// <summary>The sound with white noise: <c>x + g e</c>, where e is normal and g such that <c>10 log10(power of x / power of g e)</c> is exactly what was asked for.</summary>
    /// <param name="x">The samples; silence stays silence.</param>
    /// <param name="decibels">The signal-to-noise ratio, from -100 to 200.</param>
    /// <param name="key">The draw.</param>
    /// <returns>As many samples; they may go beyond [-1, 1].</returns>
    /// <exception cref="InvalidArgumentException">The ratio is out of range, or a sample is not finite, before or after.</exception>
    public static float[] AddNoise(ReadOnlySpan<float> x, double decibels, Key key)
    {
        CheckFinite(x, "AddNoise");
        if (!(decibels >= -100 && decibels <= 200)) throw new InvalidArgumentException("AddNoise, decibels", "from -100 to 200", Invariant($"{decibels}"));
        var noise = new double[x.Length];
        Draw.Normal<double>(key, noise);
        var (signal, power) = (0.0, 0.0);
        for (var i = 0; i < x.Length; i++) (signal, power) = (signal + (double)x[i] * x[i], power + noise[i] * noise[i]);
        var gain = power == 0 ? 0 : Math.Sqrt(signal / power / Math.Pow(10, decibels / 10));
        var y = new float[x.Length];
        for (var i = 0; i < y.Length; i++)
        {
            y[i] = (float)(x[i] + gain * noise[i]);
            if (!float.IsFinite(y[i])) throw new InvalidArgumentException(Invariant($"AddNoise, sample {i}"), "a number that stays finite under the noise", Invariant($"{x[i]}"));
        }

        return y;
    }

    /// <summary>A time stretch by a rate drawn from the key, uniform in [slowest, fastest).</summary>
    /// <param name="x">The samples.</param>
    /// <param name="slowest">The lowest rate, at least 0.1.</param>
    /// <param name="fastest">The highest rate, at least the lowest and at most 10.</param>
    /// <param name="key">The draw.</param>
    /// <returns>The samples, as many as the rate gives.</returns>
    /// <exception cref="InvalidArgumentException">A rate is out of range, or a sample is not finite.</exception>
    public static float[] RandomTimeStretch(ReadOnlySpan<float> x, double slowest, double fastest, Key key) =>
        TimeStretch(x, Between(slowest, fastest, Slowest, Fastest, key, "RandomTimeStretch, rates"));

    /// <summary>A pitch shift by a number of semitones drawn from the key, uniform in [-semitones, semitones).</summary>
    /// <param name="x">The samples.</param>
    /// <param name="semitones">The largest shift, from 0 to 36.</param>
    /// <param name="key">The draw.</param>
    /// <returns>As many samples.</returns>
    /// <exception cref="InvalidArgumentException">The semitones are out of range, or a sample is not finite.</exception>
    public static float[] RandomPitchShift(ReadOnlySpan<float> x, double semitones, Key key) =>
        PitchShift(x, Between(-semitones, semitones, -MostSemitones, MostSemitones, key, "RandomPitchShift, semitones"));

    // The whole range is looked at, so that no key finds what is wrong with it and another does not.
    private static double Between(double low, double high, double least, double most, Key key, string where) => least <= low && low <= high && high <= most
        ? low + (high - low) * Images.Uniform(key, 1)[0]
        : throw new InvalidArgumentException(where, Invariant($"a range in [{least}, {most}] whose end is not below its beginning"), Invariant($"{low} to {high}"));

    private static int Length(ReadOnlySpan<float> x, double factor)
    {
        var length = Math.Round(x.Length * factor, MidpointRounding.AwayFromZero);
        return length <= Array.MaxLength / 4 ? (int)length : throw new InvalidArgumentException("TimeStretch", Invariant($"at most {Array.MaxLength / 4} samples"), Invariant($"{length}"));
    }

    private static void CheckFinite(ReadOnlySpan<float> x, string where)
    {
        for (var i = 0; i < x.Length; i++)
            if (!float.IsFinite(x[i])) throw new InvalidArgumentException(Invariant($"{where}, sample {i}"), "a finite number", Invariant($"{x[i]}"));
    }
}

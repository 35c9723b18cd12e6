namespace DL.Core.Augmentation;

/// <summary>A sound at other places in time: <c>y_i = x(i step)</c>, between samples by a windowed sinc that lets no frequency fold over.</summary>
/// <remarks>J. O. Smith, Digital audio resampling, 1984: 16 zero crossings on each side under Hann's window.</remarks>
internal static class Resampling
{
    private const int Crossings = 16;

    public static float[] By(ReadOnlySpan<float> x, double step, int length)
    {
        var y = new float[length];
        // When samples are taken further apart, what the new rate cannot hold is filtered out.
        var cutoff = Math.Min(1, 1 / step);
        var reach = Crossings / cutoff;
        for (var i = 0; i < length; i++) y[i] = (float)At(x, i * step, cutoff, reach);
        return y;
    }

    private static double At(ReadOnlySpan<float> x, double place, double cutoff, double reach)
    {
        var (sum, weight) = (0.0, 0.0);
        var first = Math.Max(0, (int)Math.Ceiling(place - reach));
        var last = Math.Min(x.Length - 1, (int)Math.Floor(place + reach));
        // From one sample to the next the angles of sinc and window grow evenly, so that their sines need no function calls.
        var (wave, window) = (new Turning(Math.PI * cutoff * (place - first), -Math.PI * cutoff), new Turning(Math.PI * (place - first) / reach, -Math.PI / reach));
        for (var k = first; k <= last; k++)
        {
            var angle = Math.PI * cutoff * (place - k);
            var share = (Math.Abs(angle) < 1e-6 ? 1 : wave.Sin / angle) * (0.5 + 0.5 * window.Cos);
            sum += share * x[k];
            weight += share;
            wave.Turn();
            window.Turn();
        }

        // Beside the ends too little of the sound is near to tell what is there.
        return Math.Abs(weight) > 0.4 * reach / Crossings ? sum / weight : 0;
    }

    /// <summary>Sine and cosine of angles that are equally far apart.</summary>
    private struct Turning(double angle, double step)
    {
        private readonly double _stepSin = Math.Sin(step), _stepCos = Math.Cos(step);

        public double Sin { get; private set; } = Math.Sin(angle);

        public double Cos { get; private set; } = Math.Cos(angle);

        public void Turn() => (Sin, Cos) = (Sin * _stepCos + Cos * _stepSin, Cos * _stepCos - Sin * _stepSin);
    }
}

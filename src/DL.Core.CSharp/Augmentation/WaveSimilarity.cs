namespace DL.Core.Augmentation;

/// <summary>Time stretching by overlap-add of frames, each taken where it goes on best from the one before.</summary>
internal static class WaveSimilarity
{
    /// <summary>The sound brought to a length; frames of an even number of samples overlap by half.</summary>
    public static float[] Stretch(ReadOnlySpan<float> x, int length, int frame)
    {
        if (x.Length < 2 * frame || length < frame) return Resampling.By(x, length == 0 ? 1 : (double)x.Length / length, length);
        var hop = frame / 2;
        var (sum, weight, window) = (new double[length + frame], new double[length + frame], Window(frame));
        var taken = 0;
        for (var at = 0; at < length; at += hop)
        {
            taken = at == 0 ? 0 : Best(x, Wanted(at, x.Length, length, frame), taken + hop, frame);
            for (var i = 0; i < frame; i++)
            {
                sum[at + i] += window[i] * x[taken + i];
                weight[at + i] += window[i];
            }
        }

        var y = new float[length];
        for (var i = 0; i < length; i++) y[i] = (float)(sum[i] / weight[i]);
        return y;
    }

    /// <summary>Where a frame of the result would be taken from at an even pace.</summary>
    private static int Wanted(int at, int from, int to, int frame) => (int)Math.Min((long)Math.Round((double)at * from / to), from - frame);

    /// <summary>The place near the one wanted whose half frame is most like what follows the frame before: the largest normalized correlation.</summary>
    private static int Best(ReadOnlySpan<float> x, int wanted, int natural, int frame)
    {
        var hop = frame / 2;
        if (natural > x.Length - frame) return wanted;
        var (best, found) = (double.NegativeInfinity, wanted);
        var last = Math.Min(x.Length - frame, wanted + hop / 2);
        for (var place = Math.Max(0, wanted - hop / 2); place <= last; place++)
        {
            var likeness = Likeness(x.Slice(place, hop), x.Slice(natural, hop));
            if (likeness > best) (best, found) = (likeness, place);
        }

        return found;
    }

    private static double Likeness(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var (product, square) = (0.0, 1e-12);
        for (var i = 0; i < a.Length; i++) (product, square) = (product + (double)a[i] * b[i], square + (double)a[i] * a[i]);
        return product / Math.Sqrt(square);
    }

    /// <summary>Hann's window between its zeros, so that every sample has a weight.</summary>
    private static double[] Window(int frame)
    {
        var window = new double[frame];
        for (var i = 0; i < frame; i++) window[i] = 0.5 - 0.5 * Math.Cos(2 * Math.PI * (i + 0.5) / frame);
        return window;
    }
}

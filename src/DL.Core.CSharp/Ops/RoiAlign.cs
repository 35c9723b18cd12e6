using DL.Core.Kernels;
using static System.FormattableString;

namespace DL.Core.Ops;

/// <summary>The mean of samples in every bin of a region of interest: <c>y[r, i, j, c] = 1/(g g') sum over samples (p, q) of bin (i, j) of x[image r, p, q, c]</c>.</summary>
/// <remarks>Nothing is rounded: along an axis, a region from <c>a = scale start - o</c> to <c>b = scale end - o</c> is cut into m bins of
/// <c>(b - a) / m</c>, and each into g equal parts with a sample in the middle. A sample between pixels is interpolated linearly along both axes; one up
/// to a pixel outside the image takes the border's value, one further out counts as 0. <c>o</c> is 1/2 when aligned, so that pixels are areas with their
/// centres at halves; when not, o is 0 and a region has at least one pixel. g is the sampling ratio, or <c>ceil((b - a) / m)</c> when that is 0: then a region
/// without extent has no sample and gives 0. The map is linear in x, and Backward its transpose; regions get no gradient. Source: K. He et al., Mask R-CNN, 2017.</remarks>
public static class RoiAlign
{
    private const string Name = "RoiAlign";
    private const int MostSamples = 1024;

    /// <summary>The mean of samples in every bin of every region.</summary>
    /// <param name="x">[N; height; width; C], float32 or float64.</param>
    /// <param name="regions">[R; 5], float32 or float64: image, left, top, right, bottom.</param>
    /// <param name="rows">The rows of the output.</param>
    /// <param name="columns">The columns of the output.</param>
    /// <param name="scale">Pixels of x per unit of the coordinates, such as 1/16.</param>
    /// <param name="samplingRatio">The samples of a bin along each axis, from 0 to 1024; 0 takes one for every pixel begun.</param>
    /// <param name="aligned">Whether pixels have their centres at halves.</param>
    /// <returns>[R; rows; columns; C].</returns>
    /// <exception cref="ShapeException">x is not of rank 4 or has no pixel, or the regions are not [R; 5].</exception>
    /// <exception cref="InvalidArgumentException">There is no row or column, the scale is not above 0, the sampling ratio is out of range, the elements are
    /// integers, or a region names no image, is not finite, lies more than 2^24 pixels away, or has its corners exchanged.</exception>
    public static Tensor Forward(Tensor x, Tensor regions, int rows, int columns, double scale = 1, int samplingRatio = 0, bool aligned = true)
    {
        var cut = Sampled.Of(Name, samplingRatio, aligned);
        return new RegionForm(Name, x.Shape, regions, rows, columns, scale).Forward<RegionMean<float>, RegionMean<double>, Sampled>(x, cut);
    }

    /// <summary>The gradient of the input.</summary>
    /// <param name="dy">[R; rows; columns; C], the gradient of the output.</param>
    /// <param name="input">The shape of the input.</param>
    /// <param name="regions">The regions of the forward pass.</param>
    /// <param name="scale">As in the forward pass.</param>
    /// <param name="samplingRatio">As in the forward pass.</param>
    /// <param name="aligned">As in the forward pass.</param>
    /// <returns>A tensor of the input's shape.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">As in the forward pass.</exception>
    public static Tensor Backward(Tensor dy, Shape input, Tensor regions, double scale = 1, int samplingRatio = 0, bool aligned = true)
    {
        const string where = $"{Name}.Backward";
        if (dy.Shape.Rank != 4) throw new ShapeException(where, "a gradient [R; rows; columns; channels]", $"{dy.Shape}");
        var cut = Sampled.Of(where, samplingRatio, aligned);
        var form = new RegionForm(where, input, regions, dy.Shape[1], dy.Shape[2], scale);
        return form.Backward<RegionMean<float>, RegionMean<double>, Sampled>(dy, null, cut);
    }

    /// <summary>Bins of samples; what several samples take of one pixel is added up.</summary>
    private readonly unsafe struct Sampled : IRegionCut
    {
        private int Ratio { get; init; }

        private bool Aligned { get; init; }

        public static Sampled Of(string where, int ratio, bool aligned)
        {
            if (ratio is < 0 or > MostSamples)
                throw new InvalidArgumentException($"{where}, samplingRatio", Invariant($"0 to {MostSamples}"), Invariant($"{ratio}"));
            return new() { Ratio = ratio, Aligned = aligned };
        }

        public long Weights(double start, double end, int bins, int pixels) => bins * Room(Extent(start, end) / bins, pixels);

        public void Cut(double start, double end, int bins, int pixels, RegionBin* result, ref double* weights)
        {
            var (origin, bin) = (start - (Aligned ? 0.5 : 0), Extent(start, end) / bins);
            var samples = Ratio > 0 ? Ratio : (int)Math.Ceiling(bin);
            var room = Room(bin, pixels);
            for (var i = 0; i < bins; i++, weights += room)
            {
                new Span<double>(weights, (int)room).Clear();
                result[i] = new() { Weights = weights };
                for (var s = 0; s < samples; s++) Add(origin + (i * bin) + ((s + 0.5) * bin / samples), 1.0 / samples, pixels, ref result[i]);
            }
        }

        private double Extent(double start, double end) => Aligned ? end - start : Math.Max(end - start, 1);

        // Two pixels more than a bin is wide, and one for the rounding of positions.
        private static long Room(double bin, int pixels) => Math.Min(pixels, (long)Math.Ceiling(bin) + 3);

        private static void Add(double position, double share, int pixels, ref RegionBin bin)
        {
            if (position < -1 || position > pixels) return;
            var low = Math.Min((int)Math.Max(position, 0), pixels - 1);
            var above = low == pixels - 1 ? 0 : Math.Max(position, 0) - low;
            if (bin.Count == 0) bin.First = low;
            bin.Weights[low - bin.First] += share * (1 - above);
            if (above > 0) bin.Weights[low - bin.First + 1] += share * above;
            bin.Count = Math.Max(bin.Count, low - bin.First + (above > 0 ? 2 : 1));
        }
    }
}

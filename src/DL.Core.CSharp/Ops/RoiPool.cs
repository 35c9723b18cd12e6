using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>The largest number of every bin of a region of interest: <c>y[r, i, j, c] = max over h in rows(i), w in columns(j) of x[image r, h, w, c]</c>.</summary>
/// <remarks>Corners times <c>scale</c> are rounded to pixels, halves away from 0, and both belong to the region: it has <c>n = max(1, end - start + 1)</c>
/// pixels along an axis, and bin i of m covers <c>[start + floor(i n / m), start + ceil((i + 1) n / m))</c>, as far as it lies in the image; a bin
/// outside gives 0. Backward: the first of several largest numbers, in the order of rows and columns, gets the whole gradient; bins and regions that
/// overlap add. Regions get no gradient. A NaN in a bin gives NaN. Source: R. Girshick, Fast R-CNN, 2015.</remarks>
public static class RoiPool
{
    private const string Name = "RoiPool";

    /// <summary>The largest number of every bin of every region.</summary>
    /// <param name="x">[N; height; width; C], float32 or float64.</param>
    /// <param name="regions">[R; 5], float32 or float64: image, left, top, right, bottom.</param>
    /// <param name="rows">The rows of the output.</param>
    /// <param name="columns">The columns of the output.</param>
    /// <param name="scale">Pixels of x per unit of the coordinates, such as 1/16.</param>
    /// <returns>[R; rows; columns; C].</returns>
    /// <exception cref="ShapeException">x is not of rank 4 or has no pixel, or the regions are not [R; 5].</exception>
    /// <exception cref="InvalidArgumentException">There is no row or column, the scale is not above 0, the elements are integers, or a region names no
    /// image, is not finite, lies more than 2^24 pixels away, or has its corners exchanged.</exception>
    public static Tensor Forward(Tensor x, Tensor regions, int rows, int columns, double scale = 1) =>
        new RegionForm(Name, x.Shape, regions, rows, columns, scale).Forward<RegionMax<float>, RegionMax<double>, Rounded>(x, default);

    /// <summary>The gradient of the input.</summary>
    /// <param name="dy">[R; rows; columns; C], the gradient of the output.</param>
    /// <param name="x">The input of the forward pass.</param>
    /// <param name="regions">The regions of the forward pass.</param>
    /// <param name="scale">As in the forward pass.</param>
    /// <returns>A tensor of the shape of <paramref name="x"/>.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">As in the forward pass, or the element types differ.</exception>
    public static Tensor Backward(Tensor dy, Tensor x, Tensor regions, double scale = 1)
    {
        const string where = $"{Name}.Backward";
        if (dy.Shape.Rank != 4) throw new ShapeException(where, "a gradient [R; rows; columns; channels]", $"{dy.Shape}");
        var form = new RegionForm(where, x.Shape, regions, dy.Shape[1], dy.Shape[2], scale);
        return form.Backward<RegionMax<float>, RegionMax<double>, Rounded>(dy, x, default);
    }

    /// <summary>Bins of whole pixels, in whole numbers.</summary>
    private readonly unsafe struct Rounded : IRegionCut
    {
        public long Weights(double start, double end, int bins, int pixels) => 0;

        public void Cut(double start, double end, int bins, int pixels, RegionBin* result, ref double* weights)
        {
            var first = (long)Math.Round(start, MidpointRounding.AwayFromZero);
            var length = Math.Max(1, (long)Math.Round(end, MidpointRounding.AwayFromZero) - first + 1);
            for (var i = 0L; i < bins; i++)
            {
                var from = Math.Clamp(first + (i * length / bins), 0, pixels);
                var to = Math.Clamp(first + ((((i + 1) * length) + bins - 1) / bins), 0, pixels);
                result[i] = new() { First = (int)from, Count = (int)(to - from) };
            }
        }
    }
}

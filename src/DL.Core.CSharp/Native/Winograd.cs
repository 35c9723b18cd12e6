using DL.Core.Ops;

namespace DL.Core.Kernels;

/// <summary>Convolution by 3 x 3 taps with stride 1 in fewer multiplications: 36 for every 16 outputs, of channels times outputs, where the sums need 144.</summary>
/// <remarks>Float32 only. The result is not that of the sums in their order: it lies within 1e-5 of it, relative to the largest sum of |x| |w| over a window
/// (measured: below 3e-6), for the points +-3/4 and +-3/2 keep the transforms' numbers small. The bits do not depend on the number of threads.
/// Images are channels last, weights [3; 3; channels; outputs].</remarks>
internal static unsafe class Winograd
{
    private const int LeastChannels = 16;

    // A product of fewer rows takes as long as one of so many.
    private const long LeastRows = 8;

    /// <summary>Whether a convolution by 3 x 3 taps with stride 1 gains by it.</summary>
    internal static bool Suits(int channels, int outputs, int images, int rows, int columns)
    {
        if (Math.Min(channels, outputs) < LeastChannels)
            return false;
        var tiles = new WinogradGrid(images, 0, 0, rows, columns, 0, 0).Tiles;
        // What each way does for a pair of channels; the transforms, of pixels, outputs and weights, shrink beside it as channels grow.
        var direct = 9.0 * images * rows * columns;
        var products = WinogradGrid.Products * (double)((tiles + LeastRows - 1) / LeastRows * LeastRows);
        var transforms = (TileCost * tiles * ((1.0 / channels) + (1.0 / outputs))) + WeightCost;
        return products + transforms < direct;
    }

    /// <summary>y [images; rows; columns; outputs] = activation(convolution of x [images; height; width; channels] + bias), rows and columns as the window has positions.</summary>
    /// <param name="form">The shapes.</param>
    /// <param name="x">The images.</param>
    /// <param name="weight">The weights.</param>
    /// <param name="bias">One number an output, or null.</param>
    /// <param name="activation">What follows.</param>
    /// <param name="y">Overwritten.</param>
    /// <param name="place">Where transformed weights lie.</param>
    internal static void Forward(in WinogradForm form, float* x, float* weight, float* bias, Activation activation, float* y, in PackedPlace place)
    {
        var weights = new WinogradWeights { Weight = weight, Channels = form.Channels, Outputs = form.Outputs };
        WinogradProduct.Run(form.Forward(), weights, x, bias, activation == Activation.Relu, y, place);
        if (activation is Activation.Identity or Activation.Relu)
            return;
        var size = (long)form.Rows * form.Columns * form.Outputs;
        for (var image = 0L; image < form.Images; image++)
            BiasActivation.Forward(new Span<float>(y + (image * size), (int)size), default, activation, form.Rows * form.Columns, form.Outputs);
    }

    /// <summary>dx [images; height; width; channels], overwritten, from dy [images; rows; columns; outputs]: a convolution by the taps turned round, with paddings 2 - p.</summary>
    internal static void BackwardInput(in WinogradForm form, float* dy, float* weight, float* dx)
    {
        var weights = new WinogradWeights { Weight = weight, Channels = form.Channels, Outputs = form.Outputs, Turned = true };
        WinogradProduct.Run(form.Backward(), weights, dy, null, false, dx);
    }

    /// <summary>dw [3; 3; channels; outputs] (+)= the gradient of the weights from x and dy; added to, or overwritten when not <paramref name="add"/>.</summary>
    internal static void BackwardWeight(in WinogradForm form, float* x, float* dy, bool add, float* dweight) =>
        WinogradGradient.Run(form, x, dy, add, dweight);

    // Time of a tile's transforms and of the weights', for one channel, in the time of one multiplication of a product.
    private const double TileCost = 500;
    private const double WeightCost = 500;

    /// <summary>Lanes are padded to whole widest vectors.</summary>
    internal static long Padded(long channels) => (channels + 15) & ~15L;

    /// <summary>The numbers of a plane of at least so many, 36 of which lie side by side: an odd number of cache lines, for even ones fall on few sets of the cache.</summary>
    internal static long Plane(long size)
    {
        size = Padded(size);
        return (size & 16) == 0 ? size + 16 : size;
    }
}

/// <summary>The shapes of a convolution by 3 x 3 taps with stride 1.</summary>
internal readonly record struct WinogradForm(int Images, int Height, int Width, int Channels, int Outputs, int Rows, int Columns, int PadTop, int PadLeft)
{
    public WinogradGrid Forward() => new(Images, Height, Width, Rows, Columns, PadTop, PadLeft);

    public WinogradGrid Backward() => new(Images, Rows, Columns, Height, Width, 2 - PadTop, 2 - PadLeft);
}

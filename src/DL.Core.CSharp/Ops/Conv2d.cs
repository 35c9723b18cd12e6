using System.Numerics;

namespace DL.Core.Ops;

/// <summary>Convolution over images, channels last: <c>y[i, j, o] = act(sum over u, v, c of x[i s + u d - p, j s + v d - p, c] w[u, v, c, o] + b[o])</c>.</summary>
/// <remarks>A cross-correlation, as in every framework; x is zero outside its image. With g groups an output of group k sees the inputs of group k alone:
/// w is [height; width; C / g; O], and its outputs [k O / g, (k + 1) O / g) belong to group k; as many groups as channels make it depthwise.
/// Backward: <c>dx</c> is the adjoint in x, <c>dw[u, v, c, o] = sum over images and positions of x dz</c>; the gradient through the activation and of the
/// bias are those of <see cref="Linear"/>. Source: Y. LeCun et al., Gradient-based learning applied to document recognition, 1998.</remarks>
public static partial class Conv2d
{
    private const string Name = "Conv2d";
    private const string BackwardName = "Conv2d.Backward";

    /// <summary><c>y = act(x * w + b)</c>.</summary>
    /// <param name="x">[N; height; width; C], float32 or float64.</param>
    /// <param name="weight">[window height; window width; C / groups; O].</param>
    /// <param name="window">Size, strides, paddings and dilations of the window.</param>
    /// <param name="bias">[O], or null for none.</param>
    /// <param name="groups">The number of groups, which divides C and O.</param>
    /// <param name="activation">Applied in the same pass.</param>
    /// <param name="exact">Whether every product is summed as it stands; otherwise a float32 one by 3 x 3 taps with stride 1 may go through Winograd's transform, within 1e-5 of the largest sum of |x| |w|.</param>
    /// <returns>[N; rows; columns; O].</returns>
    /// <exception cref="ShapeException">The shapes do not fit, the groups do not divide the channels, or the window is larger than the padded image.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, or a number of the window is out of range.</exception>
    public static Tensor Forward(
        Tensor x, Tensor weight, Window window, Tensor? bias = null, int groups = 1, Activation activation = Activation.Identity, bool exact = false)
    {
        var form = Form.Of(Name, x.Shape, weight.Shape, window, groups);
        bias?.Expect(new Shape(form.Outputs), "Conv2d bias");
        return x.IsDouble(Name) ? Forward<double>(form, x, weight, bias, activation, exact) : Forward<float>(form, x, weight, bias, activation, exact);
    }

    /// <summary>The gradient of the input, the adjoint of the convolution in x.</summary>
    /// <param name="dz">[N; rows; columns; O], the gradient of the output before the activation.</param>
    /// <param name="weight">[window height; window width; C / groups; O].</param>
    /// <param name="window">The window of the forward pass.</param>
    /// <param name="height">The rows of the input.</param>
    /// <param name="width">The columns of the input.</param>
    /// <param name="groups">The number of groups.</param>
    /// <param name="exact">As in Forward.</param>
    /// <returns>[N; height; width; C].</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, or a number is out of range.</exception>
    public static Tensor BackwardInput(Tensor dz, Tensor weight, Window window, int height, int width, int groups = 1, bool exact = false)
    {
        if (weight.Shape.Rank != 4 || dz.Shape.Rank != 4) throw Ranks(BackwardName, dz.Shape, weight.Shape);
        if (groups < 1) throw new InvalidArgumentException(BackwardName, "at least 1 group", $"{groups}");
        if (Math.Min(height, width) < 0) throw new InvalidArgumentException(BackwardName, "an input of at least 0 rows and columns", $"{height} x {width}");
        var channels = (long)weight.Shape[2] * groups;
        if (channels > Shape.MaxCount) throw new ShapeException(BackwardName, $"at most {Shape.MaxCount} channels", $"{channels}");
        var form = Form.Of(BackwardName, new Shape(dz.Shape[0], height, width, (int)channels), weight.Shape, window, groups);
        dz.Expect(form.Output, BackwardName);
        return dz.IsDouble(BackwardName) ? BackwardInput<double>(form, dz, weight, exact) : BackwardInput<float>(form, dz, weight, exact);
    }

    /// <summary>The gradient of the weights.</summary>
    /// <param name="x">[N; height; width; C], the input.</param>
    /// <param name="dz">[N; rows; columns; O], the gradient of the output before the activation.</param>
    /// <param name="weight">[window height; window width; C / groups; O]; only its shape and its place are used.</param>
    /// <param name="window">The window of the forward pass.</param>
    /// <param name="groups">The number of groups.</param>
    /// <param name="exact">As in Forward.</param>
    /// <returns>A tensor of the shape of <paramref name="weight"/>.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, or a number is out of range.</exception>
    public static Tensor BackwardWeight(Tensor x, Tensor dz, Tensor weight, Window window, int groups = 1, bool exact = false)
    {
        var form = Form.Of(BackwardName, x.Shape, weight.Shape, window, groups);
        dz.Expect(form.Output, BackwardName);
        return dz.IsDouble(BackwardName) ? BackwardWeight<double>(form, x, dz, weight, exact) : BackwardWeight<float>(form, x, dz, weight, exact);
    }

    private static ShapeException Ranks(string where, Shape images, Shape weight) =>
        new(where, "images [N; height; width; channels] and weights [height; width; C / groups; O]", $"{images} and {weight}");

    private static Tensor Forward<T>(Form form, Tensor x, Tensor weight, Tensor? bias, Activation activation, bool exact)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var from = x.As<T>(Name);
        var y = from.New<T>(form.Output);
        Forward(form, from.Span, weight.As<T>(Name), bias is null ? default : bias.As<T>("Conv2d bias").Span, activation, exact, y.Write());
        return y;
    }

    private static Tensor BackwardInput<T>(Form form, Tensor gradient, Tensor weight, bool exact)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var dz = gradient.As<T>(BackwardName);
        var dx = dz.New<T>(form.Input);
        BackwardInput(form, dz.Span, weight.As<T>(BackwardName).Span, exact, dx.Write());
        return dx;
    }

    private static Tensor BackwardWeight<T>(Form form, Tensor input, Tensor gradient, Tensor weight, bool exact)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var dz = gradient.As<T>(BackwardName);
        weight.As<T>(BackwardName);
        var dweight = Gradients.Unset<T>(weight, dz);
        BackwardWeight(form, input.As<T>(BackwardName).Span, dz.Span, exact, dweight.Write());
        return dweight;
    }
}

namespace DL.Core.Ops;

/// <summary>Convolution over sequences, features last: <c>y[i, o] = act(sum over u, c of x[i s + u d - p, c] w[u, c, o] + b[o])</c>.</summary>
/// <remarks>A sequence is an image of one row, so this is <see cref="Conv2d"/> with a window of one row, and its gradients are that one's.</remarks>
public static class Conv1d
{
    private const string Name = "Conv1d";
    private const string BackwardName = "Conv1d.Backward";

    /// <summary><c>y = act(x * w + b)</c>.</summary>
    /// <param name="x">[N; time; C], float32 or float64.</param>
    /// <param name="weight">[window width; C / groups; O].</param>
    /// <param name="window">A window of one row: its width, stride, paddings left and right and dilation are those along time.</param>
    /// <param name="bias">[O], or null for none.</param>
    /// <param name="groups">The number of groups, which divides C and O.</param>
    /// <param name="activation">Applied in the same pass.</param>
    /// <returns>[N; positions; O].</returns>
    /// <exception cref="ShapeException">The shapes do not fit, the groups do not divide the channels, or the window is larger than the padded sequence.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, a number of the window is out of range, or it has more than one row.</exception>
    public static Tensor Forward(Tensor x, Tensor weight, Window window, Tensor? bias = null, int groups = 1, Activation activation = Activation.Identity)
    {
        Check(Name, x, weight, window);
        return Sequence(Conv2d.Forward(Image(x), Taps(weight), window, bias, groups, activation));
    }

    /// <summary>The gradient of the input.</summary>
    /// <param name="dz">[N; positions; O], the gradient of the output before the activation.</param>
    /// <param name="weight">[window width; C / groups; O].</param>
    /// <param name="window">The window of the forward pass.</param>
    /// <param name="time">The length of the input.</param>
    /// <param name="groups">The number of groups.</param>
    /// <returns>[N; time; C].</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, or a number is out of range.</exception>
    public static Tensor BackwardInput(Tensor dz, Tensor weight, Window window, int time, int groups = 1)
    {
        Check(BackwardName, dz, weight, window);
        return Sequence(Conv2d.BackwardInput(Image(dz), Taps(weight), window, 1, time, groups));
    }

    /// <summary>The gradient of the weights.</summary>
    /// <param name="x">[N; time; C], the input.</param>
    /// <param name="dz">[N; positions; O], the gradient of the output before the activation.</param>
    /// <param name="weight">[window width; C / groups; O]; only its shape and its place are used.</param>
    /// <param name="window">The window of the forward pass.</param>
    /// <param name="groups">The number of groups.</param>
    /// <returns>A tensor of the shape of <paramref name="weight"/>.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, or a number is out of range.</exception>
    public static Tensor BackwardWeight(Tensor x, Tensor dz, Tensor weight, Window window, int groups = 1)
    {
        Check(BackwardName, x, weight, window);
        if (dz.Shape.Rank != 3) throw new ShapeException(BackwardName, "a gradient [N; positions; O]", $"{dz.Shape}");
        return Conv2d.BackwardWeight(Image(x), Image(dz), Taps(weight), window, groups).Reshape(weight.Shape);
    }

    private static void Check(string where, Tensor x, Tensor weight, Window window)
    {
        if (x.Shape.Rank != 3 || weight.Shape.Rank != 3)
            throw new ShapeException(where, "sequences [N; time; channels] and weights [width; C / groups; O]", $"{x.Shape} and {weight.Shape}");
        if (window.Height != 1 || window.PadTop != 0 || window.PadBottom != 0)
            throw new InvalidArgumentException(where, "a window of one row, without padding above or below", $"{window}");
    }

    private static Tensor Image(Tensor x) => x.Reshape(x.Shape[0], 1, x.Shape[1], x.Shape[2]);

    private static Tensor Taps(Tensor weight) => weight.Reshape(1, weight.Shape[0], weight.Shape[1], weight.Shape[2]);

    private static Tensor Sequence(Tensor y) => y.Reshape(y.Shape[0], y.Shape[2], y.Shape[3]);
}

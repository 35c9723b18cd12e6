namespace DL.Core.Ops;

/// <summary>Transposed convolution: the adjoint in x of <see cref="Conv2d"/>, which makes images larger.</summary>
/// <remarks>An axis of <c>n</c> gives <c>(n - 1) stride - before - after + dilation (size - 1) + 1 + more</c>. The weights are those of the convolution it is
/// the adjoint of: [height; width; O / groups; C], from its O channels to the C of x. Source: M. Zeiler et al., Deconvolutional networks, 2010.</remarks>
public static class Conv2dTranspose
{
    private const string Name = "Conv2dTranspose";

    /// <summary><c>y = x *' w + b</c>, the adjoint of the convolution by w.</summary>
    /// <param name="x">[N; height; width; C], float32 or float64.</param>
    /// <param name="weight">[window height; window width; O / groups; C].</param>
    /// <param name="window">The window of the convolution.</param>
    /// <param name="bias">[O], or null for none.</param>
    /// <param name="groups">The number of groups, which divides C and O.</param>
    /// <param name="moreRows">Rows added below, less than the stride.</param>
    /// <param name="moreColumns">Columns added to the right, less than the stride.</param>
    /// <returns>[N; rows; columns; O].</returns>
    /// <exception cref="ShapeException">The shapes do not fit, or nothing is left of the output.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, or a number is out of range.</exception>
    public static Tensor Forward(Tensor x, Tensor weight, Window window, Tensor? bias = null, int groups = 1, int moreRows = 0, int moreColumns = 0)
    {
        var (height, width) = Size(x.Shape, window, moreRows, moreColumns);
        if (bias is not null && weight.Shape.Rank == 4 && (long)weight.Shape[2] * groups != bias.Count)
            throw new ShapeException($"{Name} bias", $"{(long)weight.Shape[2] * groups} numbers, one for each channel of the output", $"{bias.Shape}");
        var y = Conv2d.BackwardInput(x, weight, window, height, width, groups);
        return bias is null ? y : AddBias.Forward(y, bias);
    }

    /// <summary>The gradient of the input: the convolution of dy by w.</summary>
    /// <param name="dy">[N; rows; columns; O], the gradient of the output.</param>
    /// <param name="weight">[window height; window width; O / groups; C].</param>
    /// <param name="window">The window of the convolution.</param>
    /// <param name="groups">The number of groups.</param>
    /// <returns>[N; height; width; C].</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, or a number is out of range.</exception>
    public static Tensor BackwardInput(Tensor dy, Tensor weight, Window window, int groups = 1) => Conv2d.Forward(dy, weight, window, null, groups);

    /// <summary>The gradient of the weights.</summary>
    /// <param name="x">[N; height; width; C], the input.</param>
    /// <param name="dy">[N; rows; columns; O], the gradient of the output.</param>
    /// <param name="weight">[window height; window width; O / groups; C]; only its shape and its place are used.</param>
    /// <param name="window">The window of the convolution.</param>
    /// <param name="groups">The number of groups.</param>
    /// <returns>A tensor of the shape of <paramref name="weight"/>.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, or a number is out of range.</exception>
    public static Tensor BackwardWeight(Tensor x, Tensor dy, Tensor weight, Window window, int groups = 1) =>
        Conv2d.BackwardWeight(dy, x, weight, window, groups);

    private static (int Height, int Width) Size(Shape x, Window window, int moreRows, int moreColumns)
    {
        if (x.Rank != 4) throw new ShapeException(Name, "images [N; height; width; channels]", $"{x}");
        window.Check(Name);
        if (moreRows < 0 || moreColumns < 0 || moreRows >= window.StrideHeight || moreColumns >= window.StrideWidth)
            throw new InvalidArgumentException(Name, "rows and columns to add of at least 0 and less than the stride", $"{moreRows} and {moreColumns}");
        var height = ((x[1] - 1L) * window.StrideHeight) - window.PadTop - window.PadBottom + window.SpanHeight + moreRows;
        var width = ((x[2] - 1L) * window.StrideWidth) - window.PadLeft - window.PadRight + window.SpanWidth + moreColumns;
        if (Math.Min(height, width) < 1 || Math.Max(height, width) > int.MaxValue)
            throw new ShapeException(Name, "an output of at least one pixel", $"{height} x {width} from {x} by {window}");
        return ((int)height, (int)width);
    }
}

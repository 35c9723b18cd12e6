using System.Numerics;
using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>Images in another size: <c>y[i, j, c] = sum over h, w of a[i, h] b[j, w] x[h, w, c]</c>, where the rows of a and b are those of an <see cref="Interpolation"/>.</summary>
/// <remarks>The map is linear in x. Backward is its transpose, <c>dx[h, w, c] = sum over i, j of a[i, h] b[j, w] dy[i, j, c]</c>. Positions and weights
/// follow from the two sizes alone, in float64 for either precision, and those of the nearest pixel in integers.</remarks>
public static class Upsample2d
{
    private const string Name = "Upsample2d";

    /// <summary>x in another size; larger, smaller, or one of each.</summary>
    /// <param name="x">[N; height; width; C], float32 or float64.</param>
    /// <param name="rows">The rows of the output.</param>
    /// <param name="columns">The columns of the output.</param>
    /// <param name="interpolation">What an output pixel is made of.</param>
    /// <returns>[N; rows; columns; C].</returns>
    /// <exception cref="ShapeException">x is not of rank 4, or has no pixel.</exception>
    /// <exception cref="InvalidArgumentException">There is no row or no column, the elements are integers, or there is no such interpolation.</exception>
    public static Tensor Forward(Tensor x, int rows, int columns, Interpolation interpolation = Interpolation.Nearest)
    {
        Check(Name, x.Shape, rows, columns);
        var (tall, wide) = (Axis(x.Shape[1], rows, interpolation), Axis(x.Shape[2], columns, interpolation));
        return Apply(Name, x, tall, wide);
    }

    /// <summary>The gradient of the input.</summary>
    /// <param name="dy">[N; rows; columns; C], the gradient of the output.</param>
    /// <param name="input">The shape of the input.</param>
    /// <param name="interpolation">As in the forward pass.</param>
    /// <returns>A tensor of the input's shape.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">As in the forward pass.</exception>
    public static Tensor Backward(Tensor dy, Shape input, Interpolation interpolation = Interpolation.Nearest)
    {
        const string where = $"{Name}.Backward";
        if (dy.Shape.Rank != 4) throw new ShapeException(where, "a gradient [N; rows; columns; channels]", $"{dy.Shape}");
        Check(where, input, dy.Shape[1], dy.Shape[2]);
        dy.Expect(new Shape(input[0], dy.Shape[1], dy.Shape[2], input[3]), where);
        var (tall, wide) = (Axis(input[1], dy.Shape[1], interpolation), Axis(input[2], dy.Shape[2], interpolation));
        return Apply(where, dy, tall.Transposed(input[1]), wide.Transposed(input[2]));
    }

    private static ResampleAxis Axis(int from, int to, Interpolation interpolation) => interpolation switch
    {
        Interpolation.Nearest => ResampleAxis.Nearest(from, to),
        Interpolation.Bilinear => ResampleAxis.Linear(from, to, false),
        Interpolation.BilinearCorners => ResampleAxis.Linear(from, to, true),
        _ => throw new InvalidArgumentException(Name, "one of the interpolations", $"{interpolation}"),
    };

    private static void Check(string where, Shape input, int rows, int columns)
    {
        if (input.Rank != 4) throw new ShapeException(where, "images [N; height; width; channels]", $"{input}");
        if (Math.Min(rows, columns) < 1) throw new InvalidArgumentException(where, "at least one row and one column", $"{rows} x {columns}");
        if (Math.Min(input[1], input[2]) < 1) throw new ShapeException(where, "images of at least one pixel", $"{input}");
    }

    private static Tensor Apply(string where, Tensor source, ResampleAxis rows, ResampleAxis columns) =>
        source.IsDouble(where) ? Apply(source.As<double>(where), rows, columns) : Apply(source.As<float>(where), rows, columns);

    private static unsafe Tensor Apply<T>(Tensor<T> source, ResampleAxis rows, ResampleAxis columns)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var shape = source.Shape;
        var result = source.New<T>(new Shape(shape[0], rows.Count, columns.Count, shape[3]));
        fixed (T* from = source.Span, to = result.Write())
            Resampling.Apply(rows, columns, from, shape[0], shape[1], shape[2], shape[3], to);
        return result;
    }
}

namespace DL.Core.Random;

public static partial class Initializers
{
    /// <summary>An orthogonal matrix, uniform among all of them: the Q of a normal matrix whose R has a positive diagonal, times a gain.</summary>
    /// <remarks>All axes but the last are taken as one, so that a convolution's weights [height; width; in; out] are a matrix of a column for every output. Of a matrix that is not
    /// square the shorter axis is orthonormal: with more rows than columns the columns, else the rows. The work grows with the cube of the extents.
    /// Source: A. Saxe, J. McClelland and S. Ganguli, Exact solutions to the nonlinear dynamics of learning in deep linear neural networks, 2014;
    /// F. Mezzadri, How to generate random matrices from the classical compact groups, 2007, for the sign.</remarks>
    /// <param name="key">The draw.</param>
    /// <param name="type">Float32 or float64.</param>
    /// <param name="shape">At least two axes.</param>
    /// <param name="gain">What the matrix is multiplied with, finite.</param>
    /// <exception cref="ShapeException">There are fewer than two axes.</exception>
    /// <exception cref="InvalidArgumentException">The type is of integers, or the gain is not finite.</exception>
    public static Tensor Orthogonal(Key key, ElementType type, Shape shape, double gain = 1)
    {
        const string Where = "Initializers.Orthogonal";
        if (shape.Rank < 2) throw new ShapeException(Where, "at least two axes", $"{shape}");
        if (type is not (ElementType.Float32 or ElementType.Float64)) throw new InvalidArgumentException(Where, "float32 or float64", $"{type}");
        if (!double.IsFinite(gain)) throw Bad(Where, "a finite gain", gain);
        var columns = shape[-1];
        var rows = columns == 0 ? 0 : shape.Count / columns;
        var (count, length) = (Math.Min(rows, columns), Math.Max(rows, columns));
        var vectors = new double[count * length];
        Draw.Normal(key, vectors.AsSpan());
        Orthonormal.Make(vectors, length);
        var tensor = Tensor<double>.OnHeap(shape);
        var w = tensor.Write();
        for (var i = 0; i < w.Length; i++)
        {
            var (row, column) = (i / columns, i % columns);
            w[i] = gain * (rows >= columns ? vectors[(column * length) + row] : vectors[(row * length) + column]);
        }

        return type == ElementType.Float64 ? tensor : tensor.To(type);
    }
}

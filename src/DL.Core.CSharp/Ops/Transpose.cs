namespace DL.Core.Ops;

/// <summary>Axes exchanged: <c>y_(i_a0, i_a1, ..) = x_(i_0, i_1, ..)</c>; of a matrix <c>y_ji = x_ij</c>.</summary>
/// <remarks>Backward is the transposition by the inverse permutation.</remarks>
public static class Transpose
{
    /// <summary>Square of a matrix that is moved at once, so that both sides stay in the first-level cache.</summary>
    private const int Tile = 32;

    /// <summary>The axes of x in another order.</summary>
    /// <param name="x">Any shape, any element type.</param>
    /// <param name="axes">For each axis of the result, the axis of x it was; without any, the axes in reverse.</param>
    /// <exception cref="ShapeException">The axes are no permutation of those of x.</exception>
    public static Tensor Forward(Tensor x, params int[] axes)
    {
        var order = Order(x.Shape, axes);
        return x switch
        {
            Tensor<float> single => Moved(single, order),
            Tensor<double> wide => Moved(wide, order),
            _ => Moved(x.As<int>("Transpose"), order),
        };
    }

    /// <summary>The gradient of the input: the gradient transposed back.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="axes">The axes of the forward pass.</param>
    /// <exception cref="ShapeException">The axes are no permutation.</exception>
    public static Tensor Backward(Tensor dy, params int[] axes)
    {
        var order = Order(dy.Shape, axes);
        var inverse = new int[order.Length];
        for (var i = 0; i < order.Length; i++) inverse[order[i]] = i;
        return Forward(dy, inverse);
    }

    private static int[] Order(Shape shape, int[] axes)
    {
        var order = new int[shape.Rank];
        if (axes.Length == 0)
        {
            for (var i = 0; i < order.Length; i++) order[i] = order.Length - 1 - i;
            return order;
        }

        var seen = new bool[shape.Rank];
        for (var i = 0; i < axes.Length && axes.Length == shape.Rank; i++)
        {
            order[i] = shape.Axis(axes[i]);
            seen[order[i]] = true;
        }

        return axes.Length == shape.Rank && Array.TrueForAll(seen, used => used)
            ? order
            : throw new ShapeException("Transpose", $"a permutation of the {shape.Rank} axes of {shape}", $"({string.Join(", ", axes)})");
    }

    private static Tensor<T> Moved<T>(Tensor<T> x, int[] order) where T : unmanaged
    {
        var y = x.New<T>(new Shape(Array.ConvertAll(order, axis => x.Shape[axis])));
        if (y.Count == 0) return y;
        if (order.Length == 2 && order[0] == 1) Matrix(x.Span, x.Shape[0], x.Shape[1], y.Write());
        else General(x.Span, x.Shape, order, y.Shape, y.Write());
        return y;
    }

    private static void Matrix<T>(ReadOnlySpan<T> x, int rows, int columns, Span<T> y)
    {
        for (var i0 = 0; i0 < rows; i0 += Tile)
            for (var j0 = 0; j0 < columns; j0 += Tile)
            {
                var (i1, j1) = (Math.Min(rows, i0 + Tile), Math.Min(columns, j0 + Tile));
                for (var j = j0; j < j1; j++)
                    for (var i = i0; i < i1; i++)
                        y[(j * rows) + i] = x[(i * columns) + j];
            }
    }

    private static void General<T>(ReadOnlySpan<T> x, Shape from, int[] order, Shape to, Span<T> y)
    {
        var strides = new int[order.Length];
        for (var i = 0; i < order.Length; i++) strides[i] = (int)Shape.Product(from.Extents[(order[i] + 1)..]);
        var index = new int[order.Length];
        var at = 0;
        for (var i = 0; i < y.Length; i++)
        {
            y[i] = x[at];
            for (var axis = order.Length - 1; axis >= 0; axis--)
            {
                at += strides[axis];
                if (++index[axis] < to[axis]) break;
                at -= strides[axis] * to[axis];
                index[axis] = 0;
            }
        }
    }
}

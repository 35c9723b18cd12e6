namespace DL.Core.Ops;

/// <summary>Rows of a tensor by their positions on the first axis: <c>y_i = x_(rows_i)</c>.</summary>
/// <remarks>Backward adds the gradient of every copy of a row to that row; positions may repeat.</remarks>
public static class Rows
{
    /// <summary><c>y_i = x_(rows_i)</c>.</summary>
    /// <param name="x">[n; ..], any element type.</param>
    /// <param name="rows">Positions from 0 to n - 1, in any order.</param>
    /// <returns>[rows; ..].</returns>
    /// <exception cref="InvalidArgumentException">A position is out of range: it and its place are named.</exception>
    /// <exception cref="ShapeException">x has no axis.</exception>
    public static Tensor Forward(Tensor x, int[] rows)
    {
        Check(rows, x.Shape[0], "Rows");
        return x switch
        {
            Tensor<float> single => Taken(single, rows),
            Tensor<double> wide => Taken(wide, rows),
            _ => Taken(x.As<int>("Rows"), rows),
        };
    }

    /// <summary><c>dx_(rows_i) += dy_i</c>, from zeros.</summary>
    /// <param name="dy">[rows; ..], the gradient of the output.</param>
    /// <param name="rows">The positions.</param>
    /// <param name="count">The number of rows of the input.</param>
    /// <exception cref="InvalidArgumentException">A position is out of range.</exception>
    /// <exception cref="ShapeException">dy has not as many rows as there are positions.</exception>
    public static Tensor Backward(Tensor dy, int[] rows, int count)
    {
        Check(rows, count, "Rows.Backward");
        if (dy.Shape[0] != rows.Length) throw new ShapeException("Rows.Backward", $"{rows.Length} rows", $"{dy.Shape}");
        return dy.IsDouble("Rows.Backward") ? Returned(dy.As<double>(""), rows, count) : Returned(dy.As<float>(""), rows, count);
    }

    private static void Check(int[] rows, int count, string where)
    {
        for (var i = 0; i < rows.Length; i++)
            if ((uint)rows[i] >= (uint)count)
                throw new InvalidArgumentException($"{where}, position {i}", $"a row from 0 to {count - 1}", $"{rows[i]}");
    }

    private static Tensor<T> Taken<T>(Tensor<T> x, int[] rows) where T : unmanaged
    {
        var y = x.New<T>(x.Shape.With(0, rows.Length));
        var width = rows.Length == 0 ? 0 : y.Count / rows.Length;
        var from = x.Span;
        var to = y.Write();
        for (var i = 0; i < rows.Length; i++) from.Slice(rows[i] * width, width).CopyTo(to.Slice(i * width, width));
        return y;
    }

    private static Tensor<T> Returned<T>(Tensor<T> dy, int[] rows, int count) where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T>
    {
        var dx = dy.New<T>(dy.Shape.With(0, count));
        var to = dx.Write();
        to.Clear();
        var width = rows.Length == 0 ? 0 : dy.Count / rows.Length;
        for (var i = 0; i < rows.Length; i++)
        {
            var row = to.Slice(rows[i] * width, width);
            Add.Forward<T>(row, dy.Span.Slice(i * width, width), row);
        }

        return dx;
    }
}

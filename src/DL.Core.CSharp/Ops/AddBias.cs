using System.Numerics;
using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>A vector added to every row: <c>y_ij = x_ij + b_j</c>.</summary>
/// <remarks>Backward: <c>dx = dy</c>, and <c>db_j += sum_i dy_ij</c>.</remarks>
public static class AddBias
{
    /// <summary><c>y_ij = x_ij + b_j</c>.</summary>
    /// <param name="x">Rows along the last axis, [..; D].</param>
    /// <param name="b">The bias, [D].</param>
    /// <returns>A tensor of the shape of <paramref name="x"/>.</returns>
    /// <exception cref="ShapeException">The bias has not the extent of the last axis.</exception>
    /// <exception cref="InvalidArgumentException">The elements are integers, or of two types.</exception>
    public static Tensor Forward(Tensor x, Tensor b)
    {
        b.Expect(new Shape(x.Shape.Last), "AddBias");
        return x.IsDouble("AddBias") ? Run(x.As<double>("AddBias"), b.As<double>("AddBias")) : Run(x.As<float>("AddBias"), b.As<float>("AddBias"));
    }

    /// <summary><c>db_j = sum_i dy_ij</c>; the gradient of x is dy itself.</summary>
    /// <param name="dy">The gradient of the output, [..; D].</param>
    /// <returns>The gradient of the bias, [D].</returns>
    /// <exception cref="InvalidArgumentException">The elements are integers.</exception>
    public static Tensor Backward(Tensor dy) =>
        dy.IsDouble("AddBias.Backward") ? Back(dy.As<double>("AddBias.Backward")) : Back(dy.As<float>("AddBias.Backward"));

    /// <summary><c>y_ij = x_ij + b_j</c> over spans; y may be x.</summary>
    /// <param name="x">The input, rows of as many elements as the bias has.</param>
    /// <param name="b">The bias.</param>
    /// <param name="y">The output, overwritten.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    public static void Forward<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> b, Span<T> y) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Apply.SameLength(x.Length, y.Length, "AddBias");
        BiasRows.Add(x, b, Rows(x.Length, b.Length, "AddBias"), y);
    }

    /// <summary><c>dx = dy</c> and <c>db_j += sum_i dy_ij</c> over spans; dx may be dy.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="dx">The gradient of the input, overwritten.</param>
    /// <param name="db">The gradient of the bias, added to.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    public static void Backward<T>(ReadOnlySpan<T> dy, Span<T> dx, Span<T> db) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Apply.SameLength(dy.Length, dx.Length, "AddBias.Backward");
        var rows = Rows(dy.Length, db.Length, "AddBias.Backward");
        ColumnSums.Add(dy, rows, db.Length, db);
        if (dx != dy) dy.CopyTo(dx);
    }

    private static int Rows(int count, int columns, string where)
    {
        if (columns == 0 ? count != 0 : count % columns != 0)
            throw new ShapeException(where, $"rows of {columns} elements", $"{count} elements");
        return columns == 0 ? 0 : count / columns;
    }

    private static Tensor<T> Run<T>(Tensor<T> x, Tensor<T> b) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var y = x.Like();
        Forward(x.Span, b.Span, y.Write());
        return y;
    }

    private static Tensor<T> Back<T>(Tensor<T> dy) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var db = dy.New<T>(new Shape(dy.Shape.Last));
        db.Write().Clear();
        ColumnSums.Add(dy.Span, dy.Shape.Rows, dy.Shape.Last, db.Write());
        return db;
    }
}

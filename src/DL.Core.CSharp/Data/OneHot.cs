using System.Numerics;
using static System.FormattableString;

namespace DL.Core.Data;

/// <summary>Classes as vectors: <c>y[.., c] = 1 if x[..] = c, else 0</c>.</summary>
public static class OneHot
{
    /// <summary><c>y[.., c] = 1 if x[..] = c, else 0</c>.</summary>
    /// <param name="x">Class ids, int32 of any shape.</param>
    /// <param name="classes">The number of classes, at least 1.</param>
    /// <param name="type">The element type of the result, float32 or float64.</param>
    /// <returns>The shape of x with an axis of <paramref name="classes"/> behind it.</returns>
    /// <exception cref="InvalidArgumentException">An id is not from 0 to classes - 1, the message names its position; or a type does not fit.</exception>
    /// <exception cref="ShapeException">The result is more than a tensor can hold.</exception>
    public static Tensor Encode(Tensor x, int classes, ElementType type = ElementType.Float32)
    {
        if (x is not Tensor<int> ids) throw new InvalidArgumentException("OneHot", "a tensor of int32 ids", $"{x.ElementType}");
        Labels.Check(ids.Span, classes, "OneHot, x");
        var shape = new Shape([.. x.Shape.Extents, classes]);
        return type switch
        {
            ElementType.Float32 => Encode<float>(ids, shape),
            ElementType.Float64 => Encode<double>(ids, shape),
            _ => throw new InvalidArgumentException("OneHot, type", "float32 or float64", "int32"),
        };
    }

    /// <summary>The place of the largest number on the last axis, the first of equal ones: the inverse of <see cref="Encode(Tensor, int, ElementType)"/>.</summary>
    /// <param name="x">[..; classes], float32 or float64, of at least one class.</param>
    /// <returns>int32, [..].</returns>
    /// <exception cref="DLException">The element type does not fit, there is no class, or a number is NaN.</exception>
    public static Tensor Decode(Tensor x)
    {
        if (x.Shape.Rank == 0 || x.Shape.Last == 0) throw new ShapeException("OneHot.Decode", "an axis of at least one class", $"{x.Shape}");
        return x.IsDouble("OneHot.Decode") ? Decode<double>(x.As<double>("")) : Decode<float>(x.As<float>(""));
    }

    private static Tensor<T> Encode<T>(Tensor<int> ids, Shape shape) where T : unmanaged, INumberBase<T>
    {
        var y = ids.New<T>(shape);
        var from = ids.Span;
        var to = y.Write();
        to.Clear();
        for (var i = 0; i < from.Length; i++) to[i * shape.Last + from[i]] = T.One;
        return y;
    }

    private static Tensor<int> Decode<T>(Tensor<T> x) where T : unmanaged, INumber<T>
    {
        var y = x.New<int>(x.Shape.Without(-1));
        var from = x.Span;
        var classes = x.Shape.Last;
        var to = y.Write();
        for (var i = 0; i < from.Length; i++)
            if (T.IsNaN(from[i])) throw new InvalidArgumentException(Invariant($"OneHot.Decode, x[{i}]"), "a number", "NaN");
        to.Clear();
        for (var i = 0; i < to.Length; i++)
            for (var c = 1; c < classes; c++)
                if (from[i * classes + c] > from[i * classes + to[i]]) to[i] = c;
        return y;
    }
}

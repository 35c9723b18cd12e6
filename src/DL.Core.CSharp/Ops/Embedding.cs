using System.Numerics;
using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>Rows of a table by id: <c>y[.., d] = W[id[..], d]</c>, the product of one-hot rows with the table.</summary>
/// <remarks>Backward adds the gradients of all places of an id: <c>dW[v, d] = sum over id = v of dy[.., d]</c>, in the order of the places, so that
/// the number of threads changes no bit. Rows of ids that do not occur are left alone: the gradient knows which rows it touches, and clearing it, a step of
/// <see cref="Optimizers.Sgd"/> and one of <see cref="Optimizers.LazyAdam"/> cost as much as those. With lengths the steps behind them are padding:
/// zeros forward, no gradient back, and whatever id lies there is not read.</remarks>
public static partial class Embedding
{
    private const string Name = "Embedding";
    private const string BackwardName = "Embedding.Backward";

    /// <summary><c>y[.., d] = W[id[..], d]</c>.</summary>
    /// <param name="ids">Any shape, int32, from 0 to V - 1; [N; T; ..] where there are lengths.</param>
    /// <param name="weight">[V; D], float32 or float64.</param>
    /// <param name="lengths">The number of valid steps of each example, from 0 to T; null if all are.</param>
    /// <returns>[..; D].</returns>
    /// <exception cref="InvalidArgumentException">An id or a length is out of range: it and its place are named; or ids are no integers.</exception>
    /// <exception cref="ShapeException">The table is no matrix, or the lengths do not fit.</exception>
    public static Tensor Forward(Tensor ids, Tensor weight, int[]? lengths = null)
    {
        var places = Checked(Name, ids, weight, lengths);
        return weight.IsDouble(Name) ? Forward<double>(ids, weight, places) : Forward<float>(ids, weight, places);
    }

    /// <summary><c>dW[v, d] = sum over id = v of dy[.., d]</c>.</summary>
    /// <param name="ids">The ids.</param>
    /// <param name="dy">[..; D], the gradient of the output.</param>
    /// <param name="weight">[V; D], the table.</param>
    /// <param name="lengths">The number of valid steps of each example, from 0 to T; null if all are.</param>
    /// <returns>The gradient of the table: zeros but in the rows of ids that occur.</returns>
    /// <exception cref="InvalidArgumentException">An id or a length is out of range, or the element types do not fit.</exception>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Tensor Backward(Tensor ids, Tensor dy, Tensor weight, int[]? lengths = null)
    {
        var places = Checked(BackwardName, ids, weight, lengths);
        dy.Expect(Output(ids, weight), BackwardName);
        return weight.IsDouble(BackwardName) ? Backward<double>(dy, weight, places) : Backward<float>(dy, weight, places);
    }

    /// <summary>Adds <c>sum over id = v of dy[.., d]</c> to a gradient of the table that is there already, as of a table that is used twice.</summary>
    /// <param name="ids">The ids.</param>
    /// <param name="dy">[..; D], the gradient of the output.</param>
    /// <param name="gradient">[V; D], which is changed.</param>
    /// <param name="lengths">The number of valid steps of each example; null if all are.</param>
    internal static void AddBackward(Tensor ids, Tensor dy, Tensor gradient, int[]? lengths)
    {
        var places = Checked(BackwardName, ids, gradient, lengths);
        dy.Expect(Output(ids, gradient), BackwardName);
        if (gradient.IsDouble(BackwardName)) AddBackward<double>(places, dy, gradient);
        else AddBackward<float>(places, dy, gradient);
    }

    private static void AddBackward<T>(EmbeddingPlaces places, Tensor dy, Tensor gradient) where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        RowSums.Run(
            EmbeddingOrder.Of(places, gradient.Shape[0]), dy.As<T>(BackwardName).Span, gradient.Shape[1], gradient.As<T>(BackwardName).Write(), true);

    private static EmbeddingPlaces Checked(string where, Tensor ids, Tensor weight, int[]? lengths)
    {
        _ = weight.IsDouble(where);
        if (weight.Shape.Rank != 2) throw new ShapeException($"{where}, weight", "a table [V; D]", $"{weight.Shape}");
        StepLengths.Check(ids.Shape, lengths, where);
        var places = new EmbeddingPlaces(ids.As<int>(where).Span, ids.Shape, lengths);
        places.Check(weight.Shape[0], where);
        return places;
    }

    private static Shape Output(Tensor ids, Tensor weight) => new([.. ids.Shape.Extents, weight.Shape[1]]);

    private static Tensor<T> Forward<T>(Tensor ids, Tensor weight, EmbeddingPlaces places) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var table = weight.As<T>(Name);
        var shape = Output(ids, weight);
        var y = ids.Arena is null ? table.New<T>(shape) : ids.As<int>(Name).New<T>(shape);
        Copy(places, table.Span, weight.Shape[1], y.Write());
        return y;
    }

    private static Tensor<T> Backward<T>(Tensor dy, Tensor weight, EmbeddingPlaces places) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var upstream = dy.As<T>(BackwardName);
        return Gradients.OfRows(weight, upstream, EmbeddingOrder.Of(places, weight.Shape[0]));
    }
}

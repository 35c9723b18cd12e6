using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>Axes exchanged: <c>y_(i_a0, i_a1, ..) = x_(i_0, i_1, ..)</c>; of a matrix <c>y_ji = x_ij</c>.</summary>
/// <remarks>Backward is the transposition by the inverse permutation.</remarks>
public static class Transpose
{
    /// <summary>Square of a matrix that is moved at once, so that both sides stay in the first-level cache.</summary>
    private const int Tile = 32;

    // Elements under which a second thread costs more than it saves.
    private const long Grain = 32 * 1024;

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
        if (Exchange(order) is not (var first, var second)) General(x.Span, x.Shape, order, y.Shape, y.Write());
        else Matrices(x.Span, (int)Shape.Product(x.Shape.Extents[first..second]), (int)Shape.Product(x.Shape.Extents[second..]), y.Write());
        return y;
    }

    /// <summary>Where two neighbouring groups of axes begin that change places at the end of an order, if it does no more: matrices of one group by the other.</summary>
    private static (int First, int Second)? Exchange(int[] order)
    {
        var first = 0;
        while (first < order.Length && order[first] == first) first++;
        if (first == order.Length) return null;
        var second = order[first];
        for (var i = first; i < order.Length; i++)
        {
            var rotated = i - first + second;
            if (order[i] != (rotated < order.Length ? rotated : rotated - order.Length + first)) return null;
        }

        return (first, second);
    }

    private static unsafe void Matrices<T>(ReadOnlySpan<T> x, int rows, int columns, Span<T> y) where T : unmanaged
    {
        fixed (T* px = x, py = y)
        {
            var job = new Job<T> { X = px, Y = py, Rows = rows, Columns = columns };
            Workers.For(x.Length / ((long)rows * columns), Math.Max(1, Grain / ((long)rows * columns)), &Job<T>.Run, &job);
        }
    }

    private unsafe struct Job<T> where T : unmanaged
    {
        public T* X, Y;
        public int Rows, Columns;

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(Job<T>*)state;
            var size = (long)job.Rows * job.Columns;
            for (var i = from; i < to; i++) Matrix(job.X + (i * size), job.Rows, job.Columns, job.Y + (i * size));
        }
    }

    private static unsafe void Matrix<T>(T* x, long rows, long columns, T* y) where T : unmanaged
    {
        for (var i0 = 0L; i0 < rows; i0 += Tile)
            for (var j0 = 0L; j0 < columns; j0 += Tile)
            {
                var (i1, j1) = (Math.Min(rows, i0 + Tile), Math.Min(columns, j0 + Tile));
                for (var j = j0; j < j1; j++)
                {
                    T* to = y + (j * rows), from = x + j;
                    for (var i = i0; i < i1; i++) to[i] = from[i * columns];
                }
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

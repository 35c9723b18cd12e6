using System.Numerics;
using System.Runtime.CompilerServices;

namespace DL.Core;

/// <summary>The number format of a tensor's elements.</summary>
public enum ElementType
{
    /// <summary>IEEE single precision, 32 bits.</summary>
    Float32,

    /// <summary>IEEE double precision, 64 bits.</summary>
    Float64,

    /// <summary>A 32-bit integer: class labels and token ids.</summary>
    Int32,
}

/// <summary>A dense row-major array of numbers. Its element type is a property, not a type parameter; a tensor does not change once made.</summary>
/// <remarks>Make one by <see cref="Of{T}(T[], int[])"/>, <see cref="Zeros"/> or <see cref="Filled"/>; read it by <see cref="ToArray{T}"/>,
/// <see cref="Item"/> or the <c>Span</c> of <see cref="Tensor{T}"/>. Operations live in <c>DL.Core.Ops</c>.</remarks>
public abstract class Tensor
{
    private protected Tensor(Shape shape, Arena? arena)
    {
        Shape = shape;
        Arena = arena;
    }

    /// <summary>The extents, outermost axis first.</summary>
    public Shape Shape { get; }

    /// <summary>The number format of the elements.</summary>
    public abstract ElementType ElementType { get; }

    /// <summary>The number of elements.</summary>
    public int Count => Shape.Count;

    /// <summary>The arena that results computed from this tensor are put into, or null for the garbage-collected heap.</summary>
    internal Arena? Arena { get; }

    /// <summary>The array that holds the elements for good, or null where an arena does.</summary>
    internal abstract Array? HeldBy { get; }

    /// <summary>Whether both tensors' elements are the same memory.</summary>
    internal abstract bool SharesMemory(Tensor other);

    /// <summary>Gives the memory back to an arena that reuses it within a step; elsewhere nothing happens. Reading the tensor is an error from then on.</summary>
    internal abstract void Return();

    /// <summary>Writes the rows of a gradient that are still pending.</summary>
    internal abstract void Settle();

    /// <summary>Gives up the rows of a gradient that are still pending: it is about to be overwritten.</summary>
    internal abstract void Forget();

    /// <summary>The slot of this parameter's gradient in the arena's flat gradient buffer, or -1.</summary>
    internal int Home { get; init; } = -1;

    /// <summary>Of a gradient: which rows may be other than zero, or null where any may.</summary>
    internal RowGradient? Rows { get; set; }

    /// <summary>A tensor of the given elements, which are copied.</summary>
    /// <typeparam name="T"><c>float</c>, <c>double</c> or <c>int</c>.</typeparam>
    /// <param name="elements">The elements in row-major order.</param>
    /// <param name="extents">The extents; without any, a vector of all elements.</param>
    /// <exception cref="ShapeException">The extents' product is not the number of elements.</exception>
    public static Tensor<T> Of<T>(T[] elements, params int[] extents) where T : unmanaged =>
        Of(elements.AsSpan(), extents.Length == 0 ? new Shape(elements.Length) : new Shape(extents));

    /// <summary>A tensor of the given elements, which are copied.</summary>
    /// <typeparam name="T"><c>float</c>, <c>double</c> or <c>int</c>.</typeparam>
    /// <param name="elements">The elements in row-major order.</param>
    /// <param name="shape">The shape.</param>
    /// <exception cref="ShapeException">The shape's count is not the number of elements.</exception>
    public static Tensor<T> Of<T>(ReadOnlySpan<T> elements, Shape shape) where T : unmanaged
    {
        if (elements.Length != shape.Count)
            throw new ShapeException("Tensor.Of", $"{shape.Count} elements for shape {shape}", $"{elements.Length}");
        var tensor = Tensor<T>.OnHeap(shape);
        elements.CopyTo(tensor.Write());
        return tensor;
    }

    /// <summary>A tensor of zeros.</summary>
    /// <param name="type">The number format.</param>
    /// <param name="shape">The shape.</param>
    public static Tensor Zeros(ElementType type, Shape shape) => Filled(type, shape, 0);

    /// <summary>A tensor whose elements are all equal.</summary>
    /// <param name="type">The number format.</param>
    /// <param name="shape">The shape.</param>
    /// <param name="value">The value of every element.</param>
    public static Tensor Filled(ElementType type, Shape shape, double value) => type switch
    {
        ElementType.Float32 => Filled(shape, (float)value),
        ElementType.Float64 => Filled(shape, value),
        _ => Filled(shape, (int)value),
    };

    /// <summary>One element, widened to double.</summary>
    /// <param name="index">One index for every axis.</param>
    /// <exception cref="ShapeException">An index is missing or out of range.</exception>
    public double Item(params ReadOnlySpan<int> index)
    {
        if (index.Length != Shape.Rank) throw new ShapeException("Tensor.Item", $"{Shape.Rank} indices for {Shape}", $"{index.Length}");
        var offset = 0;
        for (var axis = 0; axis < index.Length; axis++)
        {
            if ((uint)index[axis] >= (uint)Shape[axis])
                throw new ShapeException("Tensor.Item", $"an index from 0 to {Shape[axis] - 1} on axis {axis}", $"{index[axis]}");
            offset = (offset * Shape[axis]) + index[axis];
        }

        return At(offset);
    }

    /// <summary>The element at a row-major offset, widened to double.</summary>
    /// <param name="offset">From 0 to <c>Count - 1</c>.</param>
    public abstract double At(int offset);

    /// <summary>The same elements under another shape; nothing is copied.</summary>
    /// <param name="shape">A shape of as many elements.</param>
    /// <exception cref="ShapeException">The counts differ.</exception>
    public abstract Tensor Reshape(Shape shape);

    /// <summary>The same elements under other extents; nothing is copied.</summary>
    /// <param name="extents">The new extents; one may be -1 and is then inferred.</param>
    /// <exception cref="ShapeException">The counts differ, or more than one extent is -1.</exception>
    public Tensor Reshape(params int[] extents) => Reshape(Infer(extents));

    /// <summary>A function of every element, computed in double: for layers of your own; operations have kernels of their own.</summary>
    /// <param name="function">From an element to the element of the result.</param>
    /// <returns>A tensor of this shape and element type.</returns>
    public abstract Tensor Map(Func<double, double> function);

    /// <summary>A function of every pair of elements at one place, computed in double.</summary>
    /// <param name="other">A tensor of this shape.</param>
    /// <param name="function">From two elements to the element of the result.</param>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    public abstract Tensor Map(Tensor other, Func<double, double, double> function);

    /// <summary>A copy on the garbage-collected heap, in the given number format.</summary>
    /// <param name="type">The number format; a fraction is cut off when it is <see cref="ElementType.Int32"/>.</param>
    public abstract Tensor To(ElementType type);

    /// <summary>The elements in row-major order as an array of the given type.</summary>
    /// <typeparam name="T"><c>float</c>, <c>double</c> or <c>int</c>.</typeparam>
    public abstract T[] ToArray<T>() where T : unmanaged, INumberBase<T>;

    /// <summary>Whether shape, element type and every bit of every element agree.</summary>
    /// <param name="other">The other tensor.</param>
    public abstract bool SameBits(Tensor other);

    /// <summary>The offset of the first element that is NaN or infinite, or -1.</summary>
    internal abstract int FirstNotFinite();

    /// <summary>Zeros of another shape, of this tensor's element type and in its place.</summary>
    internal abstract Tensor ZerosOf(Shape shape);

    /// <summary>This tensor as one of the element type the other arguments have.</summary>
    /// <exception cref="InvalidArgumentException">It is of another element type.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal Tensor<T> As<T>(string where) where T : unmanaged => this as Tensor<T> ?? throw Mixed<T>(where);

    /// <summary>True for float64, false for float32.</summary>
    /// <exception cref="InvalidArgumentException">The elements are integers.</exception>
    internal bool IsDouble(string where) => ElementType switch
    {
        ElementType.Float64 => true,
        ElementType.Float32 => false,
        _ => throw new InvalidArgumentException(where, "a tensor of float32 or float64", "int32"),
    };

    /// <summary>Fails unless this tensor has the given shape.</summary>
    internal void Expect(Shape shape, string where)
    {
        if (Shape != shape) throw new ShapeException(where, $"shape {shape}", $"{Shape}");
    }

    private InvalidArgumentException Mixed<T>(string where) where T : unmanaged =>
        new(where, $"elements of type {Tensor<T>.Type} as in the other arguments", $"{ElementType}", "Convert with Tensor.To.");

    private static Tensor<T> Filled<T>(Shape shape, T value) where T : unmanaged
    {
        var tensor = Tensor<T>.OnHeap(shape);
        tensor.Write().Fill(value);
        return tensor;
    }

    private Shape Infer(int[] extents)
    {
        var open = Array.IndexOf(extents, -1);
        if (open < 0) return new Shape(extents);
        var others = 1L;
        for (var axis = 0; axis < extents.Length; axis++) others *= axis == open ? 1 : extents[axis];
        if (others <= 0 || Count % others != 0)
            throw new ShapeException("Tensor.Reshape", $"extents that divide {Count} elements", $"[{string.Join("; ", extents)}]");
        var inferred = (int[])extents.Clone();
        inferred[open] = (int)(Count / others);
        return new Shape(inferred);
    }
}

namespace DL.Core;

/// <summary>The extents of a row-major tensor, outermost axis first. A shape is a value: equal extents make equal shapes.</summary>
/// <remarks>Axes of extent 0 are legal and give an empty tensor; a shape without axes is a scalar of one element. Products are taken in 64 bits.</remarks>
public sealed class Shape : IEquatable<Shape>
{
    /// <summary>The most elements one tensor can hold: the longest array of the runtime.</summary>
    public const int MaxCount = 2_147_483_591;

    private readonly int[] _extents;

    /// <summary>A shape of the given extents.</summary>
    /// <param name="extents">The extent of every axis, outermost first; none may be negative.</param>
    /// <exception cref="ShapeException">An extent is negative, or the product exceeds <see cref="MaxCount"/>.</exception>
    public Shape(params ReadOnlySpan<int> extents)
    {
        _extents = extents.ToArray();
        Count = CountOf(_extents);
    }

    /// <summary>A shape of the given extents, which are copied.</summary>
    /// <param name="extents">The extent of every axis, outermost first; none may be negative.</param>
    /// <exception cref="ShapeException">An extent is negative, or the product exceeds <see cref="MaxCount"/>.</exception>
    public Shape(int[] extents) : this(extents.AsSpan())
    {
    }

    /// <summary>The shape of a scalar: no axes, one element.</summary>
    public static Shape Scalar { get; } = new([]);

    /// <summary>The number of axes.</summary>
    public int Rank => _extents.Length;

    /// <summary>The number of elements: the product of the extents.</summary>
    public int Count { get; }

    /// <summary>The extents, outermost first.</summary>
    public ReadOnlySpan<int> Extents => _extents;

    /// <summary>The extent of one axis; a negative axis counts from the last.</summary>
    /// <param name="axis">The axis, from <c>-Rank</c> to <c>Rank - 1</c>.</param>
    /// <exception cref="ShapeException">There is no such axis.</exception>
    public int this[int axis] => _extents[Axis(axis)];

    /// <summary>The extent of the last axis, or 1 for a scalar.</summary>
    public int Last => Rank == 0 ? 1 : _extents[^1];

    /// <summary>The number of rows when all axes but the last are taken together.</summary>
    public int Rows => Rank == 0 ? 1 : (int)Product(_extents.AsSpan(0, Rank - 1));

    /// <summary>The product of extents in 64 bits.</summary>
    /// <param name="extents">The extents.</param>
    public static long Product(ReadOnlySpan<int> extents)
    {
        var product = 1L;
        foreach (var extent in extents) product = checked(product * extent);
        return product;
    }

    /// <summary>The axis counted from the front.</summary>
    /// <param name="axis">An axis, negative ones counted from the last.</param>
    /// <exception cref="ShapeException">There is no such axis.</exception>
    public int Axis(int axis) =>
        axis >= -Rank && axis < Rank
            ? axis < 0 ? axis + Rank : axis
            : throw new ShapeException("Shape", $"an axis from {-Rank} to {Rank - 1} of {this}", $"axis {axis}");

    /// <summary>This shape with one extent replaced.</summary>
    /// <param name="axis">The axis, negative ones counted from the last.</param>
    /// <param name="extent">Its new extent.</param>
    public Shape With(int axis, int extent)
    {
        var extents = (int[])_extents.Clone();
        extents[Axis(axis)] = extent;
        return new Shape(extents);
    }

    /// <summary>This shape without one axis.</summary>
    /// <param name="axis">The axis, negative ones counted from the last.</param>
    public Shape Without(int axis)
    {
        var at = Axis(axis);
        return new Shape([.. _extents[..at], .. _extents[(at + 1)..]]);
    }

    /// <summary>This shape with an axis put in front, as a batch of examples has.</summary>
    /// <param name="extent">The extent of the new axis.</param>
    public Shape Prepend(int extent) => new([extent, .. _extents]);

    /// <summary>This shape without its first axis.</summary>
    /// <exception cref="ShapeException">A scalar has no first axis.</exception>
    public Shape Tail() => Without(0);

    /// <inheritdoc/>
    public bool Equals(Shape? other) =>
        other is not null && (ReferenceEquals(this, other) || _extents.AsSpan().SequenceEqual(other._extents));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Shape);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var extent in _extents) hash.Add(extent);
        return hash.ToHashCode();
    }

    /// <summary>Whether two shapes have the same extents.</summary>
    public static bool operator ==(Shape? left, Shape? right) => left?.Equals(right) ?? right is null;

    /// <summary>Whether two shapes differ.</summary>
    public static bool operator !=(Shape? left, Shape? right) => !(left == right);

    /// <summary>The extents in brackets: <c>[32; 784]</c>.</summary>
    public override string ToString() => $"[{string.Join("; ", _extents)}]";

    private static int CountOf(int[] extents)
    {
        var empty = false;
        foreach (var extent in extents)
        {
            if (extent < 0) throw new ShapeException("Shape", "extents of at least 0", $"{extent}");
            empty |= extent == 0;
        }

        if (empty) return 0;
        var count = 1L;
        foreach (var extent in extents)
        {
            if (count > MaxCount / extent)
                throw new ShapeException("Shape", $"at most {MaxCount} elements", $"[{string.Join("; ", extents)}]");
            count *= extent;
        }

        return (int)count;
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DL.Core.Kernels;

namespace DL.Core;

/// <summary>A dense row-major tensor whose element type is known at compile time.</summary>
/// <typeparam name="T"><c>float</c>, <c>double</c> or <c>int</c>.</typeparam>
public sealed unsafe class Tensor<T> : Tensor where T : unmanaged
{
    // No step has this number.
    private const int Returned = -1;

    // Nor this one: rows of the gradient are pending.
    private const int Deferred = -2;

    private readonly T[]? _array;
    private readonly T* _pointer;
    private int _generation;

    private Tensor(Shape shape, T[]? array, T* pointer, Arena? arena, int generation) : base(shape, arena)
    {
        _array = array;
        _pointer = pointer;
        _generation = generation;
    }

    /// <inheritdoc/>
    public override ElementType ElementType => Type;

    /// <summary>The elements in row-major order.</summary>
    /// <exception cref="InvalidArgumentException">The tensor was kept past the training step it was made in.</exception>
    public ReadOnlySpan<T> Span => Write();

    /// <inheritdoc/>
    internal override Array? HeldBy => _array;

    internal static ElementType Type =>
        typeof(T) == typeof(float) ? ElementType.Float32
        : typeof(T) == typeof(double) ? ElementType.Float64
        : typeof(T) == typeof(int) ? ElementType.Int32
        : throw new InvalidArgumentException("Tensor", "elements of type float, double or int", typeof(T).Name);

    /// <inheritdoc/>
    public override double At(int offset) => AsDouble(Span[offset]);

    /// <inheritdoc/>
    public override Tensor Reshape(Shape shape)
    {
        if (shape.Count != Count) throw new ShapeException("Tensor.Reshape", $"{Count} elements as in {Shape}", $"{shape}");
        Settle();
        return new Tensor<T>(shape, _array, _pointer, Arena, _generation) { Home = Home };
    }

    /// <inheritdoc/>
    public override Tensor Map(Func<double, double> function)
    {
        var result = Like();
        var from = Span;
        var to = result.Write();
        for (var i = 0; i < from.Length; i++) to[i] = FromDouble(function(AsDouble(from[i])));
        return result;
    }

    /// <inheritdoc/>
    public override Tensor Map(Tensor other, Func<double, double, double> function)
    {
        other.Expect(Shape, "Tensor.Map");
        var result = Like();
        var from = Span;
        var to = result.Write();
        for (var i = 0; i < from.Length; i++) to[i] = FromDouble(function(AsDouble(from[i]), other.At(i)));
        return result;
    }

    /// <inheritdoc/>
    public override Tensor To(ElementType type) => type switch
    {
        ElementType.Float32 => Converted<float>(),
        ElementType.Float64 => Converted<double>(),
        _ => Converted<int>(),
    };

    /// <inheritdoc/>
    public override TTo[] ToArray<TTo>()
    {
        var span = Span;
        var result = new TTo[span.Length];
        for (var i = 0; i < result.Length; i++) result[i] = Convert<TTo>(span[i]);
        return result;
    }

    /// <inheritdoc/>
    public override bool SameBits(Tensor other) =>
        other is Tensor<T> same && same.Shape == Shape
        && MemoryMarshal.AsBytes(Span).SequenceEqual(MemoryMarshal.AsBytes(same.Span));

    /// <summary>A new tensor on the garbage-collected heap whose elements are not set yet.</summary>
    internal static Tensor<T> OnHeap(Shape shape)
    {
        _ = Type;
        return new Tensor<T>(shape, GC.AllocateUninitializedArray<T>(shape.Count), null, null, 0);
    }

    /// <summary>A tensor over memory that an arena owns; generation 0 never expires.</summary>
    internal static Tensor<T> InArena(Shape shape, T* pointer, Arena arena, int generation, int home = -1) =>
        new(shape, null, pointer, arena, generation) { Home = home };

    /// <summary>This tensor's elements, with results computed from it going into an arena.</summary>
    internal Tensor<T> Adopted(Arena arena)
    {
        Settle();
        return new(Shape, _array, _pointer, arena, Arena is null ? 0 : _generation);
    }

    /// <summary>The first elements of a tensor on the heap, under a shape of their own.</summary>
    internal Tensor<T> First(Shape shape) => new(shape, _array, null, null, 0);

    /// <summary>A part of an arena's kept memory under a shape of its own.</summary>
    internal Tensor<T> View(int offset, Shape shape, Arena arena, int home) => InArena(shape, _pointer + offset, arena, 0, home);

    /// <summary>An unset tensor where results computed from this one belong.</summary>
    internal Tensor<TOut> New<TOut>(Shape shape) where TOut : unmanaged =>
        Arena is null ? Tensor<TOut>.OnHeap(shape) : Arena.Allocate<TOut>(shape);

    /// <inheritdoc/>
    internal override int FirstNotFinite()
    {
        var span = Span;
        for (var i = 0; i < span.Length; i++)
            if (!double.IsFinite(AsDouble(span[i]))) return i;
        return -1;
    }

    /// <inheritdoc/>
    internal override Tensor ZerosOf(Shape shape)
    {
        var zeros = New<T>(shape);
        zeros.Write().Clear();
        return zeros;
    }

    /// <inheritdoc/>
    internal override bool SharesMemory(Tensor other) =>
        other is Tensor<T> same && (_array is null ? same._array is null && same._pointer == _pointer : ReferenceEquals(_array, same._array));

    /// <inheritdoc/>
    internal override void Return()
    {
        if (Arena is not { Reusing: true } arena || _generation != arena.Generation) return;
        _generation = Returned;
        arena.Return(_pointer);
    }

    /// <inheritdoc/>
    internal override void Settle()
    {
        if (_generation != Deferred) return;
        _generation = 0;
        Rows!.Write(this);
    }

    /// <inheritdoc/>
    internal override void Forget()
    {
        if (_generation == Deferred) _generation = 0;
    }

    /// <summary>Names the sums that the rows of this cleared gradient are, to be written when it is read. It lies in memory its arena keeps.</summary>
    internal void Defer(ReadOnlySpan<ulong> entries, Tensor upstream)
    {
        Rows!.Defer(entries, upstream);
        _generation = Deferred;
    }

    /// <summary>An unset tensor of this one's shape and place.</summary>
    internal Tensor<T> Like() => New<T>(Shape);

    /// <summary>The elements, to be written by the operation that just made the tensor.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal Span<T> Write()
    {
        if (_generation != 0 && _generation != Arena!.Generation) SettleOrFail();
        return _array is not null ? _array : new Span<T>(_pointer, Shape.Count);
    }

    /// <summary>The elements, to be changed in place.</summary>
    internal Span<T> Change()
    {
        if (_array is not null) Changes.Add();
        return Write();
    }

    private void SettleOrFail()
    {
        if (_generation != Deferred) throw Expired();
        Settle();
    }

    private InvalidArgumentException Expired() =>
        new("Tensor", "a tensor of the current training step", $"one of shape {Shape} kept past its step", "Copy it inside the step, or read a snapshot.");

    private Tensor<TTo> Converted<TTo>() where TTo : unmanaged, INumberBase<TTo>
    {
        var result = Tensor<TTo>.OnHeap(Shape);
        var to = result.Write();
        var from = Span;
        for (var i = 0; i < from.Length; i++) to[i] = Convert<TTo>(from[i]);
        return result;
    }

    private static TTo Convert<TTo>(T value) where TTo : unmanaged, INumberBase<TTo> =>
        typeof(T) == typeof(TTo) ? Unsafe.BitCast<T, TTo>(value) : TTo.CreateTruncating(AsDouble(value));

    private static T FromDouble(double value) =>
        typeof(T) == typeof(float) ? Unsafe.BitCast<float, T>((float)value)
        : typeof(T) == typeof(double) ? Unsafe.BitCast<double, T>(value)
        : Unsafe.BitCast<int, T>((int)value);

    private static double AsDouble(T value) =>
        typeof(T) == typeof(float) ? Unsafe.BitCast<T, float>(value)
        : typeof(T) == typeof(double) ? Unsafe.BitCast<T, double>(value)
        : Unsafe.BitCast<T, int>(value);
}

using System.Numerics;
using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>Sum of two tensors of one shape, followed by nothing or a ReLU: <c>y = act(a + b)</c>.</summary>
/// <remarks>The way back of a ReLU is <see cref="Relu.Backward(Tensor, Tensor)"/> from y; then both inputs have that gradient.</remarks>
public static class Add
{
    /// <summary><c>y = act(a + b)</c>.</summary>
    /// <param name="a">Any shape, float32 or float64.</param>
    /// <param name="b">A tensor of the shape and element type of <paramref name="a"/>.</param>
    /// <param name="activation">Identity or Relu, done in the same pass.</param>
    /// <returns>A tensor of the shape of <paramref name="a"/>.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">The elements are integers, or of two types; or it is another activation.</exception>
    public static Tensor Forward(Tensor a, Tensor b, Activation activation = Activation.Identity) => activation switch
    {
        Activation.Identity => Apply.Binary("Add", a, b, Forward, Forward),
        Activation.Relu => Apply.Binary("Add", a, b, ForwardRelu, ForwardRelu),
        _ => throw new InvalidArgumentException("Add", "Identity or Relu", $"{activation}"),
    };

    /// <summary><c>da = dy</c> and <c>db = dy</c>: the same tensor twice, nothing is copied.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <returns>The gradients of both inputs.</returns>
    public static (Tensor Da, Tensor Db) Backward(Tensor dy) => (dy, dy);

    /// <summary><c>y = a + b</c> over spans; y may be a or b.</summary>
    /// <param name="a">The first input.</param>
    /// <param name="b">The second input.</param>
    /// <param name="y">The output, overwritten.</param>
    /// <exception cref="ShapeException">The lengths differ.</exception>
    public static void Forward<T>(ReadOnlySpan<T> a, ReadOnlySpan<T> b, Span<T> y) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Apply.SameLength(a.Length, b.Length, "Add");
        Apply.SameLength(a.Length, y.Length, "Add");
        Elementwise.Map(a, b, y, default(Value<T>));
    }

    private static void ForwardRelu<T>(ReadOnlySpan<T> a, ReadOnlySpan<T> b, Span<T> y) where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Elementwise.Map(a, b, y, default(Positive<T>));

    private readonly struct Positive<T> : IBinary<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S a, S b) where S : struct, ISimd<S, T> => S.Max(a + b, S.Create(0));
    }

    private readonly struct Value<T> : IBinary<T> where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public S Apply<S>(S a, S b) where S : struct, ISimd<S, T> => a + b;
    }
}

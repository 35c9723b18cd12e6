namespace DL.Core.Ops;

/// <summary>The maximum over the valid steps of sequences: <c>y[n, ..] = max over t &lt; length[n] of x[n, t, ..]</c>.</summary>
/// <remarks>Backward: the first maximum takes the whole gradient. A NaN is larger than every number. A sequence of length 0 gives 0. What lies in the padding, NaN too, is not read.</remarks>
public static class MaxTime
{
    /// <summary><c>y[n, ..] = max over t &lt; length[n] of x[n, t, ..]</c>.</summary>
    /// <param name="x">[N; T; ..], float32 or float64.</param>
    /// <param name="lengths">The number of valid steps of each example, from 0 to T; null if all are.</param>
    /// <returns>[N; ..].</returns>
    /// <exception cref="ShapeException">x has no axes for examples and steps, or there is not one length for each example.</exception>
    /// <exception cref="InvalidArgumentException">A length is out of range: it and its example are named; or the elements are integers.</exception>
    public static Tensor Forward(Tensor x, int[]? lengths = null) => TimeMap.Reduce<MaxOfSteps>("MaxTime", x, lengths);

    /// <summary><c>dx = dy</c> at the first maximum of the valid steps, else 0.</summary>
    /// <param name="dy">[N; ..], the gradient of the output.</param>
    /// <param name="x">[N; T; ..], the input.</param>
    /// <param name="lengths">The number of valid steps of each example, from 0 to T; null if all are.</param>
    /// <returns>The gradient of the input; exactly 0 in padding.</returns>
    /// <exception cref="ShapeException">The shapes do not fit, or there is not one length for each example.</exception>
    /// <exception cref="InvalidArgumentException">A length is out of range: it and its example are named; or the elements types differ or are integers.</exception>
    public static Tensor Backward(Tensor dy, Tensor x, int[]? lengths = null) => TimeMap.Spread<MaxToSteps>("MaxTime.Backward", dy, x, x.Shape, lengths);
}

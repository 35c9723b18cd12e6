namespace DL.Core.Ops;

/// <summary>Sequences with zeros behind their ends: <c>y[n, t, ..] = x[n, t, ..]</c> for <c>t &lt; length[n]</c>, else 0.</summary>
/// <remarks>What lies in the padding, NaN too, is not read. The operation is its own transpose.</remarks>
public static class MaskTime
{
    /// <summary><c>y[n, t, ..] = x[n, t, ..]</c> where <c>t &lt; length[n]</c>, else 0.</summary>
    /// <param name="x">[N; T; ..], float32 or float64.</param>
    /// <param name="lengths">The number of valid steps of each example, from 0 to T; null if all are.</param>
    /// <returns>A tensor of the shape of <paramref name="x"/>.</returns>
    /// <exception cref="ShapeException">x has no axes for examples and steps, or there is not one length for each example.</exception>
    /// <exception cref="InvalidArgumentException">A length is out of range: it and its example are named; or the elements are integers.</exception>
    public static Tensor Forward(Tensor x, int[]? lengths = null) => TimeMap.Map<ValidSteps>("MaskTime", x, lengths);

    /// <summary><c>dx[n, t, ..] = dy[n, t, ..]</c> where <c>t &lt; length[n]</c>, else 0.</summary>
    /// <param name="dy">[N; T; ..], the gradient of the output.</param>
    /// <param name="lengths">The number of valid steps of each example, from 0 to T; null if all are.</param>
    /// <returns>The gradient of the input; exactly 0 in padding.</returns>
    /// <exception cref="ShapeException">The shapes do not fit, or there is not one length for each example.</exception>
    /// <exception cref="InvalidArgumentException">A length is out of range: it and its example are named; or the elements are integers.</exception>
    public static Tensor Backward(Tensor dy, int[]? lengths = null) => TimeMap.Map<ValidSteps>("MaskTime.Backward", dy, lengths);
}

namespace DL.Core.Ops;

/// <summary>The last valid step of sequences: <c>y[n, ..] = x[n, length[n] - 1, ..]</c>.</summary>
/// <remarks>A sequence of length 0 gives 0. What lies in the padding, NaN too, is not read.</remarks>
public static class LastStep
{
    /// <summary><c>y[n, ..] = x[n, length[n] - 1, ..]</c>.</summary>
    /// <param name="x">[N; T; ..], float32 or float64.</param>
    /// <param name="lengths">The number of valid steps of each example, from 0 to T; null if all are.</param>
    /// <returns>[N; ..].</returns>
    /// <exception cref="ShapeException">x has no axes for examples and steps, or there is not one length for each example.</exception>
    /// <exception cref="InvalidArgumentException">A length is out of range: it and its example are named; or the elements are integers.</exception>
    public static Tensor Forward(Tensor x, int[]? lengths = null) => TimeMap.Reduce<LastOfSteps>("LastStep", x, lengths);

    /// <summary><c>dx[n, t, ..] = dy[n, ..]</c> where <c>t = length[n] - 1</c>, else 0.</summary>
    /// <param name="dy">[N; ..], the gradient of the output.</param>
    /// <param name="shape">The shape of the input.</param>
    /// <param name="lengths">The number of valid steps of each example, from 0 to T; null if all are.</param>
    /// <returns>The gradient of the input; exactly 0 in padding.</returns>
    /// <exception cref="ShapeException">The shapes do not fit, or there is not one length for each example.</exception>
    /// <exception cref="InvalidArgumentException">A length is out of range: it and its example are named; or the elements are integers.</exception>
    public static Tensor Backward(Tensor dy, Shape shape, int[]? lengths = null) => TimeMap.Spread<LastToSteps>("LastStep.Backward", dy, null, shape, lengths);
}

namespace DL.Core.Losses;

/// <summary>Cross entropy of softmax from logits: <c>-sum_c a_c log p_c</c>, <c>p = softmax(z)</c>, with gradient <c>p * sum(a) - a</c>.</summary>
/// <remarks>The coefficients are <c>a_c = w_c ((1 - smoothing) q_c + smoothing / C)</c> with class weights w (1 by default) and target distribution q, which
/// is 1 at the class for a class id. The mean over examples divides by the sum of the weights of their classes for ids, and by their number for
/// distributions, as torch does. Examples whose id is the ignored one count nowhere; with none left the value is 0 and the gradient zero.
/// Rows are shifted by their maximum, so the value is finite for every finite logit; a NaN in a row makes the value NaN.
/// Source: J. S. Bridle, Training stochastic model recognition algorithms as networks, 1990; C. Szegedy et al., Rethinking the inception architecture, 2016, sec. 7.</remarks>
public static partial class CrossEntropy
{
    /// <summary>The value and its gradient in the logits, in one pass over rows that stay in the cache.</summary>
    /// <param name="logits">[.., C], float32 or float64.</param>
    /// <param name="target">Class ids [..] of int32, or distributions of the shape and type of the logits.</param>
    /// <param name="reduction">The mean over examples, or their sum.</param>
    /// <param name="weights">[C], a weight of at least 0 for every class, of the logits' type; null for 1.</param>
    /// <param name="smoothing">The share, from 0 to 1, that is spread evenly over all classes.</param>
    /// <param name="ignored">An id whose examples are left out; null for none. Only with ids.</param>
    /// <returns>The value, accumulated in float64, and the gradient, of the logits' shape.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">An id is no class (value and position are named), the element types do not fit, a setting is out of
    /// range, or the reduction is None. Nothing is computed then.</exception>
    public static (double Value, Tensor Gradient) Evaluate(
        Tensor logits, Tensor target, Reduction reduction = Reduction.Mean, Tensor? weights = null, double smoothing = 0, int? ignored = null)
    {
        CheckShapes(logits, target, weights, "CrossEntropy");
        return logits.IsDouble("CrossEntropy")
            ? Single<double>(logits, target, reduction, weights, smoothing, ignored, true)
            : Single<float>(logits, target, reduction, weights, smoothing, ignored, true);
    }

    /// <summary>The value alone.</summary>
    /// <param name="logits">[.., C], float32 or float64.</param>
    /// <param name="target">Class ids [..] of int32, or distributions of the shape and type of the logits.</param>
    /// <param name="reduction">The mean over examples, or their sum.</param>
    /// <param name="weights">[C], a weight of at least 0 for every class; null for 1.</param>
    /// <param name="smoothing">The share, from 0 to 1, that is spread evenly over all classes.</param>
    /// <param name="ignored">An id whose examples are left out; null for none. Only with ids.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">As for <see cref="Evaluate(Tensor, Tensor, Reduction, Tensor, double, int?)"/>.</exception>
    public static double Forward(
        Tensor logits, Tensor target, Reduction reduction = Reduction.Mean, Tensor? weights = null, double smoothing = 0, int? ignored = null)
    {
        CheckShapes(logits, target, weights, "CrossEntropy");
        return logits.IsDouble("CrossEntropy")
            ? Single<double>(logits, target, reduction, weights, smoothing, ignored, false).Value
            : Single<float>(logits, target, reduction, weights, smoothing, ignored, false).Value;
    }

    /// <summary>The value of every example, unreduced; 0 for an ignored one.</summary>
    /// <param name="logits">[.., C], float32 or float64.</param>
    /// <param name="target">Class ids [..] of int32, or distributions of the shape and type of the logits.</param>
    /// <param name="weights">[C], a weight of at least 0 for every class; null for 1.</param>
    /// <param name="smoothing">The share, from 0 to 1, that is spread evenly over all classes.</param>
    /// <param name="ignored">An id whose examples are left out; null for none. Only with ids.</param>
    /// <returns>[..], of the logits' type.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">As for <see cref="Evaluate(Tensor, Tensor, Reduction, Tensor, double, int?)"/>.</exception>
    public static Tensor PerExample(Tensor logits, Tensor target, Tensor? weights = null, double smoothing = 0, int? ignored = null)
    {
        CheckShapes(logits, target, weights, "CrossEntropy.PerExample");
        return logits.IsDouble("CrossEntropy.PerExample")
            ? Apart<double>(logits, target, weights, smoothing, ignored)
            : Apart<float>(logits, target, weights, smoothing, ignored);
    }

    /// <summary><c>dx = dy * (p * sum(a) - a)</c>, with an upstream gradient for every example.</summary>
    /// <param name="dy">[..], the gradient of <see cref="PerExample(Tensor, Tensor, Tensor, double, int?)"/>.</param>
    /// <param name="logits">[.., C], float32 or float64.</param>
    /// <param name="target">Class ids [..] of int32, or distributions of the shape and type of the logits.</param>
    /// <param name="weights">[C], a weight of at least 0 for every class; null for 1.</param>
    /// <param name="smoothing">The share, from 0 to 1, that is spread evenly over all classes.</param>
    /// <param name="ignored">An id whose examples are left out; null for none. Only with ids.</param>
    /// <returns>The gradient of the logits.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">As for <see cref="Evaluate(Tensor, Tensor, Reduction, Tensor, double, int?)"/>.</exception>
    public static Tensor Backward(Tensor dy, Tensor logits, Tensor target, Tensor? weights = null, double smoothing = 0, int? ignored = null)
    {
        CheckShapes(logits, target, weights, "CrossEntropy.Backward");
        dy.Expect(logits.Shape.Without(-1), "CrossEntropy.Backward");
        return logits.IsDouble("CrossEntropy.Backward")
            ? Gradient<double>(dy, logits, target, weights, smoothing, ignored)
            : Gradient<float>(dy, logits, target, weights, smoothing, ignored);
    }
}

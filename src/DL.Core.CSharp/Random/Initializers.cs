namespace DL.Core.Random;

/// <summary>Initial weights as pure functions of a <see cref="Key"/>: the same key gives the same bits.</summary>
/// <remarks>The second parameter of <c>Gaussian</c> is the variance, not the deviation. Fan-in and fan-out are the numbers of inputs and
/// outputs one unit is joined to; those of a convolution count its window: channels times kernel height times kernel width.</remarks>
public static partial class Initializers
{
    /// <summary>Zeros, as biases start.</summary>
    /// <param name="type">Float32 or float64.</param>
    /// <param name="shape">The shape.</param>
    public static Tensor Zeros(ElementType type, Shape shape) => Tensor.Zeros(type, shape);

    /// <summary>Ones, as gains start.</summary>
    /// <param name="type">Float32 or float64.</param>
    /// <param name="shape">The shape.</param>
    public static Tensor Ones(ElementType type, Shape shape) => Tensor.Filled(type, shape, 1);

    /// <summary>Normal numbers of the given mean and variance.</summary>
    /// <param name="key">The draw.</param>
    /// <param name="type">Float32 or float64.</param>
    /// <param name="shape">The shape.</param>
    /// <param name="mean">The mean.</param>
    /// <param name="variance">The variance, the square of the deviation; finite and at least 0.</param>
    /// <exception cref="InvalidArgumentException">The type is of integers, or a parameter is out of range.</exception>
    public static Tensor Gaussian(Key key, ElementType type, Shape shape, double mean, double variance)
    {
        CheckGaussian(mean, variance, "Initializers.Gaussian");
        return Fill("Initializers.Gaussian", type, shape, new Request(key, true, mean, Math.Sqrt(variance)));
    }

    /// <summary>Uniform numbers from low to high.</summary>
    /// <param name="key">The draw.</param>
    /// <param name="type">Float32 or float64.</param>
    /// <param name="shape">The shape.</param>
    /// <param name="low">The lower bound, finite.</param>
    /// <param name="high">The upper bound, finite and at least the lower one; rounding may reach it.</param>
    /// <exception cref="InvalidArgumentException">The type is of integers, or a bound is out of range.</exception>
    public static Tensor Uniform(Key key, ElementType type, Shape shape, double low, double high)
    {
        CheckUniform(low, high, "Initializers.Uniform");
        return Fill("Initializers.Uniform", type, shape, new Request(key, false, low, high - low));
    }

    /// <summary>Uniform on <c>(-a, a)</c> with <c>a = sqrt(6 / (fanIn + fanOut))</c>: variance <c>2 / (fanIn + fanOut)</c>.</summary>
    /// <remarks>Source: X. Glorot and Y. Bengio, Understanding the difficulty of training deep feedforward neural networks, 2010, eq. 16.</remarks>
    /// <param name="key">The draw.</param>
    /// <param name="type">Float32 or float64.</param>
    /// <param name="shape">The shape.</param>
    /// <param name="fanIn">Inputs of one unit, at least 1.</param>
    /// <param name="fanOut">Outputs of one unit, at least 1.</param>
    /// <exception cref="InvalidArgumentException">The type is of integers, or a fan is below 1.</exception>
    public static Tensor XavierUniform(Key key, ElementType type, Shape shape, int fanIn, int fanOut)
    {
        CheckFan(fanIn, "Initializers.XavierUniform, fanIn");
        CheckFan(fanOut, "Initializers.XavierUniform, fanOut");
        var bound = Math.Sqrt(6.0 / (fanIn + (double)fanOut));
        return Fill("Initializers.XavierUniform", type, shape, new Request(key, false, -bound, 2 * bound));
    }

    /// <summary>Normal of mean 0 and variance <c>2 / (fanIn + fanOut)</c>.</summary>
    /// <remarks>Source: X. Glorot and Y. Bengio, 2010, eq. 12.</remarks>
    /// <param name="key">The draw.</param>
    /// <param name="type">Float32 or float64.</param>
    /// <param name="shape">The shape.</param>
    /// <param name="fanIn">Inputs of one unit, at least 1.</param>
    /// <param name="fanOut">Outputs of one unit, at least 1.</param>
    /// <exception cref="InvalidArgumentException">The type is of integers, or a fan is below 1.</exception>
    public static Tensor XavierNormal(Key key, ElementType type, Shape shape, int fanIn, int fanOut)
    {
        CheckFan(fanIn, "Initializers.XavierNormal, fanIn");
        CheckFan(fanOut, "Initializers.XavierNormal, fanOut");
        return Fill("Initializers.XavierNormal", type, shape, new Request(key, true, 0, Math.Sqrt(2.0 / (fanIn + (double)fanOut))));
    }

    /// <summary>Uniform on <c>(-a, a)</c> with <c>a = sqrt(6 / fanIn)</c>: variance <c>2 / fanIn</c>.</summary>
    /// <remarks>Source: K. He et al., Delving deep into rectifiers, 2015, eq. 10.</remarks>
    /// <param name="key">The draw.</param>
    /// <param name="type">Float32 or float64.</param>
    /// <param name="shape">The shape.</param>
    /// <param name="fanIn">Inputs of one unit, at least 1.</param>
    /// <exception cref="InvalidArgumentException">The type is of integers, or a fan is below 1.</exception>
    public static Tensor HeUniform(Key key, ElementType type, Shape shape, int fanIn)
    {
        CheckFan(fanIn, "Initializers.HeUniform, fanIn");
        var bound = Math.Sqrt(6.0 / fanIn);
        return Fill("Initializers.HeUniform", type, shape, new Request(key, false, -bound, 2 * bound));
    }

    /// <summary>Normal of mean 0 and variance <c>2 / fanIn</c>, for layers that a ReLU follows.</summary>
    /// <remarks>Source: K. He et al., 2015, eq. 10.</remarks>
    /// <param name="key">The draw.</param>
    /// <param name="type">Float32 or float64.</param>
    /// <param name="shape">The shape.</param>
    /// <param name="fanIn">Inputs of one unit, at least 1.</param>
    /// <exception cref="InvalidArgumentException">The type is of integers, or a fan is below 1.</exception>
    public static Tensor HeNormal(Key key, ElementType type, Shape shape, int fanIn)
    {
        CheckFan(fanIn, "Initializers.HeNormal, fanIn");
        return Fill("Initializers.HeNormal", type, shape, new Request(key, true, 0, Math.Sqrt(2.0 / fanIn)));
    }

    /// <summary>Normal of mean 0 and variance <c>1 / fanIn</c>.</summary>
    /// <remarks>Source: Y. LeCun et al., Efficient backprop, 1998, eq. 16.</remarks>
    /// <param name="key">The draw.</param>
    /// <param name="type">Float32 or float64.</param>
    /// <param name="shape">The shape.</param>
    /// <param name="fanIn">Inputs of one unit, at least 1.</param>
    /// <exception cref="InvalidArgumentException">The type is of integers, or a fan is below 1.</exception>
    public static Tensor LeCunNormal(Key key, ElementType type, Shape shape, int fanIn)
    {
        CheckFan(fanIn, "Initializers.LeCunNormal, fanIn");
        return Fill("Initializers.LeCunNormal", type, shape, new Request(key, true, 0, Math.Sqrt(1.0 / fanIn)));
    }

    /// <summary>Uniform on <c>(-a, a)</c> with <c>a = sqrt(3 / fanIn)</c>: variance <c>1 / fanIn</c>.</summary>
    /// <remarks>Source: Y. LeCun et al., Efficient backprop, 1998, eq. 16.</remarks>
    /// <param name="key">The draw.</param>
    /// <param name="type">Float32 or float64.</param>
    /// <param name="shape">The shape.</param>
    /// <param name="fanIn">Inputs of one unit, at least 1.</param>
    /// <exception cref="InvalidArgumentException">The type is of integers, or a fan is below 1.</exception>
    public static Tensor LeCunUniform(Key key, ElementType type, Shape shape, int fanIn)
    {
        CheckFan(fanIn, "Initializers.LeCunUniform, fanIn");
        var bound = Math.Sqrt(3.0 / fanIn);
        return Fill("Initializers.LeCunUniform", type, shape, new Request(key, false, -bound, 2 * bound));
    }
}

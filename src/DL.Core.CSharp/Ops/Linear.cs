using System.Numerics;
using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>An affine map of rows, followed by an activation: <c>y = act(x W + b)</c>.</summary>
/// <remarks>Backward, with <c>dz = dy act'(z)</c>: <c>dx = dz Wᵀ</c>, <c>dW = xᵀ dz</c>, <c>db = sum of the rows of dz</c>.
/// W is held as [in; out], so that the forward product reads it row by row.</remarks>
public static unsafe class Linear
{
    private const string Name = "Linear";

    /// <summary><c>y = act(x W + b)</c>.</summary>
    /// <param name="x">[rows; in].</param>
    /// <param name="weight">[in; out].</param>
    /// <param name="bias">[out], or null for none.</param>
    /// <param name="activation">The activation done in the same pass.</param>
    /// <returns>[rows; out].</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Tensor Forward(Tensor x, Tensor weight, Tensor? bias = null, Activation activation = Activation.Identity)
    {
        Check(x, weight, bias);
        return x.IsDouble(Name) ? Forward<double>(x, weight, bias, activation) : Forward<float>(x, weight, bias, activation);
    }

    /// <summary>The gradient of the affine map's output: <c>dz = dy act'(z)</c>, which is <paramref name="dy"/> itself without an activation.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="y">The output.</param>
    /// <param name="activation">The activation of the forward pass.</param>
    public static Tensor BackwardActivation(Tensor dy, Tensor y, Activation activation) => activation switch
    {
        Activation.Relu => Relu.Backward(dy, y),
        Activation.Sigmoid => Sigmoid.Backward(dy, y),
        Activation.Tanh => Tanh.Backward(dy, y),
        _ => dy,
    };

    /// <summary><c>dx = dz Wᵀ</c>.</summary>
    /// <param name="dz">[rows; out].</param>
    /// <param name="weight">[in; out].</param>
    /// <returns>[rows; in].</returns>
    public static Tensor BackwardInput(Tensor dz, Tensor weight)
    {
        CheckGradient(dz, weight);
        return dz.IsDouble(Name) ? BackwardInput<double>(dz, weight) : BackwardInput<float>(dz, weight);
    }

    /// <summary><c>dW = xᵀ dz</c>.</summary>
    /// <param name="x">[rows; in].</param>
    /// <param name="dz">[rows; out].</param>
    /// <param name="weight">[in; out], whose gradient is asked for.</param>
    public static Tensor BackwardWeight(Tensor x, Tensor dz, Tensor weight)
    {
        CheckGradient(dz, weight);
        x.Expect(new Shape(dz.Shape[0], weight.Shape[0]), "Linear.Backward");
        return dz.IsDouble(Name) ? BackwardWeight<double>(x, dz, weight) : BackwardWeight<float>(x, dz, weight);
    }

    /// <summary><c>db = sum of the rows of dz</c>.</summary>
    /// <param name="dz">[.., out].</param>
    /// <param name="bias">[out], whose gradient is asked for.</param>
    public static Tensor BackwardBias(Tensor dz, Tensor bias)
    {
        bias.Expect(new Shape(dz.Shape.Last), "Linear.Backward");
        return dz.IsDouble(Name) ? BackwardBias<double>(dz, bias) : BackwardBias<float>(dz, bias);
    }

    /// <summary>All gradients at once: dx, dW and db (null without a bias).</summary>
    /// <param name="dy">The gradient of the output, [rows; out].</param>
    /// <param name="x">The input, [rows; in].</param>
    /// <param name="weight">[in; out].</param>
    /// <param name="bias">[out], or null.</param>
    /// <param name="y">The output, [rows; out].</param>
    /// <param name="activation">The activation of the forward pass.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static (Tensor Input, Tensor Weight, Tensor? Bias) Backward(
        Tensor dy, Tensor x, Tensor weight, Tensor? bias, Tensor y, Activation activation = Activation.Identity)
    {
        Check(x, weight, bias);
        var dz = BackwardActivation(dy, y, activation);
        return (BackwardInput(dz, weight), BackwardWeight(x, dz, weight), bias is null ? null : BackwardBias(dz, bias));
    }

    /// <summary><c>y = act(x W + b)</c> over spans.</summary>
    /// <param name="x">[rows; in].</param>
    /// <param name="weight">[in; out].</param>
    /// <param name="bias">[out], or empty for none.</param>
    /// <param name="activation">The activation.</param>
    /// <param name="rows">The number of rows.</param>
    /// <param name="y">[rows; out], overwritten.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    public static void Forward<T>(
        ReadOnlySpan<T> x, ReadOnlySpan<T> weight, ReadOnlySpan<T> bias, Activation activation, int rows, Span<T> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (inputs, outputs) = Sizes(x.Length, weight.Length, y.Length, rows);
        if (bias.Length != 0 && rows != 0) Apply.SameLength(outputs, bias.Length, "Linear bias");
        fixed (T* px = x, pw = weight, py = y)
            Blas.Gemm(false, false, rows, outputs, inputs, px, inputs, pw, outputs, false, py, outputs);
        BiasActivation.Forward(y, bias, activation, rows, outputs);
    }

    /// <summary>The same with a weight that may keep its numbers packed for products to come.</summary>
    internal static void Forward<T>(
        ReadOnlySpan<T> x, Tensor<T> weight, ReadOnlySpan<T> bias, Activation activation, int rows, Span<T> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (inputs, outputs) = Sizes(x.Length, weight.Count, y.Length, rows);
        fixed (T* px = x, pw = weight.Span, py = y)
        {
            var product = new Product<T> { M = rows, N = outputs, K = inputs, A = px, Lda = inputs, B = pw, Ldb = outputs, C = py, Ldc = outputs };
            if (KeptProduct.TryRun(product, weight.HeldBy))
                BiasActivation.Forward(y, bias, activation, rows, outputs);
            else
                Forward(x, weight.Span, bias, activation, rows, y);
        }
    }

    /// <summary><c>dx = dz Wᵀ</c> over spans.</summary>
    /// <param name="dz">[rows; out].</param>
    /// <param name="weight">[in; out].</param>
    /// <param name="rows">The number of rows.</param>
    /// <param name="dx">[rows; in], overwritten.</param>
    public static void BackwardInput<T>(ReadOnlySpan<T> dz, ReadOnlySpan<T> weight, int rows, Span<T> dx)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (inputs, outputs) = Sizes(dx.Length, weight.Length, dz.Length, rows);
        fixed (T* pd = dz, pw = weight, px = dx)
            Blas.Gemm(false, true, rows, inputs, outputs, pd, outputs, pw, outputs, false, px, inputs);
    }

    /// <summary><c>dW += xᵀ dz</c>, <c>db += sum of the rows of dz</c> over spans.</summary>
    /// <param name="x">[rows; in].</param>
    /// <param name="dz">[rows; out].</param>
    /// <param name="rows">The number of rows.</param>
    /// <param name="dweight">[in; out], added to.</param>
    /// <param name="dbias">[out], added to, or empty for none.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    public static void BackwardParameters<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> dz, int rows, Span<T> dweight, Span<T> dbias)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (_, outputs) = Sizes(x.Length, dweight.Length, dz.Length, rows);
        if (dbias.Length != 0 && rows != 0) Apply.SameLength(outputs, dbias.Length, "Linear dbias");
        BackwardWeight(x, dz, rows, true, dweight);
        if (dbias.Length != 0) ColumnSums.Add(dz, rows, dbias.Length, dbias);
    }

    private static void BackwardWeight<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> dz, int rows, bool accumulate, Span<T> dweight)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (inputs, outputs) = Sizes(x.Length, dweight.Length, dz.Length, rows);
        if (rows == 0 && !accumulate) dweight.Clear();
        fixed (T* px = x, pd = dz, pw = dweight)
            Blas.Gemm(true, false, inputs, outputs, rows, px, inputs, pd, outputs, accumulate, pw, outputs);
    }

    private static Tensor<T> Forward<T>(Tensor x, Tensor weight, Tensor? bias, Activation activation)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var from = x.As<T>(Name);
        var y = from.New<T>(new Shape(x.Shape[0], weight.Shape[1]));
        var b = bias is null ? default : bias.As<T>(Name).Span;
        Forward(from.Span, weight.As<T>(Name), b, activation, x.Shape[0], y.Write());
        return y;
    }

    private static Tensor<T> BackwardInput<T>(Tensor dz, Tensor weight) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var from = dz.As<T>(Name);
        var dx = from.New<T>(new Shape(dz.Shape[0], weight.Shape[0]));
        BackwardInput(from.Span, weight.As<T>(Name).Span, dz.Shape[0], dx.Write());
        return dx;
    }

    private static Tensor<T> BackwardWeight<T>(Tensor x, Tensor dz, Tensor weight) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var dweight = Gradients.Unset<T>(weight, dz);
        BackwardWeight(x.As<T>(Name).Span, dz.As<T>(Name).Span, x.Shape[0], false, dweight.Write());
        return dweight;
    }

    private static Tensor<T> BackwardBias<T>(Tensor dz, Tensor bias) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var dbias = Gradients.For<T>(bias, dz);
        ColumnSums.Add(dz.As<T>(Name).Span, dz.Shape.Rows, bias.Count, dbias.Write());
        return dbias;
    }

    private static (int Inputs, int Outputs) Sizes(int x, int weight, int y, int rows)
    {
        if (rows < 0) throw new InvalidArgumentException(Name, "at least 0 rows", $"{rows}");
        if (rows == 0 && x == 0 && y == 0) return (0, 0);
        var (inputs, outputs) = (x / Math.Max(1, rows), y / Math.Max(1, rows));
        if ((long)inputs * rows != x || (long)outputs * rows != y || (long)inputs * outputs != weight)
            throw new ShapeException(Name, $"{rows} rows of inputs and outputs and a weight of inputs * outputs", $"{x}, {y} and {weight} elements");
        return (inputs, outputs);
    }

    private static void Check(Tensor x, Tensor weight, Tensor? bias)
    {
        if (weight.Shape.Rank != 2) throw new ShapeException("Linear weight", "shape [in; out]", $"{weight.Shape}");
        if (x.Shape.Rank != 2 || x.Shape[1] != weight.Shape[0])
            throw new ShapeException(Name, $"an input of shape [rows; {weight.Shape[0]}]", $"{x.Shape}");
        bias?.Expect(new Shape(weight.Shape[1]), "Linear bias");
    }

    private static void CheckGradient(Tensor dz, Tensor weight)
    {
        if (dz.Shape.Rank != 2 || dz.Shape[1] != weight.Shape[1])
            throw new ShapeException("Linear.Backward", $"a gradient of shape [rows; {weight.Shape[1]}]", $"{dz.Shape}");
    }
}

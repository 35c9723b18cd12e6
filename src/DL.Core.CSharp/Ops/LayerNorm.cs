using System.Numerics;
using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>Layer normalization of every row: <c>y = gamma * xhat + beta</c>, <c>xhat = (x - mean) * rstd</c>, <c>rstd = 1 / sqrt(variance + epsilon)</c>.</summary>
/// <remarks>The variance is the biased one. Mean and rstd are kept in float64, so that a large common offset of a row cancels exactly; a constant row gives
/// <c>xhat = 0</c>. With <c>g = dy * gamma</c> the gradient is <c>dx = rstd * (g - mean(g) - xhat * mean(g * xhat))</c>.
/// Source: J. L. Ba, J. R. Kiros and G. E. Hinton, Layer normalization, 2016, eq. 4.</remarks>
public static unsafe partial class LayerNorm
{
    /// <summary><c>y = gamma * xhat + beta</c>, row by row.</summary>
    /// <param name="x">[.., n], float32 or float64.</param>
    /// <param name="gamma">[n], the gain.</param>
    /// <param name="beta">[n], the shift.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <returns>y of x's shape, and the float64 mean and rstd of every row for <see cref="Backward(Tensor, Tensor, Tensor, Tensor, Tensor, Tensor)"/>.</returns>
    /// <exception cref="ShapeException">gamma or beta is not [n].</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, or epsilon is not positive.</exception>
    public static (Tensor Y, Tensor Mean, Tensor Rstd) Forward(Tensor x, Tensor gamma, Tensor beta, double epsilon = 1e-5)
    {
        CheckRows(x, gamma, "LayerNorm");
        beta.Expect(gamma.Shape, "LayerNorm");
        return x.IsDouble("LayerNorm") ? Forward<double>(x, gamma, beta, epsilon) : Forward<float>(x, gamma, beta, epsilon);
    }

    /// <summary>The gradients of the input, the gain and the shift.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="x">The input of the forward pass.</param>
    /// <param name="gamma">[n], the gain.</param>
    /// <param name="beta">[n], the shift; only its place is used.</param>
    /// <param name="mean">The means that Forward returned.</param>
    /// <param name="rstd">The reciprocal deviations that Forward returned.</param>
    /// <returns>dx of x's shape, dgamma and dbeta of [n].</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers.</exception>
    public static (Tensor Dx, Tensor Dgamma, Tensor Dbeta) Backward(Tensor dy, Tensor x, Tensor gamma, Tensor beta, Tensor mean, Tensor rstd)
    {
        CheckRows(x, gamma, "LayerNorm.Backward");
        dy.Expect(x.Shape, "LayerNorm.Backward");
        beta.Expect(gamma.Shape, "LayerNorm.Backward");
        return x.IsDouble("LayerNorm.Backward")
            ? Backward<double>(dy, x, gamma, beta, mean, rstd)
            : Backward<float>(dy, x, gamma, beta, mean, rstd);
    }

    /// <summary><c>y = gamma * xhat + beta</c> over spans; y may be x.</summary>
    /// <param name="x">[rows, n].</param>
    /// <param name="gamma">[n], the gain.</param>
    /// <param name="beta">[n], the shift.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="y">[rows, n], overwritten.</param>
    /// <param name="mean">[rows], overwritten.</param>
    /// <param name="rstd">[rows], <c>1 / sqrt(variance + epsilon)</c>, overwritten.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    /// <exception cref="InvalidArgumentException">epsilon is not positive.</exception>
    public static void Forward<T>(
        ReadOnlySpan<T> x, ReadOnlySpan<T> gamma, ReadOnlySpan<T> beta, double epsilon, Span<T> y, Span<double> mean, Span<double> rstd)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var n = gamma.Length;
        var rows = RowBlocks.RowsOf(x.Length, n, "LayerNorm");
        Apply.SameLength(n, beta.Length, "LayerNorm");
        Apply.SameLength(x.Length, y.Length, "LayerNorm");
        Apply.SameLength(rows, mean.Length, "LayerNorm");
        Apply.SameLength(rows, rstd.Length, "LayerNorm");
        RowBlocks.CheckEpsilon(epsilon, "LayerNorm");
        fixed (T* px = x, pgamma = gamma, pbeta = beta, py = y)
        fixed (double* pmean = mean, prstd = rstd)
        {
            var job = new ForwardJob<T> { X = px, Gamma = pgamma, Beta = pbeta, Y = py, Mean = pmean, Rstd = prstd, N = n, Epsilon = epsilon };
            Workers.For(rows, RowBlocks.RowGrain(n), &ForwardJob<T>.Run, &job);
        }
    }

    /// <summary><c>dx = rstd * (g - mean(g) - xhat * mean(g * xhat))</c> with <c>g = dy * gamma</c>; <c>dgamma += sum(dy * xhat)</c>,
    /// <c>dbeta += sum(dy)</c>. dx may be dy.</summary>
    /// <param name="dy">[rows, n], the gradient of the output.</param>
    /// <param name="x">[rows, n], the input.</param>
    /// <param name="gamma">[n], the gain.</param>
    /// <param name="mean">[rows], from Forward.</param>
    /// <param name="rstd">[rows], from Forward.</param>
    /// <param name="dx">[rows, n], overwritten.</param>
    /// <param name="dgamma">[n], added to.</param>
    /// <param name="dbeta">[n], added to.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    public static void Backward<T>(
        ReadOnlySpan<T> dy, ReadOnlySpan<T> x, ReadOnlySpan<T> gamma, ReadOnlySpan<double> mean, ReadOnlySpan<double> rstd,
        Span<T> dx, Span<T> dgamma, Span<T> dbeta)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var n = gamma.Length;
        var rows = RowBlocks.RowsOf(x.Length, n, "LayerNorm.Backward");
        Apply.SameLength(x.Length, dy.Length, "LayerNorm.Backward");
        Apply.SameLength(x.Length, dx.Length, "LayerNorm.Backward");
        Apply.SameLength(rows, mean.Length, "LayerNorm.Backward");
        Apply.SameLength(rows, rstd.Length, "LayerNorm.Backward");
        Apply.SameLength(n, dgamma.Length, "LayerNorm.Backward");
        Apply.SameLength(n, dbeta.Length, "LayerNorm.Backward");
        var blocks = RowBlocks.Count(rows);
        var stride = RowBlocks.Stride<T>(n);
        var sums = RowBlocks.Room<T>(blocks, 2, stride);
        fixed (T* pdy = dy, px = x, pgamma = gamma, pdx = dx)
        fixed (double* pmean = mean, prstd = rstd)
        {
            var job = new BackwardJob<T>
            {
                Dy = pdy,
                X = px,
                Gamma = pgamma,
                Dx = pdx,
                Mean = pmean,
                Rstd = prstd,
                Sums = sums,
                Stride = stride,
                Rows = rows,
                N = n,
            };
            Workers.For(blocks, RowBlocks.BlockGrain(n), &BackwardJob<T>.Run, &job);
        }

        RowBlocks.AddTo(sums, blocks, 2 * stride, dgamma);
        RowBlocks.AddTo(sums + stride, blocks, 2 * stride, dbeta);
    }

    private static void CheckRows(Tensor x, Tensor gamma, string where)
    {
        if (x.Shape.Rank == 0) throw new ShapeException(where, "at least one axis", $"{x.Shape}");
        gamma.Expect(new Shape(x.Shape.Last), where);
    }

    private static (Tensor, Tensor, Tensor) Forward<T>(Tensor input, Tensor gamma, Tensor beta, double epsilon)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var x = input.As<T>("LayerNorm");
        var y = x.Like();
        var mean = x.New<double>(x.Shape.Without(-1));
        var rstd = x.New<double>(x.Shape.Without(-1));
        Forward(x.Span, gamma.As<T>("LayerNorm").Span, beta.As<T>("LayerNorm").Span, epsilon, y.Write(), mean.Write(), rstd.Write());
        return (y, mean, rstd);
    }

    private static (Tensor, Tensor, Tensor) Backward<T>(Tensor gradient, Tensor input, Tensor gamma, Tensor beta, Tensor mean, Tensor rstd)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        const string Where = "LayerNorm.Backward";
        var x = input.As<T>(Where);
        var dy = gradient.As<T>(Where);
        var gain = gamma.As<T>(Where);
        mean.Expect(x.Shape.Without(-1), Where);
        rstd.Expect(mean.Shape, Where);
        var (means, rstds) = (mean.As<double>(Where), rstd.As<double>(Where));
        var dx = dy.Like();
        var dgamma = Gradients.For<T>(gamma, dy);
        var dbeta = Gradients.For<T>(beta, dy);
        Backward(dy.Span, x.Span, gain.Span, means.Span, rstds.Span, dx.Write(), dgamma.Write(), dbeta.Write());
        return (dx, dgamma, dbeta);
    }
}

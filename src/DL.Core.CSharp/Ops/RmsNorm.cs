using System.Numerics;
using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>Root mean square normalization of every row: <c>y = gamma * xhat</c>, <c>xhat = x * rrms</c>, <c>rrms = 1 / sqrt(mean(x^2) + epsilon)</c>.</summary>
/// <remarks>No mean is taken off. With <c>g = dy * gamma</c> the gradient is <c>dx = rrms * (g - xhat * mean(g * xhat))</c>. The default epsilon is 1e-6.
/// Source: B. Zhang and R. Sennrich, Root mean square layer normalization, 2019, eq. 4.</remarks>
public static unsafe partial class RmsNorm
{
    /// <summary><c>y = gamma * xhat</c>, row by row.</summary>
    /// <param name="x">[.., n], float32 or float64.</param>
    /// <param name="gamma">[n], the gain.</param>
    /// <param name="epsilon">Added to the mean square.</param>
    /// <returns>y of x's shape, and the float64 rrms of every row for <see cref="Backward(Tensor, Tensor, Tensor, Tensor)"/>.</returns>
    /// <exception cref="ShapeException">gamma is not [n].</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, or epsilon is not positive.</exception>
    public static (Tensor Y, Tensor Rrms) Forward(Tensor x, Tensor gamma, double epsilon = 1e-6)
    {
        CheckRows(x, gamma, "RmsNorm");
        return x.IsDouble("RmsNorm") ? Forward<double>(x, gamma, epsilon) : Forward<float>(x, gamma, epsilon);
    }

    /// <summary>The gradients of the input and the gain.</summary>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="x">The input of the forward pass.</param>
    /// <param name="gamma">[n], the gain.</param>
    /// <param name="rrms">The factors that Forward returned.</param>
    /// <returns>dx of x's shape and dgamma of [n].</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers.</exception>
    public static (Tensor Dx, Tensor Dgamma) Backward(Tensor dy, Tensor x, Tensor gamma, Tensor rrms)
    {
        CheckRows(x, gamma, "RmsNorm.Backward");
        dy.Expect(x.Shape, "RmsNorm.Backward");
        return x.IsDouble("RmsNorm.Backward") ? Backward<double>(dy, x, gamma, rrms) : Backward<float>(dy, x, gamma, rrms);
    }

    /// <summary><c>y = gamma * xhat</c> over spans; y may be x.</summary>
    /// <param name="x">[rows, n].</param>
    /// <param name="gamma">[n], the gain.</param>
    /// <param name="epsilon">Added to the mean square.</param>
    /// <param name="y">[rows, n], overwritten.</param>
    /// <param name="rrms">[rows], <c>1 / sqrt(mean(x^2) + epsilon)</c>, overwritten.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    /// <exception cref="InvalidArgumentException">epsilon is not positive.</exception>
    public static void Forward<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> gamma, double epsilon, Span<T> y, Span<double> rrms)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var n = gamma.Length;
        var rows = RowBlocks.RowsOf(x.Length, n, "RmsNorm");
        Apply.SameLength(x.Length, y.Length, "RmsNorm");
        Apply.SameLength(rows, rrms.Length, "RmsNorm");
        RowBlocks.CheckEpsilon(epsilon, "RmsNorm");
        fixed (T* px = x, pgamma = gamma, py = y)
        fixed (double* prrms = rrms)
        {
            var job = new ForwardJob<T> { X = px, Gamma = pgamma, Y = py, Rrms = prrms, N = n, Epsilon = epsilon };
            Workers.For(rows, RowBlocks.RowGrain(n), &ForwardJob<T>.Run, &job);
        }
    }

    /// <summary><c>dx = rrms * (g - xhat * mean(g * xhat))</c> with <c>g = dy * gamma</c>; <c>dgamma += sum(dy * xhat)</c>. dx may be dy.</summary>
    /// <param name="dy">[rows, n], the gradient of the output.</param>
    /// <param name="x">[rows, n], the input.</param>
    /// <param name="gamma">[n], the gain.</param>
    /// <param name="rrms">[rows], from Forward.</param>
    /// <param name="dx">[rows, n], overwritten.</param>
    /// <param name="dgamma">[n], added to.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    public static void Backward<T>(
        ReadOnlySpan<T> dy, ReadOnlySpan<T> x, ReadOnlySpan<T> gamma, ReadOnlySpan<double> rrms, Span<T> dx, Span<T> dgamma)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var n = gamma.Length;
        var rows = RowBlocks.RowsOf(x.Length, n, "RmsNorm.Backward");
        Apply.SameLength(x.Length, dy.Length, "RmsNorm.Backward");
        Apply.SameLength(x.Length, dx.Length, "RmsNorm.Backward");
        Apply.SameLength(rows, rrms.Length, "RmsNorm.Backward");
        Apply.SameLength(n, dgamma.Length, "RmsNorm.Backward");
        var blocks = RowBlocks.Count(rows);
        var stride = RowBlocks.Stride<T>(n);
        var sums = RowBlocks.Room<T>(blocks, 1, stride);
        fixed (T* pdy = dy, px = x, pgamma = gamma, pdx = dx)
        fixed (double* prrms = rrms)
        {
            var job = new BackwardJob<T> { Dy = pdy, X = px, Gamma = pgamma, Dx = pdx, Rrms = prrms, Sums = sums, Stride = stride, Rows = rows, N = n };
            Workers.For(blocks, RowBlocks.BlockGrain(n), &BackwardJob<T>.Run, &job);
        }

        RowBlocks.AddTo(sums, blocks, stride, dgamma);
    }

    private static void CheckRows(Tensor x, Tensor gamma, string where)
    {
        if (x.Shape.Rank == 0) throw new ShapeException(where, "at least one axis", $"{x.Shape}");
        gamma.Expect(new Shape(x.Shape.Last), where);
    }

    private static (Tensor, Tensor) Forward<T>(Tensor input, Tensor gamma, double epsilon) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var x = input.As<T>("RmsNorm");
        var y = x.Like();
        var rrms = x.New<double>(x.Shape.Without(-1));
        Forward(x.Span, gamma.As<T>("RmsNorm").Span, epsilon, y.Write(), rrms.Write());
        return (y, rrms);
    }

    private static (Tensor, Tensor) Backward<T>(Tensor gradient, Tensor input, Tensor gamma, Tensor rrms)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        const string Where = "RmsNorm.Backward";
        var x = input.As<T>(Where);
        var dy = gradient.As<T>(Where);
        var gain = gamma.As<T>(Where);
        rrms.Expect(x.Shape.Without(-1), Where);
        var factors = rrms.As<double>(Where);
        var dx = dy.Like();
        var dgamma = Gradients.For<T>(gamma, dy);
        Backward(dy.Span, x.Span, gain.Span, factors.Span, dx.Write(), dgamma.Write());
        return (dx, dgamma);
    }
}

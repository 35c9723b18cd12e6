using System.Globalization;
using System.Numerics;

namespace DL.Core.Ops;

public static unsafe partial class BatchNorm
{
    /// <summary><c>mean = sum(x) / N</c>, <c>variance = sum((x - mean)^2) / N</c> of every column; both 0 for an empty batch.</summary>
    /// <param name="x">[N, C].</param>
    /// <param name="mean">[C], overwritten.</param>
    /// <param name="variance">[C], the biased variance, overwritten.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    /// <remarks>Blocks of rows are reduced alone and joined in order by the update of T. F. Chan, G. H. Golub and R. J. LeVeque, 1979, eq. 2.1,
    /// so that neither a large mean nor the number of threads shows in the result.</remarks>
    public static void Statistics<T>(ReadOnlySpan<T> x, Span<double> mean, Span<double> variance) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var columns = mean.Length;
        var rows = RowBlocks.RowsOf(x.Length, columns, "BatchNorm.Statistics");
        Apply.SameLength(columns, variance.Length, "BatchNorm.Statistics");
        mean.Clear();
        variance.Clear();
        fixed (T* px = x)
        {
            var job = new ColumnJob<T>(px, null, default, rows, columns, 3);
            job.Launch();
            Join(job, mean, variance);
        }
    }

    /// <summary><c>y = gamma * (x - mean) / sqrt(variance + epsilon) + beta</c> with given statistics; y may be x.</summary>
    /// <param name="x">[N, C].</param>
    /// <param name="gamma">[C], the gain.</param>
    /// <param name="beta">[C], the shift.</param>
    /// <param name="mean">[C].</param>
    /// <param name="variance">[C].</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="y">[N, C], overwritten.</param>
    /// <param name="activation">Identity or Relu, done in the same pass.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    /// <exception cref="InvalidArgumentException">epsilon is not positive, a variance is negative, or it is another activation.</exception>
    public static void Normalize<T>(
        ReadOnlySpan<T> x, ReadOnlySpan<T> gamma, ReadOnlySpan<T> beta, ReadOnlySpan<double> mean, ReadOnlySpan<double> variance, double epsilon, Span<T> y,
        Activation activation = Activation.Identity)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        const string Where = "BatchNorm.Normalize";
        var columns = gamma.Length;
        var rows = RowBlocks.RowsOf(x.Length, columns, Where);
        Apply.SameLength(columns, beta.Length, Where);
        Apply.SameLength(x.Length, y.Length, Where);
        CheckStatistics(mean, variance, columns, epsilon, Where);
        var map = Columns<T>.Room(columns, Fused(activation, Where), out var more);
        Fill(map, gamma, beta, mean, variance, epsilon);
        fixed (T* px = x, py = y) new AffineJob<T>(null, px, py, rows, columns, map, more).Launch();
    }

    /// <summary>Whether a ReLU follows, which is all that goes with batch norm in one pass.</summary>
    private static bool Fused(Activation activation, string where) => activation switch
    {
        Activation.Identity => false,
        Activation.Relu => true,
        _ => throw new InvalidArgumentException(where, "Identity or Relu", $"{activation}"),
    };

    /// <summary>The affine map of every column; what rounding takes from a mean goes into the constant.</summary>
    private static void Fill<T>(
        Columns<T> map, ReadOnlySpan<T> gamma, ReadOnlySpan<T> beta, ReadOnlySpan<double> mean, ReadOnlySpan<double> variance, double epsilon)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (var c = 0; c < gamma.Length; c++)
        {
            var scale = double.CreateTruncating(gamma[c]) / Math.Sqrt(variance[c] + epsilon);
            var center = map.Center[c] = T.CreateTruncating(mean[c]);
            map.Slope[c] = T.CreateTruncating(scale);
            var shift = beta.IsEmpty ? 0 : double.CreateTruncating(beta[c]);
            map.Constant[c] = T.CreateTruncating(shift + ((double.CreateTruncating(center) - mean[c]) * scale));
        }
    }

    /// <summary><c>dx = gamma * rstd / N * (N dy - sum(dy) - xhat * sum(dy * xhat))</c>; <c>dgamma += sum(dy * xhat)</c>, <c>dbeta += sum(dy)</c>. dx may be dy.</summary>
    /// <param name="dy">[N, C], the gradient of the output.</param>
    /// <param name="x">[N, C], the input.</param>
    /// <param name="gamma">[C], the gain.</param>
    /// <param name="mean">[C], of the batch.</param>
    /// <param name="variance">[C], of the batch, biased.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="dx">[N, C], overwritten.</param>
    /// <param name="dgamma">[C], added to.</param>
    /// <param name="dbeta">[C], added to.</param>
    /// <param name="beta">[C], the shift; needed with an activation alone.</param>
    /// <param name="activation">Identity or Relu, as in the forward pass; a ReLU's output is worked out again from x.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    /// <exception cref="InvalidArgumentException">epsilon is not positive, a variance is negative, or it is another activation.</exception>
    public static void Backward<T>(
        ReadOnlySpan<T> dy, ReadOnlySpan<T> x, ReadOnlySpan<T> gamma, ReadOnlySpan<double> mean, ReadOnlySpan<double> variance, double epsilon,
        Span<T> dx, Span<T> dgamma, Span<T> dbeta, ReadOnlySpan<T> beta = default, Activation activation = Activation.Identity)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Gradient("BatchNorm.Backward", 1, dy, x, gamma, beta, activation, mean, variance, epsilon, dx, dgamma, dbeta);

    /// <summary><c>dx = gamma * rstd * dy</c> with given statistics; <c>dgamma += sum(dy * xhat)</c>, <c>dbeta += sum(dy)</c>. dx may be dy.</summary>
    /// <param name="dy">[N, C], the gradient of the output.</param>
    /// <param name="x">[N, C], the input.</param>
    /// <param name="gamma">[C], the gain.</param>
    /// <param name="mean">[C], the running mean.</param>
    /// <param name="variance">[C], the running variance.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="dx">[N, C], overwritten.</param>
    /// <param name="dgamma">[C], added to.</param>
    /// <param name="dbeta">[C], added to.</param>
    /// <param name="beta">[C], the shift; needed with an activation alone.</param>
    /// <param name="activation">Identity or Relu, as in the forward pass; a ReLU's output is worked out again from x.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    /// <exception cref="InvalidArgumentException">epsilon is not positive, a variance is negative, or it is another activation.</exception>
    public static void PredictBackward<T>(
        ReadOnlySpan<T> dy, ReadOnlySpan<T> x, ReadOnlySpan<T> gamma, ReadOnlySpan<double> mean, ReadOnlySpan<double> variance, double epsilon,
        Span<T> dx, Span<T> dgamma, Span<T> dbeta, ReadOnlySpan<T> beta = default, Activation activation = Activation.Identity)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Gradient("BatchNorm.PredictBackward", 0, dy, x, gamma, beta, activation, mean, variance, epsilon, dx, dgamma, dbeta);

    /// <summary>The gradients where so many neighbouring columns share a mean and a variance; 0 where both are given numbers.</summary>
    internal static void Gradient<T>(
        string where, int sharing, ReadOnlySpan<T> dy, ReadOnlySpan<T> x, ReadOnlySpan<T> gamma, ReadOnlySpan<T> beta, Activation activation,
        ReadOnlySpan<double> mean, ReadOnlySpan<double> variance, double epsilon, Span<T> dx, Span<T> dgamma, Span<T> dbeta)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var columns = gamma.Length;
        var rows = RowBlocks.RowsOf(x.Length, columns, where);
        Apply.SameLength(x.Length, dy.Length, where);
        Apply.SameLength(x.Length, dx.Length, where);
        Apply.SameLength(columns, dgamma.Length, where);
        Apply.SameLength(columns, dbeta.Length, where);
        CheckStatistics(mean, variance, columns, epsilon, where);
        var relu = Fused(activation, where);
        if (relu) Apply.SameLength(columns, beta.Length, where);
        if (rows == 0) return;
        var map = Columns<T>.Room(columns, relu, out var more);
        Fill(map, gamma, beta, mean, variance, epsilon);
        fixed (T* px = x, pdy = dy, pdx = dx)
        {
            var sums = new ColumnJob<T>(px, pdy, map, rows, columns, 2);
            sums.Launch();
            var affine = new AffineJob<T>(pdy, px, pdx, rows, columns, map, more);
            var width = Math.Max(1, sharing);
            for (var first = 0; first < columns; first += width)
                Share(affine, map, sums, first..(first + width), sharing > 0, gamma, mean, variance, epsilon, dgamma, dbeta);
            affine.Launch();
        }
    }

    /// <summary>The affine map that gives dx, for columns that share a mean and a variance; their dgamma and dbeta on the way.</summary>
    private static void Share<T>(
        in AffineJob<T> affine, Columns<T> map, in ColumnJob<T> sums, Range shared, bool trained, ReadOnlySpan<T> gamma,
        ReadOnlySpan<double> mean, ReadOnlySpan<double> variance, double epsilon, Span<T> dgamma, Span<T> dbeta)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (whole, along) = (0.0, 0.0);
        for (var c = shared.Start.Value; c < shared.End.Value; c++)
        {
            var rstd = 1 / Math.Sqrt(variance[c] + epsilon);
            var sum = sums.Total(0, c);
            var product = (sums.Total(1, c) + ((double.CreateTruncating(map.Center[c]) - mean[c]) * sum)) * rstd;
            dbeta[c] += T.CreateTruncating(sum);
            dgamma[c] += T.CreateTruncating(product);
            var gain = double.CreateTruncating(gamma[c]);
            affine.Scale[c] = T.CreateTruncating(gain * rstd);
            whole += gain * sum;
            along += gain * product;
        }

        var count = (double)sums.Rows * (shared.End.Value - shared.Start.Value);
        for (var c = shared.Start.Value; c < shared.End.Value; c++)
        {
            var rstd = 1 / Math.Sqrt(variance[c] + epsilon);
            var slope = trained ? -rstd * rstd * along / count : 0;
            affine.More[c] = T.CreateTruncating(slope);
            var rest = slope * (double.CreateTruncating(map.Center[c]) - mean[c]);
            affine.Rest[c] = T.CreateTruncating(trained ? rest - (rstd * whole / count) : 0);
        }
    }

    private static void CheckStatistics(ReadOnlySpan<double> mean, ReadOnlySpan<double> variance, int columns, double epsilon, string where)
    {
        Apply.SameLength(columns, mean.Length, where);
        Apply.SameLength(columns, variance.Length, where);
        RowBlocks.CheckEpsilon(epsilon, where);
        for (var c = 0; c < columns; c++)
        {
            if (variance[c] < 0)
                throw new InvalidArgumentException(where, "variances of at least 0", $"{variance[c].ToString(CultureInfo.InvariantCulture)} in column {c}");
        }
    }

    private static void Join<T>(in ColumnJob<T> job, Span<double> mean, Span<double> variance) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (var block = 0; block < job.Blocks; block++)
        {
            var before = block * (double)ColumnJob<T>.Height;
            var here = Math.Min(ColumnJob<T>.Height, job.Rows - before);
            var (share, between) = (here / (before + here), before * here / (before + here));
            for (var c = 0; c < mean.Length; c++)
            {
                var delta = job.Partial(block, 1, c) / here;
                var step = job.Partial(block, 0, c) + delta - mean[c];
                var spread = job.Partial(block, 2, c) - (here * delta * delta);
                mean[c] += step * share;
                variance[c] += (spread < 0 ? 0 : spread) + (step * step * between);
            }
        }

        for (var c = 0; c < variance.Length; c++) variance[c] /= Math.Max(1, job.Rows);
    }
}

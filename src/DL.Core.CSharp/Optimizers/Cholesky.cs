namespace DL.Core.Optimizers;

/// <summary>The Cholesky factor L of a small symmetric matrix, <c>A = L L^T</c>, in float64.</summary>
/// <remarks>Source: G. Golub and C. Van Loan, Matrix computations, 2013, algorithm 4.2.1.</remarks>
internal static class Cholesky
{
    /// <summary>Solves <c>(A + damping I) x = b</c> in place of b; only the lower triangle of A is read.</summary>
    /// <returns>-1, or the row whose pivot is not positive: then the matrix is not positive definite and b is as it was.</returns>
    public static int Solve(double[,] a, double damping, double[] b)
    {
        var n = b.Length;
        var factor = new double[n, n];
        for (var j = 0; j < n; j++)
        {
            var pivot = a[j, j] + damping - Dot(factor, j, j, j);

            // A pivot that only rounding keeps from zero, or NaN.
            if (!(pivot > 1e-14 * (Math.Abs(a[j, j]) + damping))) return j;
            factor[j, j] = Math.Sqrt(pivot);
            for (var i = j + 1; i < n; i++) factor[i, j] = (a[i, j] - Dot(factor, i, j, j)) / factor[j, j];
        }

        for (var i = 0; i < n; i++)
        {
            for (var k = 0; k < i; k++) b[i] -= factor[i, k] * b[k];
            b[i] /= factor[i, i];
        }

        for (var i = n - 1; i >= 0; i--)
        {
            for (var k = i + 1; k < n; k++) b[i] -= factor[k, i] * b[k];
            b[i] /= factor[i, i];
        }

        return -1;
    }

    private static double Dot(double[,] factor, int row, int other, int length)
    {
        var sum = 0.0;
        for (var k = 0; k < length; k++) sum += factor[row, k] * factor[other, k];
        return sum;
    }
}

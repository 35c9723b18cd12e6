using System.Numerics;
using System.Runtime.Intrinsics;
using DL.Core.Kernels;

namespace DL.Core.Losses;

/// <summary>One example of a loss: its value, and its gradients times a factor where there is room for them.</summary>
internal interface IRowTerm<T> where T : unmanaged
{
    double Row<S>(long row, double factor) where S : struct, ISimd<S, T>;
}

/// <summary>Losses that are a sum of one term per example, a row of numbers: value and gradients in one pass.</summary>
internal static unsafe class RowLoss
{
    /// <summary>Elements under which a second thread costs more than it saves.</summary>
    private const long Grain = 8 * 1024;

    /// <summary>The reduced value; the term's gradients are those of the reduced value.</summary>
    public static double Evaluate<T, TTerm>(TTerm term, int rows, long width, Reduction reduction)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TTerm : unmanaged, IRowTerm<T>
    {
        var factor = Reductions.Factor(reduction, rows);
        var values = Run<T, TTerm>(term, rows, width, null, factor);
        var sum = 0.0;
        for (var row = 0; row < rows; row++) sum += values[row];
        return sum * factor;
    }

    /// <summary>The value of every row.</summary>
    public static void PerExample<T, TTerm>(TTerm term, int rows, long width, Span<T> result)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TTerm : unmanaged, IRowTerm<T>
    {
        var values = Run<T, TTerm>(term, rows, width, null, 1);
        for (var row = 0; row < rows; row++) result[row] = T.CreateTruncating(values[row]);
    }

    /// <summary>The term's gradients, with an upstream gradient for every row.</summary>
    public static void Backward<T, TTerm>(TTerm term, int rows, long width, ReadOnlySpan<T> dy)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TTerm : unmanaged, IRowTerm<T>
    {
        fixed (T* upstream = dy) Run(term, rows, width, upstream, 1);
    }

    /// <summary>The number of rows of spans that share it; fails unless they are whole.</summary>
    public static int Rows(string where, int elements, int width)
    {
        if (width < 1) throw new InvalidArgumentException($"{where}, width", "at least 1", $"{width}");
        if (elements % width != 0) throw new ShapeException(where, $"whole rows of {width} elements", $"{elements} elements");
        return elements / width;
    }

    private static double* Run<T, TTerm>(TTerm term, int rows, long width, T* upstream, double factor)
        where T : unmanaged
        where TTerm : unmanaged, IRowTerm<T>
    {
        var values = (double*)Scratch.Left(rows * (long)sizeof(double));
        var job = new Job<T, TTerm> { Term = term, Upstream = upstream, Factor = factor, Values = values };
        Workers.For(rows, Math.Max(1, Grain / Math.Max(1, width)), &Job<T, TTerm>.Run, &job);
        return values;
    }

    private struct Job<T, TTerm>
        where T : unmanaged
        where TTerm : unmanaged, IRowTerm<T>
    {
        public TTerm Term;
        public T* Upstream;
        public double Factor;
        public double* Values;

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(Job<T, TTerm>*)state;
            for (var row = from; row < to; row++)
            {
                var factor = job.Upstream is null ? job.Factor : Reduce.Wide(job.Upstream[row]);
                job.Values[row] =
                    Vector512.IsHardwareAccelerated ? job.Term.Row<Simd512<T>>(row, factor)
                    : Vector256.IsHardwareAccelerated ? job.Term.Row<Simd256<T>>(row, factor)
                    : job.Term.Row<Simd128<T>>(row, factor);
            }
        }
    }
}

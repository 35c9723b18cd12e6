using System.Numerics;
using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Losses;

/// <summary>Kullback-Leibler divergence of a normal distribution from the unit one: <c>sum((e^v + m^2 - 1 - v) / 2)</c> over the features of an example, of
/// mean m and log variance v.</summary>
/// <remarks>At least 0, and 0 only for m = 0, v = 0. The mean is over examples. It is finite for every m whose square is and every v up to 88 in float32, 709 in
/// float64, however small. Source: D. P. Kingma, M. Welling, Auto-encoding variational Bayes, 2014, appendix B.</remarks>
public static unsafe class UnitNormalDivergence
{
    private const string Name = "UnitNormalDivergence";

    /// <summary>The value and its gradients, <c>dm = m</c> and <c>dv = (e^v - 1) / 2</c> over the number of examples, in one pass.</summary>
    /// <param name="mean">[N, D], float32 or float64.</param>
    /// <param name="logVariance">[N, D], of the same type.</param>
    /// <param name="reduction">The mean over examples, or their sum.</param>
    /// <returns>The value and the gradients of mean and log variance.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">The element types do not fit, or the reduction is None.</exception>
    public static (double Value, Tensor Mean, Tensor LogVariance) Evaluate(Tensor mean, Tensor logVariance, Reduction reduction = Reduction.Mean) =>
        mean.IsDouble(Name) ? Single<double>(mean, logVariance, reduction) : Single<float>(mean, logVariance, reduction);

    /// <summary>The value alone.</summary>
    /// <param name="mean">[N, D], float32 or float64.</param>
    /// <param name="logVariance">[N, D], of the same type.</param>
    /// <param name="reduction">The mean over examples, or their sum.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">As for Evaluate.</exception>
    public static double Forward(Tensor mean, Tensor logVariance, Reduction reduction = Reduction.Mean) =>
        mean.IsDouble(Name) ? Value<double>(mean, logVariance, reduction) : Value<float>(mean, logVariance, reduction);

    /// <summary>The value of every example, unreduced.</summary>
    /// <param name="mean">[N, D], float32 or float64.</param>
    /// <param name="logVariance">[N, D], of the same type.</param>
    /// <returns>[N], of the same type.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">The element types do not fit.</exception>
    public static Tensor PerExample(Tensor mean, Tensor logVariance) =>
        mean.IsDouble(Name) ? Apart<double>(mean, logVariance) : Apart<float>(mean, logVariance);

    /// <summary><c>dm = dy m</c>, <c>dv = dy (e^v - 1) / 2</c>, with an upstream gradient for every example.</summary>
    /// <param name="dy">[N], the gradient of PerExample.</param>
    /// <param name="mean">[N, D], float32 or float64.</param>
    /// <param name="logVariance">[N, D], of the same type.</param>
    /// <returns>The gradients of mean and log variance.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="InvalidArgumentException">The element types do not fit.</exception>
    public static (Tensor Mean, Tensor LogVariance) Backward(Tensor dy, Tensor mean, Tensor logVariance) =>
        mean.IsDouble(Name) ? Gradients<double>(dy, mean, logVariance) : Gradients<float>(dy, mean, logVariance);

    /// <summary>The value and its gradients over spans.</summary>
    /// <param name="mean">[N, D].</param>
    /// <param name="logVariance">[N, D].</param>
    /// <param name="width">D, at least 1.</param>
    /// <param name="reduction">The mean over examples, or their sum.</param>
    /// <param name="meanGradient">[N, D], overwritten.</param>
    /// <param name="logVarianceGradient">[N, D], overwritten.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    /// <exception cref="InvalidArgumentException">The width is out of range, or the reduction is None.</exception>
    public static double Evaluate<T>(
        ReadOnlySpan<T> mean, ReadOnlySpan<T> logVariance, int width, Reduction reduction, Span<T> meanGradient, Span<T> logVarianceGradient)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Reductions.CheckSingle(reduction, Name, "PerExample and Backward");
        var rows = Check(mean, logVariance, width);
        Apply.SameLength(mean.Length, meanGradient.Length, Name);
        Apply.SameLength(mean.Length, logVarianceGradient.Length, Name);
        fixed (T* m = mean, v = logVariance, dm = meanGradient, dv = logVarianceGradient)
            return RowLoss.Evaluate<T, Term<T>>(new() { Mean = m, LogVariance = v, MeanGradient = dm, LogVarianceGradient = dv, Width = width }, rows, width, reduction);
    }

    /// <summary>The value of every example over spans.</summary>
    /// <param name="mean">[N, D].</param>
    /// <param name="logVariance">[N, D].</param>
    /// <param name="width">D, at least 1.</param>
    /// <param name="values">[N], overwritten.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    /// <exception cref="InvalidArgumentException">The width is out of range.</exception>
    public static void PerExample<T>(ReadOnlySpan<T> mean, ReadOnlySpan<T> logVariance, int width, Span<T> values)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var rows = Check(mean, logVariance, width);
        Apply.SameLength(rows, values.Length, Name);
        fixed (T* m = mean, v = logVariance)
            RowLoss.PerExample(new Term<T> { Mean = m, LogVariance = v, Width = width }, rows, width, values);
    }

    /// <summary>The gradients over spans, with an upstream gradient for every example.</summary>
    /// <param name="dy">[N], the upstream gradient of every example.</param>
    /// <param name="mean">[N, D].</param>
    /// <param name="logVariance">[N, D].</param>
    /// <param name="width">D, at least 1.</param>
    /// <param name="meanGradient">[N, D], overwritten.</param>
    /// <param name="logVarianceGradient">[N, D], overwritten.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    /// <exception cref="InvalidArgumentException">The width is out of range.</exception>
    public static void Backward<T>(
        ReadOnlySpan<T> dy, ReadOnlySpan<T> mean, ReadOnlySpan<T> logVariance, int width, Span<T> meanGradient, Span<T> logVarianceGradient)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var rows = Check(mean, logVariance, width);
        Apply.SameLength(rows, dy.Length, Name);
        Apply.SameLength(mean.Length, meanGradient.Length, Name);
        Apply.SameLength(mean.Length, logVarianceGradient.Length, Name);
        fixed (T* m = mean, v = logVariance, dm = meanGradient, dv = logVarianceGradient)
            RowLoss.Backward(new Term<T> { Mean = m, LogVariance = v, MeanGradient = dm, LogVarianceGradient = dv, Width = width }, rows, width, dy);
    }

    private static int Check<T>(ReadOnlySpan<T> mean, ReadOnlySpan<T> logVariance, int width) where T : unmanaged
    {
        Apply.SameLength(mean.Length, logVariance.Length, Name);
        return RowLoss.Rows(Name, mean.Length, width);
    }

    private static double Value<T>(Tensor mean, Tensor logVariance, Reduction reduction) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        EmbeddingRows.CheckShapes(Name, mean, logVariance);
        Reductions.CheckSingle(reduction, Name, "PerExample and Backward");
        ReadOnlySpan<T> x = mean.As<T>(Name).Span, y = logVariance.As<T>(Name).Span;
        var width = mean.Shape.Last;
        fixed (T* m = x, v = y)
            return RowLoss.Evaluate<T, Term<T>>(new() { Mean = m, LogVariance = v, Width = width }, x.Length / width, width, reduction);
    }

    private static (double, Tensor, Tensor) Single<T>(Tensor mean, Tensor logVariance, Reduction reduction) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        EmbeddingRows.CheckShapes(Name, mean, logVariance);
        Tensor<T> m = mean.As<T>(Name), v = logVariance.As<T>(Name), dm = m.Like(), dv = m.Like();
        return (Evaluate(m.Span, v.Span, m.Shape.Last, reduction, dm.Write(), dv.Write()), dm, dv);
    }

    private static Tensor<T> Apart<T>(Tensor mean, Tensor logVariance) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        EmbeddingRows.CheckShapes(Name, mean, logVariance);
        var m = mean.As<T>(Name);
        var values = m.New<T>(m.Shape.Without(-1));
        PerExample(m.Span, logVariance.As<T>(Name).Span, m.Shape.Last, values.Write());
        return values;
    }

    private static (Tensor, Tensor) Gradients<T>(Tensor dy, Tensor mean, Tensor logVariance) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        EmbeddingRows.CheckShapes(Name, mean, logVariance);
        dy.Expect(mean.Shape.Without(-1), Name);
        Tensor<T> m = mean.As<T>(Name), v = logVariance.As<T>(Name), dm = m.Like(), dv = m.Like();
        Backward(dy.As<T>(Name).Span, m.Span, v.Span, m.Shape.Last, dm.Write(), dv.Write());
        return (dm, dv);
    }

    private struct Term<T> : IRowTerm<T> where T : unmanaged
    {
        public T* Mean;
        public T* LogVariance;
        public T* MeanGradient;
        public T* LogVarianceGradient;
        public long Width;

        public readonly double Row<S>(long row, double factor) where S : struct, ISimd<S, T>
        {
            var at = row * Width;
            T* dm = MeanGradient is null ? null : MeanGradient + at, dv = MeanGradient is null ? null : LogVarianceGradient + at;
            var whole = Width / S.Count * S.Count;
            var sum = Sum<S>(Mean + at, LogVariance + at, dm, dv, whole, factor);
            return whole == Width ? sum : sum + Rest<S>(Mean + at + whole, LogVariance + at + whole, dm is null ? null : dm + whole, dv + whole, Width - whole, factor);
        }

        // Features that do not fill a vector, beside zeros, which add nothing.
        private static double Rest<S>(T* mean, T* logVariance, T* dm, T* dv, long left, double factor) where S : struct, ISimd<S, T>
        {
            var room = stackalloc T[4 * S.Count];
            S.Load(mean, left).Store(room);
            S.Load(logVariance, left).Store(room + S.Count);
            var sum = Sum<S>(room, room + S.Count, dm is null ? null : room + (2 * S.Count), room + (3 * S.Count), S.Count, factor);
            if (dm is not null)
            {
                S.Load(room + (2 * S.Count)).Store(dm, left);
                S.Load(room + (3 * S.Count)).Store(dv, left);
            }

            return sum;
        }

        // e^v - 1 - v is formed of e^v - 1, whose roundings are small where it is; what they leave below 0 is 0.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static double Sum<S>(T* mean, T* logVariance, T* dm, T* dv, long n, double factor) where S : struct, ISimd<S, T>
        {
            S sum = default;
            S slope = S.Create(factor), half = S.Create(0.5);
            for (var i = 0L; i < n; i += S.Count)
            {
                S m = S.Load(mean + i), v = S.Load(logVariance + i);
                var grown = MathVector.ExpM1<T, S>(v);
                sum += S.Fma(m, m, S.Lift(grown - v, 0));
                if (dm is null) continue;
                (m * slope).Store(dm + i);
                (grown * half * slope).Store(dv + i);
            }

            return Reduce.Wide(S.Sum(sum)) / 2;
        }
    }
}

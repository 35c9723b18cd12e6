using DL.Core.Kernels;

namespace DL.Core.Losses;

/// <summary>The triplet loss of one anchor.</summary>
internal unsafe struct TripletTerm<T> : IRowTerm<T> where T : unmanaged
{
    public T* Anchor;
    public T* Positive;
    public T* Negative;
    public T* AnchorGradient;
    public T* PositiveGradient;
    public T* NegativeGradient;
    public long Width;
    public double Margin;

    public readonly double Row<S>(long row, double factor) where S : struct, ISimd<S, T>
    {
        var at = row * Width;
        T* a = Anchor + at, p = Positive + at, n = Negative + at;
        double near = EmbeddingRows.Distance(a, p, Width), far = EmbeddingRows.Distance(a, n, Width);
        var missing = near - far + Margin;
        // NaN is not satisfied, and stays.
        var satisfied = missing <= 0;
        if (AnchorGradient is not null)
        {
            double toPositive = satisfied || near == 0 ? 0 : factor / near, toNegative = satisfied || far == 0 ? 0 : factor / far;
            EmbeddingRows.Along(p, a, toPositive, PositiveGradient + at, Width);
            EmbeddingRows.Along(a, n, toNegative, NegativeGradient + at, Width);
            EmbeddingRows.Against<T, S>(PositiveGradient + at, NegativeGradient + at, AnchorGradient + at, Width);
        }

        return satisfied ? 0 : missing;
    }
}

using DL.Core.Kernels;

namespace DL.Core.Losses;

/// <summary>The contrastive loss of one pair.</summary>
internal unsafe struct ContrastiveTerm<T> : IRowTerm<T> where T : unmanaged
{
    public T* First;
    public T* Second;
    public int* Labels;
    public T* FirstGradient;
    public T* SecondGradient;
    public long Width;
    public double Margin;

    public readonly double Row<S>(long row, double factor) where S : struct, ISimd<S, T>
    {
        T* a = First + (row * Width), b = Second + (row * Width);
        var distance = EmbeddingRows.Distance(a, b, Width);
        var same = Labels[row] == 1;
        // NaN stays: it is no distance beyond the margin.
        var missing = same ? distance : distance >= Margin ? 0 : Margin - distance;
        if (FirstGradient is not null)
        {
            var scale = same ? 1 : distance == 0 ? 0 : -missing / distance;
            EmbeddingRows.Along(a, b, factor * scale, FirstGradient + (row * Width), Width);
            EmbeddingRows.Along(b, a, factor * scale, SecondGradient + (row * Width), Width);
        }

        return missing * missing / 2;
    }
}

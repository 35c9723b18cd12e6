namespace DL.Core.Kernels;

/// <summary>C[m,n] (+)= op(A)[m,k] op(B)[k,n], row-major; a leading dimension is the distance between stored rows.</summary>
internal unsafe struct Product<T>
    where T : unmanaged
{
    internal bool TransposeA, TransposeB;

    /// <summary>Whether the product is added to C; otherwise C is overwritten and its old content never read.</summary>
    internal bool Accumulate;
    internal nint M, N, K, Lda, Ldb, Ldc;
    internal T* A, B, C;

    internal readonly nint ARow => TransposeA ? 1 : Lda;

    internal readonly nint AStep => TransposeA ? Lda : 1;

    /// <summary>Rows [from, to) of the product.</summary>
    internal readonly Product<T> Rows(nint from, nint to)
    {
        var part = this;
        part.M = to - from;
        part.A += from * ARow;
        part.C += from * Ldc;
        return part;
    }

    /// <summary>Columns [from, to) of the product.</summary>
    internal readonly Product<T> Columns(nint from, nint to)
    {
        var part = this;
        part.N = to - from;
        part.B += from * (TransposeB ? Ldb : 1);
        part.C += from;
        return part;
    }

    /// <summary>Settles a product without a single term; false when there is work to do.</summary>
    internal readonly bool Empty()
    {
        if (M != 0 && N != 0 && K != 0)
            return false;
        if (!Accumulate)
            for (nint i = 0; i < M; i++)
                for (nint from = 0; from < N; from += int.MaxValue)
                    new Span<T>(C + i * Ldc + from, (int)Math.Min(N - from, int.MaxValue)).Clear();
        return true;
    }
}

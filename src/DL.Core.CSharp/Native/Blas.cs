using System.Runtime.CompilerServices;

namespace DL.Core.Kernels;

/// <summary>The one place where operations meet an engine: C[m,n] (+)= op(A)[m,k] op(B)[k,n], row-major.</summary>
internal static unsafe class Blas
{
    /// <summary>The engine this thread was told to use instead of the one found at start, or null.</summary>
    [ThreadStatic]
    internal static BlasEngine? Chosen;

    /// <summary>The engine in force on this thread.</summary>
    internal static BlasEngine Engine => Chosen ?? EngineSearch.Result.Engine;

    /// <summary>Every engine this process has, the one found at start first.</summary>
    internal static IReadOnlyList<BlasEngine> Available => EngineSearch.Result.Available;

    /// <summary>Uses <paramref name="engine"/> on this thread, and on the workers it calls, until the scope is disposed.</summary>
    internal static Selection Use(BlasEngine engine)
    {
        var scope = new Selection(Chosen);
        Chosen = engine;
        return scope;
    }

    /// <summary>op(A) is A stored as [m,k], or as [k,m] when <paramref name="transposeA"/>; op(B) likewise. Without <paramref name="accumulate"/> C is overwritten and never read.</summary>
    internal static void Gemm<T>(bool transposeA, bool transposeB, int m, int n, int k, T* a, long lda, T* b, long ldb, bool accumulate, T* c, long ldc)
        where T : unmanaged
    {
        var product = new Product<T>
        {
            TransposeA = transposeA,
            TransposeB = transposeB,
            Accumulate = accumulate,
            M = m,
            N = n,
            K = k,
            Lda = (nint)lda,
            Ldb = (nint)ldb,
            Ldc = (nint)ldc,
            A = a,
            B = b,
            C = c,
        };
        if (typeof(T) == typeof(float))
            Engine.Multiply(Unsafe.As<Product<T>, Product<float>>(ref product));
        else
            Engine.Multiply(Unsafe.As<Product<T>, Product<double>>(ref product));
    }

    /// <summary>Gives the thread back the engine it had.</summary>
    internal readonly ref struct Selection(BlasEngine? before)
    {
        public void Dispose() => Chosen = before;
    }
}

namespace DL.Core.Kernels;

/// <summary>A small product with a known answer, in both precisions and all transpositions, that an engine has to pass before it is used.</summary>
internal static unsafe class EngineTrial
{
    private const int M = 33;
    private const int N = 35;
    private const int K = 37;

    internal static bool Passes(BlasEngine engine)
    {
        for (var form = 0; form < 8; form++)
            if (!Single(engine, (form & 1) != 0, (form & 2) != 0, (form & 4) != 0) || !Double(engine, (form & 1) != 0, (form & 2) != 0, (form & 4) != 0))
                return false;
        engine.Alone = false;
        return true;
    }

    // Small integers, so that every order of additions gives the same exact answer.
    private static int Left(int i, int p) => (i * 3 + p * 5) % 7 - 3;

    private static int Right(int p, int j) => (p * 2 + j * 3) % 5 - 2;

    private static int Answer(int i, int j, bool accumulate)
    {
        var sum = accumulate ? i - j : 0;
        for (var p = 0; p < K; p++)
            sum += Left(i, p) * Right(p, j);
        return sum;
    }

    private static bool Single(BlasEngine engine, bool transposeA, bool transposeB, bool accumulate)
    {
        float* a = stackalloc float[M * K], b = stackalloc float[K * N], c = stackalloc float[M * N];
        for (var p = 0; p < K; p++)
        {
            for (var i = 0; i < M; i++)
                a[transposeA ? p * M + i : i * K + p] = Left(i, p);
            for (var j = 0; j < N; j++)
                b[transposeB ? j * K + p : p * N + j] = Right(p, j);
        }
        for (var i = 0; i < M * N; i++)
            c[i] = accumulate ? i / N - i % N : float.NaN;
        engine.Multiply(Shape(transposeA, transposeB, accumulate, a, b, c));
        for (var i = 0; i < M * N; i++)
            if (c[i] != Answer(i / N, i % N, accumulate))
                return false;
        return true;
    }

    private static bool Double(BlasEngine engine, bool transposeA, bool transposeB, bool accumulate)
    {
        double* a = stackalloc double[M * K], b = stackalloc double[K * N], c = stackalloc double[M * N];
        for (var p = 0; p < K; p++)
        {
            for (var i = 0; i < M; i++)
                a[transposeA ? p * M + i : i * K + p] = Left(i, p);
            for (var j = 0; j < N; j++)
                b[transposeB ? j * K + p : p * N + j] = Right(p, j);
        }
        for (var i = 0; i < M * N; i++)
            c[i] = accumulate ? i / N - i % N : double.NaN;
        engine.Multiply(Shape(transposeA, transposeB, accumulate, a, b, c));
        for (var i = 0; i < M * N; i++)
            if (c[i] != Answer(i / N, i % N, accumulate))
                return false;
        return true;
    }

    private static Product<T> Shape<T>(bool transposeA, bool transposeB, bool accumulate, T* a, T* b, T* c)
        where T : unmanaged => new()
        {
            TransposeA = transposeA,
            TransposeB = transposeB,
            Accumulate = accumulate,
            M = M,
            N = N,
            K = K,
            A = a,
            Lda = transposeA ? M : K,
            B = b,
            Ldb = transposeB ? K : N,
            C = c,
            Ldc = N,
        };
}

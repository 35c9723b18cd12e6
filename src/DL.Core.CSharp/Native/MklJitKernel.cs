using System.Runtime.InteropServices;

namespace DL.Core.Kernels;

/// <summary>Has MKL compile a kernel for one shape and tries it.</summary>
internal static unsafe class MklJitKernel
{
    private const nint RowMajor = 101;
    private const nint NoTranspose = 111;
    private const nint Transpose = 112;
    private const uint NoJitter = 2;

    // Two orders of a short sum often agree by chance.
    private const long OutputsTried = 4096;

    /// <summary>Gives the entry its kernel if one can be made that computes the same bits as the managed kernel.</summary>
    internal static void Make<T>(MklJit.Entry entry, in Product<T> p, nint create, nint get)
        where T : unmanaged
    {
        nint jitter = 0;
        var status = typeof(T) == typeof(float)
            ? ((delegate* unmanaged<nint*, nint, nint, nint, nint, nint, nint, float, nint, nint, float, nint, uint>)create)(
                &jitter, RowMajor, p.TransposeA ? Transpose : NoTranspose, p.TransposeB ? Transpose : NoTranspose, p.M, p.N, p.K, 1, p.Lda, p.Ldb, p.Accumulate ? 1 : 0, p.Ldc)
            : ((delegate* unmanaged<nint*, nint, nint, nint, nint, nint, nint, double, nint, nint, double, nint, uint>)create)(
                &jitter, RowMajor, p.TransposeA ? Transpose : NoTranspose, p.TransposeB ? Transpose : NoTranspose, p.M, p.N, p.K, 1, p.Lda, p.Ldb, p.Accumulate ? 1 : 0, p.Ldc);
        if (status >= NoJitter || jitter == 0)
            return;
        var kernel = ((delegate* unmanaged<nint, nint>)get)(jitter);
        if (kernel == 0 || !SameBits(p, jitter, kernel))
            return;
        entry.Jitter = jitter;
        Volatile.Write(ref entry.Kernel, kernel);
    }

    private static bool SameBits<T>(in Product<T> shape, nint jitter, nint kernel)
        where T : unmanaged
    {
        var sizeA = shape.Lda * (shape.TransposeA ? shape.K : shape.M);
        var sizeB = shape.Ldb * (shape.TransposeB ? shape.N : shape.K);
        var sizeC = shape.Ldc * shape.M;
        var block = (T*)NativeMemory.AlignedAlloc((nuint)((sizeA + sizeB + 2 * sizeC) * sizeof(T)), 64);
        try
        {
            var trial = shape with { A = block, B = block + sizeA, C = block + sizeA + sizeB };
            var other = trial.C + sizeC;
            var state = 1u;
            for (var seen = 0L; seen < OutputsTried; seen += shape.M * shape.N)
            {
                Fill(trial.A, sizeA + sizeB + sizeC, ref state);
                new Span<T>(trial.C, (int)sizeC).CopyTo(new Span<T>(other, (int)sizeC));
                ((delegate* unmanaged<nint, T*, T*, T*, void>)kernel)(jitter, trial.A, trial.B, other);
                if (typeof(T) == typeof(float))
                    ManagedEngine.Run(System.Runtime.CompilerServices.Unsafe.As<Product<T>, Product<float>>(ref trial));
                else
                    ManagedEngine.Run(System.Runtime.CompilerServices.Unsafe.As<Product<T>, Product<double>>(ref trial));
                if (!new ReadOnlySpan<byte>(trial.C, (int)sizeC * sizeof(T)).SequenceEqual(new ReadOnlySpan<byte>(other, (int)sizeC * sizeof(T))))
                    return false;
            }

            return true;
        }
        finally
        {
            NativeMemory.AlignedFree(block);
        }
    }

    // Numbers of many digits, whose sums round differently in every other order; and zeros, whose sign tells what a sum starts from.
    private static void Fill<T>(T* values, nint count, ref uint state)
        where T : unmanaged
    {
        for (nint i = 0; i < count; i++)
        {
            state = state * 1664525u + 1013904223u;
            var value = (state >> 16 & 3) == 0 ? 0 : state / 4294967296.0 - 0.5;
            if (typeof(T) == typeof(float))
                ((float*)values)[i] = (float)value;
            else
                ((double*)values)[i] = value;
        }
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DL.Core.Kernels;

/// <summary>A function along one axis: contiguous when the axis is the last, else of as many neighbouring columns as a vector has lanes.</summary>
internal unsafe interface IAxisKernel<T> where T : unmanaged
{
    /// <summary>One row of n elements.</summary>
    void Row<S>(T* a, T* b, T* c, T* y, long n) where S : struct, ISimd<S, T>;

    /// <summary>Some columns (at most a vector's lanes) of n elements that lie <paramref name="stride"/> apart.</summary>
    void Columns<S>(T* a, T* b, T* c, T* y, long n, long stride, long lanes) where S : struct, ISimd<S, T>;
}

/// <summary>Whether an argument of an axis kernel has the axis or was reduced along it.</summary>
internal enum AxisArgument
{
    Whole,
    Reduced,
}

/// <summary>Runs an axis kernel over an outer x extent x inner array, rows or strips of columns dealt out to the threads.</summary>
internal static unsafe class AxisMap
{
    /// <summary>The forms of the arguments a, b, c and y of a kernel.</summary>
    public readonly record struct Forms(AxisArgument A, AxisArgument B, AxisArgument C, AxisArgument Y);

    public static void Run<T, TKernel>(
        ReadOnlySpan<T> a, ReadOnlySpan<T> b, ReadOnlySpan<T> c, Span<T> y, AxisView view, Forms forms, TKernel kernel)
        where T : unmanaged
        where TKernel : unmanaged, IAxisKernel<T>
    {
        fixed (T* pa = a, pb = b, pc = c, py = y)
        {
            var job = new Job<T, TKernel> { A = pa, B = pb, C = pc, Y = py, View = view, Forms = forms, Kernel = kernel };
            Workers.For(view.Outer, AxisKernels.RowGrain(view), &Job<T, TKernel>.Run, &job);
        }
    }

    private struct Job<T, TKernel>
        where T : unmanaged
        where TKernel : unmanaged, IAxisKernel<T>
    {
        public T* A;
        public T* B;
        public T* C;
        public T* Y;
        public AxisView View;
        public Forms Forms;
        public TKernel Kernel;

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(Job<T, TKernel>*)state;
            if (Vector512.IsHardwareAccelerated) Loop<Simd512<T>>(ref job, from, to);
            else if (Vector256.IsHardwareAccelerated) Loop<Simd256<T>>(ref job, from, to);
            else Loop<Simd128<T>>(ref job, from, to);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Loop<S>(ref Job<T, TKernel> job, long from, long to) where S : struct, ISimd<S, T>
        {
            long extent = job.View.Extent, inner = job.View.Inner;
            for (var o = from; o < to; o++)
            {
                T* a = Start(job.A, job.Forms.A), b = Start(job.B, job.Forms.B), c = Start(job.C, job.Forms.C), y = Start(job.Y, job.Forms.Y);
                if (inner == 1)
                {
                    job.Kernel.Row<S>(a, b, c, y, extent);
                    continue;
                }

                for (var i = 0L; i < inner; i += S.Count)
                    job.Kernel.Columns<S>(a + i, b + i, c + i, y + i, extent, inner, Math.Min(S.Count, inner - i));

                T* Start(T* argument, AxisArgument form) => argument + (o * inner * (form == AxisArgument.Whole ? extent : 1));
            }
        }
    }
}

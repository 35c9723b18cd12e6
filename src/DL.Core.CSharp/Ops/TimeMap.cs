using System.Numerics;
using System.Runtime.Intrinsics;
using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>What is done with one example [T; D] of a batch of sequences, or with what it was reduced to, [D].</summary>
internal unsafe interface ITimeKernel
{
    /// <summary>y from a and b; the first <paramref name="valid"/> of the steps are read, all of y is written.</summary>
    static abstract void Run<T, S>(T* a, T* b, T* y, long steps, long valid, long width)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where S : struct, ISimd<S, T>;
}

/// <summary>Maps over the examples of a batch of sequences [N; T; ..] with their lengths; each is computed by one thread.</summary>
internal static unsafe class TimeMap
{
    /// <summary>Elements under which a second thread costs more than it saves.</summary>
    private const long Grain = 32 * 1024;

    /// <summary>[N; T; ..] from [N; T; ..].</summary>
    public static Tensor Map<TKernel>(string where, Tensor x, int[]? lengths) where TKernel : ITimeKernel =>
        Run<TKernel>(where, x, null, x.Shape, x.Shape, lengths);

    /// <summary>[N; ..] from [N; T; ..].</summary>
    public static Tensor Reduce<TKernel>(string where, Tensor x, int[]? lengths) where TKernel : ITimeKernel
    {
        CheckRank(x.Shape, where);
        return Run<TKernel>(where, x, null, x.Shape, x.Shape.Without(1), lengths);
    }

    /// <summary>[N; T; ..] from dy [N; ..] and, where the kernel asks for it, x [N; T; ..].</summary>
    public static Tensor Spread<TKernel>(string where, Tensor dy, Tensor? x, Shape shape, int[]? lengths) where TKernel : ITimeKernel
    {
        CheckRank(shape, where);
        dy.Expect(shape.Without(1), where);
        return Run<TKernel>(where, dy, x, shape, shape, lengths);
    }

    private static Tensor Run<TKernel>(string where, Tensor a, Tensor? b, Shape whole, Shape result, int[]? lengths) where TKernel : ITimeKernel
    {
        CheckRank(whole, where);
        StepLengths.Check(whole, lengths, where);
        return a.IsDouble(where) ? Run<double, TKernel>(where, a, b, whole, result, lengths) : Run<float, TKernel>(where, a, b, whole, result, lengths);
    }

    private static Tensor<T> Run<T, TKernel>(string where, Tensor a, Tensor? b, Shape whole, Shape result, int[]? lengths)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TKernel : ITimeKernel
    {
        var first = a.As<T>(where);
        var second = b is null ? default : b.As<T>(where).Span;
        var y = first.New<T>(result);
        if (result.Count == 0) return y;
        var examples = whole[0];
        var width = result.Count / (result.Rank == whole.Rank ? (long)examples * whole[1] : examples);
        fixed (T* pa = first.Span, pb = second, py = y.Write())
        fixed (int* pl = lengths)
        {
            var job = new Job<T, TKernel>
            {
                A = pa,
                B = pb,
                Y = py,
                Lengths = pl,
                Steps = whole[1],
                Width = width,
                PerA = a.Count / examples,
                PerY = result.Count / examples,
            };
            Workers.For(examples, Math.Max(1, Grain / Math.Max(1, whole[1] * width)), &Job<T, TKernel>.Run, &job);
        }

        return y;
    }

    private static void CheckRank(Shape shape, string where)
    {
        if (shape.Rank < 2) throw new ShapeException(where, "[examples; steps; ..]", $"{shape}");
    }

    private struct Job<T, TKernel>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TKernel : ITimeKernel
    {
        public T* A;
        public T* B;
        public T* Y;
        public int* Lengths;
        public long Steps;
        public long Width;
        public long PerA;
        public long PerY;

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(Job<T, TKernel>*)state;
            for (var n = from; n < to; n++)
            {
                if (Vector512.IsHardwareAccelerated) job.Example<Simd512<T>>(n);
                else if (Vector256.IsHardwareAccelerated) job.Example<Simd256<T>>(n);
                else job.Example<Simd128<T>>(n);
            }
        }

        private readonly void Example<S>(long n) where S : struct, ISimd<S, T> =>
            TKernel.Run<T, S>(
                A + (n * PerA), B is null ? null : B + (n * Steps * Width), Y + (n * PerY), Steps, Lengths is null ? Steps : Lengths[n], Width);
    }
}

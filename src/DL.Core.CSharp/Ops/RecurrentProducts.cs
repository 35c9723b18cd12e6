using System.Numerics;
using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>The products a recurrent pass does for all steps at once.</summary>
internal static unsafe class RecurrentProducts
{
    /// <summary>The input's rows packed, and their products with the weights.</summary>
    public static void Input<T>(in RecurrentFrame frame, T* x, int inputs, T* weight, int width, T* packed, T* gates)
        where T : unmanaged, INumber<T>
    {
        RecurrentPacking.Pack(frame, x, inputs, packed);
        Multiply(false, false, frame.Rows, width, inputs, packed, inputs, weight, width, false, gates, width);
    }

    /// <summary><c>dx = dz Wᵀ</c>, by way of packed rows.</summary>
    public static void InputGradient<T>(
        string name, RecurrentShape shape, ReadOnlySpan<T> dgates, int width, ReadOnlySpan<T> weight, Span<T> room, Span<T> dx)
        where T : unmanaged, INumber<T>
    {
        RecurrentChecks.Length((long)width * shape.Inputs, weight.Length, $"{name}.Backward weight");
        RecurrentChecks.Length((long)shape.Rows * shape.Inputs, room.Length, $"{name}.Backward room");
        RecurrentChecks.Length((long)shape.Batch * shape.Time * shape.Inputs, dx.Length, $"{name}.Backward dx");
        fixed (int* order = shape.Order, starts = shape.Starts, lengths = shape.Steps)
        fixed (T* pg = dgates, pw = weight, pr = room, px = dx)
        {
            var frame = shape.Frame(order, starts, lengths);
            Multiply(false, true, shape.Rows, shape.Inputs, width, pg, width, pw, width, false, pr, shape.Inputs);
            RecurrentPacking.Unpack(frame, pr, shape.Inputs, px);
        }
    }

    /// <summary>The gradient of a pass's input, from the gradients of its gates.</summary>
    public static Tensor<T> InputGradient<T>(RecurrentPass pass, Tensor<T> dgates, int gates) where T : unmanaged, INumber<T>
    {
        var shape = pass.Shape;
        var room = dgates.New<T>(new Shape(shape.Rows, shape.Inputs));
        var dx = dgates.New<T>(new Shape(shape.Batch, shape.Time, shape.Inputs));
        var weight = RecurrentArguments.Elements<T>(pass.Arguments.Weight);
        InputGradient("Recurrent", shape, dgates.Span, gates * shape.Hidden, weight, room.Write(), dx.Write());
        room.Return();
        return dx;
    }

    /// <summary><c>dW (+)= xᵀ da</c> and <c>dR (+)= hᵀ da</c> over the packed rows of all steps, h the states before them.</summary>
    public static void WeightGradients<T>(
        RecurrentShape shape, T* x, T* h, T* dgates, int width, bool accumulate, T* dweight, T* drecurrent) where T : unmanaged, INumber<T>
    {
        Multiply(true, false, shape.Inputs, width, shape.Rows, x, shape.Inputs, dgates, width, accumulate, dweight, width);
        Multiply(true, false, shape.Hidden, width, shape.Rows, h, shape.Hidden, dgates, width, accumulate, drecurrent, width);
    }

    /// <summary>C[m,n] (+)= op(A)[m,k] op(B)[k,n]; engines are spared products without a term.</summary>
    public static void Multiply<T>(
        bool transposeA, bool transposeB, int m, int n, int k, T* a, int lda, T* b, int ldb, bool accumulate, T* c, int ldc) where T : unmanaged
    {
        if (!new Product<T> { Accumulate = accumulate, M = m, N = n, K = k, C = c, Ldc = ldc }.Empty())
            Blas.Gemm(transposeA, transposeB, m, n, k, a, lda, b, ldb, accumulate, c, ldc);
    }

    /// <summary>A bias, or zeros, as the kernels read it.</summary>
    public static void Bias<T>(ReadOnlySpan<T> bias, T* target, int width) where T : unmanaged
    {
        var to = new Span<T>(target, width);
        if (bias.Length == 0) to.Clear();
        else bias.CopyTo(to);
    }

    /// <summary>Packs the factor of the steps' products into this thread's working memory, where the steps repay it.</summary>
    public static void Pack<T>(in RecurrentFrame frame, ref RecurrentProduct<T> factor) where T : unmanaged, INumber<T>
    {
        var bytes = factor.Bytes(frame);
        if (bytes > 0) factor.Pack(Scratch.Right(bytes));
    }

    /// <summary>Packs both factors of the steps' products.</summary>
    public static void Pack<T>(in RecurrentFrame frame, ref RecurrentProduct<T> first, ref RecurrentProduct<T> second) where T : unmanaged, INumber<T>
    {
        var bytes = first.Bytes(frame);
        if (bytes == 0) return;
        var room = (byte*)Scratch.Right(bytes + second.Bytes(frame));
        first.Pack(room);
        second.Pack(room + bytes);
    }
}

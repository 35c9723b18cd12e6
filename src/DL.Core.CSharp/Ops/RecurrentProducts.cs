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
        Blas.Gemm(false, false, frame.Rows, width, inputs, packed, inputs, weight, width, false, gates, width);
    }

    /// <summary><c>dx = dz Wᵀ</c>, by way of packed rows.</summary>
    public static void InputGradient<T>(
        string name, RecurrentShape shape, ReadOnlySpan<T> dgates, int width, ReadOnlySpan<T> weight, Span<T> room, Span<T> dx)
        where T : unmanaged, INumber<T>
    {
        RecurrentArguments.Length((long)shape.Rows * shape.Inputs, room.Length, $"{name}.Backward room");
        RecurrentArguments.Length((long)shape.Batch * shape.Time * shape.Inputs, dx.Length, $"{name}.Backward dx");
        fixed (int* order = shape.Order, starts = shape.Starts, lengths = shape.Steps)
        fixed (T* pg = dgates, pw = weight, pr = room, px = dx)
        {
            var frame = shape.Frame(order, starts, lengths);
            Blas.Gemm(false, true, shape.Rows, shape.Inputs, width, pg, width, pw, width, false, pr, shape.Inputs);
            RecurrentPacking.Unpack(frame, pr, shape.Inputs, px);
        }
    }

    /// <summary>A bias, or zeros, as the kernels read it.</summary>
    public static void Bias<T>(ReadOnlySpan<T> bias, T* target, int width) where T : unmanaged
    {
        var to = new Span<T>(target, width);
        if (bias.Length == 0) to.Clear();
        else bias.CopyTo(to);
    }

    /// <summary>Packs the factors of the steps' products into this thread's working memory, where the steps repay it.</summary>
    public static void Pack<T>(in RecurrentFrame frame, ref RecurrentProduct<T> first) where T : unmanaged, INumber<T>
    {
        var bytes = first.Bytes(frame);
        if (bytes > 0) first.Pack(Scratch.Right(bytes));
    }
}

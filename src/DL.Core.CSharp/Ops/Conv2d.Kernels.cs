using System.Numerics;
using DL.Core.Kernels;

namespace DL.Core.Ops;

public static unsafe partial class Conv2d
{
    // The places of a window's rows lie on the stack.
    private const int MostSpreadRows = 256;

    private const long TallPixels = 2048;
    private const int TallOutputs = 128;

    private static void Forward<T>(
        Form form, ReadOnlySpan<T> x, Tensor<T> filter, ReadOnlySpan<T> bias, Activation activation, bool exact, Span<T> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var weight = filter.Span;
        if (form.Pointwise)
        {
            Linear.Forward(x, filter, bias, activation, form.Images * form.Height * form.Width, y);
            return;
        }

        if (Planar<T>(form))
        {
            fixed (T* px = x, pw = weight, py = y) ConvPlanes.Forward(Spreading(form), px, pw, bias, activation, form.Images, py);
            return;
        }

        var transformed = Transformed<T>(form, exact);
        var keeper = filter.HeldBy is { } numbers ? KeptWeights.Of(numbers) : null;
        var place = new PackedPlace(keeper, keeper is null ? null : new Layout(form.Window, form.Height, form.Width, form.Groups, transformed));
        fixed (T* px = x, pw = weight, py = y)
        {
            if (transformed)
            {
                fixed (T* pb = bias) Winograd.Forward(Shapes(form), (float*)px, (float*)pw, (float*)pb, activation, (float*)py, place);
                return;
            }

            var taps = WindowTaps.Forward(form.Window, form.Height, form.Width, form.Rows, form.Columns);
            if (form.Depthwise)
            {
                ConvDepthwise.Run(taps, px, pw, bias, activation, form.Channels, form.Images, py);
            }
            else
            {
                ConvDirect.Run(taps, px, Weights(form, pw, false), bias, activation, form.Images, py, place);
            }
        }
    }

    private static void BackwardInput<T>(Form form, ReadOnlySpan<T> dz, ReadOnlySpan<T> weight, bool exact, Span<T> dx)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (form.Pointwise)
        {
            Linear.BackwardInput(dz, weight, form.Images * form.Height * form.Width, dx);
            return;
        }

        if (form.Groups == 1 && form.Outputs > 0 && form.Window.DilationWidth == 1 && form.Window.Height <= MostSpreadRows
            && ConvSpread.Suits<T>(form.Channels, form.Window.Height * form.Window.Width))
        {
            fixed (T* pdz = dz, pw = weight, pdx = dx) ConvSpread.Run(Spreading(form), pdz, pw, form.Images, pdx);
            return;
        }

        var parts = WindowTaps.Backward(form.Window, form.Height, form.Width, form.Rows, form.Columns);
        if (WindowTaps.LeavesGaps(form.Window, form.Height, form.Width)) dx.Clear();
        fixed (T* pdz = dz, pw = weight, pdx = dx)
        {
            if (Transformed<T>(form, exact))
            {
                Winograd.BackwardInput(Shapes(form), (float*)pdz, (float*)pw, (float*)pdx);
                return;
            }

            foreach (var part in parts)
            {
                if (form.Depthwise) ConvDepthwise.Run(part, pdz, pw, default, Activation.Identity, form.Channels, form.Images, pdx);
                else ConvDirect.Run(part, pdz, Weights(form, pw, true), default, Activation.Identity, form.Images, pdx);
            }
        }
    }

    private static void BackwardWeight<T>(Form form, ReadOnlySpan<T> x, ReadOnlySpan<T> dz, bool exact, Span<T> dweight)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (form.Pointwise && !Tall(form))
        {
            dweight.Clear();
            Linear.BackwardParameters(x, dz, form.Images * form.Height * form.Width, dweight, default);
            return;
        }

        if (Planar<T>(form))
        {
            fixed (T* px = x, pdz = dz) ConvPlanes.Gradient(Spreading(form), px, pdz, form.Images, dweight);
            return;
        }

        var taps = WindowTaps.Forward(form.Window, form.Height, form.Width, form.Rows, form.Columns);
        fixed (T* px = x, pdz = dz, pw = dweight)
        {
            if (Transformed<T>(form, exact)) Winograd.BackwardWeight(Shapes(form), (float*)px, (float*)pdz, false, (float*)pw);
            else if (form.Depthwise) ConvDepthwise.Gradient(taps, px, pdz, form.Channels, form.Images, pw);
            else ConvGradient.Run(taps, px, pdz, form.Groups, form.Inputs, form.Outputs, form.Images, pw);
        }
    }

    // Many pixels of few outputs are summed where they lie; a matrix product would copy them first.
    private static bool Tall(Form form) => form.Images > 1 && form.Height * (long)form.Width >= TallPixels && form.Outputs <= TallOutputs;

    private static bool Planar<T>(Form form) where T : unmanaged =>
        form.Groups == 1 && form.Window.DilationWidth == 1 && ConvPlanes.Suits<T>(Spreading(form));

    /// <summary>What weights, as they are laid out for the kernels, depend on besides their numbers.</summary>
    private sealed record Layout(Window Window, int Height, int Width, int Groups, bool Transformed);

    // Float64 is for those who ask for every digit.
    private static bool Transformed<T>(Form form, bool exact) where T : unmanaged =>
        typeof(T) == typeof(float) && !exact && form.Groups == 1
        && form.Window is { Height: 3, Width: 3, StrideHeight: 1, StrideWidth: 1, DilationHeight: 1, DilationWidth: 1 }
        && Winograd.Suits(form.Channels, form.Outputs, form.Images, form.Rows, form.Columns);

    private static SpreadShape Spreading(Form form) => new()
    {
        Height = form.Height,
        Width = form.Width,
        Channels = form.Channels,
        Outputs = form.Outputs,
        Rows = form.Rows,
        Columns = form.Columns,
        TapsHigh = form.Window.Height,
        TapsWide = form.Window.Width,
        StrideHeight = form.Window.StrideHeight,
        StrideWidth = form.Window.StrideWidth,
        DilationHeight = form.Window.DilationHeight,
        PadTop = form.Window.PadTop,
        PadLeft = form.Window.PadLeft,
    };

    private static WinogradForm Shapes(Form form) => new(
        form.Images, form.Height, form.Width, form.Channels, form.Outputs, form.Rows, form.Columns, form.Window.PadTop, form.Window.PadLeft);

    private static ConvWeights<T> Weights<T>(Form form, T* weight, bool transposed) where T : unmanaged => new()
    {
        Weight = weight,
        Groups = form.Groups,
        Inputs = form.Inputs,
        Outputs = form.Outputs,
        Transposed = transposed,
    };
}

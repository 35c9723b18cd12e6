namespace DL.Core;

/// <summary>Contiguous blocks moved between tensors that differ in one axis.</summary>
internal static class Blocks
{
    /// <summary>Positions of one axis from <paramref name="from"/> on, as many as the result's shape has.</summary>
    public static Tensor Cut(Tensor x, AxisView view, int from, Shape shape) => x switch
    {
        Tensor<float> single => Cut(single, view, from, shape),
        Tensor<double> wide => Cut(wide, view, from, shape),
        _ => Cut(x.As<int>("Slice"), view, from, shape),
    };

    /// <summary>x among constants along one axis.</summary>
    public static Tensor Surround(Tensor x, AxisView view, int before, double value, Shape shape) => x switch
    {
        Tensor<float> single => Surround(single, view, before, (float)value, shape),
        Tensor<double> wide => Surround(wide, view, before, value, shape),
        _ => Surround(x.As<int>("Pad"), view, before, (int)value, shape),
    };

    /// <summary>The parts one after the other along one axis.</summary>
    public static Tensor Join(Tensor[] parts, int axis, Shape shape) => parts[0] switch
    {
        Tensor<float> single => Join(single, parts, axis, shape),
        Tensor<double> wide => Join(wide, parts, axis, shape),
        _ => Join(parts[0].As<int>("Concat"), parts, axis, shape),
    };

    private static Tensor<T> Cut<T>(Tensor<T> x, AxisView view, int from, Shape shape) where T : unmanaged
    {
        var y = x.New<T>(shape);
        Copy(x.Span, view.Extent * view.Inner, from * view.Inner, y.Write(), view.Outer == 0 ? 0 : y.Count / view.Outer, 0, view.Outer, -1);
        return y;
    }

    private static Tensor<T> Surround<T>(Tensor<T> x, AxisView view, int before, T value, Shape shape) where T : unmanaged
    {
        var y = x.New<T>(shape);
        var to = y.Write();
        to.Fill(value);
        var width = view.Outer == 0 ? 0 : y.Count / view.Outer;
        Copy(x.Span, view.Extent * view.Inner, 0, to, width, before * view.Inner, view.Outer, view.Extent * view.Inner);
        return y;
    }

    private static Tensor<T> Join<T>(Tensor<T> first, Tensor[] parts, int axis, Shape shape) where T : unmanaged
    {
        var y = first.New<T>(shape);
        var whole = AxisView.Of(shape, axis);
        var at = 0;
        foreach (var part in parts)
        {
            var view = AxisView.Of(part.Shape, axis);
            var width = view.Extent * view.Inner;
            Copy(part.As<T>("Concat").Span, width, 0, y.Write(), whole.Extent * whole.Inner, at, view.Outer, width);
            at += width;
        }

        return y;
    }

    // Rows of one matrix into rows of another, each from its own offset; a length of -1 is the width of the target.
    private static void Copy<T>(ReadOnlySpan<T> from, int fromWidth, int fromOffset, Span<T> to, int toWidth, int toOffset, int rows, int length)
    {
        var run = length < 0 ? toWidth : length;
        if (run == 0) return;
        for (var r = 0; r < rows; r++) from.Slice((r * fromWidth) + fromOffset, run).CopyTo(to.Slice((r * toWidth) + toOffset, run));
    }
}

using System.Numerics;
using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>What all poolings over images share: shapes, checks, and the way to the kernels.</summary>
internal sealed unsafe record PoolForm(string Name, Shape Input, PoolAxis Rows, PoolAxis Columns)
{
    private Shape Output => new(Input[0], Rows.Spans.Length, Columns.Spans.Length, Input[3]);

    /// <summary>A window that moves.</summary>
    public static PoolForm Moving(string name, Shape input, Window window, bool ceil, bool countPadding)
    {
        CheckRank(name, input);
        var (rows, columns) = window.Positions(input[1], input[2], name, ceil);
        var tall = PoolAxis.Moving(
            input[1], rows, window.Height, window.StrideHeight, window.PadTop, window.PadBottom, window.DilationHeight, countPadding);
        var wide = PoolAxis.Moving(
            input[2], columns, window.Width, window.StrideWidth, window.PadLeft, window.PadRight, window.DilationWidth, countPadding);
        if (tall is null || wide is null)
            throw new InvalidArgumentException(name, "padding that leaves every window a number of the image", $"{window} over {input}", "less padding");
        return new(name, input, tall, wide);
    }

    /// <summary>Windows that share an image out evenly.</summary>
    public static PoolForm Adaptive(string name, Shape input, int rows, int columns)
    {
        CheckRank(name, input);
        if (Math.Min(rows, columns) < 1) throw new InvalidArgumentException(name, "at least one row and one column", $"{rows} x {columns}");
        if (Math.Min(input[1], input[2]) < 1) throw new ShapeException(name, "images of at least one pixel", $"{input}");
        return new(name, input, PoolAxis.Adaptive(input[1], rows), PoolAxis.Adaptive(input[2], columns));
    }

    public Tensor Forward<TSingle, TDouble>(Tensor x)
        where TSingle : unmanaged, IPool<float>
        where TDouble : unmanaged, IPool<double> =>
        x.IsDouble(Name) ? Pool<double, TDouble>(x.As<double>(Name)) : Pool<float, TSingle>(x.As<float>(Name));

    public Tensor Backward<TSingle, TDouble>(Tensor dy, Tensor? x)
        where TSingle : unmanaged, IPool<float>
        where TDouble : unmanaged, IPool<double>
    {
        dy.Expect(Output, Name);
        return dy.IsDouble(Name) ? Spread<double, TDouble>(dy, x) : Spread<float, TSingle>(dy, x);
    }

    private Tensor Pool<T, TPool>(Tensor<T> x)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TPool : unmanaged, IPool<T>
    {
        var y = x.New<T>(Output);
        fixed (T* px = x.Span, py = y.Write())
            Pooling.Forward<T, TPool>(Rows, Columns, px, Input[0], Input[1], Input[2], Input[3], py);
        return y;
    }

    private Tensor Spread<T, TPool>(Tensor gradient, Tensor? input)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TPool : unmanaged, IPool<T>
    {
        var dy = gradient.As<T>(Name);
        var dx = dy.New<T>(Input);
        fixed (T* pdy = dy.Span, px = input is null ? dx.Span : input.As<T>(Name).Span, pdx = dx.Write())
            Pooling.Backward<T, TPool>(Rows, Columns, pdy, px, Input[0], Input[1], Input[2], Input[3], pdx);
        return dx;
    }

    private static void CheckRank(string name, Shape input)
    {
        if (input.Rank != 4) throw new ShapeException(name, "images [N; height; width; channels]", $"{input}");
    }
}

namespace DL.Core.Ops;

/// <summary>The window of a convolution or a pooling over images: its size, how far it moves, what is put around the image, and how far its taps lie apart.</summary>
/// <remarks>An axis of <c>n</c> gives <c>floor((n + before + after - dilation (size - 1) - 1) / stride) + 1</c> positions.</remarks>
/// <param name="Height">The taps in height, at least 1.</param>
/// <param name="Width">The taps in width, at least 1.</param>
public sealed record Window(int Height, int Width)
{
    /// <summary>Rows from one position to the next, at least 1.</summary>
    public int StrideHeight { get; init; } = 1;

    /// <summary>Columns from one position to the next, at least 1.</summary>
    public int StrideWidth { get; init; } = 1;

    /// <summary>Rows put above the image.</summary>
    public int PadTop { get; init; }

    /// <summary>Rows put below the image.</summary>
    public int PadBottom { get; init; }

    /// <summary>Columns put to the left of the image.</summary>
    public int PadLeft { get; init; }

    /// <summary>Columns put to the right of the image.</summary>
    public int PadRight { get; init; }

    /// <summary>Rows from one tap to the next, at least 1.</summary>
    public int DilationHeight { get; init; } = 1;

    /// <summary>Columns from one tap to the next, at least 1.</summary>
    public int DilationWidth { get; init; } = 1;

    /// <summary>A square window, moved and padded alike in height and width.</summary>
    /// <param name="side">Taps on each side.</param>
    /// <param name="stride">From one position to the next.</param>
    /// <param name="pad">Rows and columns put around the image.</param>
    /// <param name="dilation">From one tap to the next.</param>
    public static Window Square(int side, int stride = 1, int pad = 0, int dilation = 1) => new(side, side)
    {
        StrideHeight = stride,
        StrideWidth = stride,
        PadTop = pad,
        PadBottom = pad,
        PadLeft = pad,
        PadRight = pad,
        DilationHeight = dilation,
        DilationWidth = dilation,
    };

    /// <summary>The rows the window spans.</summary>
    internal long SpanHeight => ((Height - 1L) * DilationHeight) + 1;

    /// <summary>The columns the window spans.</summary>
    internal long SpanWidth => ((Width - 1L) * DilationWidth) + 1;

    /// <summary>The positions of the window over an image of this size.</summary>
    /// <param name="height">The rows of the image.</param>
    /// <param name="width">The columns of the image.</param>
    /// <param name="where">Who asks.</param>
    /// <param name="ceil">Whether a last position that reaches past the padded image counts too, as long as it starts inside the image or the padding before it.</param>
    /// <exception cref="InvalidArgumentException">A size, stride or dilation is below 1, or a padding below 0.</exception>
    /// <exception cref="ShapeException">The window is larger than the padded image.</exception>
    internal (int Height, int Width) Positions(int height, int width, string where, bool ceil = false)
    {
        Check(where);
        var (tall, wide) = ((long)height + PadTop + PadBottom, (long)width + PadLeft + PadRight);
        if (tall < SpanHeight || wide < SpanWidth)
            throw new ShapeException(where, $"an image of at least {SpanHeight} x {SpanWidth} with its padding", $"{tall} x {wide}", "Take a smaller window or more padding.");
        if (Math.Max(tall, wide) > int.MaxValue) throw new ShapeException(where, $"a padded image of at most {int.MaxValue} rows and columns", $"{tall} x {wide}");
        return (Count(tall, SpanHeight, StrideHeight, ceil, height + (long)PadTop), Count(wide, SpanWidth, StrideWidth, ceil, width + (long)PadLeft));
    }

    private static int Count(long padded, long span, int stride, bool ceil, long startsBelow)
    {
        var last = (padded - span) / stride;
        if (ceil && (padded - span) % stride != 0 && (last + 1) * stride < startsBelow) last++;
        return (int)last + 1;
    }

    /// <summary>Checks what holds for any image.</summary>
    internal void Check(string where)
    {
        if (Math.Min(Math.Min(Height, Width), Math.Min(Math.Min(StrideHeight, StrideWidth), Math.Min(DilationHeight, DilationWidth))) < 1)
            throw new InvalidArgumentException(where, "a window, strides and dilations of at least 1", $"{this}");
        if (Math.Min(Math.Min(PadTop, PadBottom), Math.Min(PadLeft, PadRight)) < 0)
            throw new InvalidArgumentException(where, "paddings of at least 0", $"{this}");
    }
}

using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>The taps of a window, as the kernels of convolutions take them.</summary>
internal static class WindowTaps
{
    /// <summary>The convolution of an image by a window, with rows x columns outputs.</summary>
    public static ConvTaps Forward(Window window, int height, int width, int rows, int columns)
    {
        var taps = new ConvTap[window.Height * window.Width];
        for (var u = 0; u < window.Height; u++)
            for (var v = 0; v < window.Width; v++)
            {
                var index = (u * window.Width) + v;
                taps[index] = new((u * window.DilationHeight) - window.PadTop, (v * window.DilationWidth) - window.PadLeft, index);
            }

        return new(
            new ConvGrid
            {
                Height = height,
                Width = width,
                StrideHeight = window.StrideHeight,
                StrideWidth = window.StrideWidth,
                Rows = rows,
                Columns = columns,
                StepRow = 1,
                StepColumn = 1,
                OutHeight = rows,
                OutWidth = columns,
            },
            taps);
    }

    /// <summary>The gradient of the image: for every residue of the stride that a tap reads a convolution of the output's gradient, which has rows x columns
    /// pixels. Pixels of other residues are in no window.</summary>
    public static ConvTaps[] Backward(Window window, int height, int width, int rows, int columns)
    {
        var parts = new List<ConvTaps>();
        foreach (var a in Residues(window.Height, window.DilationHeight, window.PadTop, window.StrideHeight, height))
            foreach (var b in Residues(window.Width, window.DilationWidth, window.PadLeft, window.StrideWidth, width))
                parts.Add(new(
                    new ConvGrid
                    {
                        Height = rows,
                        Width = columns,
                        StrideHeight = 1,
                        StrideWidth = 1,
                        Rows = ((height - 1 - a) / window.StrideHeight) + 1,
                        Columns = ((width - 1 - b) / window.StrideWidth) + 1,
                        StepRow = window.StrideHeight,
                        StepColumn = window.StrideWidth,
                        FirstRow = a,
                        FirstColumn = b,
                        OutHeight = height,
                        OutWidth = width,
                    },
                    Taps(window, a, b)));
        return [.. parts];
    }

    /// <summary>Whether some pixel of the image is in no window.</summary>
    public static bool LeavesGaps(Window window, int height, int width) =>
        Residues(window.Height, window.DilationHeight, window.PadTop, window.StrideHeight, height).Count < Math.Min(window.StrideHeight, height)
        || Residues(window.Width, window.DilationWidth, window.PadLeft, window.StrideWidth, width).Count < Math.Min(window.StrideWidth, width);

    private static SortedSet<int> Residues(int taps, int dilation, int before, int stride, int extent)
    {
        var residues = new SortedSet<int>();
        for (var tap = 0L; tap < taps; tap++)
        {
            var residue = (((tap * dilation) - before) % stride + stride) % stride;
            if (residue < extent) residues.Add((int)residue);
        }

        return residues;
    }

    // Seen from an input pixel the last taps of the window come first: in this order they read on in memory.
    private static ConvTap[] Taps(Window window, int a, int b)
    {
        var taps = new List<ConvTap>();
        for (var u = window.Height - 1; u >= 0; u--)
            for (var v = window.Width - 1; v >= 0; v--)
            {
                var (row, column) = (a + window.PadTop - (u * window.DilationHeight), b + window.PadLeft - (v * window.DilationWidth));
                if (row % window.StrideHeight == 0 && column % window.StrideWidth == 0)
                    taps.Add(new(row / window.StrideHeight, column / window.StrideWidth, (u * window.Width) + v));
            }

        return [.. taps];
    }
}

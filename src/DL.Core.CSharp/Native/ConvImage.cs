namespace DL.Core.Kernels;

/// <summary>An image as the taps of some rows of positions read it: in place where all of it lies inside, else a copy among zeros.</summary>
internal unsafe struct ConvImage<T>
    where T : unmanaged
{
    /// <summary>Where a tap at row 0 and column 0 reads at the first position.</summary>
    public T* Origin;

    /// <summary>Elements from one row to the next.</summary>
    public long Pitch;

    /// <summary>Elements that a copy for so many rows of positions takes.</summary>
    public static long Room(in ConvGrid grid, long rows, long channels) => grid.Inside ? 0 : grid.RowsRead(rows) * grid.ColumnsRead * channels;

    /// <summary>The image for <paramref name="rows"/> rows of positions from <paramref name="first"/> on.</summary>
    public static ConvImage<T> Of(in ConvGrid grid, T* image, long channels, long first, long rows, T* copy)
    {
        if (grid.Inside)
            return new() { Origin = image + (first * grid.StrideHeight * grid.Width * channels), Pitch = grid.Width * channels };
        var pitch = grid.ColumnsRead * channels;
        var top = (first * grid.StrideHeight) + grid.MinRow;
        for (var row = 0L; row < grid.RowsRead(rows); row++)
            CopyRow(grid, image, channels, top + row, copy + (row * pitch), pitch);
        return new() { Origin = copy - (grid.MinRow * pitch) - (grid.MinColumn * channels), Pitch = pitch };
    }

    private static void CopyRow(in ConvGrid grid, T* image, long channels, long row, T* target, long pitch)
    {
        var columns = grid.ColumnsRead;
        long from = Math.Clamp(-(long)grid.MinColumn, 0, columns), to = Math.Clamp((long)grid.Width - grid.MinColumn, 0, columns);
        if (row < 0 || row >= grid.Height || to <= from)
        {
            Clear(target, pitch);
            return;
        }

        var source = image + (((row * grid.Width) + grid.MinColumn + from) * channels);
        var bytes = (to - from) * channels * sizeof(T);
        Clear(target, from * channels);
        Buffer.MemoryCopy(source, target + (from * channels), bytes, bytes);
        Clear(target + (to * channels), (columns - to) * channels);
    }

    private static void Clear(T* target, long count) => System.Runtime.InteropServices.NativeMemory.Clear(target, (nuint)(count * sizeof(T)));
}

using System.Runtime.CompilerServices;

namespace DL.Core.Kernels;

/// <summary>An image as planes, one a channel, whose rows lie equally far apart with zeros beside them: then a tap of a window is a distance.</summary>
internal readonly unsafe struct ConvPlaneLayout<T>(SpreadShape shape)
    where T : unmanaged
{
    public readonly SpreadShape Shape = shape;

    /// <summary>From one row of a plane to the next.</summary>
    public readonly int Pitch = shape.Columns + shape.TapsWide - 1;

    /// <summary>The positions of one plane, in whole vectors of any width.</summary>
    public long Length => ((Shape.Rows * (long)Pitch) + 15) & ~15L;

    /// <summary>From the plane of one channel to the next: the positions, and what the last vector of them reads past it.</summary>
    public long Plane => Length + ((Shape.TapsHigh + 1L) * Pitch) + 16;

    /// <summary>Lays out one image in planes that begin above and left of it; what lies beside the image is left as it is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Lay(T* x, T* pixels)
    {
        for (var i = 0; i < Shape.Rows + Shape.TapsHigh - 1; i++)
        {
            var row = i - Shape.PadTop;
            if (row < 0 || row >= Shape.Height) continue;
            for (var c = 0; c < Shape.Channels; c++)
            {
                var to = pixels + (c * Plane) + (i * (long)Pitch) + Shape.PadLeft;
                var source = x + ((long)row * Shape.Width * Shape.Channels) + c;
                var columns = Math.Min(Shape.Width, Pitch - Shape.PadLeft);
                for (var j = 0L; j < columns; j++) to[j] = source[j * Shape.Channels];
            }
        }
    }
}

namespace DL.Core.Ops;

/// <summary>Which pixels of an axis of <c>n</c> a pixel <c>i</c> of an axis of <c>m</c> is made of, see <see cref="Upsample2d"/>.</summary>
public enum Interpolation
{
    /// <summary>The pixel at <c>floor(i n / m)</c>.</summary>
    Nearest,

    /// <summary>The two pixels around <c>s = max(0, (i + 1/2) n / m - 1/2)</c>, by how near they are: pixels are areas, and the borders of both images coincide.</summary>
    Bilinear,

    /// <summary>The two pixels around <c>s = i (n - 1) / (m - 1)</c>, 0 where m is 1: pixels are points, and the corners of both images coincide.</summary>
    BilinearCorners,
}

using static System.FormattableString;

namespace DL.Core.Data;

/// <summary>An image: numbers from 0 to 1, row by row from the top, the channels of a pixel next to each other.</summary>
public sealed class Picture
{
    /// <summary>The image of given pixels, which are not copied.</summary>
    /// <param name="pixels">[height; width; channels].</param>
    /// <param name="height">The number of rows, at least 1.</param>
    /// <param name="width">The number of columns, at least 1.</param>
    /// <param name="channels">1 for gray, 2 for gray and opacity, 3 for red, green and blue, 4 for these and opacity.</param>
    /// <exception cref="InvalidArgumentException">A size is out of range.</exception>
    /// <exception cref="ShapeException">There are not height * width * channels numbers.</exception>
    public Picture(float[] pixels, int height, int width, int channels)
    {
        if (height < 1 || width < 1 || channels is < 1 or > 4)
            throw new InvalidArgumentException("Picture", "at least one row and column, and 1 to 4 channels", Invariant($"{height} x {width} x {channels}"));
        if ((long)height * width * channels != pixels.Length)
            throw new ShapeException("Picture", Invariant($"{(long)height * width * channels} numbers, for {height} x {width} x {channels}"), Invariant($"{pixels.Length}"));
        (Pixels, Height, Width, Channels) = (pixels, height, width, channels);
    }

    /// <summary>The pixels, [height; width; channels].</summary>
    public float[] Pixels { get; }

    /// <summary>The number of rows.</summary>
    public int Height { get; }

    /// <summary>The number of columns.</summary>
    public int Width { get; }

    /// <summary>The numbers of a pixel: 1 for gray, 2 for gray and opacity, 3 for red, green and blue, 4 for these and opacity.</summary>
    public int Channels { get; }

    /// <summary>This image without its opacity; itself if it has none.</summary>
    public Picture Opaque()
    {
        if (Channels is 1 or 3) return this;
        var opaque = new float[Height * Width * (Channels - 1)];
        for (var i = 0; i < Height * Width; i++) Array.Copy(Pixels, i * Channels, opaque, i * (Channels - 1), Channels - 1);
        return new(opaque, Height, Width, Channels - 1);
    }

    /// <summary>The pixels as bytes, <c>round(255 x)</c>, as <see cref="Formats.Png"/> takes them; what is beyond [0, 1] is clipped.</summary>
    public byte[] ToBytes() => Array.ConvertAll(Pixels, x => (byte)Math.Clamp(Math.Round(255.0 * x), 0, 255));
}

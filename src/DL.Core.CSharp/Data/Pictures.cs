using DL.Core.Formats;
using static System.FormattableString;

namespace DL.Core.Data;

/// <summary>Reads images: PNG of every kind, and PGM and PPM, plain or raw.</summary>
/// <remarks>W3C, Portable Network Graphics (PNG) specification, third edition, 2025. J. Poskanzer, Netpbm: the formats P2, P3, P5 and P6.</remarks>
public static class Pictures
{
    /// <summary>Reads an image from a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="limits">How much may be read, <see cref="ReadLimits.Default"/> if null; MaxElements bounds the numbers of an image.</param>
    /// <exception cref="DataFormatException">The file cannot be read, is no image of these formats, is damaged, cut short, too large, or goes on after its end.</exception>
    /// <exception cref="InvalidArgumentException">The path is empty.</exception>
    public static Picture Read(string path, ReadLimits? limits = null) => Decode(FileBytes.Read(path, limits), path, limits ?? ReadLimits.Default);

    /// <summary>Reads an image from a stream, to its end; the stream stays open.</summary>
    /// <param name="stream">The image's bytes.</param>
    /// <param name="limits">How much may be read, <see cref="ReadLimits.Default"/> if null; MaxElements bounds the numbers of an image.</param>
    /// <param name="source">What errors call the stream.</param>
    /// <exception cref="DataFormatException">It is no image of these formats, is damaged, cut short, too large, or goes on after its end.</exception>
    /// <exception cref="InvalidArgumentException">The stream cannot be read.</exception>
    public static Picture Read(Stream stream, ReadLimits? limits = null, string source = "stream") =>
        Decode(FileBytes.Read(stream, limits, source), source, limits ?? ReadLimits.Default);

    /// <summary>Reads images of one size, without their opacity.</summary>
    /// <param name="paths">The files, at least one.</param>
    /// <param name="limits">How much may be read of each, <see cref="ReadLimits.Default"/> if null.</param>
    /// <returns>float32, [n; height; width; channels].</returns>
    /// <exception cref="DataFormatException">As <see cref="Read(string, ReadLimits?)"/>, or an image has another size or other channels than the first.</exception>
    /// <exception cref="InvalidArgumentException">There is no path, or an empty one.</exception>
    public static Tensor<float> ReadAll(IReadOnlyList<string> paths, ReadLimits? limits = null)
    {
        if (paths.Count == 0) throw new InvalidArgumentException("Pictures.ReadAll, paths", "at least one file", "none");
        var first = Read(paths[0], limits).Opaque();
        var images = Tensor<float>.OnHeap(new Shape(paths.Count, first.Height, first.Width, first.Channels));
        first.Pixels.CopyTo(images.Write());
        for (var i = 1; i < paths.Count; i++)
        {
            var next = Read(paths[i], limits).Opaque();
            if ((next.Height, next.Width, next.Channels) != (first.Height, first.Width, first.Channels))
                throw new DataFormatException(paths[i], Invariant($"{first.Height} x {first.Width} x {first.Channels} as {paths[0]}"), Invariant($"{next.Height} x {next.Width} x {next.Channels}"));
            next.Pixels.CopyTo(images.Write()[(i * first.Pixels.Length)..]);
        }

        return images;
    }

    private static Picture Decode(byte[] file, string source, ReadLimits limits) => file switch
    {
        [0x89, (byte)'P', (byte)'N', (byte)'G', ..] => PngReader.Read(file, source, limits),
        [(byte)'P', (byte)'2' or (byte)'3' or (byte)'5' or (byte)'6', ..] => new PnmReader(file, source, limits).Read(),
        _ => throw new DataFormatException($"{source}, byte 0", "an image: PNG, PGM (P2, P5) or PPM (P3, P6)", file.Length == 0 ? "nothing" : Convert.ToHexStringLower(file.AsSpan(0, Math.Min(8, file.Length)))),
    };

    /// <summary>Fails for sizes that are not of an image, or of one that is too large.</summary>
    internal static void CheckSize(string where, long height, long width, int channels, ReadLimits limits)
    {
        if (height < 1 || width < 1) throw new DataFormatException(where, "at least one row and one column", Invariant($"{height} x {width}"));
        // Divided, since a product of three could be more than 64 bits.
        if (height > Math.Min(limits.MaxElements, Array.MaxLength) / channels / width)
            throw new DataFormatException(where, Invariant($"at most {limits.MaxElements} numbers"), Invariant($"{height} x {width} x {channels}"), "Raise ReadLimits.MaxElements if you trust the source.");
    }
}

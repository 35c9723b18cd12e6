namespace DL.Core.Kernels;

/// <summary>How a convolution is shared out: its images, their rows of positions and its outputs, each in so many parts of about one size.</summary>
/// <remarks>Rows of one image are cut only where there are more rows than fit, or too few images for the threads.</remarks>
internal readonly record struct ConvParts(long Images, long Rows, long Outputs)
{
    // What a part reads of the images and makes stays in the second-level cache.
    private const long PartBytes = 1 << 20;

    // With so many images for each thread, one more or less makes no difference.
    private const long ManyImages = 8;

    /// <summary>All parts.</summary>
    public long Count => Images * Rows * Outputs;

    /// <summary>The parts of <paramref name="images"/> images of <paramref name="rows"/> rows.</summary>
    /// <param name="images">At least one.</param>
    /// <param name="rows">At least one.</param>
    /// <param name="rowBytes">What a row of positions reads and makes.</param>
    /// <param name="weightBytes">All weights.</param>
    /// <param name="strips">The most parts that the outputs can be cut into.</param>
    public static ConvParts Of(long images, long rows, long rowBytes, long weightBytes, long strips)
    {
        long threads = Workers.Parallelism, imageBytes = Math.Max(1, rows * rowBytes);
        // Threads that share few pixels would each read all weights; these are more to read.
        if (images * imageBytes <= Math.Min(PartBytes, weightBytes) && strips >= threads)
            return new(1, 1, threads);
        var most = Math.Clamp(PartBytes / Math.Max(1, rowBytes), 1, rows);
        if (images % threads != 0 && images < ManyImages * threads)
            most = Math.Min(most, Math.Max(1, rows / (2 * threads)));
        if (most < rows)
            return new(images, Parts(rows, most), 1);
        // Images of few positions go together, so that weights are read once for several.
        var together = Parts(images, Math.Max(1, PartBytes / imageBytes));
        return new(Math.Min(images, Parts(together, threads) * threads), 1, 1);
    }

    /// <summary>The bounds of one of <paramref name="parts"/> parts of <paramref name="total"/>.</summary>
    public static (long From, long To) Range(long total, long parts, long part) => (total * part / parts, total * (part + 1) / parts);

    private static long Parts(long total, long most) => (total + most - 1) / most;
}

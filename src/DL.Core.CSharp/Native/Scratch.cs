
namespace DL.Core.Kernels;

/// <summary>Work space of one thread for the packed parts of a product: aligned native memory that grows on demand and lives as long as its thread.</summary>
internal sealed unsafe class Scratch
{
    // Kernels may store up to a vector past the part they fill.
    private const int Slack = 256;

    [ThreadStatic]
    private static Scratch? current;

    private void* left;
    private void* right;
    private nuint leftSize;
    private nuint rightSize;

    private Scratch() { }

    ~Scratch()
    {
        AlignedMemory.Free(left);
        AlignedMemory.Free(right);
    }

    /// <summary>Room for <paramref name="bytes"/> of the packed left factor; the content is whatever was there.</summary>
    internal static void* Left(long bytes)
    {
        var scratch = current ??= new Scratch();
        return (nuint)bytes + Slack <= scratch.leftSize ? scratch.left : Grow(ref scratch.left, ref scratch.leftSize, bytes);
    }

    /// <summary>Room for <paramref name="bytes"/> of the packed right factor; the content is whatever was there.</summary>
    internal static void* Right(long bytes)
    {
        var scratch = current ??= new Scratch();
        return (nuint)bytes + Slack <= scratch.rightSize ? scratch.right : Grow(ref scratch.right, ref scratch.rightSize, bytes);
    }

    private static void* Grow(ref void* block, ref nuint size, long bytes)
    {
        var wanted = ((nuint)bytes + Slack + 4095) & ~(nuint)4095;
        AlignedMemory.Free(block);
        block = null;
        size = 0;
        block = AlignedMemory.Allocate(wanted);
        size = wanted;
        return block;
    }
}

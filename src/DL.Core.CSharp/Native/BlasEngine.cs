namespace DL.Core.Kernels;

/// <summary>One implementation of the matrix product in both precisions.</summary>
internal abstract class BlasEngine
{
    /// <summary>Up to so many multiplications the call of a native library costs more than the product.</summary>
    protected const long TinyWork = 4096;

    internal abstract string Name { get; }

    internal abstract string Version { get; }

    /// <summary>The file it was loaded from, or the empty string.</summary>
    internal abstract string Library { get; }

    internal abstract void Multiply(in Product<float> product);

    internal abstract void Multiply(in Product<double> product);
}

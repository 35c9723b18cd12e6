using System.Runtime.Intrinsics;

namespace DL.Core.Kernels;

/// <summary>The kernels of this library, which need nothing installed.</summary>
internal sealed class ManagedEngine : BlasEngine
{
    internal static readonly ManagedEngine Instance = new();

    private ManagedEngine() { }

    internal override string Name => "managed";

    internal override string Version => typeof(ManagedEngine).Assembly.GetName().Version?.ToString(3) ?? "";

    internal override string Library => "";

    internal static int VectorBits => Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : Vector128.IsHardwareAccelerated ? 128 : 64;

    internal override bool Leaves<T>(in Product<T> product) => true;

    internal override void Multiply(in Product<float> product) => Run(product);

    internal override void Multiply(in Product<double> product) => Run(product);

    internal static void Run(in Product<float> product)
    {
        if (Vector512.IsHardwareAccelerated)
            GemmManaged.Run<Lanes512<float>, float>(product);
        else
            GemmManaged.Run<Lanes256<float>, float>(product);
    }

    internal static void Run(in Product<double> product)
    {
        if (Vector512.IsHardwareAccelerated)
            GemmManaged.Run<Lanes512<double>, double>(product);
        else
            GemmManaged.Run<Lanes256<double>, double>(product);
    }
}

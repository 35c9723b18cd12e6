using System.Runtime.InteropServices;
using System.Text;

namespace DL.Core.Kernels;

/// <summary>Intel's Math Kernel Library through its runtime mkl_rt, sequential: the threads are those of <see cref="Workers"/>.</summary>
internal sealed unsafe class MklEngine : CblasEngine
{
    private const int SequentialLayer = 1;

    private readonly MklJit jit;

    private MklEngine(nint library, string path)
        : base(library, path, divisible: true)
    {
        Version = ReadVersion(library);
        jit = new MklJit(library);
    }

    internal override string Name => "mkl";

    internal override string Version { get; }

    /// <summary>Sets the sequential layer and takes the library; otherwise says why it cannot be used.</summary>
    /// <remarks>The default layer ends the process when the OpenMP runtime it wants is absent, so nothing else may be called before.</remarks>
    internal static MklEngine? TryOpen(nint library, string path, out string reason)
    {
        reason = "";
        if (!NativeLibrary.TryGetExport(library, "MKL_Set_Threading_Layer", out var setLayer)
            || !NativeLibrary.TryGetExport(library, "cblas_sgemm", out _)
            || !NativeLibrary.TryGetExport(library, "cblas_dgemm", out _))
            reason = "a part of MKL, not its runtime mkl_rt";
        else if (MissingPart(path) is { } part)
            reason = $"{part}, which it needs, is not beside it";
        else if (((delegate* unmanaged<int, int>)setLayer)(SequentialLayer) is var layer and not SequentialLayer)
            reason = $"its threading layer {layer} is in force already";
        else
            return new MklEngine(library, path);
        return null;
    }

    internal override void Multiply(in Product<float> product)
    {
        if (Alone || !jit.TryMultiply(product))
            base.Multiply(product);
    }

    internal override void Multiply(in Product<double> product)
    {
        if (Alone || !jit.TryMultiply(product))
            base.Multiply(product);
    }

    // A runtime without its parts does not report that: it ends the process.
    private static string? MissingPart(string path)
    {
        var folder = Path.GetDirectoryName(path) ?? "";
        var prefix = OperatingSystem.IsWindows() ? "" : "lib";
        string[] endings = OperatingSystem.IsWindows() ? [".dll", ".1.dll", ".2.dll"]
            : OperatingSystem.IsMacOS() ? [".dylib", ".1.dylib", ".2.dylib"]
            : [".so", ".so.1", ".so.2", ".so.3"];
        string[] parts = ["mkl_core", "mkl_sequential"];
        return Array.Find(parts, part => !Array.Exists(endings, ending => File.Exists(Path.Combine(folder, prefix + part + ending))));
    }

    private static string ReadVersion(nint library)
    {
        if (!NativeLibrary.TryGetExport(library, "MKL_Get_Version_String", out var read))
            return "";
        const int Length = 256;
        var text = stackalloc byte[Length + 1];
        new Span<byte>(text, Length + 1).Clear();
        ((delegate* unmanaged<byte*, int, void>)read)(text, Length);
        return Encoding.ASCII.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text)).Trim();
    }
}

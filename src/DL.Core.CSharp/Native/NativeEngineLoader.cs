using System.Diagnostics;
using System.Runtime.InteropServices;

namespace DL.Core.Kernels;

/// <summary>Loads one library and takes it as an engine only after it has multiplied correctly.</summary>
internal static unsafe class NativeEngineLoader
{
    /// <summary>The engine in the library at a path or of a name, or null; <paramref name="outcome"/> says what it is or why it is not used.</summary>
    internal static BlasEngine? Open(string place, out string outcome)
    {
        if (Load(place, out outcome) is not { } library)
            return null;
        var engine = Recognize(library, place, out outcome);
        if (engine is null)
        {
            // Not one of its functions was called yet, and left in place it would stand in for another of its name.
            NativeLibrary.Free(library);
            return null;
        }
        var passes = EngineTrial.Passes(engine);
        outcome = passes ? $"used as {engine.Name}" : "it computes a small known product wrongly";
        return passes ? engine : null;
    }

    private static BlasEngine? Recognize(nint library, string place, out string outcome)
    {
        outcome = "it has neither cblas_sgemm nor s_matrix_multiply";
        if (!NativeLibrary.TryGetExport(library, "cblas_sgemm", out var function) && !NativeLibrary.TryGetExport(library, "s_matrix_multiply", out function))
            return null;
        var path = FileOf(function) ?? place;
        if (NativeLibrary.TryGetExport(library, "MKL_Get_Version_String", out _))
            return MklEngine.TryOpen(library, path, out outcome);
        outcome = "it has only one of the two precisions";
        return (BlasEngine?)CblasEngine.TryOpen(library, path) ?? MathNetEngine.TryOpen(library, path);
    }

    private static nint? Load(string place, out string outcome)
    {
        outcome = "not found";
        var exists = File.Exists(place);
        if (exists && OperatingSystem.IsLinux() && (ElfFile.Fault(place) ?? BindingFault(place)) is { } fault)
        {
            outcome = $"not a library this process can load: {fault}";
            return null;
        }
        try
        {
            return NativeLibrary.Load(place, typeof(NativeEngineLoader).Assembly, null);
        }
        catch (Exception error) when (error is DllNotFoundException or BadImageFormatException)
        {
            if (exists)
                outcome = $"not a library this process can load: {error.Message.Trim().Split('\n')[^1].Trim()}";
            return null;
        }
    }

    // The loader binds a function when it is first called, and ends the process if it is missing; asked to bind all at once it only refuses.
    private static string? BindingFault(string path)
    {
        if (!NativeLibrary.TryLoad("libc.so.6", out var c)
            || !NativeLibrary.TryGetExport(c, "dlopen", out var open)
            || !NativeLibrary.TryGetExport(c, "dlclose", out var close)
            || !NativeLibrary.TryGetExport(c, "dlerror", out var lastError))
            return null;
        const int BindNow = 2;
        var text = Marshal.StringToCoTaskMemUTF8(path);
        var handle = ((delegate* unmanaged<nint, int, nint>)open)(text, BindNow);
        Marshal.FreeCoTaskMem(text);
        if (handle == 0)
            return Marshal.PtrToStringUTF8(((delegate* unmanaged<nint>)lastError)()) ?? "a function it needs is missing";
        _ = ((delegate* unmanaged<nint, int>)close)(handle);
        return null;
    }

    private static string? FileOf(nint address)
    {
        using var process = Process.GetCurrentProcess();
        foreach (ProcessModule module in process.Modules)
            if (address >= module.BaseAddress && address < module.BaseAddress + module.ModuleMemorySize)
                return module.FileName;
        return null;
    }
}

using System.Diagnostics;
using System.Runtime.InteropServices;

namespace DL.Core.Kernels;

/// <summary>Loads one library and takes it as an engine only after it has multiplied correctly.</summary>
internal static unsafe class NativeEngineLoader
{
    /// <summary>The engine in the library, or null; <paramref name="outcome"/> says what it is or why it is not used.</summary>
    internal static BlasEngine? Open(string name, out string outcome)
    {
        var place = File.Exists(name) ? Path.GetFullPath(name) : name;
        if (!Resolvable(place, out outcome) || !Load(place, out var library, out outcome))
            return null;
        var engine = Recognize(library, place, out outcome);
        if (engine is null)
            return null;
        if (!EngineTrial.Passes(engine))
        {
            outcome = "it computes a small known product wrongly";
            return null;
        }
        outcome = $"used as {engine.Name}";
        return engine;
    }

    private static BlasEngine? Recognize(nint library, string place, out string outcome)
    {
        outcome = "";
        nint? export = null;
        foreach (var symbol in (ReadOnlySpan<string>)["cblas_sgemm", "s_matrix_multiply"])
            if (NativeLibrary.TryGetExport(library, symbol, out var address))
                export ??= address;
        if (export is null)
        {
            outcome = "it has neither cblas_sgemm and cblas_dgemm nor s_matrix_multiply and d_matrix_multiply";
            return null;
        }
        var path = FileOf(export.Value) ?? place;
        if (NativeLibrary.TryGetExport(library, "MKL_Get_Version_String", out _) && NativeLibrary.TryGetExport(library, "cblas_sgemm", out _))
            return MklEngine.TryOpen(library, path, out outcome);
        outcome = "it has only one of the two precisions";
        return (BlasEngine?)CblasEngine.TryOpen(library, path) ?? MathNetEngine.TryOpen(library, path);
    }

    private static bool Load(string place, out nint library, out string outcome)
    {
        outcome = "";
        library = 0;
        try
        {
            library = NativeLibrary.Load(place, typeof(NativeEngineLoader).Assembly, null);
            return true;
        }
        catch (Exception error) when (error is DllNotFoundException or BadImageFormatException)
        {
            outcome = File.Exists(place) ? $"not a library this process can load ({LastLine(error.Message)})" : "not found";
            return false;
        }
    }

    // The loader binds functions when they are first called and ends the process if one is missing; asked to bind all at once it only refuses.
    private static bool Resolvable(string place, out string outcome)
    {
        outcome = "";
        if (!OperatingSystem.IsLinux() || !File.Exists(place)
            || !NativeLibrary.TryLoad("libc.so.6", out var c) || !NativeLibrary.TryGetExport(c, "dlopen", out var open))
            return true;
        const int BindNow = 2;
        var text = Marshal.StringToCoTaskMemUTF8(place);
        var handle = ((delegate* unmanaged<nint, int, nint>)open)(text, BindNow);
        Marshal.FreeCoTaskMem(text);
        if (handle != 0)
            return true;
        var error = NativeLibrary.TryGetExport(c, "dlerror", out var last) ? Marshal.PtrToStringUTF8(((delegate* unmanaged<nint>)last)()) : null;
        outcome = $"not a library this process can load ({error ?? "no reason given"})";
        return false;
    }

    private static string LastLine(string message) => message.Trim().Split('\n')[^1].Trim();

    private static string? FileOf(nint address)
    {
        using var process = Process.GetCurrentProcess();
        foreach (ProcessModule module in process.Modules)
            if (address >= module.BaseAddress && address < module.BaseAddress + module.ModuleMemorySize)
                return module.FileName;
        return null;
    }
}

using System.Runtime.InteropServices;

namespace DL.Core.Kernels;

/// <summary>Looks once for the engines of this process: DL_BLAS, then MKL, then MathNet's provider, then the managed kernels, which are always there.</summary>
internal sealed class EngineSearch
{
    internal static readonly EngineSearch Result = new();

    private readonly List<BlasEngine> available = [];
    private readonly List<NativeAttempt> tried = [];
    private readonly List<string> complaints = [];

    private EngineSearch()
    {
        var forced = Environment.GetEnvironmentVariable("DL_ENGINE")?.Trim() ?? "";
        if (forced is not ("" or "managed" or "mkl"))
        {
            complaints.Add($"DL_ENGINE is '{forced}', expected managed or mkl; it is ignored");
            forced = "";
        }
        if (forced == "managed")
            tried.Add(new NativeAttempt("native libraries", "not tried: DL_ENGINE is managed"));
        else
            SearchNative(forced == "mkl");
        available.Add(ManagedEngine.Instance);
        tried.Add(new NativeAttempt(ManagedEngine.Instance.Name, available.Count == 1 ? "used" : "present"));
        if (Workers.RejectedSetting is { } setting)
            complaints.Add($"DL_THREADS is '{setting}', expected a number from 1 to {Workers.MaxThreads}; it is ignored");
        if (complaints.Count > 0)
            Console.Error.WriteLine($"DL: {string.Join("; ", complaints)}. The engine is {Engine.Name}.");
    }

    internal BlasEngine Engine => available[0];

    internal IReadOnlyList<BlasEngine> Available => available;

    internal IReadOnlyList<NativeAttempt> Tried => tried;

    private static string[] MklNames => OperatingSystem.IsWindows() ? ["mkl_rt.2.dll", "mkl_rt.1.dll", "mkl_rt.dll"]
        : OperatingSystem.IsMacOS() ? ["libmkl_rt.2.dylib", "libmkl_rt.dylib"]
        : ["libmkl_rt.so.3", "libmkl_rt.so.2", "libmkl_rt.so.1", "libmkl_rt.so"];

    private static string MathNetName => OperatingSystem.IsWindows() ? "libMathNetNumericsMKL.dll"
        : OperatingSystem.IsMacOS() ? "libMathNetNumericsMKL.dylib"
        : "libMathNetNumericsMKL.so";

    private void SearchNative(bool onlyMkl)
    {
        // The C calling convention of this system packs arguments on the stack, which the calls here do not.
        if (OperatingSystem.IsMacOS() && RuntimeInformation.ProcessArchitecture == Architecture.Arm64)
        {
            tried.Add(new NativeAttempt("native libraries", "not tried: macOS on arm64 is served by the managed engine"));
            return;
        }
        var path = Environment.GetEnvironmentVariable("DL_BLAS")?.Trim() ?? "";
        if (path.Length > 0 && !Try(File.Exists(path) ? Path.GetFullPath(path) : path, _ => true))
            complaints.Add($"DL_BLAS is '{path}', which cannot be used: {tried[^1].Outcome}");
        if (available.Count > 0)
            return;
        foreach (var name in MklNames)
            if (Try(name, engine => engine is MklEngine))
                return;
        if (onlyMkl)
            complaints.Add("DL_ENGINE is mkl, but MKL's runtime mkl_rt was not found");
        else
            Try(MathNetName, engine => engine is MathNetEngine);
    }

    private bool Try(string name, Func<BlasEngine, bool> accept)
    {
        var engine = NativeEngineLoader.Open(name, out var outcome);
        if (engine is not null && !accept(engine))
            (outcome, engine) = ($"not what the name says but {engine.Name}", null);
        tried.Add(new NativeAttempt(name, outcome));
        if (engine is null)
            return false;
        available.Add(engine);
        return true;
    }
}

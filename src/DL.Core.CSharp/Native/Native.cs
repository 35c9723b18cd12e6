using DL.Core.Kernels;

namespace DL.Core;

/// <summary>The engine underneath: which one was found, how many threads it uses, and everything that was tried.</summary>
/// <remarks>
/// <c>DL_BLAS</c> names a library to try first, <c>DL_ENGINE</c> (<c>managed</c> or <c>mkl</c>) forces one, <c>DL_THREADS</c> sets the number of threads.
/// A missing or broken library never ends the process: the managed engine needs nothing installed. Under every engine the managed kernels
/// compute the products they are as fast at; a library gets the larger ones.
/// </remarks>
public static class Native
{
    /// <summary>The name of the engine in use: <c>managed</c>, <c>mkl</c>, <c>mathnet</c> or <c>cblas</c>.</summary>
    public static string Engine => Blas.Engine.Name;

    /// <summary>The number of threads work is cut over, the calling one included; no result depends on it.</summary>
    /// <exception cref="InvalidArgumentException">The number is below 1 or above 1024.</exception>
    public static int Threads
    {
        get => Workers.Threads;
        set => Workers.Threads = value;
    }

    /// <summary>Engine, version, threads, vector width, treatment of denormals and every library that was tried.</summary>
    public static NativeReport Describe()
    {
        var engine = Blas.Engine;
        return new NativeReport(
            engine.Name,
            engine.Version,
            engine.Library,
            Workers.Threads,
            ManagedEngine.VectorBits,
            Denormals.Method,
            EngineSearch.Result.Tried);
    }
}

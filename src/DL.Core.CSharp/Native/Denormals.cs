namespace DL.Core.Kernels;

/// <summary>Flushes denormal numbers to zero on the calling thread: they cost a hundred times a normal number and carry no weight in training.</summary>
/// <remarks>Code compiled just in time inside a scope sees its own denormal constants as zero: keep such constants out of it.</remarks>
internal static class Denormals
{
    [ThreadStatic]
    private static bool flushing;

    /// <summary>Whether this thread flushes denormals at the moment.</summary>
    internal static bool Flushing => flushing;

    /// <summary>How denormals are flushed here, or why they are not.</summary>
    internal static string Method => FloatingPointControl.Instance?.Name ?? "not flushed: this system offers no way to set the mode";

    /// <summary>Flushes denormals on this thread until the scope is disposed; scopes nest.</summary>
    internal static Scope Flush()
    {
        var scope = new Scope(flushing);
        Set(true);
        return scope;
    }

    /// <summary>Sets the mode of this thread; nothing is called when it is set already.</summary>
    internal static void Set(bool flush)
    {
        if (flushing == flush || FloatingPointControl.Instance is not { } control)
            return;
        control.SetFlush(flush);
        flushing = flush;
    }

    /// <summary>Gives the thread back the mode it had.</summary>
    internal readonly ref struct Scope(bool before)
    {
        public void Dispose() => Set(before);
    }
}

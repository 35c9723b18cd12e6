namespace DL.Core;

/// <summary>The arena a thread's predictions run in, kept from one to the next.</summary>
/// <remarks>A prediction within a prediction gets none and runs on the garbage-collected heap.</remarks>
internal sealed class Workspace
{
    // A thread that predicts no more should not hold on to more than this.
    private const long MostKept = 256L << 20;

    [ThreadStatic]
    private static Workspace? current;

    private Arena _arena = new();
    private bool _busy;

    /// <summary>The thread's arena, until <see cref="Leave"/>; null if a prediction is under way on this thread.</summary>
    public static Arena? Enter()
    {
        var workspace = current ??= new();
        if (workspace._busy) return null;
        workspace._busy = true;
        workspace._arena.Reusing = true;
        return workspace._arena;
    }

    /// <summary>Ends what <see cref="Enter"/> began.</summary>
    public static void Leave()
    {
        var workspace = current!;
        workspace._busy = false;
        workspace._arena.Reset();
        if (workspace._arena.Held <= MostKept) return;
        workspace._arena.Dispose();
        workspace._arena = new();
    }
}

using DL.Core.Kernels;

namespace DL.Core;

/// <summary>What holds on the calling thread during a training step: denormals are flushed to zero where the processor allows it.</summary>
internal static class StepScope
{
    /// <summary>Begins a step.</summary>
    /// <returns>What held before, for <see cref="Leave"/>.</returns>
    public static bool Enter()
    {
        var before = Denormals.Flushing;
        Denormals.Set(true);
        return before;
    }

    /// <summary>Ends a step: the thread gets back what held before.</summary>
    public static void Leave(bool before) => Denormals.Set(before);
}

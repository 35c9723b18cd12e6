namespace DL.Core.Kernels;

/// <summary>Counts the changes of tensors in place, so that nothing derived from their numbers is used past one.</summary>
internal static class Changes
{
    private static long _count;

    /// <summary>The number of changes so far, of any tensor on the garbage-collected heap.</summary>
    public static long Count => Volatile.Read(ref _count);

    /// <summary>One more.</summary>
    public static void Add() => Interlocked.Increment(ref _count);
}

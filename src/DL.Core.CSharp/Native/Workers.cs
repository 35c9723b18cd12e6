namespace DL.Core.Kernels;

internal static unsafe class Workers
{
    public static void For(long count, long grain, delegate*<void*, long, long, void> body, void* state)
    {
        if (count > 0) body(state, 0, Math.Max(count, Math.Min(grain, 0)));
    }
}

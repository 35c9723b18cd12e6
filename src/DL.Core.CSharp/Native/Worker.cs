using System.Runtime.InteropServices;

namespace DL.Core.Kernels;

/// <summary>One background thread that spins a bounded time for its next part and then sleeps until it is woken.</summary>
internal sealed class Worker
{
    // Long enough to bridge the serial stretches of a training step, short enough that an idle process costs nothing.
    private static readonly long SpinTicks = System.Diagnostics.Stopwatch.Frequency / 5_000;

    private readonly SemaphoreSlim wake = new(0);
    private Exception? failure;
    private Flags flags;

    internal Worker(int index)
    {
        var thread = new Thread(Loop, 16 << 20) { IsBackground = true, Name = $"DL worker {index + 1}" };
        thread.Start();
    }

    /// <summary>Hands part number <paramref name="part"/> (at least 1) to the thread.</summary>
    internal void Start(int part)
    {
        Volatile.Write(ref flags.Part, part);
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref flags.Parked) != 0 && Interlocked.Exchange(ref flags.Parked, 0) != 0)
            wake.Release();
    }

    /// <summary>Waits until the part is done and gives the exception it ended with, if any.</summary>
    internal Exception? Join()
    {
        if (!Crowded)
            for (var spins = 0; spins < 20_000 && Volatile.Read(ref flags.Part) != 0; spins++)
                Thread.SpinWait(1);
        while (Volatile.Read(ref flags.Part) != 0)
            Thread.Yield();
        var result = failure;
        failure = null;
        return result;
    }

    // With more threads than processors a spinning thread takes the time of the one it waits for.
    private static bool Crowded => Workers.Threads > Environment.ProcessorCount;

    private void Loop()
    {
        while (true)
        {
            Await();
            try
            {
                Workers.RunPart(flags.Part);
            }
            catch (Exception error)
            {
                failure = error;
            }
            Volatile.Write(ref flags.Part, 0);
        }
    }

    private void Await()
    {
        var start = System.Diagnostics.Stopwatch.GetTimestamp();
        while (Volatile.Read(ref flags.Part) == 0)
        {
            for (var spins = 0; spins < 64 && Volatile.Read(ref flags.Part) == 0; spins++)
                Thread.SpinWait(1);
            if (Crowded)
                Thread.Yield();
            if (System.Diagnostics.Stopwatch.GetTimestamp() - start > SpinTicks)
                Park();
        }
    }

    private void Park()
    {
        Volatile.Write(ref flags.Parked, 1);
        Interlocked.MemoryBarrier();
        // Whoever takes the mark back decides: the caller has released the semaphore, or nobody has and nobody will.
        if (Volatile.Read(ref flags.Part) == 0 || Interlocked.Exchange(ref flags.Parked, 0) == 0)
            wake.Wait();
    }

    // A cache line of its own on both sides: the two flags are written by different threads at a high rate.
    [StructLayout(LayoutKind.Explicit, Size = 384)]
    private struct Flags
    {
        [FieldOffset(128)]
        internal int Part;

        [FieldOffset(256)]
        internal int Parked;
    }
}

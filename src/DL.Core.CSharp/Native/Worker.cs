using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DL.Core.Kernels;

/// <summary>One background thread that spins a bounded time for its next part and then sleeps until it is woken.</summary>
internal sealed unsafe class Worker
{
    // Long enough to bridge the serial stretches of a training step, short enough that an idle process costs nothing.
    private static readonly long SpinTicks = Stopwatch.Frequency / 5_000;

    // What Ready says beside zero: done, or nothing to do.
    private const int Offered = 1;
    private const int Taken = 2;

    private readonly SemaphoreSlim wake = new(0);
    private readonly Slot* slot;
    private BlasEngine? engine;
    private Exception? failure;

    internal Worker(int index)
    {
        slot = (Slot*)NativeMemory.AlignedAlloc((nuint)sizeof(Slot), 128);
        *slot = default;
        new Thread(Loop, 16 << 20) { IsBackground = true, Name = $"DL worker {index + 1}" }.Start();
    }

    // With more threads than processors a spinning thread takes the time of the one it waits for.
    private static bool Crowded => Workers.Threads > Environment.ProcessorCount;

    /// <summary>Hands [from, to) of a job to the thread, to be run under the settings given.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void Start(delegate*<void*, long, long, void> body, void* state, long from, long to, bool flush, BlasEngine? chosen)
    {
        if (engine != chosen)
            engine = chosen;
        slot->Body = body;
        slot->State = state;
        slot->From = from;
        slot->To = to;
        slot->Flush = flush ? 1 : 0;
        Volatile.Write(ref slot->Ready, Offered);
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref slot->Parked) != 0 && Interlocked.Exchange(ref slot->Parked, 0) != 0)
            wake.Release();
    }

    /// <summary>Sees to it that the part is done and gives the exception it ended with, if any.</summary>
    /// <remarks>A part the thread has not begun, since it sleeps or has no processor, is done here: waiting for it could take a thousand times as long.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal Exception? Join()
    {
        if (Volatile.Read(ref slot->Ready) == Offered && Interlocked.CompareExchange(ref slot->Ready, 0, Offered) == Offered)
            return RunHere();
        if (!Crowded)
            for (var looks = 0; looks < 20_000 && Volatile.Read(ref slot->Ready) != 0; looks++)
                Pause(looks);
        while (Volatile.Read(ref slot->Ready) != 0)
            Thread.Yield();
        if (failure is null)
            return null;
        var result = failure;
        failure = null;
        return result;
    }

    private Exception? RunHere()
    {
        try
        {
            Workers.RunInside(slot->Body, slot->State, slot->From, slot->To);
            return null;
        }
        catch (Exception error)
        {
            return error;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Loop()
    {
        while (true)
        {
            Await();
            if (Interlocked.CompareExchange(ref slot->Ready, Taken, Offered) != Offered)
                continue;
            try
            {
                Denormals.Set(slot->Flush != 0);
                Blas.Chosen = engine;
                Workers.RunInside(slot->Body, slot->State, slot->From, slot->To);
            }
            catch (Exception error)
            {
                failure = error;
            }
            Volatile.Write(ref slot->Ready, 0);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Await()
    {
        var start = Stopwatch.GetTimestamp();
        while (Volatile.Read(ref slot->Ready) == 0)
        {
            for (var looks = 0; looks < 512 && Volatile.Read(ref slot->Ready) == 0; looks++)
                Pause(looks);
            if (Crowded)
                Thread.Yield();
            if (Stopwatch.GetTimestamp() - start > SpinTicks)
                Park();
        }
    }

    // A pause takes up to 40 ns, longer than the hand-over itself, so most looks come without one.
    private static void Pause(int looks)
    {
        if ((looks & 15) == 15)
            Thread.SpinWait(1);
    }

    private void Park()
    {
        Volatile.Write(ref slot->Parked, 1);
        Interlocked.MemoryBarrier();
        // Whoever takes the mark back decides: the caller has released the semaphore, or nobody has and nobody will.
        if (Volatile.Read(ref slot->Ready) == 0 || Interlocked.Exchange(ref slot->Parked, 0) == 0)
            wake.Wait();
    }

    // All that goes to the thread lies in one cache line, and what comes from it while it sleeps in another.
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Slot
    {
        [FieldOffset(0)]
        internal int Ready;

        [FieldOffset(4)]
        internal int Flush;

        [FieldOffset(8)]
        internal delegate*<void*, long, long, void> Body;

        [FieldOffset(16)]
        internal void* State;

        [FieldOffset(24)]
        internal long From;

        [FieldOffset(32)]
        internal long To;

        [FieldOffset(128)]
        internal int Parked;
    }
}

using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace DL.Core.Kernels;

/// <summary>The one pool of threads of the library: a range is cut into contiguous parts, the caller runs the first.</summary>
/// <remarks>A call from inside a part, or while another thread uses the pool, runs serially on its own thread, so it never waits for itself.</remarks>
internal static unsafe class Workers
{
    internal const int MaxThreads = 1024;

    private static readonly Worker?[] Pool = new Worker?[MaxThreads];
    private static readonly Lock Growth = new();
    private static int threads = InitialThreads();
    private static int busy;

    [ThreadStatic]
    private static bool inside;

    /// <summary>The text of <c>DL_THREADS</c> when it is no number from 1 to 1024, else null.</summary>
    internal static string? RejectedSetting { get; private set; }

    internal static int Threads
    {
        get => Volatile.Read(ref threads);
        set
        {
            if (value is < 1 or > MaxThreads)
                throw new InvalidArgumentException("Native.Threads", $"a number from 1 to {MaxThreads}", value.ToString(CultureInfo.InvariantCulture));
            Volatile.Write(ref threads, value);
        }
    }

    /// <summary>How many parts a call made here and now would be cut into at most.</summary>
    internal static int Parallelism => inside ? 1 : Volatile.Read(ref threads);

    /// <summary>Runs <paramref name="body"/> over [0, count) in at most <see cref="Threads"/> parts, each a multiple of <paramref name="grain"/> but the last.</summary>
    internal static void For(long count, long grain, delegate*<void*, long, long, void> body, void* state)
    {
        if (count <= 0)
            return;
        grain = Math.Max(grain, 1);
        var grains = (count - 1) / grain + 1;
        var parts = Math.Min(Parallelism, grains);
        if (parts <= 1 || Interlocked.CompareExchange(ref busy, 1, 0) != 0)
        {
            body(state, 0, count);
            return;
        }
        var size = ((grains - 1) / parts + 1) * grain;
        Run((int)((count - 1) / size + 1), size, count, body, state);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run(int parts, long size, long count, delegate*<void*, long, long, void> body, void* state)
    {
        Exception? failure = null;
        Grow(parts - 1);
        for (var part = 1; part < parts; part++)
            Pool[part - 1]!.Start(body, state, part * size, Math.Min((part + 1) * size, count), Denormals.Flushing, Blas.Chosen);
        try
        {
            RunInside(body, state, 0, size);
        }
        catch (Exception error)
        {
            failure = error;
        }
        for (var part = 1; part < parts; part++)
            failure = Pool[part - 1]!.Join() ?? failure;
        inside = false;
        Volatile.Write(ref busy, 0);
        if (failure is not null)
            ExceptionDispatchInfo.Throw(failure);
    }

    /// <summary>Runs one part; a call it makes in turn runs serially.</summary>
    internal static void RunInside(delegate*<void*, long, long, void> body, void* state, long from, long to)
    {
        inside = true;
        body(state, from, to);
    }

    private static void Grow(int needed)
    {
        if (Volatile.Read(ref Pool[needed - 1]) is not null)
            return;
        lock (Growth)
            for (var i = 0; i < needed; i++)
                Pool[i] ??= new Worker(i);
    }

    private static int InitialThreads()
    {
        var available = Math.Clamp(Environment.ProcessorCount, 1, MaxThreads);
        var text = Environment.GetEnvironmentVariable("DL_THREADS");
        if (string.IsNullOrWhiteSpace(text))
            return available;
        if (int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var asked) && asked is >= 1 and <= MaxThreads)
            return asked;
        RejectedSetting = text;
        return available;
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DL.Core.Kernels;

namespace DL.Core.Optimizers;

/// <summary>What an optimizer does to one row.</summary>
internal unsafe interface IRowStep<T> where T : unmanaged
{
    /// <summary>Moves the elements from <paramref name="at"/> on along their gradient.</summary>
    void Apply<S>(T* g, long at, long width) where S : struct, ISimd<S, T>;

    /// <summary>Fetches a row that is moved soon.</summary>
    void Prefetch(long at, long width);
}

/// <summary>A rule without state.</summary>
internal readonly unsafe struct PlainRow<T, TRule>(T* w, TRule rule) : IRowStep<T>
    where T : unmanaged
    where TRule : unmanaged, IBinary<T>
{
    private readonly T* _w = w;
    private readonly TRule _rule = rule;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Apply<S>(T* g, long at, long width) where S : struct, ISimd<S, T>
    {
        var w = _w + at;
        var rule = _rule;
        var i = 0L;
        for (; i + S.Count <= width; i += S.Count) rule.Apply(S.Load(w + i), S.Load(g + i)).Store(w + i);
        if (i < width) rule.Apply(S.Load(w + i, width - i), S.Load(g + i, width - i)).Store(w + i, width - i);
    }

    public void Prefetch(long at, long width) => RowSums.Prefetch(_w + at, width);
}

/// <summary>A rule with one state.</summary>
internal readonly unsafe struct StateRow<T, TRule>(T* w, T* v, TRule rule) : IRowStep<T>
    where T : unmanaged
    where TRule : unmanaged, IUpdate1<T>
{
    private readonly T* _w = w;
    private readonly T* _v = v;
    private readonly TRule _rule = rule;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Apply<S>(T* g, long at, long width) where S : struct, ISimd<S, T>
    {
        var w = _w + at;
        var v = _v + at;
        var rule = _rule;
        var i = 0L;
        for (; i + S.Count <= width; i += S.Count)
        {
            var state = S.Load(v + i);
            rule.Apply(S.Load(w + i), S.Load(g + i), ref state).Store(w + i);
            state.Store(v + i);
        }

        if (i == width) return;
        var left = width - i;
        var last = S.Load(v + i, left);
        rule.Apply(S.Load(w + i, left), S.Load(g + i, left), ref last).Store(w + i, left);
        last.Store(v + i, left);
    }

    public void Prefetch(long at, long width)
    {
        RowSums.Prefetch(_w + at, width);
        RowSums.Prefetch(_v + at, width);
    }
}

/// <summary>A rule with two moments.</summary>
internal readonly unsafe struct MomentRow<T, TRule>(T* w, T* m, T* v, TRule rule) : IRowStep<T>
    where T : unmanaged
    where TRule : unmanaged, IUpdate2<T>
{
    private readonly T* _w = w;
    private readonly T* _m = m;
    private readonly T* _v = v;
    private readonly TRule _rule = rule;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Apply<S>(T* g, long at, long width) where S : struct, ISimd<S, T>
    {
        var w = _w + at;
        var m = _m + at;
        var v = _v + at;
        var rule = _rule;
        var i = 0L;
        for (; i + S.Count <= width; i += S.Count)
        {
            var first = S.Load(m + i);
            var second = S.Load(v + i);
            rule.Apply(S.Load(w + i), S.Load(g + i), ref first, ref second).Store(w + i);
            first.Store(m + i);
            second.Store(v + i);
        }

        if (i == width) return;
        var left = width - i;
        var m1 = S.Load(m + i, left);
        var v1 = S.Load(v + i, left);
        rule.Apply(S.Load(w + i, left), S.Load(g + i, left), ref m1, ref v1).Store(w + i, left);
        m1.Store(m + i, left);
        v1.Store(v + i, left);
    }

    public void Prefetch(long at, long width)
    {
        RowSums.Prefetch(_w + at, width);
        RowSums.Prefetch(_m + at, width);
        RowSums.Prefetch(_v + at, width);
    }
}

/// <summary>A step of rows whose gradients are written at <see cref="Rows"/>, or are still to be summed by <see cref="Entries"/>.</summary>
internal unsafe struct RowJob<T, TStep>
    where T : unmanaged
    where TStep : unmanaged, IRowStep<T>
{
    // Rows lie anywhere in a table larger than the caches: as many are on their way while one is moved.
    private const long Ahead = 4;

    public T* G;
    public int* Rows;
    public ulong* Entries;
    public long Count;
    public long Width;
    public TStep Step;

    /// <summary>Rows of a gradient that has been written.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Written(void* state, long from, long to)
    {
        ref var job = ref *(RowJob<T, TStep>*)state;
        for (var i = from; i < to; i++)
        {
            if (i + Ahead < to) job.Step.Prefetch(job.Rows[i + Ahead] * job.Width, job.Width);
            var at = job.Rows[i] * job.Width;
            job.Move(job.G + at, at);
        }
    }

    /// <summary>Rows of a gradient that are summed here, in the thread's work space.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Pending(void* state, long from, long to)
    {
        ref var job = ref *(RowJob<T, TStep>*)state;
        var sum = (T*)Scratch.Right(job.Width * sizeof(T));
        from = RowSums.FirstRun(job.Entries, from, to);
        while (from < to)
        {
            var end = RowSums.EndOfRun(job.Entries, from, job.Count);
            if (end + Ahead < job.Count) job.Step.Prefetch(RowSums.Target(job.Entries[end + Ahead]) * job.Width, job.Width);
            job.Sum(from, end, sum);
            job.Move(sum, RowSums.Target(job.Entries[from]) * job.Width);
            from = end;
        }
    }

    private readonly void Sum(long from, long end, T* sum)
    {
        if (Vector512.IsHardwareAccelerated) RowSums.Sum<T, Simd512<T>>(Entries + from, end - from, G, Width, sum, false);
        else if (Vector256.IsHardwareAccelerated) RowSums.Sum<T, Simd256<T>>(Entries + from, end - from, G, Width, sum, false);
        else RowSums.Sum<T, Simd128<T>>(Entries + from, end - from, G, Width, sum, false);
    }

    private readonly void Move(T* g, long at)
    {
        if (Vector512.IsHardwareAccelerated) Step.Apply<Simd512<T>>(g, at, Width);
        else if (Vector256.IsHardwareAccelerated) Step.Apply<Simd256<T>>(g, at, Width);
        else Step.Apply<Simd128<T>>(g, at, Width);
    }
}

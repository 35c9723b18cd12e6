using DL.Core.Kernels;

namespace DL.Core.Optimizers;

/// <summary>Update loops over some rows of a matrix; every element meets the same instructions as in a loop over all of it.</summary>
internal static unsafe class FusedRows
{
    /// <summary>w = rule(w, g) in the rows that a gradient touches.</summary>
    public static void Run<T, TRule>(Tensor<T> w, Tensor<T> gradient, TRule rule)
        where T : unmanaged
        where TRule : unmanaged, IBinary<T>
    {
        fixed (T* pw = w.Change()) Launch(gradient, new PlainRow<T, TRule>(pw, rule));
    }

    /// <summary>(w, v) = rule(w, g, v) in the rows that a gradient touches.</summary>
    public static void Run<T, TRule>(Tensor<T> w, Tensor<T> gradient, Tensor<T> v, TRule rule)
        where T : unmanaged
        where TRule : unmanaged, IUpdate1<T>
    {
        fixed (T* pw = w.Change(), pv = v.Change()) Launch(gradient, new StateRow<T, TRule>(pw, pv, rule));
    }

    /// <summary>(w, m, v) = rule(w, g, m, v) in the rows that a gradient touches.</summary>
    public static void Run<T, TRule>(Tensor<T> w, Tensor<T> gradient, Tensor<T> m, Tensor<T> v, TRule rule)
        where T : unmanaged
        where TRule : unmanaged, IUpdate2<T>
    {
        fixed (T* pw = w.Change(), pm = m.Change(), pv = v.Change()) Launch(gradient, new MomentRow<T, TRule>(pw, pm, pv, rule));
    }

    /// <summary>(w, m, v) = rule(w, g, m, v) in the given rows.</summary>
    public static void Run<T, TRule>(Span<T> w, ReadOnlySpan<T> g, Span<T> m, Span<T> v, ReadOnlySpan<int> rows, int width, TRule rule)
        where T : unmanaged
        where TRule : unmanaged, IUpdate2<T>
    {
        fixed (T* pw = w, pm = m, pv = v) Launch(g, rows, width, new MomentRow<T, TRule>(pw, pm, pv, rule));
    }

    private static void Launch<T, TStep>(Tensor<T> gradient, TStep step)
        where T : unmanaged
        where TStep : unmanaged, IRowStep<T>
    {
        var rows = gradient.Rows!;
        if (rows.Upstream is { } upstream) Launch(rows.Entries, upstream.As<T>("Optimizer").Span, gradient.Shape[1], step);
        else Launch(gradient.Span, rows.Touched, gradient.Shape[1], step);
    }

    private static void Launch<T, TStep>(ReadOnlySpan<T> g, ReadOnlySpan<int> rows, int width, TStep step)
        where T : unmanaged
        where TStep : unmanaged, IRowStep<T>
    {
        fixed (T* pg = g)
        fixed (int* pr = rows)
        {
            var job = new RowJob<T, TStep> { G = pg, Rows = pr, Count = rows.Length, Width = width, Step = step };
            Workers.For(rows.Length, RowSums.EntryGrain(width), &RowJob<T, TStep>.Written, &job);
        }
    }

    private static void Launch<T, TStep>(ReadOnlySpan<ulong> entries, ReadOnlySpan<T> upstream, int width, TStep step)
        where T : unmanaged
        where TStep : unmanaged, IRowStep<T>
    {
        fixed (T* pu = upstream)
        fixed (ulong* pe = entries)
        {
            var job = new RowJob<T, TStep> { G = pu, Entries = pe, Count = entries.Length, Width = width, Step = step };
            Workers.For(entries.Length, RowSums.EntryGrain(width), &RowJob<T, TStep>.Pending, &job);
        }
    }
}

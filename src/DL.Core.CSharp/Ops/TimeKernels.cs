using System.Numerics;
using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>The valid steps, and zeros behind them.</summary>
internal readonly unsafe struct ValidSteps : ITimeKernel
{
    public static void Run<T, S>(T* a, T* b, T* y, long steps, long valid, long width)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where S : struct, ISimd<S, T>
    {
        new ReadOnlySpan<T>(a, (int)(valid * width)).CopyTo(new Span<T>(y, (int)(valid * width)));
        Zero(y, valid, steps, width);
    }

    /// <summary>Sets some steps to zero.</summary>
    public static void Zero<T>(T* y, long from, long to, long width) where T : unmanaged => new Span<T>(y + (from * width), (int)((to - from) * width)).Clear();
}

/// <summary>The mean of the valid steps.</summary>
internal readonly unsafe struct MeanOfSteps : ITimeKernel
{
    public static void Run<T, S>(T* a, T* b, T* y, long steps, long valid, long width)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where S : struct, ISimd<S, T>
    {
        new Span<T>(y, (int)width).Clear();
        if (valid == 0) return;
        ColumnSums.Add(a, (int)valid, (int)width, y);
        Divide<T, S>(y, valid, y, width);
    }

    /// <summary>y = x / divisor.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Divide<T, S>(T* x, long divisor, T* y, long width)
        where T : unmanaged
        where S : struct, ISimd<S, T>
    {
        var by = S.Create(divisor);
        var d = 0L;
        for (; d + S.Count <= width; d += S.Count) (S.Load(x + d) / by).Store(y + d);
        if (d < width) (S.Load(x + d, width - d) / by).Store(y + d, width - d);
    }
}

/// <summary>The gradient of a mean, the same in every valid step.</summary>
internal readonly unsafe struct MeanToSteps : ITimeKernel
{
    public static void Run<T, S>(T* a, T* b, T* y, long steps, long valid, long width)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where S : struct, ISimd<S, T>
    {
        ValidSteps.Zero(y, valid, steps, width);
        if (valid == 0) return;
        MeanOfSteps.Divide<T, S>(a, valid, y, width);
        var first = new ReadOnlySpan<T>(y, (int)width);
        for (var t = 1L; t < valid; t++) first.CopyTo(new Span<T>(y + (t * width), (int)width));
    }
}

/// <summary>The last valid step.</summary>
internal readonly unsafe struct LastOfSteps : ITimeKernel
{
    public static void Run<T, S>(T* a, T* b, T* y, long steps, long valid, long width)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where S : struct, ISimd<S, T>
    {
        var last = new Span<T>(y, (int)width);
        if (valid == 0) last.Clear();
        else new ReadOnlySpan<T>(a + ((valid - 1) * width), (int)width).CopyTo(last);
    }
}

/// <summary>The gradient of the last valid step.</summary>
internal readonly unsafe struct LastToSteps : ITimeKernel
{
    public static void Run<T, S>(T* a, T* b, T* y, long steps, long valid, long width)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where S : struct, ISimd<S, T>
    {
        ValidSteps.Zero(y, 0, steps, width);
        if (valid > 0) new ReadOnlySpan<T>(a, (int)width).CopyTo(new Span<T>(y + ((valid - 1) * width), (int)width));
    }
}

/// <summary>The maximum of the valid steps; NaN where one is NaN.</summary>
internal readonly unsafe struct MaxOfSteps : ITimeKernel
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<T, S>(T* a, T* b, T* y, long steps, long valid, long width)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where S : struct, ISimd<S, T>
    {
        if (valid == 0)
        {
            new Span<T>(y, (int)width).Clear();
            return;
        }

        for (var d = 0L; d < width; d += S.Count)
        {
            var lanes = Math.Min(S.Count, width - d);
            var max = S.Load(a + d, lanes);
            for (var t = 1L; t < valid; t++) max = S.Max(max, S.Load(a + (t * width) + d, lanes));
            max.Store(y + d, lanes);
        }
    }
}

/// <summary>The gradient of a maximum, in the first step that has it or is NaN.</summary>
internal readonly unsafe struct MaxToSteps : ITimeKernel
{
    public static void Run<T, S>(T* a, T* b, T* y, long steps, long valid, long width)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where S : struct, ISimd<S, T>
    {
        ValidSteps.Zero(y, valid, steps, width);
        for (var d = 0L; d < width; d += S.Count)
        {
            var lanes = Math.Min(S.Count, width - d);
            if (valid > 0 && !Strip<T, S>(a + d, b + d, y + d, valid, width, lanes)) Slowly(a + d, b + d, y + d, valid, width, lanes);
        }
    }

    /// <summary>The gradient goes to the first step not below the maximum, and nothing is left for later ones. False where a maximum is NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool Strip<T, S>(T* dy, T* x, T* dx, long valid, long width, long lanes)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where S : struct, ISimd<S, T>
    {
        var max = S.Load(x, lanes);
        for (var t = 1L; t < valid; t++) max = S.Max(max, S.Load(x + (t * width), lanes));
        if (T.IsNaN(S.MaxLane(max))) return false;
        S zero = default;
        var left = S.Load(dy, lanes);
        for (var t = 0L; t < valid; t++)
        {
            var below = S.Less(S.Load(x + (t * width), lanes), max);
            S.Select(below, zero, left).Store(dx + (t * width), lanes);
            left = S.Select(below, left, zero);
        }

        return true;
    }

    private static void Slowly<T>(T* dy, T* x, T* dx, long valid, long width, long lanes) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (var lane = 0L; lane < lanes; lane++)
        {
            var best = 0L;
            for (var t = 0L; t < valid; t++)
            {
                dx[(t * width) + lane] = T.Zero;
                var candidate = x[(t * width) + lane];
                var kept = x[(best * width) + lane];
                if (!T.IsNaN(kept) && (candidate > kept || T.IsNaN(candidate))) best = t;
            }

            dx[(best * width) + lane] = dy[lane];
        }
    }
}

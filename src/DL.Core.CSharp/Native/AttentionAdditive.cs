using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DL.Core.Kernels;

/// <summary>Attention whose scores are <c>w tanh(q + k)</c>, query by query.</summary>
internal unsafe struct AttentionAdditive<T> where T : unmanaged
{
    public T* Q, K, V, W, Y, Weights, Dy, Dq, Dk, Dv;

    /// <summary>The gradient of w of each example, a stride apart.</summary>
    public T* Dw;
    public long DwStride;
    public nint Queries, Keys, Width, ValueWidth;
    public int* KeyLengths, QueryLengths;

    /// <summary>Queries [from, to) of all examples.</summary>
    public static void Forward(void* state, long from, long to)
    {
        ref var job = ref *(AttentionAdditive<T>*)state;
        if (Vector512.IsHardwareAccelerated) Queried<Simd512<T>>(job, from, to);
        else if (Vector256.IsHardwareAccelerated) Queried<Simd256<T>>(job, from, to);
        else Queried<Simd128<T>>(job, from, to);
    }

    /// <summary>Examples [from, to).</summary>
    public static void Backward(void* state, long from, long to)
    {
        ref var job = ref *(AttentionAdditive<T>*)state;
        for (var example = from; example < to; example++)
            if (Vector512.IsHardwareAccelerated) Example<Simd512<T>>(job, (nint)example);
            else if (Vector256.IsHardwareAccelerated) Example<Simd256<T>>(job, (nint)example);
            else Example<Simd128<T>>(job, (nint)example);
    }

    private readonly nint KeysOf(nint example, nint query) =>
        QueryLengths != null && query >= QueryLengths[example] ? 0 : KeyLengths == null ? Keys : KeyLengths[example];

    private static void Queried<S>(in AttentionAdditive<T> job, long from, long to) where S : struct, ISimd<S, T>
    {
        for (var row = (nint)from; row < to; row++)
        {
            var (example, query) = (row / job.Queries, row % job.Queries);
            var keys = job.KeysOf(example, query);
            var weights = job.Weights + (row * job.Keys);
            new Span<T>(weights + keys, (int)(job.Keys - keys)).Clear();
            new Span<T>(job.Y + (row * job.ValueWidth), (int)job.ValueWidth).Clear();
            if (keys == 0) continue;
            for (nint key = 0; key < keys; key++)
                weights[key] = Score<S>(job.Q + (row * job.Width), job.K + (((example * job.Keys) + key) * job.Width), job.W, job.Width);
            default(SoftmaxForward<T>).Row<S>(weights, weights, weights, weights, keys);
            AttentionRows<S, T>.Add(weights, job.V + (example * job.Keys * job.ValueWidth), job.ValueWidth, keys, job.ValueWidth, job.Y + (row * job.ValueWidth));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static T Score<S>(T* q, T* k, T* w, nint width) where S : struct, ISimd<S, T>
    {
        var sum = S.Create(0);
        nint c = 0;
        for (; c + S.Count <= width; c += S.Count) sum = S.Fma(S.Load(w + c), MathVector.Tanh<T, S>(S.Load(q + c) + S.Load(k + c)), sum);
        if (c < width) sum = S.Fma(S.Load(w + c, width - c), MathVector.Tanh<T, S>(S.Load(q + c, width - c) + S.Load(k + c, width - c)), sum);
        return S.Sum(sum);
    }

    private static void Example<S>(in AttentionAdditive<T> job, nint example) where S : struct, ISimd<S, T>
    {
        nint queries = example * job.Queries, keys = example * job.Keys;
        var dw = job.Dw + (example * job.DwStride);
        Clear(job.Dq + (queries * job.Width), job.Queries * job.Width);
        Clear(job.Dk + (keys * job.Width), job.Keys * job.Width);
        Clear(job.Dv + (keys * job.ValueWidth), job.Keys * job.ValueWidth);
        Clear(dw, (nint)job.DwStride);
        var slopes = (T*)Scratch.Right(job.Keys * sizeof(T));
        for (nint query = 0; query < job.Queries; query++)
        {
            var (row, count) = (queries + query, job.KeysOf(example, query));
            if (count == 0) continue;
            var weights = job.Weights + (row * job.Keys);
            var dy = job.Dy + (row * job.ValueWidth);
            AttentionRows<S, T>.Dots(dy, job.V + (keys * job.ValueWidth), job.ValueWidth, count, job.ValueWidth, slopes);
            default(SoftmaxBackward<T>).Row<S>(slopes, weights, weights, slopes, count);
            for (nint key = 0; key < count; key++)
            {
                AttentionRows<S, T>.Add(weights[key], dy, job.ValueWidth, job.Dv + ((keys + key) * job.ValueWidth));
                nint q = row * job.Width, k = (keys + key) * job.Width;
                Spread<S>(slopes[key], job.Q + q, job.K + k, job.W, job.Width, job.Dq + q, job.Dk + k, dw);
            }
        }
    }

    // With t = tanh(q + k): dw += ds t, and both dq and dk get ds w (1 - t^2). Whole vectors apart from the rest: masks would more than double the time.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Spread<S>(T ds, T* q, T* k, T* w, nint width, T* dq, T* dk, T* dw) where S : struct, ISimd<S, T>
    {
        var slope = S.Broadcast(ds);
        nint c = 0;
        for (; c + S.Count <= width; c += S.Count)
        {
            var t = MathVector.Tanh<T, S>(S.Load(q + c) + S.Load(k + c));
            S.Fma(slope, t, S.Load(dw + c)).Store(dw + c);
            var g = slope * S.Load(w + c) * S.Fma(-t, t, S.Create(1));
            (S.Load(dq + c) + g).Store(dq + c);
            (S.Load(dk + c) + g).Store(dk + c);
        }

        if (c < width) SpreadRest(slope, q + c, k + c, w + c, width - c, dq + c, dk + c, dw + c);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SpreadRest<S>(S slope, T* q, T* k, T* w, nint lanes, T* dq, T* dk, T* dw) where S : struct, ISimd<S, T>
    {
        var t = MathVector.Tanh<T, S>(S.Load(q, lanes) + S.Load(k, lanes));
        S.Fma(slope, t, S.Load(dw, lanes)).Store(dw, lanes);
        var g = slope * S.Load(w, lanes) * S.Fma(-t, t, S.Create(1));
        (S.Load(dq, lanes) + g).Store(dq, lanes);
        (S.Load(dk, lanes) + g).Store(dk, lanes);
    }

    private static void Clear(T* numbers, nint count)
    {
        for (nint from = 0; from < count; from += int.MaxValue) new Span<T>(numbers + from, (int)Math.Min(count - from, int.MaxValue)).Clear();
    }
}

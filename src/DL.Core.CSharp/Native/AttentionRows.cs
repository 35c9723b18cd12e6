using System.Runtime.CompilerServices;

namespace DL.Core.Kernels;

/// <summary>What one query does with the rows of its keys and values: nothing is packed, every row is read once.</summary>
internal static unsafe class AttentionRows<S, T>
    where S : struct, ISimd<S, T>
    where T : unmanaged
{
    /// <summary>scores_j = q rows_j.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dots(T* q, T* rows, nint ld, nint count, nint width, T* scores)
    {
        nint j = 0;
        for (; j + 4 <= count; j += 4)
        {
            T* r0 = rows + (j * ld), r1 = r0 + ld, r2 = r1 + ld, r3 = r2 + ld;
            S s0 = S.Create(0), s1 = s0, s2 = s0, s3 = s0;
            nint c = 0;
            for (; c + S.Count <= width; c += S.Count)
            {
                var x = S.Load(q + c);
                s0 = S.Fma(x, S.Load(r0 + c), s0);
                s1 = S.Fma(x, S.Load(r1 + c), s1);
                s2 = S.Fma(x, S.Load(r2 + c), s2);
                s3 = S.Fma(x, S.Load(r3 + c), s3);
            }

            if (c < width)
            {
                var lanes = width - c;
                var x = S.Load(q + c, lanes);
                s0 = S.Fma(x, S.Load(r0 + c, lanes), s0);
                s1 = S.Fma(x, S.Load(r1 + c, lanes), s1);
                s2 = S.Fma(x, S.Load(r2 + c, lanes), s2);
                s3 = S.Fma(x, S.Load(r3 + c, lanes), s3);
            }

            scores[j] = S.Sum(s0);
            scores[j + 1] = S.Sum(s1);
            scores[j + 2] = S.Sum(s2);
            scores[j + 3] = S.Sum(s3);
        }

        for (; j < count; j++) scores[j] = Dot(q, rows + (j * ld), width);
    }

    /// <summary>y += sum_j weights_j rows_j.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(T* weights, T* rows, nint ld, nint count, nint width, T* y)
    {
        nint c = 0;
        for (; c + (4 * S.Count) <= width; c += 4 * S.Count)
        {
            S a0 = S.Load(y + c), a1 = S.Load(y + c + S.Count), a2 = S.Load(y + c + (2 * S.Count)), a3 = S.Load(y + c + (3 * S.Count));
            S b0 = S.Create(0), b1 = b0, b2 = b0, b3 = b0;
            var r = rows + c;
            nint j = 0;
            for (; j + 2 <= count; j += 2, r += 2 * ld)
            {
                S w = S.Broadcast(weights[j]), u = S.Broadcast(weights[j + 1]);
                a0 = S.Fma(w, S.Load(r), a0);
                a1 = S.Fma(w, S.Load(r + S.Count), a1);
                a2 = S.Fma(w, S.Load(r + (2 * S.Count)), a2);
                a3 = S.Fma(w, S.Load(r + (3 * S.Count)), a3);
                b0 = S.Fma(u, S.Load(r + ld), b0);
                b1 = S.Fma(u, S.Load(r + ld + S.Count), b1);
                b2 = S.Fma(u, S.Load(r + ld + (2 * S.Count)), b2);
                b3 = S.Fma(u, S.Load(r + ld + (3 * S.Count)), b3);
            }

            if (j < count)
            {
                var w = S.Broadcast(weights[j]);
                a0 = S.Fma(w, S.Load(r), a0);
                a1 = S.Fma(w, S.Load(r + S.Count), a1);
                a2 = S.Fma(w, S.Load(r + (2 * S.Count)), a2);
                a3 = S.Fma(w, S.Load(r + (3 * S.Count)), a3);
            }

            (a0 + b0).Store(y + c);
            (a1 + b1).Store(y + c + S.Count);
            (a2 + b2).Store(y + c + (2 * S.Count));
            (a3 + b3).Store(y + c + (3 * S.Count));
        }

        for (; c < width; c += S.Count) AddColumn(weights, rows + c, ld, count, Math.Min(S.Count, width - c), y + c);
    }

    /// <summary>y += weight row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(T weight, T* row, nint width, T* y)
    {
        var w = S.Broadcast(weight);
        nint c = 0;
        for (; c + S.Count <= width; c += S.Count) S.Fma(w, S.Load(row + c), S.Load(y + c)).Store(y + c);
        if (c < width) S.Fma(w, S.Load(row + c, width - c), S.Load(y + c, width - c)).Store(y + c, width - c);
    }

    // The same order of additions as one of four.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static T Dot(T* q, T* row, nint width)
    {
        var sum = S.Create(0);
        nint c = 0;
        for (; c + S.Count <= width; c += S.Count) sum = S.Fma(S.Load(q + c), S.Load(row + c), sum);
        if (c < width) sum = S.Fma(S.Load(q + c, width - c), S.Load(row + c, width - c), sum);
        return S.Sum(sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddColumn(T* weights, T* rows, nint ld, nint count, nint lanes, T* y)
    {
        S a = S.Load(y, lanes), b = S.Create(0);
        nint j = 0;
        for (; j + 2 <= count; j += 2, rows += 2 * ld)
        {
            a = S.Fma(S.Broadcast(weights[j]), S.Load(rows, lanes), a);
            b = S.Fma(S.Broadcast(weights[j + 1]), S.Load(rows + ld, lanes), b);
        }

        if (j < count) a = S.Fma(S.Broadcast(weights[j]), S.Load(rows, lanes), a);
        (a + b).Store(y, lanes);
    }
}

using System.Runtime.CompilerServices;

namespace DL.Core.Kernels;

/// <summary>The products of <see cref="AttentionProducts{V, T}"/> pair by pair: what is not seen is not read, so that NaN and infinity there reach nothing.</summary>
/// <remarks>Sums run in the same order, hence to the same bits.</remarks>
internal static unsafe class AttentionCareful<S, T>
    where S : struct, ISimd<S, T>
    where T : unmanaged
{
    private const int Depth = 256;

    /// <summary>target[i, :] = sum over the keys that i sees of weights[key, i] rows[key, :].</summary>
    public static void OfQueries(in AttentionTile tile, T* weights, T* rows, nint ld, nint width, T* target, nint ldt)
    {
        for (nint i = 0; i < tile.Count; i++)
            for (nint key = 0; key < tile.End(i) || key == 0; key += Depth)
                for (nint c = 0; c < width; c += S.Count)
                {
                    var lanes = Math.Min(S.Count, width - c);
                    var sum = OfQuery(tile, weights, i, key, Math.Min(key + Depth, tile.End(i)), rows + c, ld, lanes);
                    Put(sum, target + (i * ldt) + c, lanes, key > 0);
                }
    }

    /// <summary>target[key, :] += sum over the queries that see the key of weights[key, i] rows[i, :].</summary>
    public static void OfKeys(in AttentionTile tile, T* weights, T* rows, nint ld, nint width, T* target, nint ldt)
    {
        var keys = tile.End(tile.Count - 1);
        for (nint key = 0; key < keys; key++)
            for (nint c = 0; c < width; c += S.Count)
            {
                var lanes = Math.Min(S.Count, width - c);
                Put(OfKey(tile, weights, key, rows + c, ld, lanes), target + (key * ldt) + c, lanes, true);
            }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static S OfQuery(in AttentionTile tile, T* weights, nint i, nint from, nint to, T* rows, nint ld, nint lanes)
    {
        var sum = S.Create(0);
        for (var key = from; key < to; key++)
            if (tile.Sees(i, key))
                sum = S.Fma(S.Load(rows + (key * ld), lanes), S.Broadcast(weights[(key * tile.Stride) + i]), sum);
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static S OfKey(in AttentionTile tile, T* weights, nint key, T* rows, nint ld, nint lanes)
    {
        var sum = S.Create(0);
        for (nint i = 0; i < tile.Count; i++)
            if (tile.Sees(i, key))
                sum = S.Fma(S.Load(rows + (i * ld), lanes), S.Broadcast(weights[(key * tile.Stride) + i]), sum);
        return sum;
    }

    private static void Put(S sum, T* target, nint lanes, bool add) => (add ? S.Load(target, lanes) + sum : sum).Store(target, lanes);
}

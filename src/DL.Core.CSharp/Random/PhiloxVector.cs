using System.Runtime.CompilerServices;
using DL.Core.Kernels;

namespace DL.Core.Random;

/// <summary>The words of a Philox stream, several blocks at a time: the same bits, in the same order, as <see cref="Philox.Block"/> gives.</summary>
internal static unsafe class PhiloxVector
{
    private const ulong Multiplier0 = 0xD2511F53, Multiplier1 = 0xCD9E8D57;
    private const uint Weyl0 = 0x9E3779B9, Weyl1 = 0xBB67AE85;
    private const int Rounds = 10;

    /// <summary>Fills memory with the words of whole blocks.</summary>
    /// <param name="key">The draw.</param>
    /// <param name="block">The number of the first block.</param>
    /// <param name="blocks">How many blocks; each is four words.</param>
    /// <param name="words">The destination.</param>
    public static void Fill(Key key, ulong block, int blocks, uint* words)
    {
        if (Wide512.IsSupported) Fill<Wide512>(key, block, blocks, words);
        else if (Wide256.IsSupported) Fill<Wide256>(key, block, blocks, words);
        else if (Wide128.IsSupported) Fill<Wide128>(key, block, blocks, words);
        else FillScalar(key, block, blocks, words);
    }

    /// <summary>The same at one width.</summary>
    public static void Fill<S>(Key key, ulong block, int blocks, uint* words) where S : struct, IWideLanes<S>
    {
        var whole = blocks - (blocks % (2 * S.Count));
        Whole<S>(key, block, whole, (ulong*)words);
        FillScalar(key, block + (ulong)whole, blocks - whole, words + (4 * whole));
    }

    /// <summary>The same block by block.</summary>
    public static void FillScalar(Key key, ulong block, int blocks, uint* words)
    {
        for (var i = 0; i < blocks; i++, words += 4)
            Philox.Block(key.Seed, block + (ulong)i, key.Stream, out words[0], out words[1], out words[2], out words[3]);
    }

    // Counter words live in the low halves of 64-bit lanes; what gathers in the high halves is never read by a product and is masked at the end.
    // Two vectors of blocks go through the rounds together, for they share the keys and hide each other's latency.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Whole<S>(Key key, ulong block, int blocks, ulong* pairs) where S : struct, IWideLanes<S>
    {
        S m0 = S.Create(Multiplier0), m1 = S.Create(Multiplier1), w0 = S.Create(Weyl0), w1 = S.Create(Weyl1);
        for (var i = 0; i < blocks; i += 2 * S.Count, pairs += 4 * S.Count)
        {
            S a0 = S.Create(block + (ulong)i) + S.Iota, b0 = a0 + S.Create((ulong)S.Count);
            S a1 = S.High(a0), a2 = S.Create(key.Position), a3 = S.Create(key.Step);
            S b1 = S.High(b0), b2 = a2, b3 = a3;
            S k0 = S.Create(key.Seed), k1 = S.High(k0);
            for (var round = 0; round < Rounds; round++)
            {
                S p0 = S.Product(a0, m0), p1 = S.Product(a2, m1), q0 = S.Product(b0, m0), q1 = S.Product(b2, m1);
                a0 = S.Xor(S.High(p1), a1, k0);
                a1 = p1;
                a2 = S.Xor(S.High(p0), a3, k1);
                a3 = p0;
                b0 = S.Xor(S.High(q1), b1, k0);
                b1 = q1;
                b2 = S.Xor(S.High(q0), b3, k1);
                b3 = q0;
                k0 += w0;
                k1 += w1;
            }

            Store(a0, a1, a2, a3, pairs);
            Store(b0, b1, b2, b3, pairs + (2 * S.Count));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<S>(S c0, S c1, S c2, S c3, ulong* pairs) where S : struct, IWideLanes<S>
    {
        var low = S.Create(uint.MaxValue);
        S.Interleave((c0 & low) | S.Raise(c1), (c2 & low) | S.Raise(c3), pairs);
    }
}

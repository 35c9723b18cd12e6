using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DL.Core.Kernels;

/// <summary>512 bits of unsigned 64-bit lanes.</summary>
[method: MethodImpl(MethodImplOptions.AggressiveInlining)]
internal readonly unsafe struct Wide512(Vector512<ulong> lanes) : IWideLanes<Wide512>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    private readonly Vector512<ulong> _lanes = lanes;

    public static bool IsSupported => Avx512F.IsSupported;

    public static int Count
    {
        [MethodImpl(Inline)]
        get => Vector512<ulong>.Count;
    }

    public static Wide512 Iota
    {
        [MethodImpl(Inline)]
        get => new(Vector512<ulong>.Indices);
    }

    [MethodImpl(Inline)]
    public static Wide512 Create(ulong value) => new(Vector512.Create(value));

    [MethodImpl(Inline)]
    public static Wide512 Product(Wide512 a, Wide512 b) => new(Avx512F.Multiply(a._lanes.AsUInt32(), b._lanes.AsUInt32()));

    // A shuffle and not a shift, for shifts and products share a port.
    [MethodImpl(Inline)]
    public static Wide512 High(Wide512 a) => new(Avx512F.Shuffle(a._lanes.AsUInt32(), 0xF5).AsUInt64());

    [MethodImpl(Inline)]
    public static Wide512 Raise(Wide512 a) => new(a._lanes << 32);

    [MethodImpl(Inline)]
    public static Wide512 operator +(Wide512 a, Wide512 b) => new(a._lanes + b._lanes);

    [MethodImpl(Inline)]
    public static Wide512 Xor(Wide512 a, Wide512 b, Wide512 c) => new(Avx512F.TernaryLogic(a._lanes, b._lanes, c._lanes, 0x96));

    [MethodImpl(Inline)]
    public static Wide512 operator &(Wide512 a, Wide512 b) => new(a._lanes & b._lanes);

    [MethodImpl(Inline)]
    public static Wide512 operator |(Wide512 a, Wide512 b) => new(a._lanes | b._lanes);

    [MethodImpl(Inline)]
    public static void Interleave(Wide512 a, Wide512 b, ulong* destination)
    {
        Avx512F.PermuteVar8x64x2(a._lanes, Vector512.Create(0UL, 8, 1, 9, 2, 10, 3, 11), b._lanes).Store(destination);
        Avx512F.PermuteVar8x64x2(a._lanes, Vector512.Create(4UL, 12, 5, 13, 6, 14, 7, 15), b._lanes).Store(destination + 8);
    }
}

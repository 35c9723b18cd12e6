using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DL.Core.Kernels;

/// <summary>256 bits of unsigned 64-bit lanes.</summary>
[method: MethodImpl(MethodImplOptions.AggressiveInlining)]
internal readonly unsafe struct Wide256(Vector256<ulong> lanes) : IWideLanes<Wide256>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    private readonly Vector256<ulong> _lanes = lanes;

    public static bool IsSupported => Avx2.IsSupported;

    public static int Count
    {
        [MethodImpl(Inline)]
        get => Vector256<ulong>.Count;
    }

    public static Wide256 Iota
    {
        [MethodImpl(Inline)]
        get => new(Vector256<ulong>.Indices);
    }

    [MethodImpl(Inline)]
    public static Wide256 Create(ulong value) => new(Vector256.Create(value));

    [MethodImpl(Inline)]
    public static Wide256 Product(Wide256 a, Wide256 b) => new(Avx2.Multiply(a._lanes.AsUInt32(), b._lanes.AsUInt32()));

    // A shuffle and not a shift, for shifts and products share a port.
    [MethodImpl(Inline)]
    public static Wide256 High(Wide256 a) => new(Avx2.Shuffle(a._lanes.AsUInt32(), 0xF5).AsUInt64());

    [MethodImpl(Inline)]
    public static Wide256 Raise(Wide256 a) => new(a._lanes << 32);

    [MethodImpl(Inline)]
    public static Wide256 operator +(Wide256 a, Wide256 b) => new(a._lanes + b._lanes);

    [MethodImpl(Inline)]
    public static Wide256 Xor(Wide256 a, Wide256 b, Wide256 c) => new(a._lanes ^ b._lanes ^ c._lanes);

    [MethodImpl(Inline)]
    public static Wide256 operator &(Wide256 a, Wide256 b) => new(a._lanes & b._lanes);

    [MethodImpl(Inline)]
    public static Wide256 operator |(Wide256 a, Wide256 b) => new(a._lanes | b._lanes);

    [MethodImpl(Inline)]
    public static void Interleave(Wide256 a, Wide256 b, ulong* destination)
    {
        Vector256<ulong> even = Avx2.UnpackLow(a._lanes, b._lanes), odd = Avx2.UnpackHigh(a._lanes, b._lanes);
        Avx2.Permute2x128(even, odd, 0x20).Store(destination);
        Avx2.Permute2x128(even, odd, 0x31).Store(destination + 4);
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DL.Core.Kernels;

/// <summary>512 bits of lanes.</summary>
/// <typeparam name="T"><c>float</c> or <c>double</c>.</typeparam>
[method: MethodImpl(MethodImplOptions.AggressiveInlining)]
internal readonly unsafe struct Simd512<T>(Vector512<T> lanes) : ISimd<Simd512<T>, T>
    where T : unmanaged
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    private readonly Vector512<T> _lanes = lanes;

    public static int Count
    {
        [MethodImpl(Inline)]
        get => Vector512<T>.Count;
    }

    private static bool IsSingle
    {
        [MethodImpl(Inline)]
        get => typeof(T) == typeof(float);
    }

    [MethodImpl(Inline)]
    public static Simd512<T> Load(T* source) => new(Vector512.Load(source));

    [MethodImpl(Inline)]
    public static Simd512<T> Load(T* source, long lanes)
    {
        if (Avx512F.IsSupported)
            return IsSingle
                ? new(Avx512F.MaskLoad((float*)source, First(lanes)._lanes.AsSingle(), Vector512<float>.Zero).As<float, T>())
                : new(Avx512F.MaskLoad((double*)source, First(lanes)._lanes.AsDouble(), Vector512<double>.Zero).As<double, T>());
        var part = Vector512<T>.Zero;
        Lanes.Copy(source, (T*)&part, lanes);
        return new(part);
    }

    [MethodImpl(Inline)]
    public static Simd512<T> Create(double value) =>
        IsSingle ? new(Vector512.Create((float)value).As<float, T>()) : new(Vector512.Create(value).As<double, T>());

    [MethodImpl(Inline)]
    public static Simd512<T> Broadcast(T value) => new(Vector512.Create(value));

    [MethodImpl(Inline)]
    public void Store(T* destination) => _lanes.Store(destination);

    [MethodImpl(Inline)]
    public void Store(T* destination, long lanes)
    {
        if (!Avx512F.IsSupported)
        {
            var part = _lanes;
            Lanes.Copy((T*)&part, destination, lanes);
        }
        else if (IsSingle)
        {
            Avx512F.MaskStore((float*)destination, First(lanes)._lanes.AsSingle(), _lanes.AsSingle());
        }
        else
        {
            Avx512F.MaskStore((double*)destination, First(lanes)._lanes.AsDouble(), _lanes.AsDouble());
        }
    }

    [MethodImpl(Inline)]
    public static Simd512<T> First(long lanes) => IsSingle
        ? new(Vector512.GreaterThan(Vector512.Create((int)lanes), Vector512<int>.Indices).As<int, T>())
        : new(Vector512.GreaterThan(Vector512.Create(lanes), Vector512<long>.Indices).As<long, T>());

    [MethodImpl(Inline)]
    public static Simd512<T> operator +(Simd512<T> a, Simd512<T> b) => new(a._lanes + b._lanes);

    [MethodImpl(Inline)]
    public static Simd512<T> operator -(Simd512<T> a, Simd512<T> b) => new(a._lanes - b._lanes);

    [MethodImpl(Inline)]
    public static Simd512<T> operator *(Simd512<T> a, Simd512<T> b) => new(a._lanes * b._lanes);

    [MethodImpl(Inline)]
    public static Simd512<T> operator /(Simd512<T> a, Simd512<T> b) => new(a._lanes / b._lanes);

    [MethodImpl(Inline)]
    public static Simd512<T> operator -(Simd512<T> a) => new(-a._lanes);

    [MethodImpl(Inline)]
    public static Simd512<T> operator &(Simd512<T> a, Simd512<T> b) => new(a._lanes & b._lanes);

    [MethodImpl(Inline)]
    public static Simd512<T> Fma(Simd512<T> a, Simd512<T> b, Simd512<T> c) => IsSingle
        ? new(Vector512.FusedMultiplyAdd(a._lanes.AsSingle(), b._lanes.AsSingle(), c._lanes.AsSingle()).As<float, T>())
        : new(Vector512.FusedMultiplyAdd(a._lanes.AsDouble(), b._lanes.AsDouble(), c._lanes.AsDouble()).As<double, T>());

    // The instruction returns b where either is NaN, so only a NaN in a has to be put back; this is several times faster than the IEEE form.
    [MethodImpl(Inline)]
    public static Simd512<T> Max(Simd512<T> a, Simd512<T> b) =>
        new(Vector512.ConditionalSelect(Vector512.Equals(a._lanes, a._lanes), Vector512.MaxNative(a._lanes, b._lanes), a._lanes));

    [MethodImpl(Inline)]
    public static Simd512<T> Min(Simd512<T> a, Simd512<T> b) =>
        new(Vector512.ConditionalSelect(Vector512.Equals(a._lanes, a._lanes), Vector512.MinNative(a._lanes, b._lanes), a._lanes));

    // The machine's maximum gives its second argument when one is NaN, so the bound goes first.
    [MethodImpl(Inline)]
    public static Simd512<T> Clamp(Simd512<T> a, double low, double high) =>
        new(Vector512.MinNative(Create(high)._lanes, Vector512.MaxNative(Create(low)._lanes, a._lanes)));

    [MethodImpl(Inline)]
    public static Simd512<T> Lift(Simd512<T> a, double low) => new(Vector512.MaxNative(Create(low)._lanes, a._lanes));

    [MethodImpl(Inline)]
    public static Simd512<T> Cap(Simd512<T> a, double high) => new(Vector512.MinNative(Create(high)._lanes, a._lanes));

    [MethodImpl(Inline)]
    public static Simd512<T> Higher(Simd512<T> a, Simd512<T> b) => new(Vector512.MaxNative(a._lanes, b._lanes));

    [MethodImpl(Inline)]
    public static Simd512<T> Abs(Simd512<T> a) => new(Vector512.Abs(a._lanes));

    [MethodImpl(Inline)]
    public static Simd512<T> CopySign(Simd512<T> size, Simd512<T> sign) => new(Vector512.CopySign(size._lanes, sign._lanes));

    [MethodImpl(Inline)]
    public static Simd512<T> Sqrt(Simd512<T> a) => new(Vector512.Sqrt(a._lanes));

    [MethodImpl(Inline)]
    public static Simd512<T> Round(Simd512<T> a) => IsSingle
        ? new(Vector512.Round(a._lanes.AsSingle()).As<float, T>())
        : new(Vector512.Round(a._lanes.AsDouble()).As<double, T>());

    [MethodImpl(Inline)]
    public static Simd512<T> Greater(Simd512<T> a, Simd512<T> b) => new(Vector512.GreaterThan(a._lanes, b._lanes));

    [MethodImpl(Inline)]
    public static Simd512<T> Less(Simd512<T> a, Simd512<T> b) => new(Vector512.LessThan(a._lanes, b._lanes));

    [MethodImpl(Inline)]
    public static Simd512<T> AtLeast(uint* words, uint threshold)
    {
        if (IsSingle)
            return new(Vector512.GreaterThanOrEqual(Vector512.Load(words), Vector512.Create(threshold)).As<uint, T>());
        var half = Vector256.Load(words);
        var widened = Vector512.Create(Vector256.WidenLower(half), Vector256.WidenUpper(half));
        return new(Vector512.GreaterThanOrEqual(widened, Vector512.Create((ulong)threshold)).As<ulong, T>());
    }

    [MethodImpl(Inline)]
    public static uint Bits(Simd512<T> mask) => (uint)Vector512.ExtractMostSignificantBits(mask._lanes);

    [MethodImpl(Inline)]
    public static Simd512<T> Mask(uint bits)
    {
        if (IsSingle)
        {
            var lane = Vector512.Create(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768);
            return new(Vector512.Equals(Vector512.Create((int)bits) & lane, lane).As<int, T>());
        }

        var wide = Vector512.Create(1L, 2, 4, 8, 16, 32, 64, 128);
        return new(Vector512.Equals(Vector512.Create((long)bits) & wide, wide).As<long, T>());
    }

    [MethodImpl(Inline)]
    public static Simd512<T> Select(Simd512<T> mask, Simd512<T> a, Simd512<T> b) =>
        new(Vector512.ConditionalSelect(mask._lanes, a._lanes, b._lanes));

    // Two exact factors keep 2^n within the exponent range where one would leave it.
    [MethodImpl(Inline)]
    public static Simd512<T> Scale(Simd512<T> a, Simd512<T> n)
    {
        if (Avx512F.IsSupported)
            return IsSingle
                ? new(Avx512F.Scale(a._lanes.AsSingle(), n._lanes.AsSingle()).As<float, T>())
                : new(Avx512F.Scale(a._lanes.AsDouble(), n._lanes.AsDouble()).As<double, T>());
        if (IsSingle)
        {
            var half = Vector512.Floor(n._lanes.AsSingle() * 0.5f);
            var rest = n._lanes.AsSingle() - half;
            return new((a._lanes.AsSingle() * PowerOfTwo(half) * PowerOfTwo(rest)).As<float, T>());
        }

        var wideHalf = Vector512.Floor(n._lanes.AsDouble() * 0.5);
        var wideRest = n._lanes.AsDouble() - wideHalf;
        return new((a._lanes.AsDouble() * PowerOfTwo(wideHalf) * PowerOfTwo(wideRest)).As<double, T>());
    }

    [MethodImpl(Inline)]
    public static Simd512<T> Exponent(Simd512<T> a, out Simd512<T> mantissa)
    {
        if (IsSingle)
        {
            var bits = a._lanes.AsInt32();
            mantissa = new(((bits & Vector512.Create(0x007F_FFFF)) | Vector512.Create(0x3F80_0000)).As<int, T>());
            return new(Vector512.ConvertToSingle((bits >> 23) - Vector512.Create(127)).As<float, T>());
        }

        var wide = a._lanes.AsInt64();
        mantissa = new(((wide & Vector512.Create(0x000F_FFFF_FFFF_FFFFL)) | Vector512.Create(0x3FF0_0000_0000_0000L)).As<long, T>());
        return new(Vector512.ConvertToDouble((wide >> 52) - Vector512.Create(1023L)).As<double, T>());
    }

    [MethodImpl(Inline)]
    public static T Sum(Simd512<T> a) => Vector512.Sum(a._lanes);

    [MethodImpl(Inline)]
    public static T MaxLane(Simd512<T> a)
    {
        var half = Vector256.Max(a._lanes.GetLower(), a._lanes.GetUpper());
        return Simd256<T>.MaxLane(new Simd256<T>(half));
    }

    [MethodImpl(Inline)]
    private static Vector512<float> PowerOfTwo(Vector512<float> n) =>
        ((Vector512.ConvertToInt32(n) + Vector512.Create(127)) << 23).AsSingle();

    [MethodImpl(Inline)]
    private static Vector512<double> PowerOfTwo(Vector512<double> n) =>
        ((Vector512.ConvertToInt64(n) + Vector512.Create(1023L)) << 52).AsDouble();
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DL.Core.Kernels;

/// <summary>128 bits of lanes.</summary>
/// <typeparam name="T"><c>float</c> or <c>double</c>.</typeparam>
[method: MethodImpl(MethodImplOptions.AggressiveInlining)]
internal readonly unsafe struct Simd128<T>(Vector128<T> lanes) : ISimd<Simd128<T>, T>
    where T : unmanaged
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    private readonly Vector128<T> _lanes = lanes;

    public static int Count
    {
        [MethodImpl(Inline)]
        get => Vector128<T>.Count;
    }

    private static bool IsSingle
    {
        [MethodImpl(Inline)]
        get => typeof(T) == typeof(float);
    }

    [MethodImpl(Inline)]
    public static Simd128<T> Load(T* source) => new(Vector128.Load(source));

    [MethodImpl(Inline)]
    public static Simd128<T> Load(T* source, long lanes)
    {
        if (Avx.IsSupported)
            return IsSingle
                ? new(Avx.MaskLoad((float*)source, First(lanes)._lanes.AsSingle()).As<float, T>())
                : new(Avx.MaskLoad((double*)source, First(lanes)._lanes.AsDouble()).As<double, T>());
        if (lanes == Count) return Load(source);
        var part = Vector128<T>.Zero;
        Lanes.Copy(source, (T*)&part, lanes);
        return new(part);
    }

    [MethodImpl(Inline)]
    public static Simd128<T> Create(double value) =>
        IsSingle ? new(Vector128.Create((float)value).As<float, T>()) : new(Vector128.Create(value).As<double, T>());

    [MethodImpl(Inline)]
    public static Simd128<T> Broadcast(T value) => new(Vector128.Create(value));

    [MethodImpl(Inline)]
    public void Store(T* destination) => _lanes.Store(destination);

    [MethodImpl(Inline)]
    public void Store(T* destination, long lanes)
    {
        if (!Avx.IsSupported)
        {
            var part = _lanes;
            Lanes.Copy((T*)&part, destination, lanes);
        }
        else if (IsSingle)
        {
            Avx.MaskStore((float*)destination, First(lanes)._lanes.AsSingle(), _lanes.AsSingle());
        }
        else
        {
            Avx.MaskStore((double*)destination, First(lanes)._lanes.AsDouble(), _lanes.AsDouble());
        }
    }

    [MethodImpl(Inline)]
    public static Simd128<T> First(long lanes) => IsSingle
        ? new(Vector128.GreaterThan(Vector128.Create((int)lanes), Vector128<int>.Indices).As<int, T>())
        : new(Vector128.GreaterThan(Vector128.Create(lanes), Vector128<long>.Indices).As<long, T>());

    [MethodImpl(Inline)]
    public static Simd128<T> operator +(Simd128<T> a, Simd128<T> b) => new(a._lanes + b._lanes);

    [MethodImpl(Inline)]
    public static Simd128<T> operator -(Simd128<T> a, Simd128<T> b) => new(a._lanes - b._lanes);

    [MethodImpl(Inline)]
    public static Simd128<T> operator *(Simd128<T> a, Simd128<T> b) => new(a._lanes * b._lanes);

    [MethodImpl(Inline)]
    public static Simd128<T> operator /(Simd128<T> a, Simd128<T> b) => new(a._lanes / b._lanes);

    [MethodImpl(Inline)]
    public static Simd128<T> operator -(Simd128<T> a) => new(-a._lanes);

    [MethodImpl(Inline)]
    public static Simd128<T> operator &(Simd128<T> a, Simd128<T> b) => new(a._lanes & b._lanes);

    [MethodImpl(Inline)]
    public static Simd128<T> Fma(Simd128<T> a, Simd128<T> b, Simd128<T> c) => IsSingle
        ? new(Vector128.FusedMultiplyAdd(a._lanes.AsSingle(), b._lanes.AsSingle(), c._lanes.AsSingle()).As<float, T>())
        : new(Vector128.FusedMultiplyAdd(a._lanes.AsDouble(), b._lanes.AsDouble(), c._lanes.AsDouble()).As<double, T>());

    // The instruction returns b where either is NaN, so only a NaN in a has to be put back; this is several times faster than the IEEE form.
    [MethodImpl(Inline)]
    public static Simd128<T> Max(Simd128<T> a, Simd128<T> b) =>
        new(Vector128.ConditionalSelect(Vector128.Equals(a._lanes, a._lanes), Vector128.MaxNative(a._lanes, b._lanes), a._lanes));

    [MethodImpl(Inline)]
    public static Simd128<T> Min(Simd128<T> a, Simd128<T> b) =>
        new(Vector128.ConditionalSelect(Vector128.Equals(a._lanes, a._lanes), Vector128.MinNative(a._lanes, b._lanes), a._lanes));

    // The machine's maximum gives its second argument when one is NaN, so the bound goes first.
    [MethodImpl(Inline)]
    public static Simd128<T> Clamp(Simd128<T> a, double low, double high) =>
        new(Vector128.MinNative(Create(high)._lanes, Vector128.MaxNative(Create(low)._lanes, a._lanes)));

    [MethodImpl(Inline)]
    public static Simd128<T> Lift(Simd128<T> a, double low) => new(Vector128.MaxNative(Create(low)._lanes, a._lanes));

    [MethodImpl(Inline)]
    public static Simd128<T> Cap(Simd128<T> a, double high) => new(Vector128.MinNative(Create(high)._lanes, a._lanes));

    [MethodImpl(Inline)]
    public static Simd128<T> Higher(Simd128<T> a, Simd128<T> b) => new(Vector128.MaxNative(a._lanes, b._lanes));

    [MethodImpl(Inline)]
    public static Simd128<T> Abs(Simd128<T> a) => new(Vector128.Abs(a._lanes));

    [MethodImpl(Inline)]
    public static Simd128<T> CopySign(Simd128<T> size, Simd128<T> sign) => new(Vector128.CopySign(size._lanes, sign._lanes));

    [MethodImpl(Inline)]
    public static Simd128<T> Sqrt(Simd128<T> a) => new(Vector128.Sqrt(a._lanes));

    [MethodImpl(Inline)]
    public static Simd128<T> Round(Simd128<T> a) => IsSingle
        ? new(Vector128.Round(a._lanes.AsSingle()).As<float, T>())
        : new(Vector128.Round(a._lanes.AsDouble()).As<double, T>());

    [MethodImpl(Inline)]
    public static Simd128<T> Greater(Simd128<T> a, Simd128<T> b) => new(Vector128.GreaterThan(a._lanes, b._lanes));

    [MethodImpl(Inline)]
    public static Simd128<T> Less(Simd128<T> a, Simd128<T> b) => new(Vector128.LessThan(a._lanes, b._lanes));

    [MethodImpl(Inline)]
    public static Simd128<T> AtLeast(uint* words, uint threshold)
    {
        if (IsSingle)
            return new(Vector128.GreaterThanOrEqual(Vector128.Load(words), Vector128.Create(threshold)).As<uint, T>());
        var widened = Vector128.Create((ulong)words[0], words[1]);
        return new(Vector128.GreaterThanOrEqual(widened, Vector128.Create((ulong)threshold)).As<ulong, T>());
    }

    [MethodImpl(Inline)]
    public static uint Bits(Simd128<T> mask) => Vector128.ExtractMostSignificantBits(mask._lanes);

    [MethodImpl(Inline)]
    public static Simd128<T> Mask(uint bits)
    {
        if (IsSingle)
        {
            var lane = Vector128.Create(1, 2, 4, 8);
            return new(Vector128.Equals(Vector128.Create((int)bits) & lane, lane).As<int, T>());
        }

        var wide = Vector128.Create(1L, 2);
        return new(Vector128.Equals(Vector128.Create((long)bits) & wide, wide).As<long, T>());
    }

    [MethodImpl(Inline)]
    public static Simd128<T> Select(Simd128<T> mask, Simd128<T> a, Simd128<T> b) =>
        new(Vector128.ConditionalSelect(mask._lanes, a._lanes, b._lanes));

    // Two exact factors keep 2^n within the exponent range where one would leave it.
    [MethodImpl(Inline)]
    public static Simd128<T> Scale(Simd128<T> a, Simd128<T> n)
    {
        if (IsSingle)
        {
            var half = Vector128.Floor(n._lanes.AsSingle() * 0.5f);
            var rest = n._lanes.AsSingle() - half;
            return new((a._lanes.AsSingle() * PowerOfTwo(half) * PowerOfTwo(rest)).As<float, T>());
        }

        var wideHalf = Vector128.Floor(n._lanes.AsDouble() * 0.5);
        var wideRest = n._lanes.AsDouble() - wideHalf;
        return new((a._lanes.AsDouble() * PowerOfTwo(wideHalf) * PowerOfTwo(wideRest)).As<double, T>());
    }

    [MethodImpl(Inline)]
    public static Simd128<T> Exponent(Simd128<T> a, out Simd128<T> mantissa)
    {
        if (IsSingle)
        {
            var bits = a._lanes.AsInt32();
            mantissa = new(((bits & Vector128.Create(0x007F_FFFF)) | Vector128.Create(0x3F80_0000)).As<int, T>());
            return new(Vector128.ConvertToSingle((bits >> 23) - Vector128.Create(127)).As<float, T>());
        }

        var wide = a._lanes.AsInt64();
        mantissa = new(((wide & Vector128.Create(0x000F_FFFF_FFFF_FFFFL)) | Vector128.Create(0x3FF0_0000_0000_0000L)).As<long, T>());
        return new(Vector128.ConvertToDouble((wide >> 52) - Vector128.Create(1023L)).As<double, T>());
    }

    [MethodImpl(Inline)]
    public static T Sum(Simd128<T> a) => Vector128.Sum(a._lanes);

    [MethodImpl(Inline)]
    public static T MaxLane(Simd128<T> a)
    {
        if (IsSingle)
        {
            var v = a._lanes.AsSingle();
            return (T)(object)MathF.Max(MathF.Max(v[0], v[1]), MathF.Max(v[2], v[3]));
        }

        var w = a._lanes.AsDouble();
        return (T)(object)Math.Max(w[0], w[1]);
    }

    [MethodImpl(Inline)]
    private static Vector128<float> PowerOfTwo(Vector128<float> n) =>
        ((Vector128.ConvertToInt32(n) + Vector128.Create(127)) << 23).AsSingle();

    [MethodImpl(Inline)]
    private static Vector128<double> PowerOfTwo(Vector128<double> n) =>
        ((Vector128.ConvertToInt64(n) + Vector128.Create(1023L)) << 52).AsDouble();
}

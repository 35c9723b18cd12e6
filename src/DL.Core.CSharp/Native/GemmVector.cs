using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DL.Core.Kernels;

/// <summary>What the matrix kernels ask of a vector of <typeparamref name="T"/>, so that one source serves every width and precision.</summary>
internal unsafe interface IGemmVector<V, T>
    where V : struct, IGemmVector<V, T>
    where T : unmanaged
{
    static abstract int Count { get; }

    /// <summary>The most rows of a tile two vectors wide whose sums stay in the registers of this width.</summary>
    static abstract int TileRows { get; }

    static abstract V Load(T* source);

    /// <summary>Reads the lanes the mask names and gives zero in the others, whose memory is not touched.</summary>
    static abstract V Load(T* source, V mask);

    static abstract V Broadcast(T* source);

    static abstract V MultiplyAdd(V a, V b, V c);

    static abstract V Add(V a, V b);

    static abstract T Sum(V a);

    /// <summary>All bits set in the first <paramref name="count"/> lanes.</summary>
    static abstract V Mask(int count);

    static abstract void Store(V value, T* target);

    static abstract void Store(V value, T* target, V mask);
}

/// <summary>512 bits: 16 float or 8 double.</summary>
internal readonly unsafe struct Gemm512<T>(Vector512<T> value) : IGemmVector<Gemm512<T>, T>
    where T : unmanaged
{
    private readonly Vector512<T> value = value;

    public static int Count => Vector512<T>.Count;

    public static int TileRows => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Gemm512<T> Load(T* source) => new(Lanes512<T>.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Gemm512<T> Load(T* source, Gemm512<T> mask) => new(Lanes512<T>.Load(source, mask.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Gemm512<T> Broadcast(T* source) => new(Lanes512<T>.Broadcast(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Gemm512<T> MultiplyAdd(Gemm512<T> a, Gemm512<T> b, Gemm512<T> c) => new(Lanes512<T>.MultiplyAdd(a.value, b.value, c.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Gemm512<T> Add(Gemm512<T> a, Gemm512<T> b) => new(Lanes512<T>.Add(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sum(Gemm512<T> a) => Vector512.Sum(a.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Gemm512<T> Mask(int count) => new(Lanes512<T>.Mask(count));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Gemm512<T> value, T* target) => Lanes512<T>.Store(value.value, target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Gemm512<T> value, T* target, Gemm512<T> mask) => Lanes512<T>.Store(value.value, target, mask.value);
}

/// <summary>256 bits: 8 float or 4 double.</summary>
internal readonly unsafe struct Gemm256<T>(Vector256<T> value) : IGemmVector<Gemm256<T>, T>
    where T : unmanaged
{
    private readonly Vector256<T> value = value;

    public static int Count => Vector256<T>.Count;

    public static int TileRows => 6;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Gemm256<T> Load(T* source) => new(Lanes256<T>.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Gemm256<T> Load(T* source, Gemm256<T> mask) => new(Lanes256<T>.Load(source, mask.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Gemm256<T> Broadcast(T* source) => new(Lanes256<T>.Broadcast(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Gemm256<T> MultiplyAdd(Gemm256<T> a, Gemm256<T> b, Gemm256<T> c) => new(Lanes256<T>.MultiplyAdd(a.value, b.value, c.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Gemm256<T> Add(Gemm256<T> a, Gemm256<T> b) => new(Lanes256<T>.Add(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sum(Gemm256<T> a) => Vector256.Sum(a.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Gemm256<T> Mask(int count) => new(Lanes256<T>.Mask(count));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Gemm256<T> value, T* target) => Lanes256<T>.Store(value.value, target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Gemm256<T> value, T* target, Gemm256<T> mask) => Lanes256<T>.Store(value.value, target, mask.value);
}

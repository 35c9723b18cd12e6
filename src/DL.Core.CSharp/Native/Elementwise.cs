using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DL.Core.Kernels;

/// <summary>Maps over contiguous memory: whole vectors first, then the rest in a zero-padded one, so that every element meets the same instructions.</summary>
internal static unsafe class Elementwise
{
    /// <summary>Elements under which a second thread costs more than it saves.</summary>
    private const long Grain = 32 * 1024;

    /// <summary>y = f(x). The spans are equally long; y may be x.</summary>
    public static void Map<T, TOp>(ReadOnlySpan<T> x, Span<T> y, TOp op)
        where T : unmanaged
        where TOp : unmanaged, IUnary<T>
    {
        fixed (T* px = x, py = y)
        {
            var job = new UnaryJob<T, TOp> { X = px, Y = py, Op = op };
            Workers.For(y.Length, Grain, &UnaryJob<T, TOp>.Run, &job);
        }
    }

    /// <summary>y = f(a, b). The spans are equally long; y may be a or b.</summary>
    public static void Map<T, TOp>(ReadOnlySpan<T> a, ReadOnlySpan<T> b, Span<T> y, TOp op)
        where T : unmanaged
        where TOp : unmanaged, IBinary<T>
    {
        fixed (T* pa = a, pb = b, py = y)
        {
            var job = new BinaryJob<T, TOp> { A = pa, B = pb, Y = py, Op = op };
            Workers.For(y.Length, Grain, &BinaryJob<T, TOp>.Run, &job);
        }
    }

    private struct UnaryJob<T, TOp>
        where T : unmanaged
        where TOp : unmanaged, IUnary<T>
    {
        public T* X;
        public T* Y;
        public TOp Op;

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(UnaryJob<T, TOp>*)state;
            if (Vector512.IsHardwareAccelerated) Whole<Simd512<T>>(job.X + from, job.Y + from, to - from, job.Op);
            else if (Vector256.IsHardwareAccelerated) Whole<Simd256<T>>(job.X + from, job.Y + from, to - from, job.Op);
            else Whole<Simd128<T>>(job.X + from, job.Y + from, to - from, job.Op);
        }

        private static void Whole<S>(T* x, T* y, long n, TOp op) where S : struct, ISimd<S, T>
        {
            var whole = n - (n % S.Count);
            Loop<S>(x, y, whole, op);
            if (whole == n) return;
            var lanes = default(Tail.Buffer);
            Tail.Copy(x + whole, (T*)&lanes, n - whole);
            Loop<S>((T*)&lanes, (T*)&lanes, S.Count, op);
            Tail.Copy((T*)&lanes, y + whole, n - whole);
        }

        // One use of the operation in the method, for a second one would take the compiler past its budget of inlining.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Loop<S>(T* x, T* y, long n, TOp op) where S : struct, ISimd<S, T>
        {
            for (var i = 0L; i < n; i += S.Count) op.Apply(S.Load(x + i)).Store(y + i);
        }
    }

    private struct BinaryJob<T, TOp>
        where T : unmanaged
        where TOp : unmanaged, IBinary<T>
    {
        public T* A;
        public T* B;
        public T* Y;
        public TOp Op;

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(BinaryJob<T, TOp>*)state;
            if (Vector512.IsHardwareAccelerated) Whole<Simd512<T>>(job.A + from, job.B + from, job.Y + from, to - from, job.Op);
            else if (Vector256.IsHardwareAccelerated) Whole<Simd256<T>>(job.A + from, job.B + from, job.Y + from, to - from, job.Op);
            else Whole<Simd128<T>>(job.A + from, job.B + from, job.Y + from, to - from, job.Op);
        }

        private static void Whole<S>(T* a, T* b, T* y, long n, TOp op) where S : struct, ISimd<S, T>
        {
            var whole = n - (n % S.Count);
            Loop<S>(a, b, y, whole, op);
            if (whole == n) return;
            Tail.Buffer first = default, second = default;
            Tail.Copy(a + whole, (T*)&first, n - whole);
            Tail.Copy(b + whole, (T*)&second, n - whole);
            Loop<S>((T*)&first, (T*)&second, (T*)&first, S.Count, op);
            Tail.Copy((T*)&first, y + whole, n - whole);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Loop<S>(T* a, T* b, T* y, long n, TOp op) where S : struct, ISimd<S, T>
        {
            for (var i = 0L; i < n; i += S.Count) op.Apply(S.Load(a + i), S.Load(b + i)).Store(y + i);
        }
    }
}

/// <summary>The part of a vector that is left at the end of a row.</summary>
internal static unsafe class Tail
{
    /// <summary>The first <paramref name="left"/> lanes from memory, the others zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static S Load<T, S>(T* source, long left)
        where T : unmanaged
        where S : struct, ISimd<S, T>
    {
        var lanes = default(Buffer);
        Bytes((byte*)source, (byte*)&lanes, left * sizeof(T));
        return S.Load((T*)&lanes);
    }

    /// <summary>The first <paramref name="left"/> lanes, the others zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static S Keep<T, S>(S value, long left)
        where T : unmanaged
        where S : struct, ISimd<S, T>
    {
        var lanes = default(Buffer);
        Store(value, (T*)&lanes, left);
        return S.Load((T*)&lanes);
    }

    /// <summary>Writes the first <paramref name="left"/> lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<T, S>(S value, T* destination, long left)
        where T : unmanaged
        where S : struct, ISimd<S, T>
    {
        var lanes = default(Buffer);
        value.Store((T*)&lanes);
        Bytes((byte*)&lanes, (byte*)destination, left * sizeof(T));
    }

    /// <summary>Copies lanes to or from a buffer.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Copy<T>(T* source, T* destination, long left) where T : unmanaged =>
        Bytes((byte*)source, (byte*)destination, left * sizeof(T));

    // Halves of a vector by the bits of the length; the runtime's own copy is several times slower until it has been compiled anew.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Bytes(byte* source, byte* destination, long count)
    {
        if (count == 64)
        {
            Vector512.Load(source).Store(destination);
            return;
        }

        if ((count & 32) != 0)
        {
            Vector256.Load(source).Store(destination);
            source += 32;
            destination += 32;
        }

        if ((count & 16) != 0)
        {
            Vector128.Load(source).Store(destination);
            source += 16;
            destination += 16;
        }

        if ((count & 8) != 0)
        {
            Unsafe.WriteUnaligned(destination, Unsafe.ReadUnaligned<ulong>(source));
            source += 8;
            destination += 8;
        }

        if ((count & 4) != 0) Unsafe.WriteUnaligned(destination, Unsafe.ReadUnaligned<uint>(source));
    }

    /// <summary>Room for the widest vector.</summary>
    [InlineArray(8)]
    internal struct Buffer
    {
        private long _first;
    }
}

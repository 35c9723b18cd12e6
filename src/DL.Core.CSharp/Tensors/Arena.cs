using System.Runtime.InteropServices;
using DL.Core.Kernels;

namespace DL.Core;

/// <summary>Native memory handed out in order and taken back all at once: the workspace of one training step.</summary>
/// <remarks>The same network and batch size ask for the same blocks in the same order, so nothing is allocated after the first step.
/// Results follow their inputs: an operation puts its output where its input lies, so no operation knows of arenas.</remarks>
internal sealed unsafe partial class Arena : IDisposable
{
    private const int Alignment = 64;
    private const nuint FirstBlock = 1 << 20;

    private readonly List<(nint Start, nuint Length)> _blocks = [];
    private readonly List<nint> _kept = [];
    private Tensor[] _gradients = [];
    private bool[] _claimed = [];
    private nuint _used;
    private nuint _total;

    /// <summary>The number of the current step; tensors of earlier steps have expired.</summary>
    public int Generation { get; private set; } = 1;

    /// <summary>The most bytes one step has asked for.</summary>
    public long PeakBytes { get; private set; }

    /// <summary>An unset tensor that lives until <see cref="Reset"/>.</summary>
    public Tensor<T> Allocate<T>(Shape shape) where T : unmanaged =>
        Tensor<T>.InArena(shape, (T*)Bytes((nuint)shape.Count * (nuint)sizeof(T)), this, Generation);

    /// <summary>A zeroed block that lives as long as the arena.</summary>
    public T* Keep<T>(int count) where T : unmanaged
    {
        var length = RoundUp((nuint)count * (nuint)sizeof(T)) + Alignment;
        var block = AlignedMemory.Allocate(length);
        NativeMemory.Clear(block, length);
        _kept.Add((nint)block);
        return (T*)block;
    }

    /// <summary>Names the tensors that parameter gradients are written to, by the parameters' <see cref="Tensor.Home"/>.</summary>
    public void SetGradients(Tensor[] gradients)
    {
        _gradients = gradients;
        _claimed = new bool[gradients.Length];
    }

    /// <summary>The gradient's own slot, at the first claim of a step; null afterwards, when the caller must use memory of its own.</summary>
    public Tensor? Claim(int home)
    {
        if (_claimed[home]) return null;
        _claimed[home] = true;
        return _gradients[home];
    }

    /// <summary>Takes everything back and starts a new step.</summary>
    public void Reset()
    {
        Generation = Generation == int.MaxValue ? 1 : Generation + 1;
        PeakBytes = Math.Max(PeakBytes, (long)_used);
        Array.Clear(_claimed);
        if (_blocks.Count > 1) Merge();
        _used = 0;
        ForgetReturned();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    ~Arena() => Free();

    private static nuint RoundUp(nuint bytes) => (bytes + Alignment - 1) & ~(nuint)(Alignment - 1);

    private byte* Bytes(nuint bytes)
    {
        var need = RoundUp(Math.Max(bytes, 1));
        return Reusing && need >= LeastReused ? Lend(need) : Fresh(need);
    }

    private byte* Fresh(nuint need)
    {
        if (_used + need > _total) Grow(need);
        var (start, length) = _blocks[^1];
        var offset = length - (_total - _used);
        _used += need;
        return (byte*)start + offset;
    }

    private void Grow(nuint need)
    {
        // The rest of the last block is given up until the blocks are merged at the next reset.
        _used = _total;
        var length = Math.Max(need, Math.Max(FirstBlock, _total));
        _blocks.Add(((nint)AlignedMemory.Allocate(length), length));
        _total += length;
    }

    private void Merge()
    {
        foreach (var (start, _) in _blocks) AlignedMemory.Free((void*)start);
        _blocks.Clear();
        var length = _total;
        _blocks.Add(((nint)AlignedMemory.Allocate(length), length));
    }

    private void Free()
    {
        foreach (var (start, _) in _blocks) AlignedMemory.Free((void*)start);
        foreach (var block in _kept) AlignedMemory.Free((void*)block);
        _blocks.Clear();
        _kept.Clear();
        _total = _used = 0;
    }
}

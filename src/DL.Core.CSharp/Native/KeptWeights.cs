using System.Runtime.CompilerServices;

namespace DL.Core.Kernels;

/// <summary>Weights laid out for the kernels, kept beside tensors that are used again, as in prediction.</summary>
/// <remarks>Kept from the second use in one layout on, so that weights that live for one step cost nothing; they go when the tensor's numbers go, and are
/// made anew once an optimizer has changed any tensor in place. Only tensors on the garbage-collected heap keep any: an arena's memory is written again.</remarks>
internal sealed unsafe class KeptWeights
{
    private static readonly ConditionalWeakTable<Array, KeptWeights> All = [];

    private Use? _seen;
    private Block? _kept;

    /// <summary>What is kept beside an array.</summary>
    public static KeptWeights Of(Array numbers) => All.GetOrCreateValue(numbers);

    /// <summary>The weights in this layout, if they are kept; equal layouts are equal values.</summary>
    public Block? Find(object layout) => Volatile.Read(ref _kept) is { } kept && kept.Made == new Use(layout, Changes.Count) ? kept : null;

    /// <summary>Unset room to be kept by <see cref="Keep"/>, if this is not the first use in this layout.</summary>
    public Block? Room(object layout, long bytes)
    {
        var use = new Use(layout, Changes.Count);
        return Interlocked.Exchange(ref _seen, use) == use ? new Block(use, bytes) : null;
    }

    /// <summary>Keeps a block that has been filled.</summary>
    public void Keep(Block block) => Volatile.Write(ref _kept, block);

    /// <summary>A layout, and how many changes in place there had been.</summary>
    internal sealed record Use(object Layout, long Changes);

    /// <summary>Memory that is given back when nobody holds it any more; the garbage collector is told of it, for it sees only the handle.</summary>
    internal sealed class Block
    {
        private readonly long _bytes;

        public Block(Use made, long bytes)
        {
            Made = made;
            _bytes = Math.Max(1, bytes);
            Start = AlignedMemory.Allocate((nuint)_bytes);
            GC.AddMemoryPressure(_bytes);
        }

        ~Block()
        {
            if (Start == null) return;
            AlignedMemory.Free(Start);
            GC.RemoveMemoryPressure(_bytes);
        }

        public Use Made { get; }

        public void* Start { get; }
    }
}

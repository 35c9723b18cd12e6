using System.Runtime.CompilerServices;

namespace DL.Core.Kernels;

/// <summary>Weights laid out for the kernels, kept beside tensors that are used again, as in prediction: a tensor does not change once made.</summary>
/// <remarks>Kept from the second use in one layout on, so that weights that live for one step cost nothing; they go when the tensor's numbers go. Only
/// tensors on the garbage-collected heap keep any: an arena's memory is written again.</remarks>
internal sealed unsafe class KeptWeights
{
    private static readonly ConditionalWeakTable<Array, KeptWeights> All = [];

    private object? _seen;
    private Block? _kept;

    /// <summary>What is kept beside an array, or null for no array.</summary>
    public static KeptWeights? Of(Array? numbers) => numbers is null ? null : All.GetOrCreateValue(numbers);

    /// <summary>The weights in this layout, if they are kept; equal layouts are equal values.</summary>
    public Block? Find(object layout) => Volatile.Read(ref _kept) is { } kept && kept.Layout.Equals(layout) ? kept : null;

    /// <summary>Unset room to be kept by <see cref="Keep"/>, if this is not the first use in this layout.</summary>
    public Block? Room(object layout, long bytes)
    {
        if (layout.Equals(Interlocked.Exchange(ref _seen, layout))) return new Block(layout, bytes);
        return null;
    }

    /// <summary>Keeps a block that has been filled.</summary>
    public void Keep(Block block) => Volatile.Write(ref _kept, block);

    /// <summary>Memory that is given back when nobody holds it any more.</summary>
    internal sealed class Block(object layout, long bytes)
    {
        ~Block() => AlignedMemory.Free(Start);

        public object Layout { get; } = layout;

        public void* Start { get; } = AlignedMemory.Allocate((nuint)Math.Max(1, bytes));
    }
}

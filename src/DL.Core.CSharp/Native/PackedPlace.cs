namespace DL.Core.Kernels;

/// <summary>Where packed weights lie: beside their tensor if it keeps them, else in the thread's working memory.</summary>
internal readonly unsafe struct PackedPlace(KeptWeights? keeper, object? layout)
{
    /// <summary>The place of so many bytes; it is filled where the weights were kept in this layout.</summary>
    public Opened Open(long bytes)
    {
        if (keeper is null || layout is null) return new() { Start = Scratch.Right(bytes) };
        if (keeper.Find(layout) is { } found) return new() { Start = found.Start, Kept = found, Filled = true };
        var room = keeper.Room(layout, bytes);
        return new() { Start = room is null ? Scratch.Right(bytes) : room.Start, Kept = room, Keeper = keeper };
    }

    /// <summary>A place in use; whoever uses it keeps <see cref="Kept"/> alive.</summary>
    internal struct Opened
    {
        public void* Start;
        public KeptWeights.Block? Kept;
        public KeptWeights? Keeper;
        public bool Filled;

        /// <summary>The weights are in: from now on they may be found.</summary>
        public readonly void Close()
        {
            if (!Filled && Kept is not null) Keeper!.Keep(Kept);
        }
    }
}

namespace DL.Core.Kernels;

/// <summary>Whether a kernel meets whole vectors or the rest of a row, as a type, so that it is compiled for it.</summary>
internal interface ILaneCount
{
    static abstract bool Whole { get; }
}

/// <summary>Whole vectors.</summary>
internal readonly struct AllLanes : ILaneCount
{
    public static bool Whole => true;
}

/// <summary>The first lanes of a vector.</summary>
internal readonly struct FirstLanes : ILaneCount
{
    public static bool Whole => false;
}

namespace DL.Core.Kernels;

/// <summary>Looks once for the engines of this process.</summary>
internal sealed class EngineSearch
{
    internal static readonly EngineSearch Result = new();

    private readonly List<BlasEngine> available = [];
    private readonly List<NativeAttempt> tried = [];

    private EngineSearch()
    {
        available.Add(ManagedEngine.Instance);
        tried.Add(new NativeAttempt(ManagedEngine.Instance.Name, "always present"));
    }

    internal BlasEngine Engine => available[0];

    internal IReadOnlyList<BlasEngine> Available => available;

    internal IReadOnlyList<NativeAttempt> Tried => tried;
}

namespace DL.Core.Kernels;

/// <summary>Which keys a query may see, told one by one: [queries, keys] for all examples or for each.</summary>
internal unsafe struct AttentionVisible
{
    public float* Single;
    public double* Double;
    public int* Integer;

    /// <summary>From one example to the next; 0 where all share.</summary>
    public nint Example;

    /// <summary>From one query to the next.</summary>
    public nint Row;

    public readonly bool Given => Single != null || Double != null || Integer != null;

    public readonly bool At(nint example, nint query, nint key)
    {
        var at = (example * Example) + (query * Row) + key;
        return Single != null ? Single[at] != 0 : Double != null ? Double[at] != 0 : Integer == null || Integer[at] != 0;
    }
}

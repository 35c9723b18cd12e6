using System.Runtime.InteropServices;
using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>Holds what the settings of an attention point to while a job runs.</summary>
internal static unsafe class AttentionRun
{
    /// <summary>The outputs and statistics, or the weights, of all heads.</summary>
    public static void Forward<T>(AttentionJob<T> job, AttentionSettings settings) where T : unmanaged =>
        Over(job, settings, settings.Visible is null && AttentionStep<T>.Suits(job) ? &AttentionStep<T>.Run : &AttentionForward<T>.Run);

    /// <summary>The gradients of all heads.</summary>
    public static void Backward<T>(AttentionJob<T> job, AttentionSettings settings) where T : unmanaged => Over(job, settings, &AttentionBackward<T>.Run);

    private static void Over<T>(AttentionJob<T> job, AttentionSettings settings, delegate*<void*, long, long, void> body) where T : unmanaged
    {
        fixed (int* keys = settings.KeyLengths, queries = settings.QueryLengths)
        fixed (byte* visible = Bytes(settings.Visible))
        {
            job.KeyLengths = keys;
            job.QueryLengths = queries;
            if (settings.Visible is { } seen) job.Visible = Visible(seen, visible, job.Queries, job.Keys);
            job.Run(body);
        }
    }

    private static AttentionVisible Visible(Tensor seen, byte* numbers, nint queries, nint keys) => new()
    {
        Single = seen.ElementType == ElementType.Float32 ? (float*)numbers : null,
        Double = seen.ElementType == ElementType.Float64 ? (double*)numbers : null,
        Integer = seen.ElementType == ElementType.Int32 ? (int*)numbers : null,
        Example = seen.Shape.Rank == 2 ? 0 : queries * keys,
        Row = keys,
    };

    private static ReadOnlySpan<byte> Bytes(Tensor? seen) => seen switch
    {
        Tensor<float> x => MemoryMarshal.AsBytes(x.Span),
        Tensor<double> x => MemoryMarshal.AsBytes(x.Span),
        Tensor<int> x => MemoryMarshal.AsBytes(x.Span),
        _ => default,
    };
}

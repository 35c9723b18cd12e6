using System.Runtime.Intrinsics;

namespace DL.Core.Kernels;

/// <summary>The steps of a recurrent pass, for some of its rows.</summary>
internal interface IRecurrentSteps<T> where T : unmanaged
{
    /// <summary>Runs all steps of the rows [from, to).</summary>
    void Rows<S>(int from, int to) where S : struct, ISimd<S, T>;
}

/// <summary>Cuts a pass into parts of whole rows, each of which runs through all steps by itself.</summary>
internal static unsafe class RecurrentParts
{
    /// <summary>Runs a pass whose product has so many columns.</summary>
    public static void Run<T, TSteps>(TSteps steps, in RecurrentFrame frame, long columns)
        where T : unmanaged
        where TSteps : unmanaged, IRecurrentSteps<T>
    {
        var job = new Job<T, TSteps> { Steps = steps, Frame = frame, Parts = frame.Parts((long)frame.Rows * frame.Hidden * columns) };
        Workers.For(job.Parts, 1, &Job<T, TSteps>.Run, &job);
    }

    private struct Job<T, TSteps>
        where T : unmanaged
        where TSteps : unmanaged, IRecurrentSteps<T>
    {
        public TSteps Steps;
        public RecurrentFrame Frame;
        public long Parts;

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(Job<T, TSteps>*)state;
            int first = job.Frame.FirstRow(from, job.Parts), end = job.Frame.FirstRow(to, job.Parts);
            if (Vector512.IsHardwareAccelerated) job.Steps.Rows<Simd512<T>>(first, end);
            else if (Vector256.IsHardwareAccelerated) job.Steps.Rows<Simd256<T>>(first, end);
            else job.Steps.Rows<Simd128<T>>(first, end);
        }
    }
}

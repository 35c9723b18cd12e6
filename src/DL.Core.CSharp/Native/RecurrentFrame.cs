namespace DL.Core.Kernels;

/// <summary>Which examples still run at each step of a recurrent pass.</summary>
/// <remarks>Rows are the examples, the longest first, so that those which still run are always the first ones. What the pass keeps of a step lies packed, step
/// after step, without the rows that have ended: nothing is read or computed at a padded place.</remarks>
internal unsafe struct RecurrentFrame
{
    // Fewer rows leave the multipliers waiting; a step is then cut by columns.
    private const int LeastRows = 8;

    public int Batch, Time, Hidden;

    /// <summary>[Batch]: the example of each row.</summary>
    public int* Order;

    /// <summary>[Time + 1]: the first packed row of each step.</summary>
    public int* Starts;

    /// <summary>[Batch]: the number of steps of each example.</summary>
    public int* Lengths;

    /// <summary>The number of rows that run at a step.</summary>
    public readonly int Active(int step) => step < Time ? Starts[step + 1] - Starts[step] : 0;

    /// <summary>The number of steps at which any row runs.</summary>
    public readonly int Steps => Batch == 0 ? 0 : Lengths[Order[0]];

    /// <summary>All steps of all examples.</summary>
    public readonly int Rows => Starts[Time];

    /// <summary>Into how many parts of whole rows a pass of so much work is cut: rows never mix, so the cut moves no bit.</summary>
    public readonly int Parts(long work) => work < GemmManaged.ParallelWork ? 1 : Math.Clamp(Active(0) / LeastRows, 1, Workers.Parallelism);

    /// <summary>The first row of a part, so that all parts have about as many steps to do.</summary>
    public readonly int FirstRow(long part, long parts)
    {
        if (part == parts) return Batch;
        var goal = Rows * part / parts;
        var row = 0;
        for (var steps = 0L; row < Batch && steps < goal; row++) steps += Lengths[Order[row]];
        return row;
    }

    /// <summary>Where a row's numbers of one example-wise array lie.</summary>
    public readonly T* Example<T>(T* array, int row) where T : unmanaged => array + ((long)Order[row] * Hidden);

    /// <summary>Where a row's numbers at a step of a sequence lie.</summary>
    public readonly T* Place<T>(T* sequence, int row, int step) where T : unmanaged => sequence + ((((long)Order[row] * Time) + step) * Hidden);
}

using DL.Core.Kernels;

namespace DL.Core.Ops;

/// <summary>Sequences from their last step to their first: <c>y_t = x_(length - 1 - t)</c> within each example's length; padding stays where it is.</summary>
/// <remarks>It is its own inverse and its own Backward. A net that runs over both, its second output reversed again, is bidirectional.</remarks>
public static unsafe class ReverseTime
{
    private const string Name = "ReverseTime";

    /// <summary><c>y_t = x_(length - 1 - t)</c> within the length, <c>y_t = x_t</c> past it.</summary>
    /// <param name="x">[batch; time; ..], any element type.</param>
    /// <param name="lengths">The steps of each example; null if all have all.</param>
    /// <exception cref="ShapeException">There are no two axes, or there is not one length for each example.</exception>
    /// <exception cref="InvalidArgumentException">A length lies outside the sequence.</exception>
    public static Tensor Forward(Tensor x, int[]? lengths = null) => Run(x, lengths, Name);

    /// <summary>The gradient of the input: that of the output, reversed again.</summary>
    /// <param name="dy">[batch; time; ..], the gradient of the output.</param>
    /// <param name="lengths">The lengths of the forward pass.</param>
    /// <exception cref="ShapeException">There are no two axes, or there is not one length for each example.</exception>
    /// <exception cref="InvalidArgumentException">A length lies outside the sequence.</exception>
    public static Tensor Backward(Tensor dy, int[]? lengths = null) => Run(dy, lengths, "ReverseTime.Backward");

    /// <summary><c>y_t = x_(length - 1 - t)</c> within the length, <c>y_t = x_t</c> past it, over spans.</summary>
    /// <param name="x">[batch; time; width].</param>
    /// <param name="batch">The number of examples.</param>
    /// <param name="time">The number of steps.</param>
    /// <param name="lengths">The steps of each example; empty if all have all.</param>
    /// <param name="y">[batch; time; width], overwritten; not x.</param>
    /// <exception cref="ShapeException">The lengths of the spans do not fit.</exception>
    /// <exception cref="InvalidArgumentException">A length lies outside the sequence.</exception>
    public static void Forward<T>(ReadOnlySpan<T> x, int batch, int time, ReadOnlySpan<int> lengths, Span<T> y) where T : unmanaged
    {
        Apply.SameLength(x.Length, y.Length, Name);
        var steps = (long)batch * time;
        if (batch < 0 || time < 0 || (steps == 0 ? x.Length != 0 : x.Length % steps != 0))
            throw new ShapeException(Name, $"elements of {batch} sequences of {time} steps", $"{x.Length}");
        if (lengths.Length != 0 || batch == 0) StepLengths.Check(lengths, batch, time, "ReverseTime lengths");
        if (x.Length == 0) return;
        fixed (T* px = x, py = y)
        fixed (int* pl = lengths)
        {
            var job = new Job<T> { X = px, Y = py, Lengths = pl, Time = time, Width = (int)(x.Length / steps) };
            Workers.For(batch, Math.Max(1, (32 << 10) / Math.Max(1, (long)time * job.Width)), &Job<T>.Run, &job);
        }
    }

    private static Tensor Run(Tensor x, int[]? lengths, string where)
    {
        if (x.Shape.Rank < 2) throw new ShapeException(where, "shape [batch; time; ..]", $"{x.Shape}");
        if (lengths is not null) StepLengths.Check(lengths, x.Shape[0], x.Shape[1], $"{where} lengths");
        return x switch
        {
            Tensor<float> single => Run(single, lengths),
            Tensor<double> wide => Run(wide, lengths),
            _ => Run(x.As<int>(where), lengths),
        };
    }

    private static Tensor<T> Run<T>(Tensor<T> x, int[]? lengths) where T : unmanaged
    {
        var y = x.Like();
        Forward(x.Span, x.Shape[0], x.Shape[1], lengths, y.Write());
        return y;
    }

    private struct Job<T> where T : unmanaged
    {
        public T* X;
        public T* Y;
        public int* Lengths;
        public int Time;
        public int Width;

        public static void Run(void* state, long from, long to)
        {
            ref var job = ref *(Job<T>*)state;
            for (var example = from; example < to; example++) job.Example(example);
        }

        private readonly void Example(long example)
        {
            var length = Lengths is null ? Time : Lengths[example];
            T* x = X + (example * Time * Width), y = Y + (example * Time * Width);
            for (var step = 0; step < Time; step++)
            {
                var source = step < length ? length - 1 - step : step;
                new Span<T>(x + ((long)source * Width), Width).CopyTo(new Span<T>(y + ((long)step * Width), Width));
            }
        }
    }
}

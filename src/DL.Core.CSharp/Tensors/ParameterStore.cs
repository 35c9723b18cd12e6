namespace DL.Core;

/// <summary>All parameters of a model in one flat buffer, with their gradients and an optimizer's moments beside them in buffers of the same layout.</summary>
/// <remarks>One pass over flat memory updates everything. Each parameter starts on a 64-byte boundary; the gaps hold zeros, which no optimizer moves.</remarks>
internal sealed partial class ParameterStore
{
    private const int AlignedElements = 16;

    private readonly int[] _offsets;

    /// <summary>Copies the parameters, rounded to the element type, into memory the arena keeps.</summary>
    public ParameterStore(Arena arena, Tensor[] parameters, ElementType type, int moments)
    {
        _offsets = new int[parameters.Length];
        var total = 0L;
        for (var i = 0; i < parameters.Length; i++)
        {
            _offsets[i] = (int)total;
            total += (parameters[i].Count + AlignedElements - 1L) / AlignedElements * AlignedElements;
            if (total > Shape.MaxCount) throw new ShapeException("Model", $"at most {Shape.MaxCount} parameters", $"{total} and more");
        }

        var shape = new Shape((int)total);
        Weights = Keep(arena, type, shape);
        Gradients = Keep(arena, type, shape);
        Moments = new Tensor[moments];
        for (var i = 0; i < moments; i++) Moments[i] = Keep(arena, type, shape);
        Views = new Tensor[parameters.Length];
        Homes = new Tensor[parameters.Length];
        for (var i = 0; i < parameters.Length; i++)
        {
            Views[i] = View(arena, Weights, _offsets[i], parameters[i].Shape, i);
            Homes[i] = View(arena, Gradients, _offsets[i], parameters[i].Shape, -1);
            Homes[i].Rows = new();
            Copy(parameters[i].ElementType == type ? parameters[i] : parameters[i].To(type), Views[i]);
        }

        arena.SetGradients(Homes);
    }

    /// <summary>The flat parameters.</summary>
    public Tensor Weights { get; }

    /// <summary>The flat gradients; rows may be pending until <see cref="Settle"/>.</summary>
    public Tensor Gradients { get; }

    /// <summary>The flat moments of the optimizer.</summary>
    public Tensor[] Moments { get; }

    /// <summary>Each parameter in its own shape, over the flat buffer.</summary>
    public Tensor[] Views { get; }

    private Tensor[] Homes { get; }

    /// <summary>Brings gradients that were made elsewhere into the flat buffer.</summary>
    public void Collect(Tensor[] gradients)
    {
        if (gradients.Length != Homes.Length)
            throw new InvalidArgumentException("Pullback", $"{Homes.Length} gradients, one for each parameter", $"{gradients.Length}");
        for (var i = 0; i < gradients.Length; i++)
        {
            if (ReferenceEquals(gradients[i], Homes[i])) continue;
            gradients[i].Expect(Homes[i].Shape, $"Pullback, gradient {i}");
            Homes[i].Forget();
            Homes[i].Rows!.Spread();
            Copy(gradients[i], Homes[i]);
        }
    }

    /// <summary>Writes all gradients of which rows are pending into the flat buffer, for who reads that as a whole.</summary>
    public void Settle()
    {
        foreach (var gradient in Homes) gradient.Settle();
    }

    /// <summary>Copies of the parameters on the garbage-collected heap.</summary>
    public Tensor[] Snapshot() => Array.ConvertAll(Views, view => view.To(view.ElementType));

    /// <summary>Copies of one moment, cut into the parameters' shapes.</summary>
    public Tensor[] SnapshotMoment(int moment, Arena arena)
    {
        var cut = new Tensor[Views.Length];
        for (var i = 0; i < cut.Length; i++)
            cut[i] = View(arena, Moments[moment], _offsets[i], Views[i].Shape, -1).To(Views[i].ElementType);
        return cut;
    }

    /// <summary>Sets one moment from tensors of the parameters' shapes.</summary>
    public void RestoreMoment(int moment, Tensor[] from, Arena arena)
    {
        for (var i = 0; i < from.Length; i++) Copy(from[i], View(arena, Moments[moment], _offsets[i], Views[i].Shape, -1));
    }

    /// <summary>An unset tensor of the given shape in memory the arena keeps until it is freed.</summary>
    public static Tensor Keep(Arena arena, ElementType type, Shape shape) =>
        type == ElementType.Float64 ? Kept<double>(arena, shape) : type == ElementType.Float32 ? Kept<float>(arena, shape) : Kept<int>(arena, shape);

    /// <summary>Copies elements between tensors of one shape and type.</summary>
    public static void Copy(Tensor from, Tensor to)
    {
        if (from is Tensor<double> wide) wide.Span.CopyTo(to.As<double>("Copy").Write());
        else if (from is Tensor<float> single) single.Span.CopyTo(to.As<float>("Copy").Write());
        else from.As<int>("Copy").Span.CopyTo(to.As<int>("Copy").Write());
    }

    private static unsafe Tensor<T> Kept<T>(Arena arena, Shape shape) where T : unmanaged =>
        Tensor<T>.InArena(shape, arena.Keep<T>(shape.Count), arena, 0);

    private static Tensor View(Arena arena, Tensor flat, int offset, Shape shape, int home) =>
        flat is Tensor<double> wide ? wide.View(offset, shape, arena, home) : flat.As<float>("View").View(offset, shape, arena, home);
}

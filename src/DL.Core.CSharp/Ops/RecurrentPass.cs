namespace DL.Core.Ops;

/// <summary>What a recurrent operation puts out, and what its Backward needs of it.</summary>
public abstract class RecurrentPass
{
    private protected RecurrentPass(RecurrentArguments arguments, Tensor output, Tensor hidden, Tensor saved)
    {
        Arguments = arguments;
        Output = output;
        Hidden = hidden;
        Saved = saved;
    }

    /// <summary>The extents and lengths of the pass.</summary>
    public RecurrentShape Shape => Arguments.Shape;

    /// <summary>The states after every step, [batch; time; hidden]; zeros past an example's length.</summary>
    public Tensor Output { get; }

    /// <summary>The state after each example's last step, [batch; hidden]; the initial state for an example of length 0.</summary>
    public Tensor Hidden { get; }

    internal RecurrentArguments Arguments { get; }

    /// <summary>What Backward needs beside the arguments.</summary>
    internal Tensor Saved { get; }
}

/// <summary>The gradients of a recurrent operation.</summary>
public sealed class RecurrentGradients
{
    private readonly Func<Tensor> _input;

    internal RecurrentGradients(Tensor weight, Tensor recurrent, Tensor hidden, Func<Tensor> input)
    {
        Weight = weight;
        Recurrent = recurrent;
        Hidden = hidden;
        _input = input;
    }

    /// <summary>The gradient of the input weights.</summary>
    public Tensor Weight { get; }

    /// <summary>The gradient of the recurrent weights.</summary>
    public Tensor Recurrent { get; }

    /// <summary>The gradient of the bias, or null without one.</summary>
    public Tensor? Bias { get; internal init; }

    /// <summary>The gradient of the recurrent bias of a gated recurrent unit, or null without one.</summary>
    public Tensor? RecurrentBias { get; internal init; }

    /// <summary>The gradient of the initial state, [batch; hidden].</summary>
    public Tensor Hidden { get; }

    /// <summary>The gradient of the initial cell of an <see cref="Lstm"/>, [batch; hidden]; else null.</summary>
    public Tensor? Cell { get; internal init; }

    /// <summary>The gradient of the input, [batch; time; inputs], zeros in the padding. It is computed here, so that it costs nothing where nobody asks.</summary>
    public Tensor Input() => _input();
}

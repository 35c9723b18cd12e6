using System.Numerics;

namespace DL.Core.Ops;

/// <summary>Where a gated recurrent unit resets its state, and which share its update gate stands for.</summary>
public enum GruForm
{
    /// <summary>The state is reset before the product: <c>n = tanh(x W + (r h) R + b)</c>, <c>h' = (1 - z) h + z n</c>.</summary>
    ResetBefore,

    /// <summary>The product is reset: <c>n = tanh(x W + b + r (h R + c))</c>, <c>h' = (1 - z) n + z h</c>, as PyTorch and cuDNN have it.</summary>
    ResetAfter,
}

/// <summary>A gated recurrent unit: <c>r, z = sigmoid(x_t W + h_(t-1) R + b + c)</c>, a candidate n, and a mixture of n and <c>h_(t-1)</c> by z, both in one of
/// two forms (<see cref="GruForm"/>); each gate has its own block of columns, in the order r, z, n.</summary>
/// <remarks><para>Backward, from the last step to the first, with <c>dh</c> the sum of the output's gradient and of what the step behind sends. State reset:
/// <c>dz = dh (n - h) z (1 - z)</c>, <c>dn = dh z (1 - n²)</c>, <c>d = dn Rnᵀ</c>, <c>dr = d h r (1 - r)</c>; the step before gets
/// <c>dh (1 - z) + d r + (dr, dz) Rᵀ</c>. Product reset, with <c>u = h Rn + c</c>: <c>dz = dh (h - n) z (1 - z)</c>, <c>dn = dh (1 - z) (1 - n²)</c>,
/// <c>du = dn r</c>, <c>dr = dn u r (1 - r)</c>; the step before gets <c>dh z + (dr, dz, du) Rᵀ</c>. The weights' gradients are one product over all
/// steps each.</para>
/// <para>Source: K. Cho et al., Learning phrase representations using RNN encoder-decoder, 2014.</para></remarks>
public static unsafe partial class Gru
{
    private const string Name = "Gru";
    private const int GateCount = 3;

    /// <summary>Runs over whole sequences.</summary>
    /// <param name="x">[batch; time; inputs].</param>
    /// <param name="weight">[inputs; 3 hidden].</param>
    /// <param name="recurrent">[hidden; 3 hidden].</param>
    /// <param name="bias">[3 hidden], b, or null for none.</param>
    /// <param name="recurrentBias">[3 hidden], c, or null for none. Only where the product is reset does it differ from the other one.</param>
    /// <param name="hidden">[batch; hidden], the initial state, or null for zeros.</param>
    /// <param name="lengths">The steps of each example; null if all have all.</param>
    /// <param name="form">What is reset.</param>
    /// <returns>The output and the last state, with what <see cref="Backward(GruPass, Tensor?, Tensor?)"/> needs.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, a length lies outside the sequence, or there is no such form.</exception>
    public static GruPass Forward(
        Tensor x, Tensor weight, Tensor recurrent, Tensor? bias = null, Tensor? recurrentBias = null, Tensor? hidden = null, int[]? lengths = null,
        GruForm form = GruForm.ResetBefore)
    {
        var arguments = new RecurrentArguments(Name, GateCount, x, weight, recurrent, bias, recurrentBias, hidden, null, lengths);
        CheckForm(form);
        return arguments.IsDouble ? Forward<double>(arguments, form, true) : Forward<float>(arguments, form, true);
    }

    /// <summary>Runs over whole sequences and keeps nothing for a way back; the bits are those of
    /// <see cref="Forward(Tensor, Tensor, Tensor, Tensor?, Tensor?, Tensor?, int[], GruForm)"/>.</summary>
    /// <param name="x">[batch; time; inputs].</param>
    /// <param name="weight">[inputs; 3 hidden].</param>
    /// <param name="recurrent">[hidden; 3 hidden].</param>
    /// <param name="bias">[3 hidden], or null for none.</param>
    /// <param name="recurrentBias">[3 hidden], or null for none.</param>
    /// <param name="hidden">[batch; hidden], the initial state, or null for zeros.</param>
    /// <param name="lengths">The steps of each example; null if all have all.</param>
    /// <param name="form">What is reset.</param>
    /// <returns>The output, [batch; time; hidden], and the last state, [batch; hidden].</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, a length lies outside the sequence, or there is no such form.</exception>
    public static (Tensor Output, Tensor Hidden) Predict(
        Tensor x, Tensor weight, Tensor recurrent, Tensor? bias = null, Tensor? recurrentBias = null, Tensor? hidden = null, int[]? lengths = null,
        GruForm form = GruForm.ResetBefore)
    {
        var arguments = new RecurrentArguments(Name, GateCount, x, weight, recurrent, bias, recurrentBias, hidden, null, lengths);
        CheckForm(form);
        var pass = arguments.IsDouble ? Forward<double>(arguments, form, false) : Forward<float>(arguments, form, false);
        pass.Saved.Return();
        return (pass.Output, pass.Hidden);
    }

    /// <summary>The gradients of all arguments; that of the input when it is asked for.</summary>
    /// <param name="pass">What Forward returned.</param>
    /// <param name="dOutput">[batch; time; hidden], the gradient of the output, or null for none; not read in the padding.</param>
    /// <param name="dHidden">[batch; hidden], the gradient of the last state, or null for none.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ.</exception>
    public static RecurrentGradients Backward(GruPass pass, Tensor? dOutput, Tensor? dHidden = null)
    {
        RecurrentChecks.Output("Gru.Backward dOutput", pass.Output, dOutput, pass.Shape);
        RecurrentChecks.State("Gru.Backward dHidden", pass.Output, dHidden, pass.Shape);
        return pass.Arguments.IsDouble ? Backward<double>(pass, dOutput, dHidden) : Backward<float>(pass, dOutput, dHidden);
    }

    private static GruPass Forward<T>(RecurrentArguments from, GruForm form, bool keep) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var shape = from.Shape;
        var x = from.X.As<T>(Name);
        var saved = x.New<T>(new Shape(RecurrentChecks.Count(Layout(shape, keep, out _))));
        var output = x.New<T>(new Shape(shape.Batch, shape.Time, shape.Hidden));
        var hidden = x.New<T>(new Shape(shape.Batch, shape.Hidden));
        Run(
            shape, form, x.Span, RecurrentArguments.Elements<T>(from.Weight), RecurrentArguments.Elements<T>(from.Recurrent),
            RecurrentArguments.Elements<T>(from.Bias), RecurrentArguments.Elements<T>(from.RecurrentBias), RecurrentArguments.Elements<T>(from.Hidden),
            output.Write(), hidden.Write(), saved.Write(), keep);
        return new GruPass(from, form, output, hidden, saved);
    }

    private static RecurrentGradients Backward<T>(GruPass pass, Tensor? dOutput, Tensor? dHidden) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (shape, arguments) = (pass.Shape, pass.Arguments);
        var like = (dOutput ?? dHidden ?? pass.Output).As<T>(Name);
        var saved = pass.Saved.As<T>(Name).Span;
        var dgates = like.New<T>(new Shape(GradientLength(shape)));
        var dhidden = like.New<T>(pass.Hidden.Shape);
        Backward(
            shape, pass.Form, RecurrentArguments.Elements<T>(arguments.Recurrent), saved,
            RecurrentArguments.Elements<T>(dOutput), RecurrentArguments.Elements<T>(dHidden), dgates.Write(), dhidden.Write());

        var dweight = Gradients.Unset<T>(arguments.Weight, like);
        var drecurrent = Gradients.Unset<T>(arguments.Recurrent, like);
        var dbias = arguments.Bias is null ? null : Gradients.For<T>(arguments.Bias, like);
        var drecurrentBias = arguments.RecurrentBias is null ? null : Gradients.For<T>(arguments.RecurrentBias, like);
        Parameters(
            shape, pass.Form, saved, dgates.Span, false, dweight.Write(), drecurrent.Write(),
            dbias is null ? default : dbias.Write(), drecurrentBias is null ? default : drecurrentBias.Write());
        return new RecurrentGradients(dweight, drecurrent, dhidden, () => RecurrentProducts.InputGradient(pass, dgates, GateCount))
        {
            Bias = dbias,
            RecurrentBias = drecurrentBias,
        };
    }

    private static void CheckForm(GruForm form)
    {
        if (form is not (GruForm.ResetBefore or GruForm.ResetAfter))
            throw new InvalidArgumentException("Gru form", "ResetBefore or ResetAfter", $"{(int)form}");
    }
}

/// <summary>What a <see cref="Gru"/> puts out, and what its Backward needs of it.</summary>
public sealed class GruPass : RecurrentPass
{
    internal GruPass(RecurrentArguments arguments, GruForm form, Tensor output, Tensor hidden, Tensor saved) : base(arguments, output, hidden, saved)
    {
        Form = form;
    }

    /// <summary>What was reset.</summary>
    public GruForm Form { get; }
}

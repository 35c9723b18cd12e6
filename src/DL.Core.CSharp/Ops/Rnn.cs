using System.Numerics;

namespace DL.Core.Ops;

/// <summary>A simple recurrent net: <c>h_t = tanh(x_t W + h_(t-1) R + b)</c>.</summary>
/// <remarks><para>Backward, from the last step to the first, with <c>dh</c> the sum of the output's gradient and of what the step behind sends:
/// <c>da = dh (1 - h²)</c>; the step before gets <c>da Rᵀ</c>. The weights' gradients are one product over all steps each.</para>
/// <para>Source: J. L. Elman, Finding structure in time, 1990.</para></remarks>
public static unsafe partial class Rnn
{
    private const string Name = "Rnn";

    /// <summary>Runs over whole sequences.</summary>
    /// <param name="x">[batch; time; inputs].</param>
    /// <param name="weight">[inputs; hidden].</param>
    /// <param name="recurrent">[hidden; hidden].</param>
    /// <param name="bias">[hidden], or null for none.</param>
    /// <param name="hidden">[batch; hidden], the initial state, or null for zeros.</param>
    /// <param name="lengths">The steps of each example; null if all have all.</param>
    /// <returns>The output and the last state, with what <see cref="Backward(RnnPass, Tensor?, Tensor?)"/> needs.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, or a length lies outside the sequence.</exception>
    public static RnnPass Forward(Tensor x, Tensor weight, Tensor recurrent, Tensor? bias = null, Tensor? hidden = null, int[]? lengths = null)
    {
        var arguments = new RecurrentArguments(Name, 1, x, weight, recurrent, bias, null, hidden, null, lengths);
        return arguments.IsDouble ? Forward<double>(arguments, true) : Forward<float>(arguments, true);
    }

    /// <summary>Runs over whole sequences and keeps nothing for a way back; the bits are those of
    /// <see cref="Forward(Tensor, Tensor, Tensor, Tensor?, Tensor?, int[])"/>.</summary>
    /// <param name="x">[batch; time; inputs].</param>
    /// <param name="weight">[inputs; hidden].</param>
    /// <param name="recurrent">[hidden; hidden].</param>
    /// <param name="bias">[hidden], or null for none.</param>
    /// <param name="hidden">[batch; hidden], the initial state, or null for zeros.</param>
    /// <param name="lengths">The steps of each example; null if all have all.</param>
    /// <returns>The output, [batch; time; hidden], and the last state, [batch; hidden].</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, or a length lies outside the sequence.</exception>
    public static (Tensor Output, Tensor Hidden) Predict(
        Tensor x, Tensor weight, Tensor recurrent, Tensor? bias = null, Tensor? hidden = null, int[]? lengths = null)
    {
        var arguments = new RecurrentArguments(Name, 1, x, weight, recurrent, bias, null, hidden, null, lengths);
        var pass = arguments.IsDouble ? Forward<double>(arguments, false) : Forward<float>(arguments, false);
        pass.Saved.Return();
        return (pass.Output, pass.Hidden);
    }

    /// <summary>The gradients of all arguments; that of the input when it is asked for.</summary>
    /// <param name="pass">What Forward returned.</param>
    /// <param name="dOutput">[batch; time; hidden], the gradient of the output, or null for none; not read in the padding.</param>
    /// <param name="dHidden">[batch; hidden], the gradient of the last state, or null for none.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ.</exception>
    public static RecurrentGradients Backward(RnnPass pass, Tensor? dOutput, Tensor? dHidden = null)
    {
        RecurrentChecks.Output("Rnn.Backward dOutput", pass.Output, dOutput, pass.Shape);
        RecurrentChecks.State("Rnn.Backward dHidden", pass.Output, dHidden, pass.Shape);
        return pass.Arguments.IsDouble ? Backward<double>(pass, dOutput, dHidden) : Backward<float>(pass, dOutput, dHidden);
    }

    private static RnnPass Forward<T>(RecurrentArguments from, bool keep) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var shape = from.Shape;
        var x = from.X.As<T>(Name);
        var saved = x.New<T>(new Shape(RecurrentChecks.Count(Layout(shape, keep, out _))));
        var output = x.New<T>(new Shape(shape.Batch, shape.Time, shape.Hidden));
        var hidden = x.New<T>(new Shape(shape.Batch, shape.Hidden));
        Run(
            shape, x.Span, RecurrentArguments.Elements<T>(from.Weight), RecurrentArguments.Elements<T>(from.Recurrent), RecurrentArguments.Elements<T>(from.Bias),
            RecurrentArguments.Elements<T>(from.Hidden), output.Write(), hidden.Write(), saved.Write(), keep);
        return new RnnPass(from, output, hidden, saved);
    }

    private static RecurrentGradients Backward<T>(RnnPass pass, Tensor? dOutput, Tensor? dHidden) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (shape, arguments) = (pass.Shape, pass.Arguments);
        var like = (dOutput ?? dHidden ?? pass.Output).As<T>(Name);
        var saved = pass.Saved.As<T>(Name).Span;
        var dgates = like.New<T>(new Shape(GradientLength(shape)));
        var dhidden = like.New<T>(pass.Hidden.Shape);
        Backward(
            shape, RecurrentArguments.Elements<T>(arguments.Recurrent), saved,
            RecurrentArguments.Elements<T>(dOutput), RecurrentArguments.Elements<T>(dHidden), dgates.Write(), dhidden.Write());

        var dweight = Gradients.Unset<T>(arguments.Weight, like);
        var drecurrent = Gradients.Unset<T>(arguments.Recurrent, like);
        var dbias = arguments.Bias is null ? null : Gradients.For<T>(arguments.Bias, like);
        Parameters(shape, saved, dgates.Span, false, dweight.Write(), drecurrent.Write(), dbias is null ? default : dbias.Write());
        return new RecurrentGradients(dweight, drecurrent, dhidden, () => RecurrentProducts.InputGradient(pass, dgates, 1)) { Bias = dbias };
    }
}

/// <summary>What an <see cref="Rnn"/> puts out, and what its Backward needs of it.</summary>
public sealed class RnnPass : RecurrentPass
{
    internal RnnPass(RecurrentArguments arguments, Tensor output, Tensor hidden, Tensor saved) : base(arguments, output, hidden, saved)
    {
    }
}

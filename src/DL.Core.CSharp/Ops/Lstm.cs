using System.Numerics;

namespace DL.Core.Ops;

/// <summary>A long short-term memory: <c>i, f, o = sigmoid(a)</c>, <c>g = tanh(a)</c>, <c>c_t = f c_(t-1) + i g</c>, <c>h_t = o tanh(c_t)</c>, where
/// <c>a = x_t W + h_(t-1) R + b</c> gives each gate its own block of columns, in the order i, f, g, o.</summary>
/// <remarks><para>Backward, from the last step to the first, with <c>dh</c> the sum of the output's gradient and of what the step behind sends:
/// <c>do = dh tanh(c) o (1 - o)</c>, <c>dc += dh o (1 - tanh²(c))</c>, <c>di = dc g i (1 - i)</c>, <c>df = dc c_(t-1) f (1 - f)</c>, <c>dg = dc i (1 - g²)</c>;
/// the step before gets <c>dc f</c> and <c>da Rᵀ</c>. The weights' gradients are one product over all steps each.</para>
/// <para>Source: S. Hochreiter and J. Schmidhuber, Long short-term memory, 1997; with the forget gate of F. Gers, J. Schmidhuber and F. Cummins, 2000.</para></remarks>
public static unsafe partial class Lstm
{
    private const string Name = "Lstm";
    private const int GateCount = 4;

    /// <summary>Runs over whole sequences.</summary>
    /// <param name="x">[batch; time; inputs].</param>
    /// <param name="weight">[inputs; 4 hidden].</param>
    /// <param name="recurrent">[hidden; 4 hidden].</param>
    /// <param name="bias">[4 hidden], or null for none.</param>
    /// <param name="hidden">[batch; hidden], the initial state, or null for zeros.</param>
    /// <param name="cell">[batch; hidden], the initial cell, or null for zeros.</param>
    /// <param name="lengths">The steps of each example; null if all have all.</param>
    /// <returns>The output and the last states, with what <see cref="Backward(LstmPass, Tensor?, Tensor?, Tensor?)"/> needs.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, or a length lies outside the sequence.</exception>
    public static LstmPass Forward(
        Tensor x, Tensor weight, Tensor recurrent, Tensor? bias = null, Tensor? hidden = null, Tensor? cell = null, int[]? lengths = null)
    {
        var arguments = new RecurrentArguments(Name, GateCount, x, weight, recurrent, bias, null, hidden, cell, lengths);
        return arguments.IsDouble ? Forward<double>(arguments, true) : Forward<float>(arguments, true);
    }

    /// <summary>Runs over whole sequences and keeps nothing for a way back; the bits are those of
    /// <see cref="Forward(Tensor, Tensor, Tensor, Tensor?, Tensor?, Tensor?, int[])"/>.</summary>
    /// <param name="x">[batch; time; inputs].</param>
    /// <param name="weight">[inputs; 4 hidden].</param>
    /// <param name="recurrent">[hidden; 4 hidden].</param>
    /// <param name="bias">[4 hidden], or null for none.</param>
    /// <param name="hidden">[batch; hidden], the initial state, or null for zeros.</param>
    /// <param name="cell">[batch; hidden], the initial cell, or null for zeros.</param>
    /// <param name="lengths">The steps of each example; null if all have all.</param>
    /// <returns>The output, [batch; time; hidden], and the last state and cell, [batch; hidden].</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ or are integers, or a length lies outside the sequence.</exception>
    public static (Tensor Output, Tensor Hidden, Tensor Cell) Predict(
        Tensor x, Tensor weight, Tensor recurrent, Tensor? bias = null, Tensor? hidden = null, Tensor? cell = null, int[]? lengths = null)
    {
        var arguments = new RecurrentArguments(Name, GateCount, x, weight, recurrent, bias, null, hidden, cell, lengths);
        var pass = arguments.IsDouble ? Forward<double>(arguments, false) : Forward<float>(arguments, false);
        pass.Saved.Return();
        return (pass.Output, pass.Hidden, pass.Cell);
    }

    /// <summary>The gradients of all arguments; that of the input when it is asked for.</summary>
    /// <param name="pass">What Forward returned.</param>
    /// <param name="dOutput">[batch; time; hidden], the gradient of the output, or null for none; not read in the padding.</param>
    /// <param name="dHidden">[batch; hidden], the gradient of the last state, or null for none.</param>
    /// <param name="dCell">[batch; hidden], the gradient of the last cell, or null for none.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="InvalidArgumentException">The element types differ.</exception>
    public static RecurrentGradients Backward(LstmPass pass, Tensor? dOutput, Tensor? dHidden = null, Tensor? dCell = null)
    {
        RecurrentChecks.Output("Lstm.Backward dOutput", pass.Output, dOutput, pass.Shape);
        RecurrentChecks.State("Lstm.Backward dHidden", pass.Output, dHidden, pass.Shape);
        RecurrentChecks.State("Lstm.Backward dCell", pass.Output, dCell, pass.Shape);
        return pass.Arguments.IsDouble ? Backward<double>(pass, dOutput, dHidden, dCell) : Backward<float>(pass, dOutput, dHidden, dCell);
    }

    private static LstmPass Forward<T>(RecurrentArguments from, bool keep) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var shape = from.Shape;
        var x = from.X.As<T>(Name);
        var saved = x.New<T>(new Shape(RecurrentChecks.Count(Layout(shape, keep, out _))));
        var output = x.New<T>(new Shape(shape.Batch, shape.Time, shape.Hidden));
        var hidden = x.New<T>(new Shape(shape.Batch, shape.Hidden));
        var cell = x.New<T>(hidden.Shape);
        Run(
            shape, x.Span, RecurrentArguments.Elements<T>(from.Weight), RecurrentArguments.Elements<T>(from.Recurrent), RecurrentArguments.Elements<T>(from.Bias),
            RecurrentArguments.Elements<T>(from.Hidden), RecurrentArguments.Elements<T>(from.Cell),
            output.Write(), hidden.Write(), cell.Write(), saved.Write(), keep);
        return new LstmPass(from, output, hidden, cell, saved);
    }

    private static RecurrentGradients Backward<T>(LstmPass pass, Tensor? dOutput, Tensor? dHidden, Tensor? dCell)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (shape, arguments) = (pass.Shape, pass.Arguments);
        var like = (dOutput ?? dHidden ?? dCell ?? pass.Output).As<T>(Name);
        var saved = pass.Saved.As<T>(Name).Span;
        var dgates = like.New<T>(new Shape(GradientLength(shape)));
        var dhidden = like.New<T>(pass.Hidden.Shape);
        var dcell = like.New<T>(pass.Hidden.Shape);
        Backward(
            shape, RecurrentArguments.Elements<T>(arguments.Recurrent), saved,
            RecurrentArguments.Elements<T>(dOutput), RecurrentArguments.Elements<T>(dHidden), RecurrentArguments.Elements<T>(dCell),
            dgates.Write(), dhidden.Write(), dcell.Write());

        var dweight = Gradients.Unset<T>(arguments.Weight, like);
        var drecurrent = Gradients.Unset<T>(arguments.Recurrent, like);
        var dbias = arguments.Bias is null ? null : Gradients.For<T>(arguments.Bias, like);
        Parameters(shape, saved, dgates.Span, false, dweight.Write(), drecurrent.Write(), dbias is null ? default : dbias.Write());
        return new RecurrentGradients(dweight, drecurrent, dhidden, () => RecurrentProducts.InputGradient(pass, dgates, GateCount)) { Bias = dbias, Cell = dcell };
    }
}

/// <summary>What an <see cref="Lstm"/> puts out, and what its Backward needs of it.</summary>
public sealed class LstmPass : RecurrentPass
{
    internal LstmPass(RecurrentArguments arguments, Tensor output, Tensor hidden, Tensor cell, Tensor saved)
        : base(arguments, output, hidden, saved)
    {
        Cell = cell;
    }

    /// <summary>The cell after each example's last step, [batch; hidden]; the initial cell for an example of length 0.</summary>
    public Tensor Cell { get; }
}

// A spam filter in 81 parameters: 4 - 8 - 4 - 1 with relu, relu, sigmoid, written against the core alone.
// Every forward call has its backward call; the weights move by plain gradient descent.
using DL.Core;
using DL.Core.Losses;
using DL.Core.Metrics;
using DL.Core.Ops;
using DL.Core.Optimizers;
using DL.Core.Random;

const int points = 1000, epochs = 200, batch = 25;
const double rate = 0.2;

var (features, labels) = MakeMails(points);
Layer[] layers =
[
    Layer.Create(4, 8, Activation.Relu, new Key(1, 0, 0)),
    Layer.Create(8, 4, Activation.Relu, new Key(1, 1, 0)),
    Layer.Create(4, 1, Activation.Sigmoid, new Key(1, 2, 0)),
];
Console.WriteLine($"{layers.Sum(layer => layer.Weight.Count + layer.Bias.Count)} parameters on {Native.Describe().Engine}");

for (var epoch = 1; epoch <= epochs; epoch++)
{
    var loss = 0.0;
    for (var from = 0; from < points; from += batch)
        loss += Step(Slice.Forward(features, 0, from, batch), Slice.Forward(labels, 0, from, batch)) * batch / points;
    if (epoch % 50 == 0) Console.WriteLine(FormattableString.Invariant($"epoch {epoch,3}  loss {loss:0.0000}  accuracy {Accuracy():0.000}"));
}

return Accuracy() >= 0.97 ? 0 : 1;

// One step: forward through the layers, the loss and its gradient, backward through the layers, and the update.
double Step(Tensor x, Tensor target)
{
    var outputs = new Tensor[layers.Length + 1];
    outputs[0] = x;
    for (var i = 0; i < layers.Length; i++)
        outputs[i + 1] = layers[i].Forward(outputs[i]);

    var (value, gradient) = BinaryCrossEntropy.Evaluate(outputs[^1], target);
    for (var i = layers.Length - 1; i >= 0; i--)
        gradient = layers[i].Backward(gradient, outputs[i], outputs[i + 1], rate);
    return value;
}

double Accuracy()
{
    var y = layers.Aggregate((Tensor)features, (x, layer) => layer.Forward(x));
    return Classification.Accuracy(Sides(labels), Sides(y));
}

static int[] Sides(Tensor t) => Array.ConvertAll(t.ToArray<float>(), p => p > 0.5f ? 1 : 0);

// Points of four features between -1 and 1; a mail is spam when they add up to more than 0.
static (Tensor<float> Features, Tensor<float> Labels) MakeMails(int count)
{
    var x = new float[count * 4];
    Draw.Uniform(new Key(3, 0, 0), x);
    for (var i = 0; i < x.Length; i++) x[i] = (2 * x[i]) - 1;
    var spam = Enumerable.Range(0, count).Select(i => x.AsSpan(i * 4, 4).ToArray().Sum() > 0 ? 1f : 0f).ToArray();
    return (Tensor.Of(x, count, 4), Tensor.Of(spam, count, 1));
}

// An affine map with its activation, and the two tensors it learns.
internal sealed record Layer(Tensor Weight, Tensor Bias, Activation Activation)
{
    public static Layer Create(int inputs, int outputs, Activation activation, Key key)
    {
        var weight = Initializers.HeNormal(key, ElementType.Float32, new Shape(inputs, outputs), inputs);
        return new Layer(weight, Tensor.Zeros(ElementType.Float32, new Shape(outputs)), activation);
    }

    public Tensor Forward(Tensor x) => Linear.Forward(x, Weight, Bias, Activation);

    // The gradients of input, weight and bias; then the weights move, and the input's gradient goes on to the layer below.
    public Tensor Backward(Tensor dy, Tensor x, Tensor y, double rate)
    {
        var (dx, dweight, dbias) = Linear.Backward(dy, x, Weight, Bias, y, Activation);
        Sgd.Step(Weight, dweight, rate);
        Sgd.Step(Bias, dbias!, rate);
        return dx;
    }
}

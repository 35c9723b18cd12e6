// The perceptron learns the sign of x0 - 2 x1 + 0.5 by its error-driven rule: it changes only when it is wrong.
using DL.Core.Optimizers;
using DL.Core.Random;

const int points = 500, features = 2;
var x = new double[points * features];
Draw.Uniform(new Key(7, 0, 0), x);
var y = new int[points];
for (var i = 0; i < points; i++)
    y[i] = x[i * features] - (2 * x[(i * features) + 1]) + 0.5 >= 0 ? 1 : -1;

var fit = PerceptronRule.Fit(x, y, rate: 1, maxPasses: 10_000);
Console.WriteLine(fit.Converged ? $"no error in pass {fit.Passes}" : $"still wrong after {fit.Passes} passes");
Console.WriteLine(FormattableString.Invariant($"boundary: {fit.Weights[0]:0.00} x0 {fit.Weights[1]:+0.00;-0.00} x1 {fit.Bias:+0.00;-0.00} = 0"));

var wrong = Enumerable.Range(0, points).Count(i => fit.Predict(x.AsSpan(i * features, features)) != y[i]);
Console.WriteLine($"{wrong} of {points} points on the wrong side");
return wrong == 0 ? 0 : 1;

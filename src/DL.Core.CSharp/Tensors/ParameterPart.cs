namespace DL.Core;

/// <summary>A run of parameters that lie side by side and are moved at one factor of the learning rate, with their gradients and moments.</summary>
internal sealed record ParameterPart(Tensor Weights, Tensor Gradients, Tensor[] Moments, double Factor);

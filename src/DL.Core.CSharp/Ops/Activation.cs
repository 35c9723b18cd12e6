namespace DL.Core.Ops;

/// <summary>The activations an affine map can do in the same pass; each one's derivative is known from its output alone.</summary>
public enum Activation
{
    /// <summary><c>y = z</c>.</summary>
    Identity,

    /// <summary><c>y = max(z, 0)</c>, see <see cref="Ops.Relu"/>.</summary>
    Relu,

    /// <summary><c>y = 1 / (1 + exp(-z))</c>, see <see cref="Ops.Sigmoid"/>.</summary>
    Sigmoid,

    /// <summary><c>y = tanh z</c>, see <see cref="Ops.Tanh"/>.</summary>
    Tanh,
}

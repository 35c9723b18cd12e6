namespace DL.Laws

/// <summary>A judge of gradients from outside the library: reverse mode of some other make.</summary>
type IGradientOracle =
    /// <summary>What it is called.</summary>
    abstract Name: string

    /// <summary>Whether it knows an operation.</summary>
    abstract Supports: operation: string -> bool

    /// <summary><c>u^T df/dx</c> for every input of an operation.</summary>
    /// <param name="operation">The operation, such as <c>softmax</c>.</param>
    /// <param name="inputs">Extents and row-major elements of every input.</param>
    /// <param name="upstream">u, one number for every element of the output.</param>
    /// <returns>One gradient for every input.</returns>
    abstract Vjp: operation: string * inputs: (int[] * float[]) list * upstream: float[] -> float[] list

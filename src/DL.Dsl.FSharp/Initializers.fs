namespace DL

open DL.Core
open DL.Core.Random

/// <summary>A distribution of initial parameters, as a pure function of a key.</summary>
[<NoEquality; NoComparison>]
type Initializer =
    {
        /// <summary>Its name.</summary>
        Name: string
        /// <summary>From key, fan-in, fan-out and destination; fills the destination.</summary>
        Fill: Key -> int -> int -> float[] -> unit
    }

    /// <summary>A float64 tensor drawn from it.</summary>
    member this.Draw (key: Key) (extents: int[]) (fanIn: int) (fanOut: int) : Tensor =
        let shape = Shape extents
        let numbers = Array.zeroCreate shape.Count
        this.Fill key fanIn fanOut numbers
        Tensor.Of<float>(numbers, extents)

/// <summary>Initializers. Fans count the window of a convolution.</summary>
[<RequireQualifiedAccess>]
module Initializer =
    let private create name fill = { Name = name; Fill = fill }

    /// <summary>Normal with the given mean and VARIANCE.</summary>
    let gaussian (mean: float) (variance: float) =
        create $"gaussian {mean} {variance}" (fun key _ _ w -> Initializers.Gaussian<float>(key, mean, variance, w))

    /// <summary>Uniform between two bounds.</summary>
    let uniform (low: float) (high: float) =
        create $"uniform {low} {high}" (fun key _ _ w -> Initializers.Uniform<float>(key, low, high, w))

    /// <summary>Uniform in <c>±sqrt(6 / (fanIn + fanOut))</c>. X. Glorot, Y. Bengio, 2010.</summary>
    let xavierUniform =
        create "xavierUniform" (fun key i o w -> Initializers.XavierUniform<float>(key, i, o, w))

    /// <summary>Normal with variance <c>2 / (fanIn + fanOut)</c>. X. Glorot, Y. Bengio, 2010.</summary>
    let xavierNormal =
        create "xavierNormal" (fun key i o w -> Initializers.XavierNormal<float>(key, i, o, w))

    /// <summary>Normal with variance <c>2 / fanIn</c>, for relu. K. He et al., 2015.</summary>
    let heNormal = create "heNormal" (fun key i _ w -> Initializers.HeNormal<float>(key, i, w))

    /// <summary>Uniform in <c>±sqrt(6 / fanIn)</c>, for relu. K. He et al., 2015.</summary>
    let heUniform = create "heUniform" (fun key i _ w -> Initializers.HeUniform<float>(key, i, w))

    /// <summary>Normal with variance <c>1 / fanIn</c>. Y. LeCun et al., 1998.</summary>
    let lecunNormal = create "lecunNormal" (fun key i _ w -> Initializers.LeCunNormal<float>(key, i, w))

    /// <summary>All equal.</summary>
    let constant (value: float) = create $"constant {value}" (fun _ _ _ w -> System.Array.Fill(w, value))

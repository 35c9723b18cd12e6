namespace DL

open DL.Core
open DL.Core.Random

/// <summary>A distribution of initial parameters, as a pure function of a key.</summary>
[<NoEquality; NoComparison>]
type Initializer =
    {
        /// <summary>Its name.</summary>
        Name: string
        /// <summary>From key, shape, fan-in and fan-out to a float64 tensor.</summary>
        Draw: Key -> Shape -> int -> int -> Tensor
    }

/// <summary>Initializers. Fans count the window of a convolution.</summary>
[<RequireQualifiedAccess>]
module Initializer =
    let private create name (draw: Key -> Shape -> int -> int -> Tensor) = { Name = name; Draw = draw }

    /// <summary>Normal with the given mean and VARIANCE.</summary>
    let gaussian (mean: float) (variance: float) =
        create $"gaussian {mean} {variance}" (fun key shape _ _ -> Initializers.Gaussian(key, ElementType.Float64, shape, mean, variance))

    /// <summary>Uniform between two bounds.</summary>
    let uniform (low: float) (high: float) =
        create $"uniform {low} {high}" (fun key shape _ _ -> Initializers.Uniform(key, ElementType.Float64, shape, low, high))

    /// <summary>Uniform in <c>±sqrt(6 / (fanIn + fanOut))</c>. X. Glorot, Y. Bengio, 2010.</summary>
    let xavierUniform =
        create "xavierUniform" (fun key shape i o -> Initializers.XavierUniform(key, ElementType.Float64, shape, i, o))

    /// <summary>Normal with variance <c>2 / (fanIn + fanOut)</c>. X. Glorot, Y. Bengio, 2010.</summary>
    let xavierNormal =
        create "xavierNormal" (fun key shape i o -> Initializers.XavierNormal(key, ElementType.Float64, shape, i, o))

    /// <summary>Normal with variance <c>2 / fanIn</c>, for relu. K. He et al., 2015.</summary>
    let heNormal = create "heNormal" (fun key shape i _ -> Initializers.HeNormal(key, ElementType.Float64, shape, i))

    /// <summary>Uniform in <c>±sqrt(6 / fanIn)</c>, for relu. K. He et al., 2015.</summary>
    let heUniform = create "heUniform" (fun key shape i _ -> Initializers.HeUniform(key, ElementType.Float64, shape, i))

    /// <summary>Normal with variance <c>1 / fanIn</c>. Y. LeCun et al., 1998.</summary>
    let lecunNormal = create "lecunNormal" (fun key shape i _ -> Initializers.LeCunNormal(key, ElementType.Float64, shape, i))

    /// <summary>All equal.</summary>
    let constant (value: float) = create $"constant {value}" (fun _ shape _ _ -> Tensor.Filled(ElementType.Float64, shape, value))

    /// <summary>The weights [height; width; out; in] of a transposed convolution that up-samples every channel by itself, between pixels linearly.</summary>
    /// <remarks>With a window of <c>2 f</c>, a stride of f and a padding of <c>f / 2</c> it enlarges f times. J. Long, E. Shelhamer, T. Darrell, 2015.</remarks>
    let bilinear =
        let along extent i =
            let factor = float ((extent + 1) / 2)
            let middle = if extent % 2 = 1 then factor - 1.0 else factor - 0.5
            1.0 - abs (float i - middle) / factor

        create "bilinear" (fun _ shape _ _ ->
            if shape.Rank <> 4 then
                raise (ShapeException("Initializer.bilinear", "[height; width; out; in]", $"{shape}"))

            let h, w, outputs, inputs = shape[0], shape[1], shape[2], shape[3]

            let at i =
                if i / inputs % outputs = i % inputs then
                    along h (i / (w * outputs * inputs)) * along w (i / (outputs * inputs) % w)
                else
                    0.0

            Tensor.Of<float>(System.ReadOnlySpan<float>(Array.init shape.Count at), shape))

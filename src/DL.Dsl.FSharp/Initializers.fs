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

/// <summary>Initializers. Fan-in is the number of inputs that one output of a layer is joined to, fan-out the number of outputs that one input is joined to.</summary>
/// <remarks>Those of a convolution count its window and the channels of one group, as if it moved by one pixel; those of a gate its own units alone; an embedding is the product with
/// one-hot rows, from ids to features. torch counts an embedding and a transposed convolution the other way round.</remarks>
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

    /// <summary>Uniform in <c>±sqrt(3 / fanIn)</c>: variance <c>1 / fanIn</c>. Y. LeCun et al., 1998.</summary>
    let lecunUniform =
        create "lecunUniform" (fun key shape i _ -> Initializers.LeCunUniform(key, ElementType.Float64, shape, i))

    let private cut name corrected (mean: float) (variance: float) =
        create $"{name} {mean} {variance}" (fun key shape _ _ ->
            Initializers.TruncatedNormal(key, ElementType.Float64, shape, mean, variance, corrected))

    /// <summary>Normal with the given mean and VARIANCE, without what lies further than two deviations off: what is left has 0.7737 of the variance.</summary>
    /// <remarks>The variance is that before the cut, as in Keras' <c>TruncatedNormal</c> and in torch's <c>trunc_normal_</c> with bounds of two deviations.</remarks>
    let truncatedNormal (mean: float) (variance: float) = cut "truncatedNormal" false mean variance

    /// <summary>As <c>truncatedNormal</c>, from a wider normal distribution, so that what is left has the given VARIANCE, as in Keras' <c>VarianceScaling</c>.</summary>
    let truncatedNormalCorrected (mean: float) (variance: float) = cut "truncatedNormalCorrected" true mean variance

    /// <summary>An orthogonal matrix times a gain; all axes but the last are one, and of a matrix that is not square the shorter axis is orthonormal.</summary>
    /// <remarks>A. Saxe, J. McClelland, S. Ganguli, Exact solutions to the nonlinear dynamics of learning in deep linear neural networks, 2014.</remarks>
    let orthogonalWith (gain: float) =
        create $"orthogonal {gain}" (fun key shape _ _ -> Initializers.Orthogonal(key, ElementType.Float64, shape, gain))

    /// <summary>An orthogonal matrix, uniform among all of them, which keeps the length of what it is multiplied with: for recurrent weights.</summary>
    let orthogonal = { orthogonalWith 1.0 with Name = "orthogonal" }

    /// <summary>The identity: ones where row and column are the same, zeros elsewhere. Matrices only.</summary>
    /// <remarks>For recurrent weights of rectified units. Q. Le, N. Jaitly, G. Hinton, 2015.</remarks>
    let identity =
        create "identity" (fun _ shape _ _ ->
            if shape.Rank <> 2 then
                raise (ShapeException("Initializer.identity", "a matrix", $"{shape}"))

            let at i = if i / shape[1] = i % shape[1] then 1.0 else 0.0
            Tensor.Of<float>(System.ReadOnlySpan<float>(Array.init shape.Count at), shape))

    /// <summary>All zeros.</summary>
    let zeros = create "zeros" (fun _ shape _ _ -> Initializers.Zeros(ElementType.Float64, shape))

    /// <summary>All ones.</summary>
    let ones = create "ones" (fun _ shape _ _ -> Initializers.Ones(ElementType.Float64, shape))

    /// <summary>All equal.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">The number is not finite.</exception>
    let constant (value: float) =
        if not (System.Double.IsFinite value) then
            raise (InvalidArgumentException("Initializer.constant", "a finite number", $"{value}"))

        create $"constant {value}" (fun _ shape _ _ -> Tensor.Filled(ElementType.Float64, shape, value))

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

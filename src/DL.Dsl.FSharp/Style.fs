namespace DL

open DL.Core
open DL.Core.Losses
open DL.Core.Ops

/// <summary>What two pictures have in common, measured on the features a network gives: content, style and smoothness, each with its gradient.</summary>
/// <remarks>Source: L. Gatys, A. Ecker, M. Bethge, A neural algorithm of artistic style, 2015; the form of "Dive into Deep Learning", section 14.12.</remarks>
[<RequireQualifiedAccess>]
module Style =
    /// The features of one example, a row for every pixel: [H W; C].
    let private pixels (features: Tensor) n : Tensor =
        let s = features.Shape
        Rows.Forward(features, [| n |]).Reshape(s[1] * s[2], s[3])

    let private joined (parts: Tensor[]) : Tensor = if parts.Length = 1 then parts[0] else Concat.Forward(0, parts)

    let private checkedFeatures where (features: Batch<Image>) =
        let t = Batch.held features

        if t.Count = 0 then
            raise (ShapeException(where, "at least one example with at least one pixel", $"{t.Shape}"))

        t

    /// <summary><c>G = F F' / (C H W)</c>: how channels go together, wherever in the picture.</summary>
    /// <param name="features">[N; C; H; W].</param>
    /// <returns>[N; C; C], symmetric.</returns>
    /// <exception cref="T:DL.Core.ShapeException">There is no example or no pixel.</exception>
    let gram (features: Batch<Image>) : Tensor =
        let t = checkedFeatures "Style.gram" features
        let channels, scale = t.Shape[3], 1.0 / float (t.Count / t.Shape[0])

        let one n =
            let f = pixels t n
            Scale.Forward(Linear.Forward(Transpose.Forward f, f), scale).Reshape(1, channels, channels)

        joined (Array.init t.Shape[0] one)

    /// <summary>Content: the mean of <c>(f - t)^2</c> over all features.</summary>
    /// <param name="target">The features of the picture that is shown, [N; C; H; W].</param>
    /// <param name="features">The features at hand, of the same shape.</param>
    /// <returns>The loss and the gradient of the features at hand.</returns>
    /// <exception cref="T:DL.Core.ShapeException">The shapes differ, or there is no pixel.</exception>
    let contentLoss (target: Batch<Image>) (features: Batch<Image>) : struct (float * Batch<Image>) =
        let struct (loss, gradient) = MeanSquaredError.Evaluate(checkedFeatures "Style.contentLoss" features, Batch.held target)

        struct (loss, Batch.ofTensor gradient)

    /// <summary>Style: the mean of <c>(G(f) - T)^2</c> over all entries of the Gram matrices; <c>df = (D + D') f / (C H W)</c> with D its gradient by G.</summary>
    /// <param name="target">The Gram matrices of the picture whose manner is taken, [N; C; C].</param>
    /// <param name="features">The features at hand, [N; C; H; W] with any H and W.</param>
    /// <returns>The loss and the gradient of the features at hand.</returns>
    /// <exception cref="T:DL.Core.ShapeException">The numbers of examples or channels differ, or there is no pixel.</exception>
    let styleLoss (target: Tensor) (features: Batch<Image>) : struct (float * Batch<Image>) =
        let t = checkedFeatures "Style.styleLoss" features
        let s = t.Shape
        let channels, scale = s[3], 1.0 / float (t.Count / s[0])
        let struct (loss, gradient) = MeanSquaredError.Evaluate(gram features, target)

        let one n =
            let d = Rows.Forward(gradient, [| n |]).Reshape(channels, channels)
            let symmetric = Scale.Forward(Add.Forward(d, Transpose.Forward d), scale)
            Linear.Forward(pixels t n, symmetric).Reshape(1, s[1], s[2], channels)

        struct (loss, Batch.ofTensor (joined (Array.init s[0] one)))

    // What is not a number stays so.
    let private sign (d: float) =
        if d > 0.0 then 1.0
        elif d < 0.0 then -1.0
        else d

    /// The mean absolute difference of elements a stride apart along an axis; adds its sign, times a weight, to the gradient.
    let private differences (x: float[]) (extent: int) (stride: int) weight (gradient: float[]) =
        let pairs = if extent = 0 then 0 else x.Length / extent * (extent - 1)
        let share = weight / float (max 1 pairs)
        let mutable sum = 0.0

        for i in 0 .. x.Length - 1 do
            if i / stride % extent < extent - 1 then
                let d = x[i + stride] - x[i]
                let slope = share * sign d
                sum <- sum + share * abs d
                gradient[i + stride] <- gradient[i + stride] + slope
                gradient[i] <- gradient[i] - slope

        sum

    /// <summary>Total variation: half the mean absolute difference of neighbours up and down, and half of those left and right.</summary>
    /// <remarks>At a difference of 0 the derivative taken is 0.</remarks>
    /// <param name="picture">[N; C; H; W].</param>
    /// <returns>The loss and the gradient of the picture.</returns>
    /// <exception cref="T:DL.Core.ShapeException">There is no pixel.</exception>
    let totalVariation (picture: Batch<Image>) : struct (float * Batch<Image>) =
        let t = checkedFeatures "Style.totalVariation" picture
        let s = t.Shape
        let x, gradient = t.ToArray<float>(), Array.zeroCreate<float> t.Count

        let loss = differences x s[1] (s[2] * s[3]) 0.5 gradient + differences x s[2] s[3] 0.5 gradient

        struct (loss, Batch.ofTensor ((Tensor.Of<float>(System.ReadOnlySpan<float> gradient, s)).To t.ElementType))

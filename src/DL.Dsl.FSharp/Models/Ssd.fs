namespace DL.Models

open DL
open DL.Core
open DL.Core.Metrics
open DL.Core.Ops

/// <summary>The anchors of a detector at one scale: their sizes, in shares of the image, and their ratios of width to height.</summary>
type AnchorScale =
    {
        /// <summary>Sizes, in shares of the image's height.</summary>
        Sizes: float list
        /// <summary>Width over height.</summary>
        Ratios: float list
    }

    /// <summary>Anchors at every pixel: every size at the first ratio, and the first size at the other ratios.</summary>
    member this.PerPixel = this.Sizes.Length + this.Ratios.Length - 1

/// <summary>A small detector in one pass: at every pixel of several shrinking feature maps, anchors that are given classes and moved onto boxes.</summary>
/// <remarks>W. Liu et al., SSD: single shot multibox detector, 2016, in the small form of "Dive into Deep Learning", section 14.7.</remarks>
[<RequireQualifiedAccess>]
module Ssd =
    let private convNorm channels : Layer<Image, Image> =
        conv2dWith { Conv.defaults with Bias = false; Weights = Initializer.heNormal } channels (kernel 3 |> same)
        --> batchNorm
        --> relu

    /// <summary>Two 3 x 3 convolutions with batch norm and ReLU, and half the size.</summary>
    let down (channels: int) : Layer<Image, Image> = convNorm channels --> convNorm channels --> maxPool2d (kernel 2)

    /// <summary>At every pixel, for every anchor, a score for the background and each class, and four offsets.</summary>
    let head (classes: int) (scale: AnchorScale) : Layer<Image, Seq> =
        conv2d (scale.PerPixel * (1 + classes + 4)) (kernel 3 |> same) --> pixels scale.PerPixel

    let rec private tower classes (scales: (int * AnchorScale) list) : Layer<Image, Seq> =
        match scales with
        | [] -> raise (InvalidArgumentException("Ssd.net", "at least one scale", "none"))
        | [ channels, last ] -> down channels --> head classes last
        | (channels, scale) :: rest -> down channels --> (fork (head classes scale) (tower classes rest) --> catTime)

    /// <summary>A body, and a head at every scale, each of half the size of the one before.</summary>
    /// <param name="body">From the image to the features that the first scale halves.</param>
    /// <param name="scales">The channels and the anchors of every scale, from the largest map to the smallest.</param>
    /// <param name="classes">The classes, without the background.</param>
    let net (body: Layer<Image, Image>) (scales: (int * AnchorScale) list) (classes: int) : Layer<Image, Seq> =
        body --> tower classes scales

    /// <summary>The anchors of a network, in the order of its outputs, in shares of the image.</summary>
    /// <param name="side">The rows and columns of the body's feature map.</param>
    /// <param name="scales">The scales.</param>
    let anchors (side: int) (scales: (int * AnchorScale) list) : Box[] =
        scales
        |> List.mapi (fun i (_, scale) ->
            let cells = side >>> (i + 1)
            let sizes, ratios = Array.ofList scale.Sizes, Array.ofList scale.Ratios
            Anchors.Grid(cells, cells, sizes, ratios))
        |> Array.concat

    /// <summary>What the network is to give for images with these boxes: for every anchor its class, 0 for background, and four offsets.</summary>
    /// <param name="anchors">The anchors.</param>
    /// <param name="images">The number of images.</param>
    /// <param name="truths">What is in them.</param>
    let targets (anchors: Box[]) (images: int) (truths: LabelledBox list) : Batch<Seq> =
        let of' = truths |> List.groupBy _.Image |> dict
        let numbers = Array.zeroCreate<float32>(images * anchors.Length * 5)

        for image in 0 .. images - 1 do
            let here = if of'.ContainsKey image then Array.ofList of'[image] else [||]
            let boxes, classes = here |> Array.map _.Box, here |> Array.map _.Class
            let found = BoxMatching.Targets(anchors, boxes, classes)

            for a in 0 .. anchors.Length - 1 do
                let at = (image * anchors.Length + a) * 5
                numbers[at] <- float32 found.Classes[a]

                for k in 0..3 do
                    numbers[at + 1 + k] <- float32 found.Offsets[4 * a + k]

        Batch.seq (Tensor.Of<float32>(numbers, images, anchors.Length, 5))

    /// <summary>What was found: of each class the surest boxes that do not overlap by more than a half, each with at least a probability.</summary>
    /// <param name="anchors">The anchors.</param>
    /// <param name="least">The least probability.</param>
    /// <param name="output">The network's output.</param>
    let detect (anchors: Box[]) (least: float) (output: Batch<Seq>) : Detection list =
        let t = Batch.tensor output
        let images, classes = t.Shape[0], t.Shape[2] - 5
        let scores = Slice.Forward(t, 2, 0, 1 + classes)
        let probabilities = (Softmax.Forward scores).ToArray<float>()
        let offsets = (Slice.Forward(t, 2, 1 + classes, 4)).ToArray<float>()
        let n = anchors.Length

        [ for image in 0 .. images - 1 do
              let p = probabilities[image * n * (1 + classes) .. (image + 1) * n * (1 + classes) - 1]
              let o = offsets[image * n * 4 .. (image + 1) * n * 4 - 1]
              yield! Detections.At(anchors, o, p, classes, image, least) ]

namespace DL

open DL.Core
open DL.Core.Ops

/// <summary>Channels that weigh one another.</summary>
[<AutoOpen>]
module ExcitationLayers =
    /// <summary>Every channel of an image times a number of its own: <c>y[c, i, j] = x[c, i, j] s[c]</c>.</summary>
    /// <exception cref="T:DL.Core.ShapeException">In Init: there are not as many numbers as channels.</exception>
    let scaleChannels: Layer<Image * Vec, Image> =
        { Layer.pure'
              "scaleChannels"
              (fun shape ->
                  let struct (image, scale) = Shape.split shape

                  if Shape.features scale <> Shape.featureExtent image then
                      raise (ShapeException("scaleChannels", $"a number for each of {Shape.featureExtent image} channels", $"{scale}"))

                  image)
              (fun input ->
                  let struct (image, scale) = Batch.split input
                  let x, s = Batch.held image, Batch.held scale

                  let back dy : Batch<Image * Vec> =
                      let struct (dx, ds) = ScaleChannels.Backward(Batch.held dy, x, s)
                      Batch.pair (Batch.ofTensor dx) (Batch.ofTensor ds)

                  struct (Batch.ofTensor (ScaleChannels.Forward(x, s)), back)) with
            Stages = 0 }

    /// <summary>Squeeze and excitation: the means of all channels go through a narrow network that says how much of every channel passes.</summary>
    /// <remarks><c>y = x * sigmoid(W2 silu(W1 mean(x) + b1) + b2)</c>. J. Hu, L. Shen, G. Sun, Squeeze-and-excitation networks, 2017.</remarks>
    /// <param name="reduced">The width of the narrow network.</param>
    /// <param name="channels">The channels of the images.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">A number is below 1.</exception>
    let squeezeExcite (reduced: int) (channels: int) : Layer<Image, Image> =
        let gate = globalAvgPool2d --> dense reduced --> silu --> dense channels --> sigmoid

        named "excite" (fork identity gate --> scaleChannels)

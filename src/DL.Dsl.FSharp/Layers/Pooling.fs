namespace DL

open DL.Core
open DL.Core.Ops

/// <summary>The settings of a pooling: <c>maxPool2dWith { Pool.defaults with Ceil = true } (kernel 2)</c>.</summary>
type PoolSettings =
    {
        /// <summary>Whether a last window that reaches past the padded image counts, if it starts inside the image or the padding before it.</summary>
        Ceil: bool
        /// <summary>Whether the padding's zeros count in a mean.</summary>
        CountPadding: bool
    }

/// <summary>Settings of poolings.</summary>
[<RequireQualifiedAccess>]
module Pool =
    /// <summary>Whole windows only; padding counts.</summary>
    let defaults = { Ceil = false; CountPadding = true }

/// <summary>Poolings over images.</summary>
[<AutoOpen>]
module PoolingLayers =
    let private windowOf (k: Kernel) height width = Kernel.window k.Size k height width

    let private moving
        name
        (options: PoolSettings)
        (k: Kernel)
        (forward: Tensor -> Window -> Tensor)
        (backward: Tensor -> Tensor -> Window -> Tensor)
        : Layer<Image, Image> =
        let settings =
            [ yield $"({k})"
              if options.Ceil then
                  yield "ceil" ]

        let where = string (Layer.about name settings)

        Layer.pure'
            name
            (fun shape ->
                let s = Shape.core shape
                let struct (height, width) = (windowOf k s[1] s[2]).Positions(s[1], s[2], where, options.Ceil)
                Shape.image (s[0], height, width))
            (fun input ->
                let x = Batch.held input
                let window = windowOf k x.Shape[1] x.Shape[2]
                struct (Batch.ofTensor (forward x window), Batch.map (fun dy -> backward dy x window)))
        |> Layer.withSettings settings

    /// <summary>The largest number of every window, with settings of your own.</summary>
    /// <exception cref="T:DL.Core.ShapeException">In Init: the window is larger than the padded image.</exception>
    let maxPool2dWith (options: PoolSettings) (k: Kernel) : Layer<Image, Image> =
        moving "maxPool2d" options k (fun x w -> MaxPool2d.Forward(x, w, options.Ceil)) (fun dy x w ->
            MaxPool2d.Backward(dy, x, w, options.Ceil))

    /// <summary>The largest number of every window, channel by channel; the first of several gets the gradient. It moves by its own size unless told otherwise.</summary>
    /// <param name="k">The window: <c>kernel 2</c>, or <c>kernel 3 |&gt; stride 2 |&gt; padding 1</c>.</param>
    /// <exception cref="T:DL.Core.ShapeException">In Init: the window is larger than the padded image.</exception>
    let maxPool2d (k: Kernel) : Layer<Image, Image> = maxPool2dWith Pool.defaults k

    /// <summary>The mean of every window, with settings of your own.</summary>
    /// <exception cref="T:DL.Core.ShapeException">In Init: the window is larger than the padded image.</exception>
    let avgPool2dWith (options: PoolSettings) (k: Kernel) : Layer<Image, Image> =
        moving "avgPool2d" options k (fun x w -> AveragePool2d.Forward(x, w, options.CountPadding, options.Ceil)) (fun dy x w ->
            AveragePool2d.Backward(dy, x.Shape, w, options.CountPadding, options.Ceil))

    /// <summary>The mean of every window, channel by channel. It moves by its own size unless told otherwise.</summary>
    /// <param name="k">The window: <c>kernel 2</c>.</param>
    /// <exception cref="T:DL.Core.ShapeException">In Init: the window is larger than the padded image.</exception>
    let avgPool2d (k: Kernel) : Layer<Image, Image> = avgPool2dWith Pool.defaults k

    let private check name rows columns =
        if min rows columns < 1 then
            raise (InvalidArgumentException(name, "at least one row and one column", $"{rows} x {columns}"))

    let private pixels name (shape: Shape<Image>) =
        let s = Shape.core shape

        if min s[1] s[2] < 1 then
            raise (ShapeException(name, "images of at least one pixel", $"{shape}"))

        s

    let private adaptive name (rows, columns) (forward: Tensor -> Tensor) (backward: Tensor -> Tensor -> Tensor) : Layer<Image, Image> =
        check name rows columns

        Layer.pure' name (fun shape -> let s = pixels name shape in Shape.image (s[0], rows, columns)) (fun input ->
            let x = Batch.held input
            struct (Batch.ofTensor (forward x), Batch.map (fun dy -> backward dy x)))
        |> Layer.withSettings [ $"{rows}x{columns}" ]

    /// <summary>The mean of windows that share the image out evenly, whatever its size.</summary>
    /// <param name="rows">The rows of the output.</param>
    /// <param name="columns">The columns of the output.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no row or no column.</exception>
    let adaptiveAvgPool2d (rows: int, columns: int) : Layer<Image, Image> =
        adaptive "adaptiveAvgPool2d" (rows, columns) (fun x -> AveragePool2d.AdaptiveForward(x, rows, columns)) (fun dy x ->
            AveragePool2d.AdaptiveBackward(dy, x.Shape))

    /// <summary>The largest number of windows that share the image out evenly, whatever its size.</summary>
    /// <param name="rows">The rows of the output.</param>
    /// <param name="columns">The columns of the output.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no row or no column.</exception>
    let adaptiveMaxPool2d (rows: int, columns: int) : Layer<Image, Image> =
        adaptive "adaptiveMaxPool2d" (rows, columns) (fun x -> MaxPool2d.AdaptiveForward(x, rows, columns)) (fun dy x ->
            MaxPool2d.AdaptiveBackward(dy, x))

    let private whole name (forward: Tensor -> Tensor) (backward: Tensor -> Tensor -> Tensor) : Layer<Image, Vec> =
        Layer.pure' name (fun shape -> let s = pixels name shape in Shape.vec s[0]) (fun input ->
            let x = Batch.held input
            let n, channels = x.Shape[0], x.Shape[3]
            let back (dy: Tensor) : Tensor = backward (dy.Reshape(n, 1, 1, channels)) x
            struct (Batch.ofTensor ((forward x).Reshape(n, channels)), Batch.map back))

    /// <summary>The mean of every channel over all pixels.</summary>
    let globalAvgPool2d: Layer<Image, Vec> =
        whole "globalAvgPool2d" (fun x -> AveragePool2d.AdaptiveForward(x, 1, 1)) (fun dy x -> AveragePool2d.AdaptiveBackward(dy, x.Shape))

    /// <summary>The largest number of every channel over all pixels.</summary>
    let globalMaxPool2d: Layer<Image, Vec> =
        whole "globalMaxPool2d" (fun x -> MaxPool2d.AdaptiveForward(x, 1, 1)) (fun dy x -> MaxPool2d.AdaptiveBackward(dy, x))

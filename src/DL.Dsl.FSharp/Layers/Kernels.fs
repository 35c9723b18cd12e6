namespace DL

open DL.Core
open DL.Core.Ops

/// <summary>What is put around an image before a window moves over it.</summary>
type Padding =
    /// <summary>So much that the output has <c>ceil (n / stride)</c> rows and columns; an odd one goes below and to the right.</summary>
    | Same
    /// <summary>Rows above and below, columns to the left and to the right.</summary>
    | Sides of top: int * bottom: int * left: int * right: int

/// <summary>The window of a convolution or a pooling: <c>kernel 3 |&gt; stride 2 |&gt; same</c>.</summary>
/// <remarks>An axis of <c>n</c> gives <c>floor ((n + before + after - dilation (size - 1) - 1) / stride) + 1</c> positions.</remarks>
type Kernel =
    {
        /// <summary>Rows and columns of the window.</summary>
        Size: struct (int * int)
        /// <summary>Rows and columns from one position to the next; none for the layer's own: 1 for a convolution, the window's size for a pooling.</summary>
        Stride: struct (int * int) voption
        /// <summary>What is put around the image.</summary>
        Padding: Padding
        /// <summary>Rows and columns from one tap of the window to the next.</summary>
        Dilation: struct (int * int)
    }

    /// <summary>The window as it was written: <c>3x3 stride 2 same</c>.</summary>
    override this.ToString() =
        let square (struct (a: int, b: int)) = if a = b then string a else $"{a}x{b}"
        let struct (height, width) = this.Size

        [ yield $"{height}x{width}"
          match this.Stride with
          | ValueSome s -> yield $"stride {square s}"
          | ValueNone -> ()
          match this.Padding with
          | Same -> yield "same"
          | Sides(0, 0, 0, 0) -> ()
          | Sides(t, b, l, r) when t = b && b = l && l = r -> yield $"padding {t}"
          | Sides(t, b, l, r) -> yield $"padding {t},{b},{l},{r}"
          if this.Dilation <> struct (1, 1) then
              yield $"dilation {square this.Dilation}" ]
        |> String.concat " "

/// Windows over images of a known size.
[<RequireQualifiedAccess>]
module internal Kernel =
    /// Padding before and after that makes ceil (n / stride) positions.
    let private same n size stride dilation =
        let positions = (n + stride - 1) / stride
        let total = max 0 ((positions - 1) * stride + dilation * (size - 1) + 1 - n)
        struct (total / 2, total - total / 2)

    /// The window over images of a height and width, with the stride of the layer where none is set.
    let window (fallback: struct (int * int)) (k: Kernel) (height: int) (width: int) : Window =
        let struct (kh, kw) = k.Size
        let struct (sh, sw) = ValueOption.defaultValue fallback k.Stride
        let struct (dh, dw) = k.Dilation

        let struct (struct (top, bottom), struct (left, right)) =
            match k.Padding with
            | Same -> struct (same height kh sh dh, same width kw sw dw)
            | Sides(t, b, l, r) -> struct (struct (t, b), struct (l, r))

        Window(
            kh,
            kw,
            StrideHeight = sh,
            StrideWidth = sw,
            PadTop = top,
            PadBottom = bottom,
            PadLeft = left,
            PadRight = right,
            DilationHeight = dh,
            DilationWidth = dw
        )

    /// Checks that groups divide channels; the error tells a mend.
    let divides where what n groups =
        if n % groups <> 0 then
            raise (
                ShapeException(
                    where,
                    $"{what} that {groups} groups divide",
                    $"{n}",
                    $"Take {n - n % groups} or {n + groups - n % groups} channels, or another number of groups."
                )
            )

    /// Runs what asks for a window; that it does not fit is told with a mend.
    let positions where (window: Window) height width : struct (int * int) =
        let struct (h, w) = window.Positions(height, width, where)
        struct (h, w)

/// <summary>Building windows: <c>kernel 3 |&gt; stride 2 |&gt; same</c>.</summary>
[<AutoOpen>]
module KernelBuilders =
    let private atLeast least name (a: int) (b: int) =
        if min a b < least then
            raise (InvalidArgumentException(name, $"numbers of at least {least}", $"{a} and {b}"))

    /// <summary>A window of <c>height</c> rows and <c>width</c> columns that moves one pixel at a time, without padding.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">A number is below 1.</exception>
    let kernelOf (height: int, width: int) : Kernel =
        atLeast 1 "kernel" height width

        { Size = struct (height, width)
          Stride = ValueNone
          Padding = Sides(0, 0, 0, 0)
          Dilation = struct (1, 1) }

    /// <summary>A square window that moves one pixel at a time (in a pooling, by its own size), without padding.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">The side is below 1.</exception>
    let kernel (side: int) : Kernel = kernelOf (side, side)

    /// <summary>Moves the window so many rows and columns at a time.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">A number is below 1.</exception>
    let strideOf (rows: int, columns: int) (k: Kernel) : Kernel =
        atLeast 1 "stride" rows columns

        { k with Stride = ValueSome(struct (rows, columns)) }

    /// <summary>Moves the window n pixels at a time.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">n is below 1.</exception>
    let stride (n: int) (k: Kernel) : Kernel = strideOf (n, n) k

    /// <summary>Puts rows above and below and columns to the left and right of the image.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">A number is negative.</exception>
    let paddingOf (top: int, bottom: int, left: int, right: int) (k: Kernel) : Kernel =
        atLeast 0 "padding" (min top bottom) (min left right)

        { k with Padding = Sides(top, bottom, left, right) }

    /// <summary>Puts n rows and columns on each side of the image.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">n is negative.</exception>
    let padding (n: int) (k: Kernel) : Kernel = paddingOf (n, n, n, n) k

    /// <summary>Pads so that the output has <c>ceil (n / stride)</c> rows and columns.</summary>
    let same (k: Kernel) : Kernel = { k with Padding = Same }

    /// <summary>Sets the taps of the window n pixels apart.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">n is below 1.</exception>
    let dilation (n: int) (k: Kernel) : Kernel =
        atLeast 1 "dilation" n n

        { k with Dilation = struct (n, n) }

using static System.FormattableString;

namespace DL.Core.Metrics;

/// <summary>A rectangle with sides along the axes; x grows to the right and y downwards, in pixels or in shares of the image.</summary>
/// <remarks>Coordinates are points, not pixels: <c>width = right - left</c>. A box is sound when its coordinates and extents are finite, left is at most right,
/// and top at most bottom; whatever works on boxes refuses others. A box without area is sound.</remarks>
/// <param name="Left">The smallest x.</param>
/// <param name="Top">The smallest y.</param>
/// <param name="Right">The largest x.</param>
/// <param name="Bottom">The largest y.</param>
public readonly record struct Box(double Left, double Top, double Right, double Bottom)
{
    /// <summary>The box from (0, 0) to (1, 1): the whole image in shares of it.</summary>
    public static Box Unit { get; } = new(0, 0, 1, 1);

    /// <summary><c>right - left</c>.</summary>
    public double Width => Right - Left;

    /// <summary><c>bottom - top</c>.</summary>
    public double Height => Bottom - Top;

    /// <summary><c>width height</c>.</summary>
    public double Area => Width * Height;

    /// <summary><c>left + width / 2</c>.</summary>
    public double CenterX => Left + (Width / 2);

    /// <summary><c>top + height / 2</c>.</summary>
    public double CenterY => Top + (Height / 2);

    /// <summary>The box around a centre: <c>(x - w/2, y - h/2, x + w/2, y + h/2)</c>.</summary>
    /// <param name="centerX">The x of the centre.</param>
    /// <param name="centerY">The y of the centre.</param>
    /// <param name="width">The width, at least 0.</param>
    /// <param name="height">The height, at least 0.</param>
    /// <exception cref="InvalidArgumentException">A number is not finite, or an extent below 0.</exception>
    public static Box FromCenter(double centerX, double centerY, double width, double height) =>
        new Box(centerX - (width / 2), centerY - (height / 2), centerX + (width / 2), centerY + (height / 2)).Sound("Box.FromCenter");

    /// <summary>The part inside a frame; a box outside becomes one without area on the frame's border.</summary>
    /// <param name="frame">The frame, such as <see cref="Unit"/>.</param>
    /// <exception cref="InvalidArgumentException">One of the boxes is not sound.</exception>
    public Box Clip(Box frame)
    {
        Sound("Box.Clip");
        frame.Sound("Box.Clip, frame");
        return new(
            Math.Clamp(Left, frame.Left, frame.Right),
            Math.Clamp(Top, frame.Top, frame.Bottom),
            Math.Clamp(Right, frame.Left, frame.Right),
            Math.Clamp(Bottom, frame.Top, frame.Bottom));
    }

    /// <summary><c>(x left, y top, x right, y bottom)</c>: from shares of an image to pixels, or back.</summary>
    /// <param name="x">The factor along x, at least 0.</param>
    /// <param name="y">The factor along y, at least 0.</param>
    /// <exception cref="InvalidArgumentException">The result is not sound.</exception>
    public Box Scale(double x, double y) => new Box(x * Left, y * Top, x * Right, y * Bottom).Sound("Box.Scale");

    private bool IsSound => double.IsFinite(Width) && double.IsFinite(Height) && Width >= 0 && Height >= 0;

    /// <summary>This box, if it is sound.</summary>
    internal Box Sound(string where) =>
        IsSound
            ? this
            : throw new InvalidArgumentException(
                where, "a box of finite extents with left at most right and top at most bottom", Invariant($"({Left}, {Top}, {Right}, {Bottom})"));

    /// <summary>Fails unless all boxes are sound.</summary>
    internal static void CheckAll(ReadOnlySpan<Box> boxes, string where, string name)
    {
        for (var i = 0; i < boxes.Length; i++)
        {
            // The text of the place is only made for a box that fails.
            if (!boxes[i].IsSound) boxes[i].Sound(Invariant($"{where}, {name}[{i}]"));
        }
    }
}

namespace DL.Core.Ops;

public static partial class Conv2d
{
    /// <summary>The shapes of a convolution, checked.</summary>
    internal sealed record Form(Window Window, int Groups, Shape Input, Shape Weight, Shape Output)
    {
        // The offsets of a depthwise convolution's taps lie on the stack.
        private const int MostTaps = 1024;

        public int Images => Input[0];

        public int Height => Input[1];

        public int Width => Input[2];

        public int Channels => Input[3];

        /// <summary>Input channels of one group.</summary>
        public int Inputs => Weight[2];

        public int Outputs => Weight[3];

        public int Rows => Output[1];

        public int Columns => Output[2];

        /// <summary>Whether every output channel sees one input channel, its own, through a window of moderate size.</summary>
        public bool Depthwise => Inputs == 1 && Groups == Outputs && Groups > 1 && (long)Window.Height * Window.Width <= MostTaps;

        /// <summary>Whether it is a product of pixels by a matrix.</summary>
        public bool Pointwise => Groups == 1 && Window == new Window(1, 1);

        public static Form Of(string where, Shape input, Shape weight, Window window, int groups)
        {
            if (input.Rank != 4 || weight.Rank != 4) throw Ranks(where, input, weight);
            if (groups < 1) throw new InvalidArgumentException(where, "at least 1 group", $"{groups}");
            window.Check(where);
            if (weight[0] != window.Height || weight[1] != window.Width)
                throw new ShapeException(where, $"weights of {window.Height} x {window.Width} taps, as the window has", $"{weight}");
            if (input[3] % groups != 0 || weight[3] % groups != 0)
                throw new ShapeException(where, $"channels that {groups} groups divide", $"{input[3]} and {weight[3]}", "Take another number of channels or groups.");
            if (weight[2] != input[3] / groups)
                throw new ShapeException(where, $"weights of {input[3] / groups} channels, of {input[3]} in {groups} groups", $"{weight}");
            var (rows, columns) = window.Positions(input[1], input[2], where);
            return new(window, groups, input, weight, new Shape(input[0], rows, columns, weight[3]));
        }
    }
}

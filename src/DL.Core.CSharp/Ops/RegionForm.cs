using System.Numerics;
using System.Runtime.CompilerServices;
using DL.Core.Kernels;
using static System.FormattableString;

namespace DL.Core.Ops;

/// <summary>Where a region begins and how it is cut: makes the bins of one axis.</summary>
internal unsafe interface IRegionCut
{
    /// <summary>An upper bound of the weights the bins of an axis need.</summary>
    long Weights(double start, double end, int bins, int pixels);

    /// <summary>Fills the bins of an axis of so many pixels, from coordinates in pixels; weights are put at <paramref name="weights"/>, which is moved on.</summary>
    void Cut(double start, double end, int bins, int pixels, RegionBin* result, ref double* weights);
}

/// <summary>What all poolings over regions share: shapes, checks, and the way to the kernels.</summary>
internal readonly unsafe ref struct RegionForm
{
    // Up to here float32 tells every pixel from the next; further out a region would be cut into samples without end.
    private const double Furthest = 1 << 24;

    private readonly string _where;
    private readonly Shape _input, _output;
    private readonly Tensor _regions;
    private readonly double _scale;

    /// <summary>Checks all but the element types.</summary>
    public RegionForm(string where, Shape input, Tensor regions, int rows, int columns, double scale)
    {
        (_where, _input, _regions, _scale) = (where, input, regions, scale);
        if (input.Rank != 4) throw new ShapeException(where, "images [N; height; width; channels]", $"{input}");
        if (Math.Min(input[1], input[2]) < 1) throw new ShapeException(where, "images of at least one pixel", $"{input}");
        if (regions.Shape.Rank != 2 || regions.Shape[1] != 5)
            throw new ShapeException(where, "regions [R; 5]: image, left, top, right, bottom", $"{regions.Shape}");
        if (Math.Min(rows, columns) < 1) throw new InvalidArgumentException(where, "at least one row and one column", Invariant($"{rows} x {columns}"));
        if (!(double.IsFinite(scale) && scale > 0)) throw new InvalidArgumentException(where, "a scale above 0", Invariant($"{scale}"));
        _ = regions.IsDouble(where);
        _output = new(regions.Shape[0], rows, columns, input[3]);
        for (var region = 0; region < regions.Shape[0]; region++) Check(region);
    }

    public Tensor Forward<TSingle, TDouble, TCut>(Tensor x, TCut cut)
        where TSingle : unmanaged, IRegionPool<float>
        where TDouble : unmanaged, IRegionPool<double>
        where TCut : IRegionCut =>
        x.IsDouble(_where) ? Pool<double, TDouble, TCut>(x.As<double>(_where), cut) : Pool<float, TSingle, TCut>(x.As<float>(_where), cut);

    public Tensor Backward<TSingle, TDouble, TCut>(Tensor dy, Tensor? x, TCut cut)
        where TSingle : unmanaged, IRegionPool<float>
        where TDouble : unmanaged, IRegionPool<double>
        where TCut : IRegionCut
    {
        dy.Expect(_output, _where);
        return dy.IsDouble(_where)
            ? Spread<double, TDouble, TCut>(dy.As<double>(_where), x?.As<double>(_where), cut)
            : Spread<float, TSingle, TCut>(dy.As<float>(_where), x?.As<float>(_where), cut);
    }

    private Tensor Pool<T, TPool, TCut>(Tensor<T> x, TCut cut)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TPool : unmanaged, IRegionPool<T>
        where TCut : IRegionCut
    {
        var y = x.New<T>(_output);
        if (y.Count == 0) return y;
        fixed (T* px = x.Span, py = y.Write()) Regions.Forward<T, TPool>(Plan(cut), px, py);
        return y;
    }

    private Tensor Spread<T, TPool, TCut>(Tensor<T> dy, Tensor<T>? x, TCut cut)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TPool : unmanaged, IRegionPool<T>
        where TCut : IRegionCut
    {
        var dx = dy.New<T>(_input);
        if (dy.Count == 0)
        {
            dx.Write().Clear();
            return dx;
        }

        fixed (T* pdy = dy.Span, px = (x ?? dx).Span, pdx = dx.Write()) Regions.Backward<T, TPool>(Plan(cut), pdy, px, pdx);
        return dx;
    }

    private RegionPlan Plan<TCut>(TCut cut) where TCut : IRegionCut
    {
        var (count, rows, columns) = (_output[0], _output[1], _output[2]);
        var weights = 0L;
        for (var region = 0; region < count; region++)
            weights += cut.Weights(At(region, 2), At(region, 4), rows, _input[1]) + cut.Weights(At(region, 1), At(region, 3), columns, _input[2]);
        var bins = (long)count * (rows + columns);
        var memory = (byte*)Scratch.Left((bins * sizeof(RegionBin)) + (weights * sizeof(double)) + (count * (long)sizeof(int)));
        var plan = new RegionPlan
        {
            Regions = count,
            Rows = rows,
            Columns = columns,
            Images = _input[0],
            Height = _input[1],
            Width = _input[2],
            Channels = _input[3],
            Bins = (RegionBin*)memory,
        };
        var next = (double*)(plan.Bins + bins);
        plan.Image = (int*)(next + weights);
        for (var region = 0; region < count; region++)
        {
            var first = plan.Bins + (region * (long)plan.Axes);
            plan.Image[region] = (int)_regions.At(region * 5);
            cut.Cut(At(region, 2), At(region, 4), rows, plan.Height, first, ref next);
            cut.Cut(At(region, 1), At(region, 3), columns, plan.Width, first + rows, ref next);
        }

        return plan;
    }

    /// <summary>A coordinate of a region, in pixels of the image.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private double At(int region, int column) => _regions.At((region * 5) + column) * _scale;

    private void Check(int region)
    {
        var image = _regions.At(region * 5);
        if (!(image >= 0 && image < _input[0] && image == Math.Floor(image)))
            throw Wrong(region, Invariant($"the number of one of {_input[0]} images"), Invariant($"{image}"));
        for (var column = 1; column < 5; column++)
        {
            if (!(Math.Abs(At(region, column)) <= Furthest))
                throw Wrong(region, Invariant($"coordinates that are, scaled, at most {Furthest} from 0"), Invariant($"{_regions.At((region * 5) + column)}"));
        }

        if (At(region, 1) > At(region, 3) || At(region, 2) > At(region, 4))
            throw Wrong(
                region,
                "left at most right and top at most bottom",
                Invariant($"{_regions.At((region * 5) + 1)}, {_regions.At((region * 5) + 2)}, {_regions.At((region * 5) + 3)}, {_regions.At((region * 5) + 4)}"));
    }

    private InvalidArgumentException Wrong(int region, string expected, string got) => new(Invariant($"{_where}, regions[{region}]"), expected, got);
}

using static System.FormattableString;

namespace DL.Core.Formats;

/// <summary>Numbers in named columns, row-major in one array: the value of row r and column c lies at <c>r * Columns + c</c>.</summary>
public sealed class Table
{
    private readonly Dictionary<string, int> _places = new(StringComparer.Ordinal);

    /// <summary>A table over the given values; the array is kept, not copied.</summary>
    /// <param name="columnNames">One distinct name per column, at least one.</param>
    /// <param name="values">The values row by row, [rows, columns].</param>
    /// <exception cref="InvalidArgumentException">No column, or a name that comes twice.</exception>
    /// <exception cref="ShapeException">The number of values is no multiple of the number of columns.</exception>
    public Table(IReadOnlyList<string> columnNames, double[] values)
    {
        if (columnNames.Count == 0)
            throw new InvalidArgumentException("Table, columnNames", "at least one column", "none");
        if (values.Length % columnNames.Count != 0)
            throw new ShapeException("Table", Invariant($"a multiple of {columnNames.Count} values"), Invariant($"{values.Length}"));
        for (var c = 0; c < columnNames.Count; c++)
        {
            if (!_places.TryAdd(columnNames[c], c))
                throw new InvalidArgumentException("Table, columnNames", "distinct names", $"'{columnNames[c]}' twice");
        }
        ColumnNames = [.. columnNames];
        Values = values;
    }

    /// <summary>The names, left to right.</summary>
    public IReadOnlyList<string> ColumnNames { get; }

    /// <summary>The values themselves, row-major [Rows, Columns].</summary>
    public double[] Values { get; }

    /// <summary>The number of columns.</summary>
    public int Columns => ColumnNames.Count;

    /// <summary>The number of rows.</summary>
    public int Rows => Values.Length / Columns;

    /// <summary>One value.</summary>
    /// <param name="row">The row, from 0.</param>
    /// <param name="column">The column, from 0.</param>
    /// <exception cref="InvalidArgumentException">There is no such row or column.</exception>
    public double this[int row, int column] => Row(row)[CheckedColumn(column)];

    /// <summary>One row, a view of <see cref="Values"/>.</summary>
    /// <param name="row">The row, from 0.</param>
    /// <exception cref="InvalidArgumentException">There is no such row.</exception>
    public ReadOnlySpan<double> Row(int row)
    {
        if ((uint)row >= (uint)Rows)
            throw new InvalidArgumentException("Table, row", Invariant($"0 to {Rows - 1}"), Invariant($"{row}"));
        return Values.AsSpan(row * Columns, Columns);
    }

    /// <summary>A copy of one column, [Rows].</summary>
    /// <param name="column">The column, from 0.</param>
    /// <exception cref="InvalidArgumentException">There is no such column.</exception>
    public double[] Column(int column) => Pick([CheckedColumn(column)]);

    /// <summary>A copy of one column, [Rows].</summary>
    /// <param name="name">The column's name.</param>
    /// <exception cref="InvalidArgumentException">There is no such column.</exception>
    public double[] Column(string name) => Pick([Place(name)]);

    /// <summary>A new table of the named columns, in the order named.</summary>
    /// <param name="names">The columns to keep.</param>
    /// <exception cref="InvalidArgumentException">No name, a name twice, or a name that is no column's.</exception>
    public Table Select(params string[] names) => new(names, Pick([.. names.Select(Place)]));

    /// <summary>A new table of all columns but the named ones.</summary>
    /// <param name="names">The columns to leave out.</param>
    /// <exception cref="InvalidArgumentException">A name that is no column's, or no column left.</exception>
    public Table Without(params string[] names)
    {
        var dropped = names.Select(Place).ToHashSet();
        return Select([.. ColumnNames.Where((_, c) => !dropped.Contains(c))]);
    }

    /// <summary>The place of a named column, from 0.</summary>
    /// <param name="name">The column's name.</param>
    /// <exception cref="InvalidArgumentException">There is no such column.</exception>
    public int Place(string name) => _places.TryGetValue(name, out var place)
        ? place
        : throw new InvalidArgumentException("Table, column", string.Join(", ", ColumnNames.Take(20)), $"'{name}'");

    private int CheckedColumn(int column) => (uint)column < (uint)Columns
        ? column
        : throw new InvalidArgumentException("Table, column", Invariant($"0 to {Columns - 1}"), Invariant($"{column}"));

    private double[] Pick(ReadOnlySpan<int> columns)
    {
        var picked = new double[checked(Rows * columns.Length)];
        var next = 0;
        for (var r = 0; r < Rows; r++)
        {
            foreach (var c in columns)
                picked[next++] = Values[r * Columns + c];
        }
        return picked;
    }
}

module DL.Properties.Data.CsvTests

open System
open System.Globalization
open FsCheck.FSharp
open Xunit
open DL.Core.Formats
open DL.Properties.Data.Support

let private read (text: string) = Csv.Read(stream (bytesOf text))

let private readWith options (text: string) = Csv.Read(stream (bytesOf text), options)

let private tables =
    gen {
        let! rows = Gen.choose (1, 9)
        let! columns = Gen.choose (1, 6)

        let value =
            Gen.oneof
                [ Gen.constant 0.0
                  Gen.constant -0.0
                  Gen.constant 1e-300
                  Gen.constant -1.7e308
                  Gen.map float (Gen.choose (-99, 99))
                  Gen.map (fun i -> float i / 7919.0) (Gen.choose (-1000000, 1000000)) ]

        let! values = Gen.arrayOfLength (rows * columns) value
        return Table([| for c in 1..columns -> $"c,\"{c}" |], values)
    }

let private written (newline: string) (table: Table) =
    let quoted (name: string) = "\"" + name.Replace("\"", "\"\"") + "\""

    let number (x: float) = x.ToString("R", CultureInfo.InvariantCulture)

    let header = table.ColumnNames |> Seq.map quoted |> String.concat ","

    let rows = [ for r in 0 .. table.Rows - 1 -> table.Row(r).ToArray() |> Seq.map number |> String.concat "," ]

    String.concat newline (header :: rows)

let private same (a: Table) (b: Table) =
    Seq.toList a.ColumnNames = Seq.toList b.ColumnNames
    && Array.map BitConverter.DoubleToInt64Bits a.Values = Array.map BitConverter.DoubleToInt64Bits b.Values

[<Fact>]
let ``reading what was written gives the same bits, whatever the line ends, end of file, mark or compression`` () =
    let forms =
        Gen.zip3 (Gen.elements [ "\n"; "\r\n"; "\r" ]) (Gen.elements [ ""; "\n"; "\r\n\r\n" ]) (Gen.elements [ id; gzip ])

    forAll (Gen.zip tables forms) (fun (table, (newline, ending, pack)) ->
        let text = "\uFEFF" + written newline table + ending

        same table (Csv.Read(stream (pack (bytesOf text))))
        && same table (Csv.Read(new Dripping(pack (bytesOf text)))))

[<Fact>]
let ``numbers are read with a point in every culture`` () =
    let before = CultureInfo.CurrentCulture
    let comma = CultureInfo.InvariantCulture.Clone() :?> CultureInfo
    comma.NumberFormat.NumberDecimalSeparator <- ","

    try
        CultureInfo.CurrentCulture <- comma
        Assert.Equal<float[]>([| 1.5; -2e-3 |], (read "a,b\n1.5,-2e-3\n").Values)
    finally
        CultureInfo.CurrentCulture <- before

[<Fact>]
let ``the header is found, asked for or denied`` () =
    Assert.Equal<string seq>([ "a"; "b" ], (read "a,b\n1,2").ColumnNames)
    Assert.Equal<string seq>([ "column1"; "column2" ], (read "1,2\n3,4").ColumnNames)
    Assert.Equal<string seq>([ "2020"; "2021" ], (readWith (CsvOptions(Header = Header.Present)) "2020,2021\n3,4").ColumnNames)

    formatError (fun () -> readWith (CsvOptions(Header = Header.Absent)) "a,b\n1,2")
    |> mentions [ "line 1, column 1"; "'a'" ]

    formatError (fun () -> read "1,b\n1,2") |> mentions [ "line 1, column 2"; "Header" ]

[<Fact>]
let ``another delimiter, quoted numbers and blanks around them are read`` () =
    Assert.Equal<float[]>([| 1.0; 2.0; 3.0; 4.0 |], (readWith (CsvOptions(Delimiter = ';')) "a;b\n\"1\"; 2\n 3 ;\"4\"").Values)
    argumentError (fun () -> CsvOptions(Delimiter = '"')) |> ignore
    argumentError (fun () -> CsvOptions(Delimiter = '.')) |> ignore

[<Fact>]
let ``columns are chosen by name`` () =
    let table = read "a,b,c\n1,2,3\n4,5,6"
    Assert.Equal<float[]>([| 2.0; 5.0 |], table.Column "b")
    Assert.Equal<float[]>([| 3.0; 1.0; 6.0; 4.0 |], table.Select("c", "a").Values)
    Assert.Equal<string seq>([ "a"; "c" ], table.Without("b").ColumnNames)
    Assert.Equal(6.0, table[1, 2])
    argumentError (fun () -> table.Column "d") |> mentions [ "a, b, c"; "'d'" ]
    argumentError (fun () -> table.Without("a", "b", "c")) |> ignore
    argumentError (fun () -> table[2, 0]) |> ignore

let badTexts: TheoryData<string, string[]> =
    let data = TheoryData<string, string[]>()

    for text, parts in
        [ "", [ "line 1"; "nothing" ]
          "a,b\n", [ "at least one row" ]
          "a,b\n1,2\n3\n", [ "line 3"; "expected 2 fields"; "got 1" ]
          "a,b\n1,2,3", [ "line 2"; "got 3" ]
          "a,b\n1,x", [ "line 2, column 2 (b)"; "a number"; "'x'" ]
          "a,b\n1,", [ "line 2, column 2 (b)"; "empty field" ]
          "a,b\n1,2\nNaN,1", [ "line 3, column 1 (a)"; "finite"; "row 2" ]
          "a,b\n1,-inf", [ "line 2, column 2 (b)"; "'-inf'" ]
          "1,2\n1e999,2", [ "line 2"; "'1e999'" ]
          "1,2\n\n3,4", [ "line 2"; "empty line" ]
          "a,a\n1,2", [ "line 1, column 2"; "'a'" ]
          "a,b\n1,2\n3,\"4\n5,6", [ "line 3, column 2"; "closing quote" ]
          "\"a\nb\",c\n1,\"2\"x", [ "line 3, column 2"; "'x'" ]
          "a,b\n1,2\"", [ "line 2, column 2"; "quote" ] ] do
        data.Add(text, List.toArray parts)

    data

[<Theory; MemberData(nameof badTexts)>]
let ``a bad text is named with line, column, expected and got`` (text: string) (parts: string[]) =
    formatError (fun () -> Csv.Read(stream (bytesOf text), source = "table.csv"))
    |> mentions ("table.csv" :: List.ofArray parts)

[<Fact>]
let ``values that are not finite pass when allowed`` () =
    let values = (readWith (CsvOptions(AllowNonFinite = true)) "nan,inf,-Infinity,+inf\n1,2,3,4").Values

    Assert.Equal<float[]>([| nan; infinity; -infinity; infinity |], values[..3])

[<Fact>]
let ``bytes that are no text, missing files and closed streams are errors of the family`` () =
    formatError (fun () -> Csv.Read(stream [| 0xFFuy; 0xFEuy; 0x31uy; 0uy |])) |> mentions [ "UTF-8" ]

    formatError (fun () -> Csv.Read "no/such/file.csv") |> mentions [ "no/such/file.csv"; "Check the path" ]

    argumentError (fun () -> Csv.Read "") |> ignore
    let closed = stream [||]
    closed.Dispose()
    argumentError (fun () -> Csv.Read closed) |> ignore

[<Fact>]
let ``limits hold to the element and to the character`` () =
    let text = "a,b\n1,2\n3,4"
    Assert.Equal(2, Csv.Read(stream (bytesOf text), limits = ReadLimits(MaxElements = 4L, MaxBytes = 11L, MaxLineLength = 3)).Rows)

    formatError (fun () -> Csv.Read(stream (bytesOf text), limits = ReadLimits(MaxElements = 3L)))
    |> mentions [ "MaxElements" ]

    formatError (fun () -> Csv.Read(stream (bytesOf text), limits = ReadLimits(MaxBytes = 10L)))
    |> mentions [ "MaxBytes" ]

    formatError (fun () -> Csv.Read(stream (bytesOf text), limits = ReadLimits(MaxLineLength = 2)))
    |> mentions [ "MaxLineLength" ]

    argumentError (fun () -> ReadLimits(MaxBytes = 0L)) |> ignore

module DL.Properties.Data.DatasetTests

open Xunit
open DL.Core.Data
open DL.Core.Formats
open DL.Properties.Data.Support

let private classCounts (data: Dataset) = data.Labels |> Array.countBy id |> Array.sort |> Array.map snd

[<Fact>]
let ``the embedded sets have their published sizes and class counts`` () =
    let sized (data: Dataset) = data.Name, data.Rows, data.FeatureCount, data.ClassCount

    Assert.Equal(("digits", 1797, 64, 10), sized (Datasets.Digits()))
    Assert.Equal(("iris", 150, 4, 3), sized (Datasets.Iris()))
    Assert.Equal(("wine", 178, 13, 3), sized (Datasets.Wine()))
    Assert.Equal(("breast_cancer", 569, 30, 2), sized (Datasets.BreastCancer()))
    Assert.Equal(("diabetes", 442, 10, 0), sized (Datasets.Diabetes()))
    Assert.Equal<int[]>([| 178; 182; 177; 183; 181; 182; 181; 179; 174; 180 |], classCounts (Datasets.Digits()))
    Assert.Equal<int[]>([| 50; 50; 50 |], classCounts (Datasets.Iris()))
    Assert.Equal<int[]>([| 59; 71; 48 |], classCounts (Datasets.Wine()))
    Assert.Equal<int[]>([| 212; 357 |], classCounts (Datasets.BreastCancer()))
    Assert.Equal(152.1334841628959, Array.average (Datasets.Diabetes()).Targets, 10)

[<Fact>]
let ``the embedded sets carry names, shapes and attribution`` () =
    for data in [ Datasets.Digits(); Datasets.Iris(); Datasets.Wine(); Datasets.BreastCancer(); Datasets.Diabetes() ] do
        Assert.Equal(data.FeatureCount, data.FeatureNames.Count)
        Assert.Equal(data.FeatureCount, Seq.fold (*) 1 data.FeatureShape)
        Assert.Equal(data.Rows * data.FeatureCount, data.Features.Length)
        Assert.False(System.String.IsNullOrWhiteSpace data.Attribution)

    Assert.Equal<int seq>([ 8; 8 ], Datasets.Digits().FeatureShape)
    Assert.Equal<string seq>([ "malignant"; "benign" ], Datasets.BreastCancer().ClassNames)

[<Fact>]
let ``a caller may change what was read`` () =
    let first = Datasets.Iris()
    first.Features[0] <- nan
    Assert.Equal(5.1, Datasets.Iris().Features[0])

[<Fact>]
let ``a table becomes a data set, its classes counted or named`` () =
    let table = Table([ "x"; "y"; "class" ], [| 1.0; 2.0; 0.0; 3.0; 4.0; 2.0 |])
    let counted = Dataset.FromTable(table, "class")
    Assert.Equal<float[]>([| 1.0; 2.0; 3.0; 4.0 |], counted.Features)
    Assert.Equal<int[]>([| 0; 2 |], counted.Labels)
    Assert.Equal(3, counted.ClassCount)
    Assert.Equal(4, Dataset.FromTable(table, "class", [| "a"; "b"; "c"; "d" |]).ClassCount)
    let regression = Dataset.RegressionFromTable(table, "x")
    Assert.Equal<float[]>([| 1.0; 3.0 |], regression.Targets)
    argumentError (fun () -> regression.Labels) |> mentions [ "Use Targets" ]
    argumentError (fun () -> counted.Targets) |> mentions [ "Use Labels" ]

[<Fact>]
let ``labels that are no class ids and features that are not finite are named by row`` () =
    let labelled label = Table([ "x"; "class" ], [| 1.0; 0.0; 2.0; label |])

    for label in [ 0.5; -1.0; nan; infinity; 1e9 ] do
        formatError (fun () -> Dataset.FromTable(labelled label, "class")) |> mentions [ "row 2"; "class id" ]

    formatError (fun () -> Dataset.FromTable(labelled 2.0, "class", [| "a"; "b" |]))
    |> mentions [ "0 to 1"; "got 2" ]

    formatError (fun () -> Dataset.FromTable(Table([ "x"; "class" ], [| 1.0; 0.0; nan; 1.0 |]), "class"))
    |> mentions [ "row 2, column x" ]

    formatError (fun () -> Dataset.RegressionFromTable(Table([ "x"; "y" ], [| 1.0; infinity |]), "y"))
    |> mentions [ "row 1, column y" ]

    formatError (fun () -> Dataset.FromTable(Table([ "x"; "class" ], [||]), "class"))
    |> mentions [ "at least one row" ]

    argumentError (fun () -> Dataset.FromTable(labelled 1.0, "label")) |> mentions [ "'label'" ]

[<Fact>]
let ``rows are taken in order, with their labels`` () =
    let iris = Datasets.Iris()
    let rows = [| 149; 0; 149 |]
    let taken = iris.Take rows
    Assert.Equal<int[]>([| 2; 0; 2 |], taken.Labels)
    Assert.Equal<float[]>(iris.Features[149 * 4 ..], taken.Features[..3])
    Assert.Equal<float[]>(iris.Features[..3], taken.Features[4..7])
    let outside = [| 150 |]

    argumentError (fun () -> iris.Take outside) |> mentions [ "rows[0]"; "0 to 149" ]

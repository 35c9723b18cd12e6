module DL.Properties.Data.PreparationTests

open FsCheck.FSharp
open Xunit
open DL.Core.Data
open DL.Properties.Data.Support

let private matrices =
    gen {
        let! rows = Gen.choose (2, 30)
        let! columns = Gen.choose (1, 5)
        let! offset = Gen.elements [ 0.0; 1e6; -1e-3 ]

        let! values = Gen.arrayOfLength (rows * columns) (Gen.map (fun i -> offset + float i / 16.0) (Gen.choose (-1000, 1000)))

        return columns, values
    }

let private column c columns (values: float[]) = [| for i in c..columns .. values.Length - 1 -> values[i] |]

let private moments (xs: float[]) =
    let mean = Array.average xs
    mean, sqrt (xs |> Array.averageBy (fun x -> (x - mean) ** 2.0))

[<Fact>]
let ``standardizing is the formula, with moments of the training rows`` () =
    forAll (Gen.zip matrices (Gen.elements [ 1e-8; 0.0; 0.5 ])) (fun ((columns, values), eps) ->
        let fitted = Standardizer.Fit(values, columns, eps)
        let y = fitted.Apply values

        List.forall
            (fun c ->
                let xs = column c columns values
                let mean, deviation = moments xs
                let close (a: float) b = abs (a - b) <= 1e-7 * (1.0 + abs b)

                if Array.forall ((=) xs[0]) xs then
                    Array.forall ((=) 0.0) (column c columns y)
                else
                    Array.forall2 close (column c columns y) (xs |> Array.map (fun x -> (x - mean) / (deviation + eps))))
            [ 0 .. columns - 1 ])

[<Fact>]
let ``a constant column becomes zeros, exactly, in other rows too`` () =
    // A tenth is no binary fraction: its rounded mean would differ from it.
    let train = [| 0.1; 1.0; 0.1; 2.0; 0.1; 4.0 |]
    let fitted = Standardizer.Fit(train, 2)
    Assert.Equal(0.0, fitted.Deviation[0])
    let other = [| 0.3; 1.0 |]
    Assert.Equal(0.0, (fitted.Apply other)[0])
    Assert.All(column 0 2 (fitted.Apply train), fun y -> Assert.Equal(0.0, y))

[<Fact>]
let ``a data set is standardized by its training rows alone`` () =
    let wine = Datasets.Wine()
    let split = Split.Shuffled(wine.Rows, 0.1, 0UL)
    let standardized = Standardizer.Fit(wine, split.Train).Apply wine
    let train = standardized.Take split.Train

    for c in 0 .. wine.FeatureCount - 1 do
        let mean, deviation = moments (column c wine.FeatureCount train.Features)
        Assert.Equal(0.0, mean, 10)
        Assert.Equal(1.0, deviation, 6)

    Assert.Equal<int[]>(wine.Labels, standardized.Labels)

[<Fact>]
let ``bad input to the standardizer is named by row and column`` () =
    let withNaN = [| 1.0; 2.0; 3.0; nan |]
    let four = [| 1.0; 2.0; 3.0; 4.0 |]

    argumentError (fun () -> Standardizer.Fit(withNaN, 2)) |> mentions [ "row 1, column 1"; "NaN" ]

    argumentError (fun () -> Standardizer.Fit(four, 2).Apply withNaN) |> mentions [ "row 1, column 1" ]

    argumentError (fun () -> Standardizer.Fit(Array.empty<float>, 2)) |> mentions [ "at least one row" ]

    argumentError (fun () -> Standardizer.Fit(four, 0)) |> ignore
    argumentError (fun () -> Standardizer.Fit(four, 2, -1.0)) |> ignore

    argumentError (fun () -> Standardizer.Fit([| 1e300; -1e300 |], 1)) |> mentions [ "column 0" ]

    shapeError (fun () -> Standardizer.Fit(four, 3)) |> ignore
    shapeError (fun () -> Standardizer.Fit(four, 4).Apply [| 1.0 |]) |> ignore

    shapeError (fun () -> Standardizer.Fit(four, 4).Apply(Datasets.Wine())) |> ignore

[<Fact>]
let ``bytes go to [0, 1] and [-1, 1], ends exact`` () =
    let ends = [| 0.0; 255.0; 127.5 |]
    Assert.Equal<float[]>([| 0.0; 1.0; 0.5 |], Rescale.ToUnit ends)
    Assert.Equal<float[]>([| -1.0; 1.0; 0.0 |], Rescale.ToSymmetric ends)
    let bytes = [| 0uy; 51uy; 255uy |]
    Assert.Equal<float[]>([| 0.0; 0.2; 1.0 |], Rescale.ToUnit bytes)
    let outside = [| 0.0; 256.0 |]
    argumentError (fun () -> Rescale.ToUnit outside) |> mentions [ "x[1]"; "256" ]
    argumentError (fun () -> Rescale.ToUnit(ends, 0.0)) |> ignore

[<Fact>]
let ``one-hot rows hold a single one, at the label`` () =
    let cases =
        Gen.choose (1, 9)
        |> Gen.bind (fun classes -> Gen.zip (Gen.constant classes) (Gen.arrayOf (Gen.choose (0, classes - 1))))

    forAll cases (fun (classes, labels) ->
        let encoded = Labels.OneHot(labels, classes)

        encoded.Length = labels.Length * classes
        && Seq.forall (fun i -> encoded[i] = (if labels[i / classes] = i % classes then 1.0 else 0.0)) (seq { 0 .. encoded.Length - 1 }))

[<Fact>]
let ``the first bad label is named with its position`` () =
    let labels = [| 0; 2; 3; -1 |]

    argumentError (fun () -> Labels.Check(labels, 3)) |> mentions [ "labels[2]"; "0 to 2"; "got 3" ]

    argumentError (fun () -> Labels.OneHot(labels, 4)) |> mentions [ "[3]"; "got -1" ]

    argumentError (fun () -> Labels.Check(labels, 0)) |> mentions [ "at least 1" ]
    let good = [| 0; 1 |]
    Labels.Check(good, 2)

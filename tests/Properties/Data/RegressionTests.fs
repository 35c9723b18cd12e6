module DL.Properties.Data.RegressionTests

open FsCheck.FSharp
open Xunit
open DL.Core.Metrics
open DL.Properties.Data.Support

let private close (a: float) (b: float) = abs (a - b) <= 1e-12 * max 1.0 (abs b)

let private pairs =
    gen {
        let! n = Gen.choose (1, 30)
        let! scale = Gen.elements [ 1.0; 1e-30; 1e30 ]
        let value = Gen.map (fun i -> float i * scale) (Gen.choose (-50, 50))
        return! Gen.zip (Gen.arrayOfLength n value) (Gen.arrayOfLength n value)
    }

[<Fact>]
let ``errors of numbers are their formulas, in both precisions`` () =
    forAll pairs (fun (y, yhat) ->
        let mse y yhat = Array.map2 (fun a b -> (a - b) * (a - b)) y yhat |> Array.average
        let mae y yhat = Array.map2 (fun a b -> abs (a - b)) y yhat |> Array.average
        let relative (a: float) b = abs (a - b) <= 1e-12 * abs b
        let narrow (a: float) b = abs (a - b) <= 1e-6 * abs b + 1e-70
        let y32, yhat32 = Array.map float32 y, Array.map float32 yhat
        // The difference of two numbers feels how each was rounded: the formula sees the rounded ones as well.
        let rounded, roundedHat = Array.map float y32, Array.map float yhat32

        relative (Regression.MeanSquaredError(y, yhat)) (mse y yhat)
        && relative (Regression.RootMeanSquaredError(y, yhat)) (sqrt (mse y yhat))
        && relative (Regression.MeanAbsoluteError(y, yhat)) (mae y yhat)
        && narrow (Regression.MeanAbsoluteError(y32, yhat32)) (mae rounded roundedHat)
        && narrow (Regression.MeanSquaredError(y32, yhat32)) (mse rounded roundedHat))

[<Fact>]
let ``R2 is its formula, 1 when perfect and 0 for the mean`` () =
    forAll pairs (fun (y, yhat) ->
        let mean = Array.average y
        let perfect = Regression.R2(y, y) = 1.0

        if Array.forall ((=) y[0]) y then
            perfect && Regression.R2(y, yhat) = (if y = yhat then 1.0 else 0.0)
        else
            let total = y |> Array.sumBy (fun a -> (a - mean) ** 2.0)
            let residual = Array.map2 (fun a b -> (a - b) ** 2.0) y yhat |> Array.sum
            let constant = Array.create y.Length mean

            perfect && close (Regression.R2(y, yhat)) (1.0 - residual / total) && abs (Regression.R2(y, constant)) < 1e-12)

[<Fact>]
let ``R2 of constant targets is 1 or 0, and large values do not overflow`` () =
    let constant = Array.create 7 0.1
    let off = Array.append (Array.create 6 0.1) [| 0.2 |]
    Assert.Equal(1.0, Regression.R2(constant, constant))
    Assert.Equal(0.0, Regression.R2(constant, off))
    let large, reversed = [| 1e200; -1e200 |], [| -1e200; 1e200 |]
    Assert.Equal(-3.0, Regression.R2(large, reversed), 12)

[<Fact>]
let ``bad numbers are refused by position`` () =
    let two, three, withNaN, none = [| 0.0; 1.0 |], [| 0.0; 1.0; 2.0 |], [| 0.0; nan |], Array.empty<float>

    for metric in
        [ (fun (y: float[], p: float[]) -> Regression.MeanSquaredError(y, p))
          (fun (y, p) -> Regression.RootMeanSquaredError(y, p))
          (fun (y, p) -> Regression.MeanAbsoluteError(y, p))
          (fun (y, p) -> Regression.R2(y, p)) ] do
        shapeError (fun () -> metric (two, three)) |> ignore
        argumentError (fun () -> metric (none, none)) |> ignore
        argumentError (fun () -> metric (two, withNaN)) |> mentions [ "[1]"; "NaN" ]
        argumentError (fun () -> metric (withNaN, two)) |> mentions [ "[1]" ]

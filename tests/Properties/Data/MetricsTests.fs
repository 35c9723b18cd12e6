module DL.Properties.Data.MetricsTests

open FsCheck.FSharp
open Xunit
open DL.Core.Metrics
open DL.Properties.Data.Support

/// Classes, truth and prediction; some classes never come, so that every 0/0 is met.
let private predictions =
    gen {
        let! classes = Gen.choose (1, 6)
        let! n = Gen.choose (1, 40)
        let! seen = Gen.choose (1, classes)
        let! truth = Gen.arrayOfLength n (Gen.choose (0, seen - 1))

        let! predicted = Gen.arrayOfLength n (Gen.frequency [ 1, Gen.choose (0, classes - 1); 2, Gen.constant (seen - 1) ])

        return classes, truth, predicted
    }

let private matrix (classes, truth: int[], predicted: int[]) = ConfusionMatrix.Of(truth, predicted, classes)

let private close (a: float) (b: float) = abs (a - b) <= 1e-12 * max 1.0 (abs b)

let private counting (truth: int[]) (predicted: int[]) test = Array.zip truth predicted |> Array.filter test |> Array.length |> float

let private ratio a b = if b = 0.0 then 0.0 else a / b

/// Precision, recall and F1 counted one by one over the rows.
let private bruteForce truth predicted c =
    let tp = counting truth predicted (fun (t, p) -> t = c && p = c)
    let fp = counting truth predicted (fun (t, p) -> t <> c && p = c)
    let fn = counting truth predicted (fun (t, p) -> t = c && p <> c)
    ratio tp (tp + fp), ratio tp (tp + fn), ratio (2.0 * tp) (2.0 * tp + fp + fn)

[<Fact>]
let ``counts, total and trace are those of the rows`` () =
    forAll predictions (fun (classes, truth, predicted) ->
        let m = matrix (classes, truth, predicted)
        let pairs = List.allPairs [ 0 .. classes - 1 ] [ 0 .. classes - 1 ]

        pairs |> List.forall (fun (t, p) -> float m[t, p] = counting truth predicted ((=) (t, p)))
        && m.Total = int64 truth.Length
        && float m.Hits = counting truth predicted (fun (t, p) -> t = p)
        && close m.Accuracy (Classification.Accuracy(truth, predicted)))

[<Fact>]
let ``precision, recall and F1 are those of brute force, each class and each average`` () =
    forAll predictions (fun (classes, truth, predicted) ->
        let m = matrix (classes, truth, predicted)
        let figures = [ for c in 0 .. classes - 1 -> bruteForce truth predicted c ]

        let support = [ for c in 0 .. classes - 1 -> counting truth predicted (fun (t, _) -> t = c) ]

        let weighted pick = List.map2 (fun w f -> w * pick f) support figures |> List.sum |> fun s -> s / float truth.Length

        let p, r, f = (fun (p, _, _) -> p), (fun (_, r, _) -> r), (fun (_, _, f) -> f)

        let macro pick =
            let occurs c = Array.contains c truth || Array.contains c predicted
            figures |> List.indexed |> List.filter (fst >> occurs) |> List.averageBy (snd >> pick)

        figures
        |> List.indexed
        |> List.forall (fun (c, (p, r, f)) -> close (m.Precision c) p && close (m.Recall c) r && close (m.F1 c) f)
        && close (m.Precision Average.Macro) (macro p)
        && close (m.Recall Average.Macro) (macro r)
        && close (m.F1 Average.Macro) (macro f)
        && close (m.Precision Average.Weighted) (weighted p)
        && close (m.Recall Average.Weighted) (weighted r)
        && close (m.F1 Average.Weighted) (weighted f))

[<Fact>]
let ``F1 is the harmonic mean, micro figures and weighted recall are the accuracy`` () =
    forAll predictions (fun case ->
        let m = matrix case

        let harmonic c =
            let p, r = m.Precision(c: int), m.Recall(c: int)
            close (m.F1 c) (ratio (2.0 * p * r) (p + r))

        List.forall harmonic [ 0 .. m.Classes - 1 ]
        && m.F1 Average.Micro = m.Accuracy
        && m.Precision Average.Micro = m.Accuracy
        && m.Recall Average.Micro = m.Accuracy
        && close (m.Recall Average.Weighted) m.Accuracy)

[<Fact>]
let ``transposition swaps precision and recall`` () =
    forAll predictions (fun (classes, truth, predicted) ->
        let m, t = matrix (classes, truth, predicted), (matrix (classes, truth, predicted)).Transpose()

        t.Counts = (matrix (classes, predicted, truth)).Counts
        && List.forall
            (fun c ->
                t.Precision(c: int) = m.Recall(c: int)
                && t.Recall(c: int) = m.Precision(c: int)
                && t.F1(c: int) = m.F1(c: int))
            [ 0 .. classes - 1 ]
        && t.Accuracy = m.Accuracy)

[<Fact>]
let ``merging parts is counting the whole, and nothing is neutral`` () =
    forAll (Gen.zip predictions (Gen.choose (0, 100))) (fun ((classes, truth, predicted), cut) ->
        let whole = matrix (classes, truth, predicted)
        let nothing = ConfusionMatrix.FromCounts(Array2D.zeroCreate classes classes)
        let at = cut % truth.Length

        let merged =
            if at = 0 then
                nothing.Merge whole
            else
                (matrix (classes, truth[.. at - 1], predicted[.. at - 1])).Merge(matrix (classes, truth[at..], predicted[at..]))

        merged.Counts = whole.Counts)

[<Fact>]
let ``0/0 gives 0 and is listed, nothing else is`` () =
    forAll predictions (fun (classes, truth, predicted) ->
        let m = matrix (classes, truth, predicted)
        let never xs c = not (Array.contains c xs)

        let expected =
            [ for c in 0 .. classes - 1 do
                  if never predicted c then
                      "precision", c

                  if never truth c then
                      "recall", c

                  if never truth c && never predicted c then
                      "F1", c ]

        [ for u in m.Undefined -> u.Metric, u.Class ] = expected)

    let nothing = ConfusionMatrix.FromCounts(Array2D.zeroCreate 1 1)
    Assert.Equal(0.0, nothing.Accuracy)
    Assert.Equal(0.0, nothing.F1 Average.Weighted)
    Assert.Equal(UndefinedMetric("accuracy", -1), nothing.Undefined[0])

[<Fact>]
let ``the table reads well`` () =
    let truth, predicted = [| 0; 0; 1 |], [| 0; 0; 0 |]
    let m = ConfusionMatrix.Of(truth, predicted, 3, [| "cat"; "a dog"; "bird" |])

    let lines =
        [ "true \\ predicted    cat  a dog  bird  recall"
          "cat                   2      0     0  100.0%"
          "a dog                 1      0     0    0.0%"
          "bird                  0      0     0       -"
          "precision         66.7%      -     -   66.7%" ]

    Assert.Equal(String.concat "\n" lines, m.ToString())

[<Fact>]
let ``the largest of each row is found, of equal ones the first`` () =
    let rows =
        Gen.zip (Gen.choose (1, 6)) (Gen.choose (0, 8))
        |> Gen.bind (fun (columns, n) ->
            Gen.zip (Gen.constant columns) (Gen.arrayOfLength (n * columns) (Gen.map float (Gen.choose (-2, 2)))))

    forAll rows (fun (columns, x) ->
        let expected = x |> Array.chunkBySize columns |> Array.map (fun row -> Array.findIndex ((=) (Array.max row)) row)

        let narrow = Array.map float32 x
        ArgMax.Rows(x, columns) = expected && ArgMax.Rows(narrow, columns) = expected)

    let infinite = [| -infinity; -infinity; 1.0; infinity |]
    Assert.Equal<int[]>([| 0; 1 |], ArgMax.Rows(infinite, 2))
    let withNaN = [| 1.0; 2.0; nan; 1.0 |]

    argumentError (fun () -> ArgMax.Rows(withNaN, 2)) |> mentions [ "row 1, column 0" ]

    shapeError (fun () -> ArgMax.Rows(infinite, 3)) |> ignore
    argumentError (fun () -> ArgMax.Rows(infinite, 0)) |> ignore

[<Fact>]
let ``bad classes are refused`` () =
    let two, three, outside, none = [| 0; 1 |], [| 0; 1; 2 |], [| 0; 3 |], Array.empty<int>

    shapeError (fun () -> Classification.Accuracy(two, three)) |> mentions [ "2"; "got 3" ]

    argumentError (fun () -> Classification.Accuracy(none, none)) |> mentions [ "at least one row" ]

    shapeError (fun () -> ConfusionMatrix.Of(two, three, 3)) |> ignore
    argumentError (fun () -> ConfusionMatrix.Of(none, none, 3)) |> ignore

    argumentError (fun () -> ConfusionMatrix.Of(two, outside, 3))
    |> mentions [ "predicted[1]"; "0 to 2"; "got 3" ]

    argumentError (fun () -> ConfusionMatrix.Of(outside, two, 3)) |> mentions [ "truth[1]" ]

    argumentError (fun () -> ConfusionMatrix.Of(two, two, 0)) |> ignore
    argumentError (fun () -> ConfusionMatrix.Of(two, two, 2, [| "a" |])) |> ignore

    argumentError (fun () -> (ConfusionMatrix.Of(two, two, 2)).Precision 2) |> ignore

    shapeError (fun () -> (ConfusionMatrix.Of(two, two, 2)).Merge(ConfusionMatrix.Of(two, two, 3))) |> ignore

    shapeError (fun () -> ConfusionMatrix.FromCounts(Array2D.zeroCreate 2 3)) |> ignore

    argumentError (fun () -> ConfusionMatrix.FromCounts(Array2D.create 1 1 -1L)) |> ignore

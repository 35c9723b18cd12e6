/// Metrics counted in parts are those of the whole; curves and ranks are those of brute force.
module DL.Properties.Metrics.StreamingTests

open FsCheck.FSharp
open Xunit
open DL
open DL.Core
open DL.Core.Metrics
open DL.Properties.Data.Support

let private close (a: float) (b: float) = abs (a - b) <= 1e-12 * max 1.0 (abs b)

/// Rows of truth and score; few distinct scores, so that ties are met, infinities too.
let private scored =
    gen {
        let! n = Gen.choose (2, 40)
        let score = Gen.frequency [ 8, Gen.choose (-4, 4) |> Gen.map float; 1, Gen.elements [ infinity; -infinity ] ]
        let! scores = Gen.arrayOfLength n score
        let! truth = Gen.arrayOfLength n (Gen.elements [ true; false ])
        truth[0] <- true
        truth[1] <- false
        return truth, scores
    }

let private topK (truth: int[]) (scores: float[]) k = Classification.TopK(truth, scores, k)

let private matrix (truth: int[]) (predicted: int[]) classes = ConfusionMatrix.Of(truth, predicted, classes)

let private r2 (truth: float[]) (predicted: float[]) = Regression.R2(truth, predicted)

let private curve (truth: bool[], scores: float[]) = RocCurve.Of(truth, scores)

/// The share of pairs that are ranked right, ties one half: Mann and Whitney.
let private mannWhitney (truth: bool[], scores: float[]) =
    let of' kind = Array.zip truth scores |> Array.filter (fst >> (=) kind) |> Array.map snd

    Array.allPairs (of' true) (of' false)
    |> Array.averageBy (fun (p, n) ->
        if p > n then 1.0
        elif p = n then 0.5
        else 0.0)

[<Fact>]
let ``the area is the statistic of Mann and Whitney`` () = forAll scored (fun case -> close (curve case).Area (mannWhitney case))

[<Fact>]
let ``the area knows only the order, and turns round with it`` () =
    forAll scored (fun (truth, scores) ->
        let area = (curve (truth, scores)).Area

        (curve (truth, scores |> Array.map (fun s -> exp (s / 3.0) - 7.0))).Area = area
        && close (curve (truth, scores |> Array.map (~-))).Area (1.0 - area)
        && close (curve (truth |> Array.map not, scores)).Area (1.0 - area))

[<Fact>]
let ``points are the shares at or above each threshold, from none to all`` () =
    forAll scored (fun (truth, scores) ->
        let c = curve (truth, scores)

        let share kind limit =
            let of' = Array.zip truth scores |> Array.filter (fst >> (=) kind)
            float (of' |> Array.filter (fun (_, s) -> s >= limit) |> Array.length) / float of'.Length

        let at kind = c.Thresholds |> Array.tail |> Array.map (share kind)

        Array.tail c.TruePositiveRates = at true
        && Array.tail c.FalsePositiveRates = at false
        && (c.TruePositiveRates[0], c.FalsePositiveRates[0]) = (0.0, 0.0)
        && (Array.last c.TruePositiveRates, Array.last c.FalsePositiveRates) = (1.0, 1.0))

[<Fact>]
let ``the curve of parts is that of the whole`` () =
    forAll (Gen.zip scored (Gen.choose (0, 40))) (fun ((truth, scores), cut) ->
        let at = min cut truth.Length
        let merged = (curve (truth[.. at - 1], scores[.. at - 1])).Merge(curve (truth[at..], scores[at..]))
        let whole = curve (truth, scores)

        merged.Thresholds = whole.Thresholds
        && merged.TruePositiveRates = whole.TruePositiveRates
        && merged.FalsePositiveRates = whole.FalsePositiveRates
        && merged.Area = whole.Area)

[<Fact>]
let ``one class alone, a NaN and lengths that differ are refused`` () =
    let refused (part: string) work =
        let e = Assert.ThrowsAny<DLException>(fun () -> work () |> ignore)
        Assert.Contains(part, e.Message)

    refused "no negative" (fun () -> (curve ([| true; true |], [| 1.0; 2.0 |])).Area)
    refused "no positive" (fun () -> (curve ([| false |], [| 1.0 |])).Area)
    refused "no positive" (fun () -> RocCurve.Empty.Area)
    refused "scores[1]" (fun () -> curve ([| true; false |], [| 1.0; nan |]))
    refused "2 rows" (fun () -> curve ([| true; false |], [| 1.0 |]))
    refused "from 1 to 3" (fun () -> topK [| 0 |] [| 1.0; 2.0; 3.0 |] 4)
    refused "from 1 to 3" (fun () -> topK [| 0 |] [| 1.0; 2.0; 3.0 |] 0)
    refused "truth[0]" (fun () -> topK [| 3 |] [| 1.0; 2.0; 3.0 |] 1)
    refused "row 0, class 1" (fun () -> topK [| 0 |] [| 1.0; nan; 3.0 |] 1)
    refused "each of 2" (fun () -> topK [| 0; 1 |] [| 1.0; 2.0; 3.0 |] 1)

[<Fact>]
let ``figures are scikit-learn's on its own examples`` () =
    let c = curve ([| false; false; true; true |], [| 0.1; 0.4; 0.35; 0.8 |])
    Assert.Equal(0.75, c.Area)
    Assert.Equal<float>([| 0.0; 0.0; 0.5; 0.5; 1.0 |], c.FalsePositiveRates)
    Assert.Equal<float>([| 0.0; 0.5; 0.5; 1.0; 1.0 |], c.TruePositiveRates)
    let scores = [| 0.5; 0.2; 0.2; 0.3; 0.4; 0.2; 0.2; 0.4; 0.3; 0.7; 0.2; 0.1 |]
    Assert.Equal(0.75, topK [| 0; 1; 2; 2 |] scores 2)
    let m = matrix [| 0; 1; 2; 0; 1; 2 |] [| 0; 2; 1; 0; 0; 1 |] 3
    Assert.Equal(0.8 / 3.0, m.F1 Average.Macro, 12)
    Assert.Equal(2.0 / 9.0, m.Precision Average.Macro, 12)
    Assert.Equal(1.0 / 3.0, m.Recall Average.Macro, 12)
    // A class that is nowhere is not averaged over.
    Assert.Equal(1.0, (matrix [| 0; 1 |] [| 0; 1 |] 5).F1 Average.Macro)
    Assert.Equal(0.948608137044968, r2 [| 3.0; -0.5; 2.0; 7.0 |] [| 2.5; 0.0; 2.0; 8.0 |], 12)

let private ranked =
    gen {
        let! classes = Gen.choose (1, 5)
        let! n = Gen.choose (1, 20)
        let! scores = Gen.arrayOfLength (n * classes) (Gen.choose (0, 3) |> Gen.map float)
        let! truth = Gen.arrayOfLength n (Gen.choose (0, classes - 1))
        return classes, truth, scores
    }

[<Fact>]
let ``top k is that of sorting, grows with k, and begins with the accuracy`` () =
    forAll ranked (fun (classes, truth, scores) ->
        let sorted i = [ 0 .. classes - 1 ] |> List.sortBy (fun c -> -scores[i * classes + c], c)

        let brute k =
            truth
            |> Array.mapi (fun i t -> if sorted i |> List.take k |> List.contains t then 1.0 else 0.0)
            |> Array.average

        let figures = [ for k in 1..classes -> topK truth scores k ]

        List.forall2 close figures [ for k in 1..classes -> brute k ]
        && figures = List.sort figures
        && List.last figures = 1.0
        && figures.Head = Classification.Accuracy(truth, ArgMax.Rows(scores, classes)))

/// Predictions and targets of n examples from a source of numbers.
let private parts (metric: Metric<'y, 't>) (make: int[] -> struct (Batch<'y> * Batch<'t>)) =
    forAll (Gen.zip (Gen.choose (1, 7)) (Gen.choose (0, 100000))) (fun (cut, seed) ->
        let rows = [| 0..7 |] |> Array.map (fun i -> i * 31 + seed)
        let count rows (tally: Tally<'y, 't>) = let struct (y, t) = make rows in tally.Add(y, t)
        let whole = (count rows metric.Empty).Value
        let first, second = rows[.. cut - 1], rows[cut..]
        let merged = (count first metric.Empty).Merge(count second metric.Empty)
        let inTurn = metric.Empty |> count first |> count second

        close merged.Value whole
        && close inTurn.Value whole
        && close (metric.Empty.Merge(count rows metric.Empty)).Value whole
        && close ((count rows metric.Empty).Merge metric.Empty).Value whole
        && (let struct (y, t) = make rows in close (metric.Measure y t) whole))

let private noise row column = float ((row * 7919 + column * 104729 + row * row * 31) % 1000) / 500.0 - 1.0

let private tensor (extents: int list) (rows: int[]) : Tensor =
    let width = List.fold (*) 1 extents
    let values = rows |> Array.collect (fun row -> Array.init width (noise row))
    Tensor.Of<float>(values, Shape(System.ReadOnlySpan<int>(List.toArray (rows.Length :: extents))))

let private ids limit (extents: int list) (rows: int[]) : Tensor =
    let width = List.fold (*) 1 extents
    let values = rows |> Array.collect (fun row -> Array.init width (fun c -> abs (row * 13 + c * 5 + row / 3) % limit))
    Tensor.Of<int>(values, Shape(System.ReadOnlySpan<int>(List.toArray (rows.Length :: extents))))

let private classified classes rows =
    let labels = rows |> Array.map (fun row -> (row / 31 + row) % classes)
    struct (Batch.vec (tensor [ classes ] rows), Batch.labels labels)

[<Fact>]
let ``metrics of classes in parts are those of the whole`` () =
    for metric in
        [ Metric.accuracy
          Metric.topK 2
          Metric.precision Average.Macro
          Metric.recall Average.Weighted
          Metric.f1 Average.Micro ] do
        parts metric (classified 3)

    let weighted =
        Loss.crossEntropyWith
            { ClassWeights = [ 0.2; 3.0; 1.0 ]
              Smoothing = 0.1
              Ignored = Some 1 }

    for loss in
        [ Loss.crossEntropy
          weighted
          Loss.sum Loss.crossEntropy
          Loss.weighted [ 0.4, weighted; 0.6, Loss.sum weighted ] ] do
        parts (Metric.ofLoss loss) (classified 3)

[<Fact>]
let ``metrics of numbers in parts are those of the whole`` () =
    let numbers rows = struct (Batch.vec (tensor [ 2 ] rows), Batch.vec (tensor [ 2 ] (rows |> Array.map ((+) 5))))

    for metric in [ Metric.r2; Metric.meanSquaredError; Metric.rootMeanSquaredError; Metric.meanAbsoluteError ] do
        parts metric numbers

    parts (Metric.binaryAccuracy 0.0) numbers

[<Fact>]
let ``metrics of sequences in parts are those of the whole`` () =
    let sequences rows =
        let lengths = rows |> Array.map (fun row -> 1 + row % 4)
        let target = Batch.tokens (ids 3 [ 4 ] rows) |> Padded.withLengths lengths
        struct (Batch.seq (tensor [ 4; 3 ] rows), target)

    for metric in [ Metric.tokenAccuracy; Metric.exactMatch; Metric.perplexity ] do
        parts metric sequences

    parts (Metric.bleu BleuSmoothing.AddOne) (fun rows ->
        struct (Batch.tokens (ids 3 [ 6 ] rows), Batch.tokens (ids 3 [ 6 ] (rows |> Array.map ((+) 1)))))

[<Fact>]
let ``metrics of pixels in parts are those of the whole`` () =
    let pixels rows = struct (Batch.image (tensor [ 3; 2; 2 ] rows), Batch.mask (ids 3 [ 2; 2 ] rows))

    for metric in [ Metric.meanIntersectionOverUnion; Metric.pixelAccuracy ] do
        parts metric pixels

[<Fact>]
let ``areas in parts are those of the whole`` () =
    let binary rows =
        let targets = rows |> Array.map (fun row -> float (row / 31 % 2))
        struct (Batch.vec (tensor [ 1 ] rows), Batch.vec (Tensor.Of<float>(targets, rows.Length, 1)))

    let every rows = struct (Batch.vec (tensor [ 2 ] rows), Batch.labels (rows |> Array.map (fun row -> abs (row / 31) % 2)))
    parts Metric.binaryAuc (fun rows -> binary rows)
    parts Metric.auc every

[<Fact>]
let ``three classes: the area is the mean of each against the others`` () =
    let logits = Batch.vec (tensor [ 3 ] [| 0..8 |])
    let labels = Batch.labels [| 0; 1; 2; 2; 1; 0; 1; 1; 2 |]
    let apart = [ for id in 0..2 -> (Metric.rocOf id logits labels).Area ]
    Assert.Equal(List.average apart, Metric.auc.Measure logits labels, 12)

[<Fact>]
let ``a tally of nothing has no value, and tallies of different metrics do not mix`` () =
    let e = Assert.Throws<InvalidArgumentException>(fun () -> Metric.accuracy.Empty.Value |> ignore)
    Assert.Contains("accuracy", e.Message)

    Assert.Throws<InvalidArgumentException>(fun () -> Metric.accuracy.Empty.Merge((Metric.topK 2).Empty) |> ignore)
    |> ignore

[<Fact>]
let ``predictions and targets that do not fit each other are told by the metric's name`` () =
    let refused (name: string) (parts: string list) (work: unit -> float) =
        let error = Assert.ThrowsAny<DLException>(fun () -> work () |> ignore)
        Assert.Contains(name, error.Message)
        Assert.All(parts, fun part -> Assert.Contains(part, error.Message))

    let scores: Batch<Vec> = Batch.vec (tensor [ 3 ] [| 0..3 |])

    for metric in
        [ Metric.accuracy
          Metric.topK 1
          Metric.topK 2
          Metric.f1 Average.Macro
          Metric.auc
          Metric.ofLoss Loss.crossEntropy ] do
        refused metric.Name [ "4"; "got 1" ] (fun () -> metric.Measure scores (Batch.labels [| 0 |]))

    for metric in [ Metric.accuracy; Metric.auc ] do
        for label in [ -1; 3 ] do
            refused metric.Name [ "labels[2]"; "from 0 to 2"; $"{label}" ] (fun () ->
                metric.Measure scores (Batch.labels [| 0; 1; label; 2 |]))

    refused "AUC" [ "two classes" ] (fun () -> Metric.auc.Measure (Batch.vec (tensor [ 0 ] [| 0; 1 |])) (Batch.labels [| 0; 0 |]))

    refused "crossEntropy" [ "at least one example" ] (fun () ->
        (Metric.ofLoss Loss.crossEntropy).Measure (Batch.take [||] scores) (Batch.labels [||]))

    for metric in
        [ Metric.meanSquaredError
          Metric.rootMeanSquaredError
          Metric.meanAbsoluteError
          Metric.r2
          Metric.binaryAccuracy 0.5 ] do
        refused metric.Name [ "4"; "got 2" ] (fun () -> metric.Measure scores (Batch.vec (tensor [ 3 ] [| 0; 1 |])))
        refused metric.Name [ "shape 3"; "got 2" ] (fun () -> metric.Measure scores (Batch.vec (tensor [ 2 ] [| 0..3 |])))

    refused "accuracy" [ "scores[1]"; "NaN" ] (fun () ->
        (Metric.binaryAccuracy 0.5).Measure (Batch.vectors [| [| 1f |]; [| nanf |] |]) (Batch.vectors [| [| 1f |]; [| 0f |] |]))

    let steps: Batch<Seq> = Batch.seq (tensor [ 4; 3 ] [| 0; 1 |])

    for metric in [ Metric.tokenAccuracy; Metric.exactMatch ] do
        refused "targets" [ "4 steps"; "3 steps" ] (fun () -> metric.Measure steps (Batch.tokens (ids 3 [ 3 ] [| 0; 1 |])))

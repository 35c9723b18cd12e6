// A rare class: which of 1000 digits is an 8, learnt from 20 eights among 700 others, by cross entropy, with class weights, and by the focal loss.
//   dotnet fsi examples/fsharp/imbalanced.fsx [folder]
// The page imbalanced.html goes to the folder, or to one in the folder of temporary files.
#I "../../src/DL.Dsl.FSharp/bin/Release/net10.0"
#r "DL.Core.CSharp.dll"
#r "DL.Dsl.FSharp.dll"

open System.IO
open DL

let folder =
    match fsi.CommandLineArgs |> Array.tail |> Array.tryHead with
    | Some path -> path
    | None -> Path.Combine(Path.GetTempPath(), "dl-imbalanced")

Directory.CreateDirectory folder |> ignore

/// The digits with label 1 for an 8 and 0 for any other.
let eights =
    let digits = Examples.digits ()
    let labels = (Batch.tensor digits.Targets).ToArray<int>() |> Array.map (fun digit -> if digit = 8 then 1 else 0)
    Examples.create digits.Inputs (Batch.labels labels)

let struct (half, test) = eights |> Examples.split 0.55 0

/// What there is to learn from: all others, and the first 20 eights.
let train =
    let labels = (Batch.tensor half.Targets).ToArray<int>()
    let of' label = [| 0 .. labels.Length - 1 |] |> Array.filter (fun i -> labels[i] = label)
    half |> Examples.take (Array.append (of' 0) (of' 1 |> Array.take 20) |> Array.sort)

let net = dense 32 --> relu --> dense 2

let run name loss =
    let trainer: Trainer<Vec, Vec, Label> =
        { Trainer.create loss (Optimizer.adam 1e-3) with
            Epochs = 20
            Progress = Progress.Silent }

    let trained = net |> Model.init Single (Key.ofSeed 0) (Shape.vec 64) |> Trainer.fit trainer train
    let scores = Model.predict trained.Model test.Inputs
    let matrix = Metric.confusion scores test.Targets
    let curve = Metric.rocOf 1 scores test.Targets

    printfn
        "%-26s area under ROC %.4f, recall %.3f, precision %.3f, F1 %.3f"
        name
        curve.Area
        (matrix.Recall 1)
        (matrix.Precision 1)
        (matrix.F1 1)

    name, matrix, curve

let weights = Loss.balanced 2 train.Targets
printfn "%d examples, weights of the classes %.2f and %.2f\n" (Examples.count train) weights[0] weights[1]

let runs =
    [ run "cross entropy" Loss.crossEntropy
      run "cross entropy, weighted" (Loss.crossEntropyWith { Entropy.defaults with ClassWeights = weights })
      run "focal, gamma 2" (Loss.focal 2.0)
      run "focal, gamma 2, weighted" (Loss.focalWith 2.0 weights) ]

let number (x: float) = x.ToString("0.000", System.Globalization.CultureInfo.InvariantCulture)

let page =
    Report.create "A rare class"
    |> Report.text $"Is it an 8? {Examples.count train} digits to learn from, 20 of them eights; {Examples.count test} to measure on."
    |> Report.table
        [ "loss"; "area under ROC"; "recall"; "precision"; "F1" ]
        [ for name, matrix, curve in runs ->
              [ name; number curve.Area; number (matrix.Recall 1); number (matrix.Precision 1); number (matrix.F1 1) ] ]
    |> Report.section "ROC curves"
    |> Report.chart
        "Eights found against others taken for one, over all thresholds"
        (Chart.roc [ for name, _, curve in runs -> name, curve ])
    |> Report.section "At the threshold of one half"

(page, runs)
||> List.fold (fun page (name, matrix, _) -> page |> Report.chart name (Chart.confusion matrix))
|> Report.save (Path.Combine(folder, "imbalanced.html"))

printfn "\n%s" (Path.Combine(folder, "imbalanced.html"))

// Looking inside a small convolutional network for handwritten digits: what it learnt, what it sees, where it fails, how it is fooled.
//   dotnet fsi examples/fsharp/inside.fsx [folder]
// The pictures and one page with all of them, inside.html, go to the folder, or to one in the folder of temporary files.
#I "../../src/DL.Dsl.FSharp/bin/Release/net10.0"
#r "DL.Core.CSharp.dll"
#r "DL.Dsl.FSharp.dll"

open System.IO
open DL

let folder =
    match fsi.CommandLineArgs |> Array.tail |> Array.tryHead with
    | Some path -> path
    | None -> Path.Combine(Path.GetTempPath(), "dl-inside")

Directory.CreateDirectory folder |> ignore
let digits = Examples.digits ()
let struct (train, test) = digits |> Examples.split 0.2 0
let testLabels = (Batch.tensor test.Targets).ToArray<int>()

// The network in parts, so that each can be looked at by its own name.
let first = toImage (1, 8, 8) --> conv2d 12 (kernel 3 |> padding 1) --> relu
let second = first --> maxPool2d (kernel 2) --> conv2d 24 (kernel 3 |> padding 1) --> relu
let net = second --> maxPool2d (kernel 2) --> flatten --> dense 64 --> relu --> dense 10

let fit epochs layer =
    let trainer = Trainer.create Loss.crossEntropy (Optimizer.adam 3e-3)

    let trainer =
        { trainer with
            Epochs = epochs
            Metrics = [ Metric.accuracy ]
            Validation = Some test
            Progress = Progress.Silent }

    layer |> Model.init Single (Key.ofSeed 0) (Shape.vec 64) |> Trainer.fit trainer train

let trained = fit 12 net
let model = trained.Model
let accuracy inputs = Metric.accuracy.Measure (Model.predict model inputs) test.Targets
let percent (share: float) = (100.0 * share).ToString("0.0", System.Globalization.CultureInfo.InvariantCulture) + " %"

/// Writes pictures side by side as a file of their own, and gives them for the page.
let keep name columns pictures =
    let grid = pictures |> List.map (Picture.enlarge 8) |> Picture.grid columns
    grid |> Picture.save (Path.Combine(folder, name + ".png"))
    grid

let digitsOf batch = Picture.ofBatch (0.0, 1.0) (1, 8, 8) batch

/// Saliency of every example on its own scale, as 8 x 8 pictures.
let saliencyOf (examples: Examples<Vec, Label>) =
    let labels = (Batch.tensor examples.Targets).ToArray<int>()
    let t = Inside.saliency labels model examples.Inputs
    let rows = t.ToArray<float>() |> Array.chunkBySize 64
    [ for row in rows -> Picture.ofTensor (DL.Core.Tensor.Of<float>(row, 8, 8)) ]

let one = test |> Examples.take [| 3 |]
let ten = test |> Examples.take [| for digit in 0..9 -> Array.findIndex ((=) digit) testLabels |]

// Adversarial examples: one step along the sign of the gradient.
let fooled epsilon = test |> Inside.fgsm epsilon (0.0, 1.0) Loss.crossEntropy model
let epsilons = [ for i in 0..8 -> float i * 0.05 ]
let accuracies = [ for epsilon in epsilons -> epsilon, accuracy (fooled epsilon) ]
let fooledTen = ten |> Inside.fgsm 0.15 (0.0, 1.0) Loss.crossEntropy model

let worst = test |> Inside.worst 16 model
let worstInputs = (test |> Examples.take [| for sample in worst -> sample.Index |]).Inputs

// Dropout's effect on weights: the same dense network, with and without.
let wide dropped = dense 256 --> relu --> (if dropped then dropout 0.5 else identity) --> dense 10
let plain, sparse = (fit 60 (wide false)).Model, (fit 60 (wide true)).Model

let lastWeights (model: Model<Vec, Vec>) = Model.stateDict model |> List.map fst |> List.filter _.EndsWith("weight") |> List.last

let weights =
    Inside.weightHistogram 60 [ "without dropout", lastWeights plain, plain; "with dropout", lastWeights sparse, sparse ]

let number (format: string) (x: float) = x.ToString(format, System.Globalization.CultureInfo.InvariantCulture)

/// The root mean square of the last layer's weights.
let rms model =
    let w = Inside.weights (lastWeights model) model
    w |> Array.averageBy (fun x -> x * x) |> sqrt |> number "0.000"

let addCurves report =
    (report, Inside.curves trained.History)
    ||> List.fold (fun page chart -> page |> Report.chart "Epoch by epoch" chart)

let page =
    Report.create "Inside a small convolutional network"
    |> Report.text
        $"A network of {Model.parameters model} parameters, trained on {Examples.count train} handwritten digits of 8 x 8 pixels. It reads {percent (accuracy test.Inputs)} of {Examples.count test} others."
    |> Report.section "Training"
    |> addCurves
    |> Report.section "Kernels"
    |> Report.picture
        "The 12 windows of the first convolution: middle gray is 0, white is positive"
        (keep "kernels" 6 (Inside.kernels "1.weight" model))
    |> Report.section "Feature maps"
    |> Report.picture "The input" (keep "input" 1 (digitsOf one.Inputs))
    |> Report.picture "What the first convolution and ReLU make of it" (keep "feature-maps-1" 6 (Inside.featureMaps first model one.Inputs))
    |> Report.picture "What the second makes of that" (keep "feature-maps-2" 12 (Inside.featureMaps second model one.Inputs))
    |> Report.section "Saliency"
    |> Report.picture
        "One digit of every class, and how much each pixel moves the score of the true class"
        (keep "saliency" 10 (digitsOf ten.Inputs @ saliencyOf ten))
    |> Report.section "Adversarial examples"
    |> Report.picture
        "The same digits, and what the fast gradient sign with epsilon 0.15 makes of them"
        (keep "fgsm" 10 (digitsOf ten.Inputs @ digitsOf fooledTen))
    |> Report.chart "Accuracy against epsilon" (Chart.lines ("epsilon", "accuracy") [ ("accuracy", accuracies) ])
    |> Report.section "The worst-classified samples"
    |> Report.picture "The highest losses, the worst first" (keep "worst" 8 (digitsOf worstInputs))
    |> Report.table
        [ "sample"; "label"; "prediction"; "probability"; "loss" ]
        [ for s in worst -> [ string s.Index; string s.Label; string s.Prediction; percent s.Probability; number "0.00" s.Loss ] ]
    |> Report.section "Dropout and weights"
    |> Report.text
        $"The weights of the last layer of a dense network, trained alike with and without dropout. Root mean square: {rms plain} without, {rms sparse} with."
    |> Report.chart "The distribution of the weights" weights

let file = Path.Combine(folder, "inside.html")
page |> Report.save file
printfn "accuracy %s; with epsilon 0.15: %s" (percent (accuracy test.Inputs)) (percent (accuracy (fooled 0.15)))
printfn "the page is %s" file

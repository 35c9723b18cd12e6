/// What is seen inside a network is what its definition says.
module DL.Properties.Inspect.InsideTests

open Xunit
open DL
open DL.Core
open DL.Properties.Data.Support

let private numbers seed (extents: int list) : Tensor =
    let n = List.fold (*) 1 extents
    Tensor.Of<float>(Array.init n (fun i -> 0.5 + 0.45 * sin (float (i * 7 + seed))), List.toArray extents)

let private front = conv2d 3 (kernel 3 |> padding 1) --> tanh
let private net = front --> conv2d 2 (kernel 2) --> batchNorm --> relu --> flatten --> dense 4
let private model = net |> Model.init Double (Key.ofSeed 5) (Shape.image (2, 5, 4))
let private input = numbers 1 [ 3; 2; 5; 4 ]

let private score (x: Tensor) example cls = (Batch.tensor (Model.predict model (Batch.image x))).At(example * 4 + cls)

let private moved (t: Tensor) index by : Tensor =
    let values = t.ToArray<float>()
    values[index] <- values[index] + by
    Tensor.Of<float>(values, t.Shape.Extents.ToArray())

[<Fact>]
let ``saliency is the difference quotient of the score, largest over the channels`` () =
    let classes = [| 3; 0; 2 |]
    let map = Inside.saliency classes model (Batch.image input)
    Assert.Equal(Shape [| 3; 5; 4 |], map.Shape)

    for example in 0..2 do
        for pixel in 0..19 do
            let slope channel =
                let index = (example * 2 + channel) * 20 + pixel
                let at by = score (moved input index by) example classes[example]
                abs ((at 1e-5 - at -1e-5) / 2e-5)

            Assert.Equal(max (slope 0) (slope 1), map.At(example * 20 + pixel), 6)

[<Fact>]
let ``saliency asks for one known class for every example`` () =
    shapeError (fun () -> Inside.saliency [| 0 |] model (Batch.image input)) |> ignore

    Assert.ThrowsAny<DLException>(fun () -> Inside.saliency [| 0; 4; 0 |] model (Batch.image input) |> ignore)
    |> ignore

[<Fact>]
let ``feature maps are the channels of the front part's output`` () =
    let one = numbers 2 [ 1; 2; 5; 4 ]
    let output = front.Apply Predict model.Params[0..1] [||] (Batch.image one)
    let values = (Batch.tensor output.Output).ToArray<float>()
    let low, high = Array.min values, Array.max values
    let maps = Inside.featureMaps front model (Batch.image one)
    Assert.Equal(3, maps.Length)

    for c in 0..2 do
        for i in 0..19 do
            Assert.Equal((values[c * 20 + i] - low) / (high - low), maps[c][i / 4, i % 4, 0], 12)

    shapeError (fun () -> Inside.featureMaps front model (Batch.image input)) |> ignore

[<Fact>]
let ``a model is looked at through the layers it begins with, and no others`` () =
    let one = Batch.image (numbers 2 [ 1; 2; 5; 4 ])
    Assert.Equal(2, (Inside.featureMaps (front --> conv2d 2 (kernel 2) --> batchNorm) model one).Length)

    argumentError (fun () -> Inside.featureMaps (conv2d 3 (kernel 3 |> padding 1) --> sigmoid) model one)
    |> mentions [ "Inside.featureMaps"; "tanh"; "sigmoid" ]

    argumentError (fun () -> Inside.featureMaps (conv2d 4 (kernel 3 |> padding 1)) model one) |> ignore

[<Fact>]
let ``kernels are windows around middle gray`` () =
    let weights = (Model.stateDict model |> List.find (fun (name, _) -> name = "0.weight") |> snd).ToArray<float>()
    let most = weights |> Array.map abs |> Array.max
    let pictures = Inside.kernels "0.weight" model
    Assert.Equal(6, pictures.Length)

    for i in 0..53 do
        Assert.Equal((weights[i] / most + 1.0) / 2.0, pictures[i / 9][i % 9 / 3, i % 3, 0], 12)

    let colour = conv2d 4 (kernel 2) |> Model.init Single (Key.ofSeed 1) (Shape.image (3, 4, 4))
    Assert.Equal<int list>([ 3; 3; 3; 3 ], Inside.kernels "weight" colour |> List.map _.Channels)
    argumentError (fun () -> Inside.kernels "7.weight" model) |> mentions [ "0.weight" ]
    shapeError (fun () -> Inside.kernels "0.bias" model) |> ignore

let private linear = dense 3 |> Model.init Double (Key.ofSeed 2) (Shape.vec 6)
let private examples = Examples.create (Batch.vec (numbers 3 [ 9; 6 ])) (Batch.labels [| 0; 1; 2; 0; 1; 2; 0; 1; 2 |])
let private loss inputs = let struct (value, _) = Loss.crossEntropy.Evaluate (Model.predict linear inputs) examples.Targets in value

[<Fact>]
let ``the fast gradient sign raises the loss, and moves a number by epsilon or to the border`` () =
    let before = (Batch.tensor examples.Inputs).ToArray<float>()

    for epsilon in [ 0.01; 0.1; 0.6 ] do
        let fooled = examples |> Inside.fgsm epsilon (0.0, 1.0) Loss.crossEntropy linear
        Assert.True(loss fooled > loss examples.Inputs)

        for x, y in Array.zip before ((Batch.tensor fooled).ToArray<float>()) do
            Assert.True(y = min 1.0 (x + epsilon) || y = max 0.0 (x - epsilon), $"{x} became {y}")

[<Fact>]
let ``epsilon 0 changes no bit`` () =
    let same = examples |> Inside.fgsm 0.0 (0.0, 1.0) Loss.crossEntropy linear
    Assert.True((Batch.tensor same).SameBits(Batch.tensor examples.Inputs))

[<Fact>]
let ``the fast gradient sign refuses what it cannot mean`` () =
    let run epsilon range = Inside.fgsm epsilon range Loss.crossEntropy linear examples
    argumentError (fun () -> run -0.1 (0.0, 1.0)) |> mentions [ "epsilon" ]
    argumentError (fun () -> run nan (0.0, 1.0)) |> ignore
    argumentError (fun () -> run 0.1 (1.0, 0.0)) |> ignore
    argumentError (fun () -> run 0.1 (0.5, 1.0)) |> mentions [ "inputs from 0.5 to 1" ]

[<Fact>]
let ``the worst samples are the highest losses, in order`` () =
    let scores = (Batch.tensor (Model.predict linear examples.Inputs)).ToArray<float>() |> Array.chunkBySize 3
    let labels = (Batch.tensor examples.Targets).ToArray<int>()
    let probability (row: float[]) c = exp row[c] / Array.sumBy exp row
    let expected = [ 0..8 ] |> List.sortByDescending (fun i -> -log(probability scores[i] labels[i]))
    let worst = examples |> Inside.worst 5 linear
    Assert.Equal<int list>(List.truncate 5 expected, worst |> List.map _.Index)

    for s in worst do
        let row = scores[s.Index]
        Assert.Equal(labels[s.Index], s.Label)
        Assert.Equal(Array.findIndex ((=) (Array.max row)) row, s.Prediction)
        Assert.Equal(probability row s.Prediction, s.Probability, 12)
        Assert.Equal(-log(probability row s.Label), s.Loss, 12)

    Assert.Equal(9, (examples |> Inside.worst 100 linear).Length)
    argumentError (fun () -> examples |> Inside.worst 0 linear) |> ignore

[<Fact>]
let ``weights and curves become charts`` () =
    Assert.Equal(18, (Inside.weights "weight" linear).Length)
    let chart = Inside.weightHistogram 10 [ "a < b", "weight", linear; "again", "weight", linear ]
    Assert.Contains("a &lt; b", chart.Svg)

    let trainer =
        { Trainer.create Loss.crossEntropy (Optimizer.sgd 0.1) with
            Epochs = 3
            BatchSize = 3
            Metrics = [ Metric.accuracy ]
            Progress = Progress.Silent }

    let history = (linear |> Trainer.fit trainer examples).History
    Assert.Equal(2, (Inside.curves history).Length)
    argumentError (fun () -> Inside.curves []) |> ignore

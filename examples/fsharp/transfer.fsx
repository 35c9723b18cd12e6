// Transfer: a network learns the digits 0 to 4, then its body is taken into one that learns 5 to 9 from few examples.
//   dotnet fsi examples/fsharp/transfer.fsx [folder]
// The folder (or DL_DATA/mnist) holds t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz; without it, the embedded
// digits are scattered over squares of 16 x 16 pixels, so that there is something to learn that all digits share.
#I "../../src/DL.Dsl.FSharp/bin/Release/net10.0"
#r "DL.Core.CSharp.dll"
#r "DL.Dsl.FSharp.dll"

open System
open System.IO
open DL
open DL.Core

let folder =
    match fsi.CommandLineArgs |> Array.tail |> Array.tryHead, Environment.GetEnvironmentVariable "DL_DATA" with
    | Some path, _ -> path
    | None, null -> "mnist"
    | None, data -> Path.Combine(data, "mnist")

let scattered side =
    let digits = Examples.digits ()
    let n, pixels = Examples.count digits, (Batch.tensor digits.Inputs).ToArray<float32>()
    let squares = Array.zeroCreate<float32>(n * side * side)

    for i in 0 .. n - 1 do
        let top, left = i * 5 % (side - 7), i * 7 / 9 % (side - 7)

        for row in 0..7 do
            Array.blit pixels (i * 64 + row * 8) squares ((i * side + top + row) * side + left) 8

    Examples.create (Batch.vec (Tensor.Of<float32>(squares, n, side * side))) digits.Targets

let images, labels = Path.Combine(folder, "t10k-images-idx3-ubyte.gz"), Path.Combine(folder, "t10k-labels-idx1-ubyte.gz")
let isMnist = File.Exists images && File.Exists labels
let name, side, each = if isMnist then "MNIST", 28, 5 else "scattered digits", 16, 10
let all = if isMnist then Examples.mnist images labels else scattered side

let conv channels = conv2d channels (kernel 3 |> same) --> relu --> maxPool2d (kernel 2)
let body = named "body" (toImage (1, side, side) --> conv 16 --> conv 32 --> flatten)
let head name = named name (dense 5)
let fresh seed layer = layer |> Model.init Single (Key.ofSeed seed) (Shape.vec (side * side))

let train seed epochs batch optimizer data model =
    let trainer =
        { Trainer.create Loss.crossEntropy optimizer with
            Epochs = epochs
            BatchSize = batch
            Seed = seed
            Progress = Progress.Silent }

    (model |> Trainer.fit trainer data).Model

let accuracy (data: Examples<Vec, Label>) model = Metric.accuracy.Measure (Model.predict model data.Inputs) data.Targets

let run seed =
    let struct (seen, unseen) = all |> Examples.split 0.3 seed
    let low, high = seen |> Examples.ofClasses [ 0..4 ], unseen |> Examples.ofClasses [ 5..9 ]
    let few = seen |> Examples.ofClasses [ 5..9 ] |> Examples.firstOfEach each
    let epochs = if isMnist then 3 else 10
    let source = fresh seed (body --> head "low") |> train seed epochs 32 (Optimizer.adam 1e-3) low

    /// The head is called otherwise and stays as it is drawn; the body is found by its name.
    let taken layer =
        let struct (model, left) = fresh seed layer |> Model.takeFrom source

        if seed = 0 then
            printfn "not taken: %s" (String.concat ", " left)

        model

    let learn factors model = model |> train seed 40 10 (Optimizer.adam 1e-2 |> Optimizer.scaled factors) few |> accuracy high

    [ "0 to 4, all examples", source |> accuracy (unseen |> Examples.ofClasses [ 0..4 ])
      "5 to 9 from scratch", fresh seed (body --> head "high") |> learn []
      "5 to 9, body frozen", taken (frozen body --> head "high") |> learn []
      "5 to 9, body at a tenth of the rate", taken (body --> head "high") |> learn [ ("0.body", 0.1) ] ]

printfn "%s, %d examples of each new digit" name each
let runs = [ 0; 1; 2 ] |> List.map run
printfn "%-38s %s" "accuracy" "seeds 0, 1, 2         mean"

for i, (what, _) in List.indexed runs.Head do
    let values = runs |> List.map (fun run -> snd run[i])
    let each = values |> List.map (sprintf "%.3f") |> String.concat "  "
    printfn "%-38s %s   %.3f" what each (List.average values)

// Style transfer: a digit is drawn in the manner of stripes, over a small network that was trained to read digits.
//   dotnet fsi examples/fsharp/style.fsx
#I "../../src/DL.Dsl.FSharp/bin/Release/net10.0"
#r "DL.Core.CSharp.dll"
#r "DL.Dsl.FSharp.dll"

open System
open DL
open DL.Core

let side = 32

/// The embedded digits of 8 x 8 pixels, four times as large.
let digits =
    let small = Examples.digits ()
    let enlarge = upsampleBilinear 4
    let pass = enlarge.Apply Predict [||] [||] (Batch.image ((Batch.tensor small.Inputs).Reshape(-1, 1, 8, 8)))
    Examples.create pass.Output small.Targets

let struct (train, test) = digits |> Examples.split 0.1 0

let block name channels = named name (conv2d channels (kernel 3 |> same) --> relu)

let first, second, third =
    block "first" 8, maxPool2d (kernel 2) --> block "second" 16, maxPool2d (kernel 2) --> block "third" 32

let reader = maxPool2d (kernel 2) --> flatten --> dense 10

let trained =
    let model = first --> (second --> (third --> reader)) |> Model.init Single (Key.ofSeed 0) (Shape.image (1, side, side))

    let trainer =
        { Trainer.create Loss.crossEntropy (Optimizer.adam 2e-3) with
            Epochs = 3
            Progress = Progress.Silent }

    (model |> Trainer.fit trainer train).Model

printfn "the network reads %.3f of the digits held out" (Metric.accuracy.Measure (Model.predict trained test.Inputs) test.Targets)

// The trained network in pieces: all of them are read for style, the last for content.
let struct (one, rest) = trained |> Model.cut first (second --> (third --> reader))
let struct (two, last) = rest |> Model.cut second (third --> reader)
let struct (three, _) = last |> Model.cut third reader

let parts =
    [ { Model = one; Content = 0.0; Style = 100.0 }
      { Model = two; Content = 0.0; Style = 100.0 }
      { Model = three; Content = 1.0; Style = 100.0 } ]

let content = (Examples.take [| 3 |] test).Inputs

let stripes =
    let pixel i = 0.5f + 0.5f * MathF.Sin(float32 (i % side + i / side) * MathF.PI / 4.0f)
    Batch.image (Tensor.Of<float32>(Array.init (side * side) pixel, 1, 1, side, side))

let settings = { Variation = 0.1; Optimizer = Optimizer.adam 0.02; Steps = 300 }

let result = StyleTransfer.run settings parts content stripes
printfn "%6s  %9s  %9s  %9s  %9s" "step" "content" "style" "variation" "total"

for step in [ 0; 10; 30; 100; 300 ] do
    let losses = result.History[step]
    printfn "%6d  %9.5f  %9.5f  %9.5f  %9.5f" step losses.Content losses.Style losses.Variation losses.Total

/// Every second row and column in characters from dark to light.
let draw (picture: Batch<Image>) =
    let pixels = (Batch.tensor picture).ToArray<float>()
    let shade (x: float) = " .:-=+*#%@"[Math.Clamp(int (x * 10.0), 0, 9)]
    [ for row in 0..2 .. side - 1 -> String(Array.init side (fun column -> shade pixels[row * side + column])) ]

for a, b, c in List.zip3 (draw content) (draw stripes) (draw result.Picture) do
    printfn "%s   %s   %s" a b c

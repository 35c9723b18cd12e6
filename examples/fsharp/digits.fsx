// Handwritten digits: build a network, train it, and look at what it learnt.
//   dotnet build -c Release src/DL.Dsl.FSharp
//   dotnet fsi examples/fsharp/digits.fsx
#I "../../src/DL.Dsl.FSharp/bin/Release/net10.0"
#r "DL.Core.CSharp.dll"
#r "DL.Dsl.FSharp.dll"

open DL

let struct (train, test) = Examples.digits () |> Examples.split 0.1 0

// 64 pixels in, ten scores out. The input size is inferred.
let net = dense 64 --> relu --> dense 10

let model = net |> Model.init Single (Key.ofSeed 0) (Shape.vec 64)
printfn "%s" (Model.summary model)

let trainer =
    { Trainer.create Loss.crossEntropy (Optimizer.adam 1e-3) with
        Epochs = 30
        Metrics = [ Metric.accuracy ]
        Validation = Some test }

let trained = model |> Trainer.fit trainer train

let scores = Model.predict trained.Model test.Inputs
printfn "accuracy on %d held-out digits: %.3f\n" (Examples.count test) (Metric.accuracy.Measure scores test.Targets)
printfn "%O" (Metric.confusion scores test.Targets)
printfn "%O" (DL.Core.Native.Describe())

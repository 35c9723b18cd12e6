/// Training: bad input stops before any weight moves, steps are pure, the same key and data give the same bits.
module DL.Properties.Dsl.Training

open System
open Xunit
open DL
open DL.Core

let private examples rows : Examples<Vec, Label> =
    let x = Array.init (rows * 3) (fun i -> float32 (sin (float i)))
    Examples.create (Batch.vec (Tensor.Of<float32>(x, rows, 3))) (Batch.labels (Array.init rows (fun i -> i % 2)))

let private model () = dense 5 --> batchNorm --> relu --> dropout 0.3 --> dense 2 |> Model.init Single (Key.ofSeed 4) (Shape.vec 3)

let private trainer: Trainer<Vec, Vec, Label> =
    { Trainer.create Loss.crossEntropy (Optimizer.adam 1e-2) with
        Epochs = 3
        BatchSize = 4
        Progress = Progress.Silent }

let private sameParams (a: Model<'x, 'y>) (b: Model<'x, 'y>) = Array.forall2 (fun (p: Tensor) (q: Tensor) -> p.SameBits q) a.Params b.Params

/// The error of a training run that must not start, and proof that the model has not moved.
let private refused trainer data =
    let before = model ()
    let start = model ()
    let error = Assert.ThrowsAny<DLException>(fun () -> Trainer.fit trainer data start |> ignore)
    Assert.True(sameParams before start)
    error.Message

let private contains (part: string) (text: string) = Assert.Contains(part, text)

let private withInput row column (value: float32) =
    let data = examples 10
    let numbers = (Batch.tensor data.Inputs).ToArray<float32>()
    numbers[row * 3 + column] <- value
    { data with Inputs = Batch.vec (Tensor.Of<float32>(numbers, 10, 3)) }

[<Fact>]
let ``a label out of range is named with its position`` () =
    let data =
        { examples 10 with
            Targets = Batch.labels [| 0; 1; 0; 2; 1; 0; 1; 0; 1; 0 |] }

    let message = refused trainer data
    contains "2" message
    contains "3" message

[<Fact>]
let ``numbers that are not finite are named by their row`` () =
    refused trainer (withInput 7 1 nanf) |> contains "row 7"
    refused trainer (withInput 2 0 infinityf) |> contains "row 2"

[<Fact>]
let ``empty data, a batch larger than the data and a rate that is not finite are refused`` () =
    let none = Examples.take [||] (examples 4)
    refused trainer none |> contains "at least one example"
    refused { trainer with BatchSize = 11 } (examples 10) |> contains "11"
    refused { trainer with BatchSize = 0 } (examples 10) |> contains "0"

    for rate in [ nan; infinity; -1.0 ] do
        refused
            { trainer with
                Rule = { trainer.Rule with Optimizer = Optimizer.sgd rate } }
            (examples 10)
        |> contains "learning rate"

[<Fact>]
let ``inputs of another shape are refused`` () =
    let wide =
        Examples.create (Batch.vec (Tensor.Zeros(ElementType.Float32, Shape [| 8; 4 |]))) (Batch.labels (Array.zeroCreate 8))

    refused trainer wide |> contains "4"

[<Fact>]
let ``a loss that is no longer finite stops the run and says where`` () =
    let wild =
        { trainer with
            Rule = { trainer.Rule with Optimizer = Optimizer.sgd 1e38 }
            Epochs = 20 }

    let net = dense 5 --> relu --> dense 2 |> Model.init Single (Key.ofSeed 4) (Shape.vec 3)
    let error = Assert.Throws<InvalidArgumentException>(fun () -> Trainer.fit wild (examples 16) net |> ignore)
    contains "epoch" error.Message
    contains "batch" error.Message
    contains "finite loss" error.Message

[<Fact>]
let ``a step is a function: the fit that comes in stays, and twice the step is the same step`` () =
    let data = examples 8
    let start = Trainer.start trainer.Rule (model ())
    let struct (a, lossA) = Trainer.step trainer.Rule start data.Inputs data.Targets
    let struct (b, lossB) = Trainer.step trainer.Rule start data.Inputs data.Targets
    Assert.Equal(lossA, lossB)
    Assert.True(sameParams a.Model b.Model)
    Assert.True(sameParams start.Model (model ()))
    Assert.False(sameParams a.Model start.Model)
    Assert.Equal(0, start.Steps)
    Assert.Equal(1, a.Steps)

[<Fact>]
let ``steps as functions are the steps of a session, bit for bit`` () =
    let data = examples 8
    let session = Session(trainer.Rule, Trainer.start trainer.Rule (model ()))
    let mutable fit = Trainer.start trainer.Rule (model ())

    for _ in 1..5 do
        let loss = session.Step(data.Inputs, data.Targets)
        let struct (next, same) = Trainer.step trainer.Rule fit data.Inputs data.Targets
        Assert.Equal(loss, same)
        fit <- next

    Assert.True(sameParams fit.Model session.Model)

[<Fact>]
let ``the same key and data give the same bits, and training in two halves is training at once`` () =
    let data = examples 20
    let first = Trainer.fit trainer data (model ())
    let second = Trainer.fit trainer data (model ())
    Assert.True(sameParams first.Model second.Model)
    Assert.Equal<float list>(first.History |> List.map _.Loss, second.History |> List.map _.Loss)

[<Fact>]
let ``the number of threads does not change the bits`` () =
    let run threads = DL.Properties.Cases.withThreads threads (fun () -> Trainer.fit trainer (examples 20) (model ()))
    Assert.True(sameParams (run 1).Model (run 2).Model)

[<Fact>]
let ``a training step allocates less than 64 KiB whatever the batch`` () =
    let net () = dense 64 --> relu --> dense 32 --> relu --> dense 2 |> Model.init Single (Key.ofSeed 4) (Shape.vec 3)

    for rows in [ 1; 32; 1024 ] do
        let data = examples rows
        let session = Session(trainer.Rule, Trainer.start trainer.Rule (net ()))

        for _ in 1..3 do
            session.Step(data.Inputs, data.Targets) |> ignore

        let before = GC.GetAllocatedBytesForCurrentThread()
        session.Step(data.Inputs, data.Targets) |> ignore
        let bytes = GC.GetAllocatedBytesForCurrentThread() - before
        Assert.True(bytes < 65536L, $"{bytes} bytes for {rows} rows")

[<Fact>]
let ``a step on rows is the step on the rows taken, and leaves as little`` () =
    let data = examples 2000
    let rows = Array.init 1024 (fun i -> (i * 7) % 2000)
    let part = Examples.take rows data

    let gathered, taken =
        Session(trainer.Rule, Trainer.start trainer.Rule (model ())), Session(trainer.Rule, Trainer.start trainer.Rule (model ()))

    for _ in 1..3 do
        Assert.Equal(taken.Step(part.Inputs, part.Targets), gathered.StepOn(data, rows))

    Assert.True(sameParams taken.Model gathered.Model)
    let before = GC.GetAllocatedBytesForCurrentThread()
    gathered.StepOn(data, rows) |> ignore
    Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 65536L)

[<Fact>]
let ``a tensor kept past its step says so`` () =
    let mutable kept = None

    let spy =
        Layer.pure' "spy" id (fun (x: Batch<Vec>) ->
            struct (x,
                    fun dy ->
                        kept <- Some(Batch.tensor dy)
                        dy))

    let net = dense 4 --> spy --> dense 2 |> Model.init Single (Key.ofSeed 4) (Shape.vec 3)
    let session = Session(trainer.Rule, Trainer.start trainer.Rule net)
    let data = examples 8
    session.Step(data.Inputs, data.Targets) |> ignore
    let error = Assert.Throws<InvalidArgumentException>(fun () -> kept.Value.At 0 |> ignore)
    contains "past its step" error.Message

[<Fact>]
let ``clipping bounds the norm of the gradients`` () =
    let rule =
        { trainer.Rule with
            ClipNorm = Some 1e-3
            Optimizer = Optimizer.sgd 1.0 }

    let net = dense 2 |> Model.init Double (Key.ofSeed 4) (Shape.vec 3)
    let data = examples 8
    let session = Session(rule, Trainer.start rule net)
    session.Step(data.Inputs, data.Targets) |> ignore
    Assert.True(session.GradientNorm > 1e-3)

    let moved =
        Array.map2
            (fun (p: Tensor) (q: Tensor) -> Array.map2 (fun a b -> (a - b) ** 2.0) (p.ToArray<float>()) (q.ToArray<float>()) |> Array.sum)
            net.Params
            session.Model.Params
        |> Array.sum
        |> sqrt

    Assert.Equal(1e-3, moved, 9)

/// Transfer: what is refused and how it is told, and that a network trained on other digits learns from few examples.
module DL.Properties.Dsl.Transfer

open Xunit
open DL
open DL.Core

let private contains (part: string) (text: string) = Assert.Contains(part, text)

let private refused (work: unit -> 'a) = Assert.ThrowsAny<DLException>(fun () -> work () |> ignore).Message

let private small = dense 6 --> relu
let private model () = named "body" small --> dense 3 |> Model.init Single (Key.ofSeed 4) (Shape.vec 5)

[<Fact>]
let ``a path that no parameter begins with is told with the parameters`` () =
    let rule = (Trainer.create Loss.crossEntropy (Optimizer.sgd 0.1 |> Optimizer.scaled [ "body", 0.1 ])).Rule
    let message = refused (fun () -> Session(rule, Trainer.start rule (model ())))
    contains "'body'" message
    contains "0.body.0.weight" message

[<Fact>]
let ``factors that are no factors and paths given twice are refused`` () =
    for factor in [ nan; infinity; -0.1 ] do
        refused (fun () -> Optimizer.sgd 0.1 |> Optimizer.scaled [ "0", factor ]) |> contains "factor"

    refused (fun () -> Optimizer.sgd 0.1 |> Optimizer.scaled [ "0", 1.0 ] |> Optimizer.scaled [ "0.", 2.0 ])
    |> contains "'0' 2 times"

[<Fact>]
let ``a rate per part needs names`` () =
    let optimizer = Optimizer.sgd 0.1 |> Optimizer.scaled [ "", 2.0 ]
    refused (fun () -> Optimizer.step optimizer 1 0.1 [||] [||] [||]) |> contains "names"

[<Fact>]
let ``a source of which nothing fits is refused`` () =
    let other = dense 7 |> Model.init Single (Key.ofSeed 4) (Shape.vec 5)
    refused (fun () -> model () |> Model.takeFrom other) |> contains "0.body.0.weight"

[<Fact>]
let ``a model is cut only into the layers it is made of`` () =
    let m = model ()
    refused (fun () -> m |> Model.cut (named "trunk" small) (dense 3)) |> contains "0.body.0.weight"
    refused (fun () -> m |> Model.cut (named "body" (dense 7 --> relu)) (dense 3)) |> contains "0.body.0.weight"
    // Of the same names and shapes, but another function.
    refused (fun () -> m |> Model.cut (named "body" (dense 6 --> tanh)) (dense 3)) |> contains "dense 6 --> tanh"
    let held = frozen small --> dense 3 |> Model.init Single (Key.ofSeed 4) (Shape.vec 5)
    refused (fun () -> held |> Model.cut (frozen (dense 7 --> relu)) (dense 3)) |> contains "weight"

[<Fact>]
let ``classes are picked and numbered anew`` () =
    let x = Batch.vectors [| for i in 0..6 -> [| float32 i |] |]
    let data = Examples.create x (Batch.labels [| 3; 1; 2; 1; 3; 3; 2 |])
    let picked = data |> Examples.ofClasses [ 3; 1 ]
    Assert.Equal<int[]>([| 0; 1; 1; 0; 0 |], (Batch.tensor picked.Targets).ToArray<int>())
    Assert.Equal<float[]>([| 0.0; 1.0; 3.0; 4.0; 5.0 |], (Batch.tensor picked.Inputs).ToArray<float>())
    let few = picked |> Examples.firstOfEach 2
    Assert.Equal<float[]>([| 0.0; 1.0; 3.0; 4.0 |], (Batch.tensor few.Inputs).ToArray<float>())
    refused (fun () -> Examples.ofClasses [ 3; 7 ] data) |> contains "7"
    refused (fun () -> Examples.ofClasses [ 3; 3 ] data) |> contains "3 2 times"
    refused (fun () -> Examples.firstOfEach 3 picked) |> contains "2"

let private side = 16

/// The digits of 8 x 8 pixels somewhere on a dark square: where they lie must be learned not to matter.
let private scattered () =
    let digits = Examples.digits ()
    let n, pixels = Examples.count digits, (Batch.tensor digits.Inputs).ToArray<float32>()
    let squares = Array.zeroCreate<float32>(n * side * side)

    for i in 0 .. n - 1 do
        let top, left = i * 5 % 9, i * 7 / 9 % 9

        for row in 0..7 do
            Array.blit pixels (i * 64 + row * 8) squares ((i * side + top + row) * side + left) 8

    Examples.create (Batch.vec (Tensor.Of<float32>(squares, n, side * side))) digits.Targets

let private conv channels = conv2d channels (kernel 3 |> same) --> relu --> maxPool2d (kernel 2)
let private body = named "body" (toImage (1, side, side) --> conv 16 --> conv 32 --> flatten)
let private head name = named name (dense 5)

let private train seed epochs optimizer data model =
    let trainer =
        { Trainer.create Loss.crossEntropy optimizer with
            Epochs = epochs
            BatchSize = 10
            Seed = seed
            Progress = Progress.Silent }

    (model |> Trainer.fit trainer data).Model

/// Accuracy on the digits 5 to 9, of which ten each were seen: from scratch, over a frozen body trained on 0 to 4, and fine-tuning it.
let private accuracies digits seed =
    let struct (seen, unseen) = digits |> Examples.split 0.3 seed
    let low = seen |> Examples.ofClasses [ 0..4 ]
    let few = seen |> Examples.ofClasses [ 5..9 ] |> Examples.firstOfEach 10
    let test = unseen |> Examples.ofClasses [ 5..9 ]
    let fresh layer = layer |> Model.init Single (Key.ofSeed seed) (Shape.vec (side * side))
    let source = fresh (body --> head "low") |> train seed 10 (Optimizer.adam 1e-3) low
    let taken layer = let struct (model, _) = fresh layer |> Model.takeFrom source in model

    let learn factors model =
        let trained = model |> train seed 40 (Optimizer.adam 1e-2 |> Optimizer.scaled factors) few
        Metric.accuracy.Measure (Model.predict trained test.Inputs) test.Targets

    [| fresh (body --> head "high") |> learn []
       taken (frozen body --> head "high") |> learn []
       taken (body --> head "high") |> learn [ "0.body", 0.1 ] |]

[<Fact>]
let ``a body trained on other digits learns more from ten examples of each`` () =
    let digits = scattered ()
    let runs = [| 0; 1; 2 |] |> Array.map (accuracies digits)
    let mean i = runs |> Array.averageBy (Array.item i)
    let scratch, held, tuned = mean 0, mean 1, mean 2
    let told = $"from scratch {scratch}, frozen {held}, fine-tuned {tuned}"
    TestContext.Current.SendDiagnosticMessage told
    Assert.True(held >= scratch + 0.04 && tuned >= scratch + 0.04, told)

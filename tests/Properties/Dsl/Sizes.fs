/// A wrong size fails in Init, before any work: with the path of the layer, both shapes and a mend.
module DL.Properties.Dsl.Sizes

open Xunit
open DL
open DL.Core

let private initError (shape: Shape<'x>) (layer: Layer<'x, 'y>) =
    Assert.Throws<ShapeException>(fun () -> layer |> Model.init Single (Key.ofSeed 1) shape |> ignore)

let private says (parts: string list) (error: ShapeException) =
    for part in parts do
        Assert.Contains(part, error.Message)

[<Fact>]
let ``a residual of another size names its place, both shapes and the mend`` () =
    dense 8 --> relu --> residual (dense 4) --> dense 2
    |> initError (Shape.vec 3)
    |> says [ "2."; "sum"; "8"; "4"; "dense 8" ]

[<Fact>]
let ``names are part of the path`` () =
    let block = named "block" (dense 5 --> residual (dense 6))
    named "encoder" (dense 4 --> block) |> initError (Shape.vec 3) |> says [ "encoder.1.block.1."; "5"; "6" ]

/// Places a layer can stand in; the part that fits stands before it.
let private places: (Layer<Image, Image> -> Layer<Image, Image> -> Layer<Image, Image>) list =
    [ fun fits f -> fits --> residual f
      fun fits f -> fits --> residual f --> relu
      fun fits f -> fits --> residual (residual f) --> relu
      fun fits f -> fits --> residual (fits --> residual f --> relu)
      fun fits f -> fits --> named "part" f
      fun fits f -> fits --> named "part" (residual f) --> relu
      fun fits f -> fits --> (fork fits f --> sum) --> relu
      fun fits f -> fits --> add fits f
      fun fits f -> fits --> add fits f --> relu
      fun fits f -> fits --> repeat 2 fits --> add fits (fits --> f) --> relu ]

[<Fact>]
let ``the path of an error is that of the parameters`` () =
    let fits: Layer<Image, Image> = conv2d 3 (kernel 3 |> same)
    let wide: Layer<Image, Image> = conv2d 3 (kernel 9)

    for place in places do
        for wrong in [ wide; batchNorm --> wide; fits --> residual (fits --> wide) ] do
            let net = place fits wrong
            let error = initError (Shape.image (3, 4, 4)) net
            let weight = net |> Layer.slots |> List.filter _.EndsWith("weight") |> List.last
            let path = weight.Substring(0, weight.Length - "weight".Length)
            Assert.Equal($"{path}conv2d 3 (9x9)", error.Where)

[<Fact>]
let ``a scan whose cell gives back another h says so`` () =
    let cell: Layer<Vec * Vec, Vec * Vec> = cat --> dense 3 --> tanh --> dup
    scan 2 cell |> initError (Shape.seq (5, 4)) |> says [ "scan"; "2"; "3" ]

[<Fact>]
let ``shapes that hold other counts are refused`` () =
    toImage (1, 2, 3) |> initError (Shape.vec 7) |> says [ "toImage"; "6"; "7" ]
    splitAt 9 |> initError (Shape.vec 7) |> says [ "splitAt 9"; "9"; "7" ]

[<Fact>]
let ``a batch of another shape than the model's is refused before anything runs`` () =
    let model = dense 2 |> Model.init Single (Key.ofSeed 1) (Shape.vec 3)
    let batch = Batch.vec (Tensor.Zeros(ElementType.Float32, Shape [| 5; 4 |]))
    let error = Assert.Throws<ShapeException>(fun () -> Model.predict model batch |> ignore)
    says [ "dense 2"; "3"; "4" ] error

[<Fact>]
let ``settings out of range are refused when the layer is written`` () =
    let refused (make: unit -> 'a) = Assert.Throws<InvalidArgumentException>(fun () -> make () |> ignore) |> ignore
    refused (fun () -> dense 0)
    refused (fun () -> (dropout 1.5: Layer<Vec, Vec>))
    refused (fun () -> (dropout nan: Layer<Vec, Vec>))
    refused (fun () -> repeat -1 (dense 2))
    refused (fun () -> shared 0 (dense 2))
    refused (fun () -> pad -1 2)
    refused (fun () -> (concat []: Layer<Vec, Vec>))

[<Fact>]
let ``a summary names every layer with its shape and parameters, and the total`` () =
    let net = named "body" (dense 8 --> relu) --> residual (dense 8) --> dense 2
    let text = net |> Model.init Single (Key.ofSeed 1) (Shape.vec 3) |> Model.summary

    for part in [ "body.0"; "dense 8"; "body.1"; "relu"; "32"; "72"; "18"; "total"; "122" ] do
        Assert.Contains(part, text)

[<Fact>]
let ``a state dictionary shows torch's names and layouts and comes back`` () =
    let net = dense 4 --> batchNorm --> relu --> dense 2
    let model = net |> Model.init Double (Key.ofSeed 1) (Shape.vec 3)
    let dict = Model.stateDict model
    let names = [ "0.weight"; "0.bias"; "1.weight"; "1.bias"; "3.weight"; "3.bias"; "1.running_mean"; "1.running_var" ]
    Assert.Equal<string list>(names, List.map fst dict)
    Assert.Equal(Shape [| 4; 3 |], (snd dict.Head).Shape)
    let other = net |> Model.init Double (Key.ofSeed 2) (Shape.vec 3)
    let restored = other |> Model.withStateDict dict
    Assert.True(Array.forall2 (fun (a: Tensor) (b: Tensor) -> a.SameBits b) model.Params restored.Params)
    let missing = Assert.Throws<InvalidArgumentException>(fun () -> other |> Model.withStateDict dict.Tail |> ignore)
    Assert.Contains("0.weight", missing.Message)

/// Multiplications, each with an addition: half the operations.
let private products (layer: Layer<'x, 'y>) shape = (layer |> Model.init Single (Key.ofSeed 1) shape |> Model.flops) / 2L

[<Fact>]
let ``operations are counted by their formulas`` () =
    let time, width, heads = 6, 8, 2
    let square = int64 (width * width)
    let seq = Shape.seq (time, width)
    Assert.Equal(3L * 8L + 8L * 2L, products (dense 8 --> relu --> dense 2) (Shape.vec 3))
    Assert.Equal(6L * 8L * 5L, products (perToken (dense 5)) seq)
    // Four gates, each of a product with the input and one with the state.
    Assert.Equal(6L * 8L * square, products (lstm width) seq)
    // Four projections, scores and sums: of all steps, or of those that are not later.
    Assert.Equal(6L * 4L * square + 2L * 36L * 8L, products (selfAttention heads) seq)
    Assert.Equal(6L * 4L * square + 2L * 21L * 8L, products (causalSelfAttention heads) seq)
    // An image of 5 x 5 comes from one of 10 x 10; on the way back every pixel is spread over the window.
    let image = Shape.image (4, 10, 10)
    Assert.Equal(25L * 9L * 4L * 6L, products (conv2d 6 (kernel 3 |> stride 2 |> padding 1)) image)
    Assert.Equal(25L * 9L * 4L * 3L, products (conv2dWith { Conv.defaults with Groups = 2 } 6 (kernel 3 |> stride 2 |> padding 1)) image)
    Assert.Equal(100L * 4L * 4L * 6L, products (convTranspose2d 6 (kernel 2 |> stride 2)) image)
    Assert.Equal(products (repeat 3 (dense 3)) (Shape.vec 3), products (shared 3 (dense 3)) (Shape.vec 3))

[<Fact>]
let ``what is gone through at every step is counted for every step`` () =
    let rows net = (net |> Model.init Single (Key.ofSeed 1) (Shape.seq (6, 8))).Rows
    let elements = rows (perToken (dense 5 --> relu)) |> List.map _.Elements
    Assert.Equal<int64 list>([ 30L; 30L ], elements)

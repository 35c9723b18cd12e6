/// Models of PyTorch, saved there and loaded here, give what they gave there.
module DL.Properties.Formats.WeightsTests

open System
open System.IO
open FsCheck.FSharp
open Xunit
open DL
open DL.Core
open DL.Core.Formats
open DL.Models
open DL.Properties.Data.Support
open DL.Properties.Formats.Support

let private weightsOf (name: string) = [ for KeyValue(key, t) in Safetensors.Read(stream (asset $"{name}.safetensors")).Tensors -> key, t ]

/// The largest difference between the model's output and torch's, relative where that is above 1.
let private difference (example: string) (input: Tensor -> Batch<'x>) (model: Model<'x, 'y>) =
    let file = Safetensors.Read(stream (asset $"{example}-example.safetensors"))
    let expected = file["output"]
    let output = Batch.tensor (Model.predict model (input file["input"]))
    Assert.Equal(expected.Shape, output.Shape)

    Seq.max [ for i in 0 .. expected.Count - 1 -> abs (output.At i - expected.At i) / max 1.0 (abs (expected.At i)) ]

let private agrees example input shape layer weights =
    for precision in [ Precision.Single; Precision.Double ] do
        let model = Model.init precision (Key.ofSeed 1) shape layer |> Model.withStateDict weights
        Assert.InRange(difference example input model, 0.0, 1e-5)

let private mlp () : Layer<Vec, Vec> = dense 8 --> batchNorm --> relu --> dense 3

[<Fact>]
let ``an MLP with batch norm, from safetensors and from npz`` () =
    weightsOf "mlp" |> Weights.withoutCounts |> agrees "mlp" Batch.vec (Shape.vec 6) (mlp ())

    [ for KeyValue(name, t) in Npz.Read(stream (asset "mlp.npz")) -> name, t ]
    |> Weights.withoutCounts
    |> agrees "mlp" Batch.vec (Shape.vec 6) (mlp ())

[<Fact>]
let ``a LeNet in half precision`` () = weightsOf "lenet" |> agrees "lenet" Batch.image (Shape.image (1, 28, 28)) (LeNet.modern 10)

let private recurrentName (name: string) =
    name
        .Replace("embed.", "0.")
        .Replace("head.", "3.")
        .Replace("lstm.weight_ih_l0", "1.weight_ih_l0")
        .Replace("lstm.weight_hh_l0", "1.weight_hh_l0")
        .Replace("lstm.bias_ih_l0", "1.bias_ih_l0")
        .Replace("lstm.bias_hh_l0", "1.bias_hh_l0")
        .Replace("lstm.weight_ih_l1", "2.weight_ih_l0")
        .Replace("lstm.weight_hh_l1", "2.weight_hh_l0")
        .Replace("lstm.bias_ih_l1", "2.bias_ih_l0")
        .Replace("lstm.bias_hh_l1", "2.bias_hh_l0")

[<Fact>]
let ``an LSTM language model of two layers, with one bias and with torch's two`` () =
    let two = lstmWith Recurrent.torch 7
    let weights = weightsOf "lstm" |> Weights.rename recurrentName

    weights |> agrees "lstm" Batch.tokens (Shape.tokens 6) (LanguageModel.over 12 5 (two --> two))

    weights |> Weights.sumBiases |> agrees "lstm" Batch.tokens (Shape.tokens 6) (LanguageModel.lstm 12 5 7 2)

[<Fact>]
let ``a GRU in torch's form`` () =
    weightsOf "gru"
    |> Weights.rename _.Replace("gru.", "")
    |> agrees "gru" Batch.seq (Shape.seq (5, 4)) (gruWith Recurrent.torch 6)

let private encoderNames = [ "self_attn.", "0."; "norm1.", "1."; "linear1.", "2.0."; "linear2.", "2.2."; "norm2.", "3." ]

[<Fact>]
let ``a layer of a Transformer encoder in bfloat16`` () =
    let settings =
        { Transformer.paper with
            Features = 8
            Heads = 2
            Inner = 16
            Dropout = 0.0 }

    let rename (name: string) = encoderNames |> List.fold (fun (n: string) (theirs, ours) -> n.Replace(theirs, ours)) name

    weightsOf "encoder"
    |> Weights.rename rename
    |> agrees "encoder" Batch.seq (Shape.seq (5, 8)) (Transformer.encoderBlock settings)

[<Fact>]
let ``counts of batches are left out by name alone`` () =
    let error =
        argumentError (fun () -> Model.init Single (Key.ofSeed 1) (Shape.vec 6) (mlp ()) |> Model.withStateDict (weightsOf "mlp"))

    error |> mentions [ "num_batches_tracked" ]
    let t = Tensor.Of [| 1f |] :> Tensor
    let kept = [ "a.num_batches_tracked", t; "num_batches_tracked", t; "x_num_batches_tracked", t ] |> Weights.withoutCounts
    Assert.Equal<string list>([ "x_num_batches_tracked" ], List.map fst kept)

[<Fact>]
let ``parts of a split tensor are its rows in order`` () =
    forAll (Gen.zip (Gen.choose (1, 4)) (Gen.choose (1, 3))) (fun (parts, rows) ->
        let whole = Tensor.Of([| for i in 1 .. 2 * parts * rows -> float32 i |], parts * rows, 2)
        let names = [ for i in 1..parts -> $"p{i}" ]
        let weights = Weights.split "w" names [ "a", whole; "w", whole ]

        List.map fst weights = "a" :: names
        && (weights.Tail |> List.collect (fun (_, t) -> List.ofArray (t.ToArray<float32>()))) = List.ofArray (whole.ToArray<float32>()))

[<Fact>]
let ``what cannot be split or summed is named`` () =
    let t = Tensor.Of([| 1f; 2f; 3f |], 3, 1) :> Tensor
    argumentError (fun () -> Weights.split "b" [ "x" ] [ "a", t ]) |> mentions [ "'b'" ]
    shapeError (fun () -> Weights.split "a" [ "x"; "y" ] [ "a", t ]) |> mentions [ "2 equal parts"; "[3; 1]" ]
    argumentError (fun () -> Weights.sumBiases [ "1.bias_hh_l0", t ]) |> mentions [ "'1.bias_ih_l0'" ]

[<Fact>]
let ``files are told apart by what is in them`` () =
    inFolder (fun folder ->
        let weights = [ "a", Tensor.Of([| 1f; 2f |], 1, 2) :> Tensor; "b", Tensor.Of [| 3 |] ]
        let safe, archive = Path.Combine(folder, "x"), Path.Combine(folder, "y")
        Weights.save safe weights
        Npz.Write(archive, pairs weights)

        for path in [ safe; archive ] do
            for (name, expected), (other, t) in List.zip weights (Weights.load path) do
                Assert.True((name = other && expected.SameBits t), $"{name} of {path}")

        formatError (fun () -> Weights.load (Path.Combine(folder, "z"))) |> mentions [ "no file" ]
        File.WriteAllBytes(Path.Combine(folder, "e"), [||])
        formatError (fun () -> Weights.load (Path.Combine(folder, "e"))) |> ignore)

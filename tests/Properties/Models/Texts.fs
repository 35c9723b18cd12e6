/// Models over sequences: their parameters counted.
module DL.Properties.Models.Texts

open Xunit
open DL
open DL.Core
open DL.Models

let private count (shape: Shape<'x>) (net: Layer<'x, 'y>) = (net.Init (Key.ofSeed 1) shape).Params |> Array.sumBy (fun p -> int64 p.Count)

let private has (parameters: int64) counted = Assert.Equal(parameters, counted)

[<Fact>]
let ``recurrent language models have the parameters of their formulas`` () =
    let v, d, h = 65, 16, 32
    let total gates biases = int64 (v * d + gates * h * (d + h + biases) + gates * h * (h + h + biases) + v * (h + 1))
    count (Shape.tokens 8) (LanguageModel.rnn v d h 2) |> has (total 1 1)
    count (Shape.tokens 8) (LanguageModel.lstm v d h 2) |> has (total 4 1)
    count (Shape.tokens 8) (LanguageModel.gru v d h 2) |> has (total 3 1)
    let torch = repeat 2 (lstmWith Recurrent.torch h)
    count (Shape.tokens 8) (LanguageModel.over v d torch) |> has (total 4 2)

[<Fact>]
let ``a text CNN has the parameters of its formula`` () =
    let v, d, f, c = 50, 8, 6, 3
    let windows = [ 3; 4; 5 ] |> List.sumBy (fun w -> f * (w * d + 1))

    count (Shape.tokens 12) (TextClassifier.textCnn v d [ 3; 4; 5 ] f c)
    |> has (int64 (v * d + windows + c * (3 * f + 1)))

[<Fact>]
let ``a recurrent classifier has the parameters of its formula`` () =
    let v, d, h, c = 50, 8, 6, 3

    count (Shape.tokens 12) (TextClassifier.recurrent v d (lstm h) c)
    |> has (int64 (v * d + 2 * 4 * h * (d + h + 1) + c * (2 * h + 1)))

[<Fact>]
let ``seq2seq has the parameters of its formula`` () =
    let s, t, d, h = 11, 13, 6, 8
    let gru = 3 * h * (d + h + 1)

    count (Shape.pair (Shape.tokens 5) (Shape.tokens 4)) (Seq2Seq.network s t d h)
    |> has (int64 (s * d + t * d + 2 * gru + (2 * h * h + h) + (2 * h * h + h) + t * (h + 1)))

let private block (s: TransformerSettings) attentions norms =
    let d, f = s.Features, s.Inner
    attentions * 4 * (d * d + d) + 2 * d * f + f + d + norms * 2 * d

[<Fact>]
let ``the Transformer has the parameters of the paper's base model`` () =
    let s = Transformer.paper
    let v = 1000
    let blocks = 6 * (block s 1 2 + block s 2 3)

    count (Shape.pair (Shape.tokens 5) (Shape.tokens 4)) (Transformer.network s v v)
    |> has (int64 (2 * v * 512 + blocks + v * 513))

    // Encoder and decoder of the base model without vectors of ids; torch.nn.Transformer has 2,048 more, for a norm at the end of each.
    Assert.Equal(44_138_496, blocks)

[<Fact>]
let ``GPT-2 has its 124,439,808 parameters`` () = count (Shape.tokens 4) (Gpt.network Gpt.gpt2) |> has 124_439_808L

[<Fact>]
let ``BERT base has its 109,482,240 parameters`` () =
    count (Shape.pair (Shape.tokens 4) (Shape.tokens 4)) (Bert.pooled Bert.basic) |> has 109_482_240L

[<Fact>]
let ``BERT base with the scores of hidden ids has its 109,514,298 parameters, one table for what comes in and what goes out`` () =
    let net, shape = Bert.masked Bert.basic, Shape.pair (Shape.tokens 4) (Shape.tokens 4)
    count shape net |> has 109_514_298L
    let tables = (net.Init (Key.ofSeed 1) shape).Params |> Array.filter (fun p -> p.Shape[0] = 30522)
    Assert.Equal<string list>([ "[30522; 768]"; "[30522]" ], tables |> Array.map (fun p -> $"{p.Shape}") |> List.ofArray)
    // What is pre-trained goes into a classifier by name.
    let encoder = Layer.slots net |> List.filter _.StartsWith("0.encoder.")
    Assert.True(Set.isSubset (set encoder) (set (Layer.slots (Bert.classifier Bert.basic 2))))

[<Fact>]
let ``ViT-B has its 86,567,656 parameters`` () = count (Shape.image (3, 224, 224)) (Vit.network Vit.basic 16 197 1000) |> has 86_567_656L

/// Recurrent networks and Transformers, through the DSL's own training step and decoding.
module DL.Bench.Sequences

open DL
open DL.Core
open DL.Models
open DL.Bench.Timing
open DL.Bench.Networks

let private ids seed (rows: int) (time: int) vocabulary : Batch<Tokens> =
    let next i = ((i + seed) * 7919 + i / 13 * 104729) % vocabulary
    Batch.tokens (Tensor.Of<int>(Array.init (rows * time) next, rows, time))

/// Forward and backward of the sum of the outputs; the input is data, whose gradient is not asked for.
let private core name (layer: Layer<Seq, Seq>) =
    let model = layer |> Model.init Single (Key.ofSeed 1) (Shape.seq (35, 128))
    let ones = Tensor.Of<float32>(Array.create (20 * 35 * 256) 1.0f, 20, 35, 256)

    let run (xs: Tensor list) =
        let pass = layer.Apply Train model.Params model.State (Batch.seq xs[0])
        pass.Pullback(Batch.seq xs[1]) |> ignore

    { Operations.workload
          $"rnn_lm_{name}_core"
          "recurrent layers alone, forward+backward"
          (Operations.inArena [ Operations.normals 1 [| 20; 35; 128 |]; ones ] run) with
        Per = "step"
        Batch = 20 }

let private rnnLm () =
    let kinds: (string * (int -> Layer<Seq, Seq>)) list = [ "lstm", lstmWith Recurrent.torch; "gru", gruWith Recurrent.torch ]

    [ for name, layer in kinds do
          trained
              $"rnn_lm_{name}"
              "embedding 128, 2x256, vocab 10000, T=35, SGD"
              Loss.tokenCrossEntropy
              (Optimizer.sgd 1.0)
              (ids 1 20 35 10000)
              (embedding 10000 128 --> layer 256 --> layer 256 --> perToken (dense 10000))
              (ids 2 20 35 10000)

          core name (layer 256 --> layer 256) ]

let private small =
    { Gpt.gpt2 with
        Vocabulary = 65
        Positions = 128
        Features = 384
        Blocks = 6
        Heads = 6
        Tied = false }

/// One token after 127 that are kept.
let private nextToken () =
    let seen =
        lazy
            (let model = Gpt.network small |> Model.init Single (Key.ofSeed 1) (Shape.tokens 128)
             let struct (_, after) = Cursor.start model |> Cursor.extend (ids 1 1 127 65)
             after)

    let token = ids 2 1 1 65

    { Name = "transformer_lm_token_kvcache"
      What = "one token, 127 cached"
      Per = "call"
      Batch = 1
      Call = fun () -> seen.Value |> Cursor.extend token |> ignore }

let private transformerLm () =
    [ trained
          "transformer_lm_b8"
          "GPT 6 layers d=384 6 heads T=128 AdamW"
          Loss.tokenCrossEntropy
          (Optimizer.adamW 0.01 3e-4)
          (ids 1 8 128 65)
          (Gpt.network small)
          (ids 2 8 128 65)
      predicted "transformer_lm_token_nocache" "one token, 128-token context recomputed" (ids 1 1 128 65) (Gpt.network small)
      nextToken () ]

let private gpt2 () =
    [ trained
          "gpt2_124m_b4_t64"
          "GPT-2 124M B=4 T=64 AdamW"
          Loss.tokenCrossEntropy
          (Optimizer.adamW 0.01 1e-4)
          (ids 1 4 64 50257)
          (Gpt.network Gpt.gpt2)
          (ids 2 4 64 50257) ]

let private encoder () =
    let blocks =
        { Transformer.paper with
            Features = 256
            Heads = 4
            Inner = 64
            Blocks = 2
            Dropout = 0.2 }

    let net =
        embedding 10000 256
        --> scaleBy 16.0
        --> learnedPositions 32
        --> Transformer.encoder blocks
        --> meanOverTime
        --> dense 2

    [ trained
          "transformer_encoder_b64"
          "2 layers d=256 T=32 dropout 0.2 Adam"
          Loss.crossEntropy
          (Optimizer.adam 1e-3)
          (ids 1 64 32 10000)
          net
          (classes 64 2) ]

/// The groups of this file.
let groups =
    [ { Group = "rnn_lm"; Build = rnnLm }
      { Group = "transformer_lm"; Build = transformerLm }
      { Group = "transformer_encoder"; Build = encoder }
      { Group = "gpt2_124m"; Build = gpt2 } ]

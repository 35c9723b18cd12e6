/// Networks over sequences, each small enough to be trained in a moment.
module DL.Properties.Models.TextSpecimens

open DL
open DL.Core
open DL.Models
open DL.Properties.Models.Specimens

let private ids seed time vocabulary : Batch<Tokens> =
    Batch.tokens (Tensor.Of<int>(Array.init (8 * time) (fun i -> (i * (seed + 3) + i * i / 5 + seed) % vocabulary), 8, time))

let private learn steps rate (loss: Loss<'y, 't>) (metric: Metric<'y, 't>) (inputs: Batch<'x>) (targets: Batch<'t>) (net: Layer<'x, 'y>) =
    let trainer =
        { Trainer.create loss (Optimizer.adam rate) with
            Epochs = steps
            BatchSize = 8
            Progress = Progress.Silent }

    let trained =
        net
        |> Model.init Single (Key.ofSeed 3) (Batch.shape inputs)
        |> Trainer.fit trainer (Examples.create inputs targets)

    metric.Measure (Model.predict trained.Model inputs) targets

let private labels = Batch.labels (Array.init 8 (fun i -> i % 4))
let private sorted steps rate inputs net = learn steps rate Loss.crossEntropy Metric.accuracy inputs labels net

let private tiny =
    { Transformer.paper with
        Features = 16
        Heads = 2
        Inner = 32
        Blocks = 2
        Dropout = 0.0
        PreNorm = true }

let private tinyGpt =
    { Gpt.gpt2 with
        Vocabulary = 11
        Positions = 16
        Features = 16
        Blocks = 2
        Heads = 2 }

/// Different first ids, so that every text can be told from the others at its first step.
let private starts = Batch.tokens (Tensor.Of<int>(Array.init 48 (fun i -> if i % 6 = 0 then i / 6 else (i * 5) % 11), 8, 6))

let private next net = learn 200 1e-2 Loss.tokenCrossEntropy Metric.tokenAccuracy starts (ids 2 6 11) net
let private pairs = Batch.pair (ids 1 6 11) (ids 4 6 11)
let private translated net = learn 200 1e-2 Loss.tokenCrossEntropy Metric.tokenAccuracy pairs (ids 2 6 11) net
let private padded = Padded.tokens (Array.init 8 (fun i -> Array.init (3 + i % 4) (fun t -> (i * 7 + t * t) % 11)))

let private tinyBert =
    { Bert.basic with
        Vocabulary = 11
        Positions = 16
        Blocks = { tiny with PreNorm = false } }

let private segmented = Batch.pair (ids 1 6 11) (Batch.tokens (Tensor.Of<int>(Array.init 48 (fun i -> i % 6 / 3), 8, 6)))

/// Half of the steps were not masked.
let private masked =
    Batch.tokens (Tensor.Of<int>(Array.init 48 (fun i -> if i % 2 = 0 then -1 else (i * 3 + i / 6) % 11), 8, 6))

let private images =
    Batch.image (Random.Initializers.Gaussian(Key.ofSeed 5, ElementType.Float32, Shape [| 8; 1; 8; 8 |], 0.0, 1.0))

let private specimen name (learn: unit -> float) = { Name = name; Learn = learn; Least = 0.99 }

/// Every network over sequences.
let all: Specimen list =
    [ specimen "LanguageModel, RNN" (fun () -> next (LanguageModel.rnn 11 16 32 1))
      specimen "LanguageModel, LSTM" (fun () -> next (LanguageModel.lstm 11 16 32 2))
      specimen "LanguageModel, GRU" (fun () -> next (LanguageModel.gru 11 16 32 2))
      specimen "Gpt" (fun () -> next (Gpt.network tinyGpt))
      specimen "TextClassifier, LSTM" (fun () -> sorted 100 1e-2 padded (TextClassifier.recurrent 11 8 (lstm 12) 4))
      specimen "TextClassifier, CNN" (fun () -> sorted 300 1e-2 padded (TextClassifier.textCnn 11 8 [ 2; 3 ] 12 4))
      specimen "Seq2Seq" (fun () -> translated (Seq2Seq.network 11 11 16 32))
      specimen "Transformer" (fun () -> translated (Transformer.network tiny 11 11))
      specimen "Bert, masked" (fun () -> learn 300 3e-3 Loss.tokenCrossEntropy Metric.tokenAccuracy segmented masked (Bert.masked tinyBert))
      specimen "Bert" (fun () -> sorted 200 3e-3 segmented (Bert.classifier tinyBert 4))
      specimen "Vit" (fun () -> sorted 100 3e-3 images (Vit.network tiny 4 5 4)) ]

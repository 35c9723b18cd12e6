/// The recurrent layers of a language model alone: two of them, forward and backward of the sum of the outputs.
module DL.Bench.Recurrent

open DL
open DL.Core
open DL.Core.Ops
open DL.Core.Random
open DL.Bench.Timing

let private batch, time, inputs, hidden = 20, 35, 128, 256

let private numbers (seed: int) (extents: int[]) =
    let elements = Array.zeroCreate<float32> (Shape extents).Count
    Draw.Normal<float32>(Key.ofSeed seed, elements)
    Tensor.Of<float32>(elements |> Array.map (fun z -> z / 28.0f), extents)

/// Input weights, recurrent weights and both biases of a layer, with their gradients in the arena.
let private layer (arena: Arena) gates seed width : Tensor[] =
    [| [| width; gates * hidden |]; [| hidden; gates * hidden |]; [| gates * hidden |]; [| gates * hidden |] |]
    |> Array.mapi (fun i extents -> (numbers (seed + i) extents).Adopted arena :> Tensor)

/// A pass through a layer: its output, and the way back to the gradients.
type private Layer = Tensor[] -> Tensor -> struct (Tensor * (Tensor -> RecurrentGradients))

let private lstm: Layer =
    fun p x ->
        let pass = Lstm.Forward(x, p[0], p[1], p[2])
        struct (pass.Output, (fun dy -> Lstm.Backward(pass, dy)))

let private gru: Layer =
    fun p x ->
        let pass = Gru.Forward(x, p[0], p[1], p[2], p[3], null, null, GruForm.ResetAfter)
        struct (pass.Output, (fun dy -> Gru.Backward(pass, dy)))

let private core name gates (layerOf: Layer) =
    let arena = new Arena()
    let first, second = layer arena gates 10 inputs, layer arena gates 20 hidden
    let x = (numbers 1 [| batch; time; inputs |]).Adopted arena
    let ones = Tensor.Of<float32>(Array.create (batch * time * hidden) 1.0f, batch, time, hidden).Adopted arena

    { Name = $"rnn_lm_{name}_core"
      What = "recurrent layers alone, forward+backward"
      Per = "step"
      Batch = batch
      Call =
        fun () ->
            let struct (y, back) = layerOf first x
            let struct (_, backSecond) = layerOf second y
            // The input of the first layer is data: its gradient is not asked for.
            back ((backSecond ones).Input()) |> ignore
            arena.Reset() }

/// The groups of this file.
let groups =
    [ { Group = "rnn_lm"
        Build = fun () -> [ core "lstm" 4 lstm; core "gru" 3 gru ] } ]

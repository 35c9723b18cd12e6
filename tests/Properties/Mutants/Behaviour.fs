/// Layers that are wrong in what they remember, share, promise or touch.
module DL.Properties.Mutants.Behaviour

open DL
open DL.Core
open DL.Core.Ops
open DL.Core.Random
open DL.Laws
open DL.Properties.Mutants.Hand

let private each (f: float -> float) : Batch<Vec> -> Batch<Vec> = Batch.map (fun t -> Probe.ofNumbers t (Array.map f (Probe.numbers t)))

let private against fault right wrong = { Fault = fault; Right = right; Wrong = wrong; Claims = Claims.none }

/// A layer with another pullback.
let private pulled (change: Mode -> Pass<Vec, Vec> -> Batch<Vec> -> struct (Batch<Vec> * Grads)) (f: Layer<Vec, Vec>) : Layer<Vec, Vec> =
    { f with
        Apply =
            fun mode ps state x ->
                let pass = f.Apply mode ps state x
                { pass with Pullback = change mode pass } }

let private onInput (change: Pass<Vec, Vec> -> Batch<Vec> -> Batch<Vec> -> Batch<Vec>) =
    pulled (fun _ pass dy ->
        let struct (dx, dp) = pass.Pullback dy
        struct (change pass dy dx, dp))

let private dropOut = dropout 0.5

/// Dropout whose way back uses another mask, or none, or forgets the scale.
let private dropoutWith (back: Key -> Tensor -> Tensor) : Layer<Vec, Vec> =
    { dropOut with
        Apply =
            fun mode ps state x ->
                let pass = dropOut.Apply mode ps state x

                match mode, state with
                | Train, [| Draws key |] ->
                    { pass with
                        Pullback = fun dy -> struct (Batch.map (back key) dy, [||]) }
                | _ -> pass }

let private square = dense 4 --> tanh
let private net = dense 4 --> residual (tanh --> dense 4)
let private plainResidual = dense 4 --> tanh --> dense 4

/// Residual that forgets the short path on the way back.
let private forgetful: Layer<Vec, Vec> =
    { net with
        Apply =
            fun mode ps state x ->
                let pass = net.Apply mode ps state x

                { pass with
                    Pullback = (plainResidual.Apply mode ps state x).Pullback } }

let private sharedNet = dense 4 --> shared 2 (dense 4 --> tanh)
let private looseNet = dense 4 --> repeat 2 (dense 4 --> tanh)

/// Shared parameters whose gradient is the last copy's: overwritten instead of added.
let private lastCopy: Layer<Vec, Vec> =
    { sharedNet with
        Apply =
            fun mode ps state x ->
                let copies = Array.append ps ps[2..]
                let pass = looseNet.Apply mode copies state x

                { pass with
                    Pullback =
                        fun dy ->
                            let struct (dx, dp) = pass.Pullback dy
                            struct (dx, Array.append dp[..1] dp[4..]) } }

let private calls = ref 0

let private stateful: Layer<Vec, Vec> =
    tanh
    |> onInput (fun _ _ dx ->
        calls.Value <- calls.Value + 1
        each (fun v -> v * (1.0 + 1e-3 * float (calls.Value % 2))) dx)

let private scribble (t: Tensor) =
    match t with
    | :? Tensor<float> as d -> d.Write().Fill 0.5
    | :? Tensor<float32> as s -> s.Write().Fill 0.5f
    | _ -> ()

let private writesUpstream: Layer<Vec, Vec> =
    tanh
    |> pulled (fun _ pass dy ->
        let struct (dx, dp) = pass.Pullback dy
        let kept = Batch.map (fun t -> t.To t.ElementType) dx
        Batch.tensors dy |> List.iter scribble
        struct (kept, dp))

let private writesInput: Layer<Vec, Vec> =
    { tanh with
        Apply =
            fun mode ps state x ->
                let pass = tanh.Apply mode ps state x
                Batch.tensors x |> List.iter scribble
                pass }

let private halves (t: Tensor) : Tensor[] = Split.Forward(t, 1, [| t.Shape[1] / 2; t.Shape[1] - t.Shape[1] / 2 |])

let private side = dense 3
let private joined = concat [ side; side --> tanh ]

/// Exchanges the two halves of the upstream gradient.
let private crossed: Layer<Vec, Vec> =
    joined
    |> pulled (fun _ pass dy ->
        let parts = halves (Batch.tensor dy)
        pass.Pullback(Batch.vec (Concat.Forward(1, parts[1], parts[0]))))

let private forkOverwrites: Layer<Vec, Vec> =
    { square with
        Apply =
            fun mode ps state x ->
                let a = square.Apply mode ps state x

                { a with
                    Output = Batch.map (fun t -> Scale.Forward(t, 2.0)) a.Output
                    Pullback = fun dy -> a.Pullback dy } }

let private doubled: Layer<Vec, Vec> =
    square --> Layer.pure' "twice" id (fun (x: Batch<Vec>) -> struct (each ((*) 2.0) x, each ((*) 2.0)))

let private lowPrecision: Layer<Vec, Vec> =
    tanh
    |> onInput (fun _ dy dx -> if (Batch.tensor dy).ElementType = ElementType.Float32 then each ((*) 1.0005) dx else dx)

let private promises: Layer<Vec, Vec> =
    { tanh with
        Init =
            fun key shape ->
                { tanh.Init key shape with
                    Shape = Shape.vec (Shape.features shape + 1) } }

let private idle: Layer<Vec, Vec> =
    Layer.create
        "idle"
        [ "unused" ]
        []
        (fun _ shape -> struct (shape, [| Tensor.Filled(ElementType.Float64, Shape(System.ReadOnlySpan<int> [| 2 |]), 1.0) |], [||]))
        (fun _ ps state x ->
            { Output = x
              State = state
              Pullback = fun dy -> struct (dy, [| Scale.Forward(ps[0], 0.0) |]) })

let private neighbours: Layer<Vec, Vec> =
    Layer.pure' "centre" id (fun (x: Batch<Vec>) ->
        let centre =
            Batch.map (fun (t: Tensor) ->
                let mean = Mean.Forward(t, 0, true)
                Probe.ofNumbers t (Array.mapi (fun i v -> v - mean.At(i % t.Shape[1])) (Probe.numbers t)))

        struct (centre x, centre))

let private predictsNewState: Layer<Vec, Vec> =
    { dropOut with
        Apply =
            fun mode ps state x ->
                let pass = dropOut.Apply mode ps state x

                match mode, state with
                | Predict, [| Draws key |] -> { pass with State = [| Draws key.Next |] }
                | _ -> pass }

let private normed = batchNorm

let private predictsAsTrained: Layer<Vec, Vec> =
    { normed with
        Apply =
            fun mode ps state x ->
                let pass = normed.Apply mode ps state x
                { pass with Pullback = (normed.Apply Train ps state x).Pullback } }

/// The mutants of this file.
let mutants: Mutant list =
    [ against
          "dropout: scale forgotten on the way back"
          dropOut
          (dropoutWith (fun key dy -> Scale.Forward(Dropout.Backward(dy, 0.5, key), 0.5)))
      against "dropout: stale mask" dropOut (dropoutWith (fun key dy -> Dropout.Backward(dy, 0.5, key.Next)))
      against "dropout: no mask on the way back" dropOut (dropoutWith (fun _ dy -> dy))
      against "residual: short path forgotten" net forgetful
      against "shared: gradient of the last copy only" sharedNet lastCopy
      against "fork: one branch overwrites the other" doubled forkOverwrites
      against "concat: halves exchanged" joined crossed
      against "tanh: a second pullback differs" tanh stateful
      against "tanh: the upstream gradient is written to" tanh writesUpstream
      against "tanh: the input is written to" tanh writesInput
      against "tanh: wrong in float32 only" tanh lowPrecision
      against "tanh: Init promises another width" tanh promises
      against "idle: a parameter without gradient" (dense 3) idle
      against "tanh: a constant added to every gradient" tanh (tanh |> onInput (fun _ _ dx -> each ((+) 1e-3) dx))
      against "centre: examples meet" tanh neighbours
      against "dropout: prediction moves the key" dropOut predictsNewState
      { against "batchNorm: prediction differentiates the statistics of the batch" normed predictsAsTrained with
          Claims = { Claims.none with MixesExamples = true } } ]

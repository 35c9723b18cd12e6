/// What holds of recurrent operations beside their formulas: gates that keep, padding that touches nothing, time cut in two, batches permuted.
module DL.Properties.Ops.RecurrentIdentities

open System
open DL.Core
open DL.Core.Ops
open DL.Laws
open DL.Properties.Cases

/// One recurrent operation with its parameters: from input, states and lengths to the output and the last states, and to all gradients.
type private Net =
    { States: int
      Run: Tensor -> Tensor[] -> int[] | null -> Tensor[]
      Predict: Tensor -> Tensor[] -> int[] | null -> Tensor[]
      Back: Tensor -> Tensor[] -> int[] | null -> Tensor[] -> Tensor[] }

let private inputs = 3
let private all (tensors: (Tensor | null)[]) : Tensor[] = Array.choose Option.ofObj tensors

/// Input weights, recurrent weights, bias and recurrent bias.
let private weights (v: Vector) gates : Tensor[] =
    let draw n extents = Numbers.tensor v.Numbers ((Draw v.Seed).Branch(n).Bits()) extents
    let width = gates * v.Length
    [| draw 50 [ inputs; width ]; draw 51 [ v.Length; width ]; draw 52 [ width ]; draw 53 [ width ] |]

let private rnn (p: Tensor[]) : Net =
    let forward x (h: Tensor[]) lengths = Rnn.Forward(x, p[0], p[1], p[2], h[0], lengths)

    { States = 1
      Run =
        fun x h lengths ->
            let pass = forward x h lengths
            [| pass.Output; pass.Hidden |]
      Predict =
        fun x h lengths ->
            let struct (y, last) = Rnn.Predict(x, p[0], p[1], p[2], h[0], lengths)
            [| y; last |]
      Back =
        fun x h lengths dy ->
            let g = Rnn.Backward(forward x h lengths, dy[0], dy[1])
            all [| g.Input(); g.Hidden; g.Weight; g.Recurrent; g.Bias |] }

let private lstm (p: Tensor[]) : Net =
    let forward x (h: Tensor[]) lengths = Lstm.Forward(x, p[0], p[1], p[2], h[0], h[1], lengths)

    { States = 2
      Run =
        fun x h lengths ->
            let pass = forward x h lengths
            [| pass.Output; pass.Hidden; pass.Cell |]
      Predict =
        fun x h lengths ->
            let struct (y, last, cell) = Lstm.Predict(x, p[0], p[1], p[2], h[0], h[1], lengths)
            [| y; last; cell |]
      Back =
        fun x h lengths dy ->
            let g = Lstm.Backward(forward x h lengths, dy[0], dy[1], dy[2])
            all [| g.Input(); g.Hidden; g.Cell; g.Weight; g.Recurrent; g.Bias |] }

let private gru form (p: Tensor[]) : Net =
    let forward x (h: Tensor[]) lengths = Gru.Forward(x, p[0], p[1], p[2], p[3], h[0], lengths, form)

    { States = 1
      Run =
        fun x h lengths ->
            let pass = forward x h lengths
            [| pass.Output; pass.Hidden |]
      Predict =
        fun x h lengths ->
            let struct (y, last) = Gru.Predict(x, p[0], p[1], p[2], p[3], h[0], lengths, form)
            [| y; last |]
      Back =
        fun x h lengths dy ->
            let g = Gru.Backward(forward x h lengths, dy[0], dy[1])
            all [| g.Input(); g.Hidden; g.Weight; g.Recurrent; g.Bias; g.RecurrentBias |] }

let private kinds =
    [ "Rnn", 1, rnn
      "Lstm", 4, lstm
      "Gru reset before", 3, gru GruForm.ResetBefore
      "Gru reset after", 3, gru GruForm.ResetAfter ]

/// A batch of a case: its net, input, states, lengths, and gradients of everything the net puts out.
type private Trial = { Net: Net; X: Tensor; H: Tensor[]; Lengths: int[]; Dy: Tensor[] }

let private trial gates net (v: Vector) : Trial =
    let n, time = [| 1; 2; 5; 17 |][int (v.Seed % 4UL)], [| 1; 2; 3; 6 |][int (v.Seed / 4UL % 4UL)]
    let draw branch extents = Numbers.tensor v.Numbers ((Draw v.Seed).Branch(branch).Bits()) extents
    let net: Net = net (weights v gates)

    { Net = net
      X = draw 1 [ n; time; inputs ]
      H = Array.init net.States (fun s -> draw (2 + s) [ n; v.Length ])
      Lengths = Array.init n (fun i -> int ((v.Seed / 16UL + 5UL * uint64 i) % uint64 (time + 1)))
      Dy = Array.init (net.States + 1) (fun s -> draw (10 + s) (if s = 0 then [ n; time; v.Length ] else [ n; v.Length ])) }

let private same what (a: Tensor[]) (b: Tensor[]) = Evidence.exact what (Array.forall2 (fun (x: Tensor) y -> x.SameBits y) a b)
let private near what (a: Tensor[]) (b: Tensor[]) = Evidence.worst (Array.map2 (close what 1e-12) a b)
let private steps from count (x: Tensor) = Slice.Forward(x, 1, from, count)
let private rows from count (x: Tensor) = Slice.Forward(x, 0, from, count)

/// A sequence with something else in its padding.
let private spoilt (lengths: int[]) value (x: Tensor) : Tensor =
    let time, width = x.Shape[1], x.Shape[2]
    like x (numbers x |> Array.mapi (fun i e -> if i / width % time < lengths[i / width / time] then e else value))

let private padding (t: Trial) =
    let filled value = t.Net.Run (spoilt t.Lengths value t.X) t.H t.Lengths

    let back value =
        t.Net.Back (spoilt t.Lengths value t.X) t.H t.Lengths (Array.append [| spoilt t.Lengths value t.Dy[0] |] t.Dy[1..])

    let run, gradients = filled nan, back nan

    Evidence.worst
        [ same "outputs" (filled 1.0) run
          same "gradients" (back 1.0) gradients
          same "zeros in the padding" [| run[0]; gradients[0] |] [| spoilt t.Lengths 0.0 run[0]; spoilt t.Lengths 0.0 gradients[0] |] ]

let private shorter (t: Trial) =
    let n, time = t.X.Shape[0], t.X.Shape[1]
    let count = t.Lengths[0]
    let lengths = Array.create n count
    let long = t.Net.Run t.X t.H lengths
    let longBack = t.Net.Back t.X t.H lengths t.Dy
    let short = t.Net.Run (steps 0 count t.X) t.H null
    let shortBack = t.Net.Back (steps 0 count t.X) t.H null (Array.append [| steps 0 count t.Dy[0] |] t.Dy[1..])
    let first (all: Tensor[]) = Array.append [| Pad.Forward(all[0], 1, 0, time - count) |] all[1..]

    Evidence.worst [ same "outputs" long (first short); same "gradients" longBack (first shortBack) ]

let private alone (t: Trial) =
    let together = t.Net.Run t.X t.H t.Lengths
    let back = t.Net.Back t.X t.H t.Lengths t.Dy

    Evidence.worst
        [ for i in 0 .. t.Lengths.Length - 1 do
              let count = t.Lengths[i]
              let x, h = steps 0 count (rows i 1 t.X), Array.map (rows i 1) t.H
              let y = t.Net.Run x h null
              let dy = Array.append [| steps 0 count (rows i 1 t.Dy[0]) |] (Array.map (rows i 1) t.Dy[1..])
              let gradients = t.Net.Back x h null dy
              near "outputs" y (Array.append [| steps 0 count (rows i 1 together[0]) |] (Array.map (rows i 1) together[1..]))
              near "the input's gradient" gradients[..0] [| steps 0 count (rows i 1 back[0]) |]
              near "the states' gradients" gradients[1 .. t.Net.States] (Array.map (rows i 1) back[1 .. t.Net.States]) ]

let private cut (t: Trial) =
    let time = t.X.Shape[1]
    let count = t.Lengths[0]
    let whole = t.Net.Run t.X t.H null
    let first = t.Net.Run (steps 0 count t.X) t.H null
    let second = t.Net.Run (steps count (time - count) t.X) first[1..] null
    let wholeBack = t.Net.Back t.X t.H null t.Dy

    let secondBack =
        t.Net.Back (steps count (time - count) t.X) first[1..] null (Array.append [| steps count (time - count) t.Dy[0] |] t.Dy[1..])

    let carried = secondBack[1 .. t.Net.States]
    let firstBack = t.Net.Back (steps 0 count t.X) t.H null (Array.append [| steps 0 count t.Dy[0] |] carried)

    let sums =
        Array.map2 (fun (a: Tensor) b -> Add.Forward(a, b)) firstBack[t.Net.States + 1 ..] secondBack[t.Net.States + 1 ..]

    Evidence.worst
        [ near "outputs" whole (Array.append [| Concat.Forward(1, first[0], second[0]) |] second[1..])
          near "the input's gradient" wholeBack[..0] [| Concat.Forward(1, firstBack[0], secondBack[0]) |]
          near "the states' gradients" wholeBack[1 .. t.Net.States] firstBack[1 .. t.Net.States]
          near "the parameters' gradients" wholeBack[t.Net.States + 1 ..] sums ]

let private permuted (t: Trial) =
    let turned (x: Tensor) : Tensor =
        let n = x.Shape[0]
        like x (numbers x |> Array.chunkBySize (x.Count / n) |> Array.rev |> Array.concat)

    let plain = t.Net.Run t.X t.H t.Lengths
    let other = t.Net.Run (turned t.X) (Array.map turned t.H) (Array.rev t.Lengths)
    let back = t.Net.Back t.X t.H t.Lengths t.Dy
    let otherBack = t.Net.Back (turned t.X) (Array.map turned t.H) (Array.rev t.Lengths) (Array.map turned t.Dy)

    Evidence.worst
        [ near "outputs" plain (Array.map turned other)
          near "of examples" back[.. t.Net.States] (Array.map turned otherBack[.. t.Net.States])
          near "of parameters" back[t.Net.States + 1 ..] otherBack[t.Net.States + 1 ..] ]

let private threads (t: Trial) =
    // Wide enough, by repetition, for a second thread to be given rows.
    let wide (x: Tensor) : Tensor = Concat.Forward(0, Array.create 40 x)
    let x, h, dy = wide t.X, Array.map wide t.H, Array.map wide t.Dy
    let lengths = Array.concat (Array.replicate 40 t.Lengths)
    let run count = withThreads count (fun () -> Array.append (t.Net.Run x h lengths) (t.Net.Back x h lengths dy))
    same "one thread and three" (run 1) (run 3)

let private predicted (t: Trial) = same "the bits of Forward" (t.Net.Run t.X t.H t.Lengths) (t.Net.Predict t.X t.H t.Lengths)

let private everyKind: Law list =
    [ for name, gates, net in kinds do
          let law title evidence = law name title Positive [ Ordinary; Kinks ] (fun v -> evidence (trial gates net v))

          law "what lies in the padding reaches nothing" padding
          law "padded is shorter" shorter
          law "an example is alone in its batch" alone
          law "time may be cut in two" cut
          law "a batch may be permuted" permuted
          law "threads move no bit" threads
          law "prediction is the forward pass" predicted ]

/// States so wide that the products with their weights are cut into blocks of terms, and packed as such; the weights are small, so that roundings fade.
let private wideStates: Law list =
    [ for name, gates, net in kinds do
          Law.fact "an example is alone in its batch, wide states" name (fun () ->
              let small (p: Tensor[]) = net (p |> Array.map (fun w -> Scale.Forward(w, 0.05)))
              let wide seed = { Length = 150; Numbers = Ordinary; Seed = seed }
              Evidence.worst [ alone (trial gates small (wide 15UL)); alone (trial gates small (wide 31UL)) ]) ]

/// Weights of a case whose bias holds some gates open or shut.
let private held gates (fixedGates: (int * float) list) (v: Vector) : Tensor[] =
    let p = weights v gates
    let bias = numbers p[2]

    for gate, value in fixedGates do
        Array.fill bias (gate * v.Length) v.Length value

    [| p[0]; p[1]; like p[2] bias; p[3] |]

let private keeps name gates fixedGates net state =
    law name "gates held open and shut keep the state" Positive [ Ordinary; Kinks ] (fun v ->
        let t = trial gates (fun _ -> net (held gates fixedGates v)) v
        let last = t.Net.Run t.X t.H t.Lengths
        same "the state" [| last[1 + state] |] [| t.H[state] |])

let private reverse =
    law "ReverseTime" "twice is nothing, of whole numbers too" Positive [ Ordinary ] (fun v ->
        let t = trial 1 rnn v
        let ids = t.X.Map(fun e -> 100.0 * e).To ElementType.Int32

        Evidence.worst
            [ for x in [ t.X; ids ] do
                  let y = ReverseTime.Forward(x, t.Lengths)
                  Evidence.exact "back again" (ReverseTime.Forward(y, t.Lengths).SameBits x && y.ElementType = x.ElementType) ])

/// The laws of this file: they hold on every engine.
let laws: Law list =
    everyKind
    @ wideStates
    @ [ keeps "Lstm" 4 [ 0, -1e4; 1, 1e4 ] lstm 1
        keeps "Gru reset before" 3 [ 1, -1e4 ] (gru GruForm.ResetBefore) 0
        keeps "Gru reset after" 3 [ 1, 1e4 ] (gru GruForm.ResetAfter) 0
        reverse ]

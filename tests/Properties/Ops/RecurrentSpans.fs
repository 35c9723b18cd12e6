/// Recurrent operations over spans are those over tensors, whose parameters' gradients are added to; and what they say to arguments that do not fit.
module DL.Properties.Ops.RecurrentSpans

open System
open DL.Core
open DL.Core.Ops
open DL.Laws
open DL.Properties.Cases

let private inputs, time = 3, 4
let private lengths = [| 4; 0; 2; 1; 3; 4 |]
let private array (t: Tensor) = t.ToArray<float>()
let private room n = Array.create n nan
let private states = lengths.Length

/// Input, weights, recurrent weights, bias, state, cell, gradients of the output, of the last state and of the last cell.
let private drawn (v: Vector) gates : Tensor[] =
    let h = v.Length

    [| [ states; time; inputs ]
       [ inputs; gates * h ]
       [ h; gates * h ]
       [ gates * h ]
       [ states; h ]
       [ states; h ]
       [ states; time; h ]
       [ states; h ]
       [ states; h ] |]
    |> Array.mapi (fun i extents -> Numbers.tensor v.Numbers ((Draw v.Seed).Branch(i).Bits()) extents)

let private close what (a: float[]) (b: float[]) =
    Array.map2 (fun (x: float) y -> if x = y then 0.0 else abs (x - y) / (1.0 + abs x)) a b
    |> Array.fold Evidence.worse 0.0
    |> Evidence.within what 1e-12

let private ones n : float[] = Array.create n 1.0
let private less (x: float[]) = Array.map (fun v -> v - 1.0) x

let private rnn =
    law "Rnn" "over spans as over tensors, parameters' gradients added to" Positive [ Ordinary ] (fun v ->
        let h, t = v.Length, drawn v 1
        let a = Array.map array t
        let shape = RecurrentShape(states, time, inputs, h, lengths)
        let y, last, saved = room (states * time * h), room (states * h), room (Rnn.SavedLength shape)
        Rnn.Forward<float>(shape, a[0], a[1], a[2], a[3], a[4], Span<float> y, Span<float> last, Span<float> saved)
        let dgates, dh = room (Rnn.GradientLength shape), room (states * h)
        Rnn.Backward<float>(shape, a[2], saved, a[6], a[7], Span<float> dgates, Span<float> dh)
        let dw, dr, db = ones (inputs * h), ones (h * h), ones h
        Rnn.BackwardParameters<float>(shape, saved, dgates, Span<float> dw, Span<float> dr, Span<float> db)
        let dx = room (states * time * inputs)
        Rnn.BackwardInput<float>(shape, a[1], dgates, Span<float>(room (shape.Rows * inputs)), Span<float> dx)
        let pass = Rnn.Forward(t[0], t[1], t[2], t[3], t[4], lengths)
        let g = Rnn.Backward(pass, t[6], t[7])

        Evidence.worst
            [ close "outputs" (Array.append y last) (Array.append (array pass.Output) (array pass.Hidden))
              close "dx and dh" (Array.append dx dh) (Array.append (array (g.Input())) (array g.Hidden))
              close "dW and dR" (less (Array.append dw dr)) (Array.append (array g.Weight) (array g.Recurrent))
              close "db" (less db) (g.Bias |> Option.ofObj |> Option.get |> array) ])

let private lstm =
    law "Lstm" "over spans as over tensors, parameters' gradients added to" Positive [ Ordinary ] (fun v ->
        let h, t = v.Length, drawn v 4
        let a = Array.map array t
        let shape = RecurrentShape(states, time, inputs, h, lengths)
        let y, last, cell, saved = room (states * time * h), room (states * h), room (states * h), room (Lstm.SavedLength shape)

        Lstm.Forward<float>(
            shape,
            a[0],
            a[1],
            a[2],
            a[3],
            a[4],
            a[5],
            Span<float> y,
            Span<float> last,
            Span<float> cell,
            Span<float> saved
        )

        let dgates, dh, dc = room (Lstm.GradientLength shape), room (states * h), room (states * h)
        Lstm.Backward<float>(shape, a[2], saved, a[6], a[7], a[8], Span<float> dgates, Span<float> dh, Span<float> dc)
        let dw, dr, db = ones (inputs * 4 * h), ones (h * 4 * h), ones (4 * h)
        Lstm.BackwardParameters<float>(shape, saved, dgates, Span<float> dw, Span<float> dr, Span<float> db)
        let dx = room (states * time * inputs)
        Lstm.BackwardInput<float>(shape, a[1], dgates, Span<float>(room (shape.Rows * inputs)), Span<float> dx)
        let pass = Lstm.Forward(t[0], t[1], t[2], t[3], t[4], t[5], lengths)
        let g = Lstm.Backward(pass, t[6], t[7], t[8])

        Evidence.worst
            [ close "outputs" (Array.concat [ y; last; cell ]) (Array.concat [ array pass.Output; array pass.Hidden; array pass.Cell ])
              close
                  "dx, dh and dc"
                  (Array.concat [ dx; dh; dc ])
                  (Array.concat [ array (g.Input()); array g.Hidden; g.Cell |> Option.ofObj |> Option.get |> array ])
              close "dW and dR" (less (Array.append dw dr)) (Array.append (array g.Weight) (array g.Recurrent))
              close "db" (less db) (g.Bias |> Option.ofObj |> Option.get |> array) ])

let private gru form =
    law $"Gru {form}" "over spans as over tensors, parameters' gradients added to" Positive [ Ordinary ] (fun v ->
        let h, t = v.Length, drawn v 3
        let a = Array.map array t
        let shape = RecurrentShape(states, time, inputs, h, lengths)
        let y, last, saved = room (states * time * h), room (states * h), room (Gru.SavedLength shape)
        // The bias serves twice.
        Gru.Forward<float>(shape, form, a[0], a[1], a[2], a[3], a[3], a[4], Span<float> y, Span<float> last, Span<float> saved)
        let dgates, dh = room (Gru.GradientLength shape), room (states * h)
        Gru.Backward<float>(shape, form, a[2], saved, a[6], a[7], Span<float> dgates, Span<float> dh)
        let dw, dr, db, dc = ones (inputs * 3 * h), ones (h * 3 * h), ones (3 * h), ones (3 * h)
        Gru.BackwardParameters<float>(shape, form, saved, dgates, Span<float> dw, Span<float> dr, Span<float> db, Span<float> dc)
        let dx = room (states * time * inputs)
        Gru.BackwardInput<float>(shape, a[1], dgates, Span<float>(room (shape.Rows * inputs)), Span<float> dx)
        let pass = Gru.Forward(t[0], t[1], t[2], t[3], t[3], t[4], lengths, form)
        let g = Gru.Backward(pass, t[6], t[7])
        let given (bias: Tensor | null) = bias |> Option.ofObj |> Option.get |> array

        Evidence.worst
            [ close "outputs" (Array.append y last) (Array.append (array pass.Output) (array pass.Hidden))
              close "dx and dh" (Array.append dx dh) (Array.append (array (g.Input())) (array g.Hidden))
              close "dW and dR" (less (Array.append dw dr)) (Array.append (array g.Weight) (array g.Recurrent))
              close "both biases" (less (Array.append db dc)) (Array.append (given g.Bias) (given g.RecurrentBias)) ])

let private zeros element (extents: int list) : Tensor = Tensor.Zeros(element, Shape(ReadOnlySpan<int>(List.toArray extents)))
let private wide extents = zeros ElementType.Float64 extents

/// Whether a call says where its argument does not fit, and what of it.
let private refuses (kind: Type) (words: string list) (call: unit -> 'a) : Evidence =
    try
        call () |> ignore
        Evidence.exact $"""an exception that says {String.concat ", " words}""" false
    with :? DLException as error ->
        Evidence.exact
            $"{kind.Name} for {error.GetType().Name}: {error.Message}"
            (error.GetType() = kind && words |> List.forall error.Message.Contains)

let private refusals =
    Law.fact "arguments that do not fit are named" "recurrent operations" (fun () ->
        let x, w, r = wide [ 2; 3; 4 ], wide [ 4; 20 ], wide [ 5; 20 ]
        let shape, invalid = typeof<ShapeException>, typeof<InvalidArgumentException>
        let lstm (lengths: int[]) () = Lstm.Forward(x, w, r, lengths = lengths)

        Evidence.worst
            [ refuses shape [ "Lstm x" ] (fun () -> Lstm.Forward(wide [ 2; 3 ], w, r))
              refuses shape [ "Lstm weight"; "[4; 20]" ] (fun () -> Lstm.Forward(x, wide [ 3; 20 ], r))
              refuses shape [ "Lstm recurrent" ] (fun () -> Lstm.Forward(x, w, wide [ 5; 15 ]))
              refuses shape [ "Lstm bias" ] (fun () -> Lstm.Forward(x, w, r, wide [ 5 ]))
              refuses shape [ "Lstm cell" ] (fun () -> Lstm.Forward(x, w, r, cell = wide [ 3; 5 ]))
              refuses shape [ "Lstm lengths"; "2 lengths" ] (lstm [| 3 |])
              refuses invalid [ "Lstm lengths[1]"; "from 0 to 3"; "4" ] (lstm [| 3; 4 |])
              refuses invalid [ "lengths[0]"; "-1" ] (lstm [| -1; 4 |])
              refuses invalid [ "Lstm weight" ] (fun () -> Lstm.Forward(x, zeros ElementType.Float32 [ 4; 20 ], r))
              refuses invalid [ "Lstm" ] (fun () -> Lstm.Forward(zeros ElementType.Int32 [ 2; 3; 4 ], w, r))
              refuses shape [ "Lstm.Backward dCell" ] (fun () -> Lstm.Backward(Lstm.Forward(x, w, r), null, null, wide [ 2; 4 ]))
              refuses shape [ "Gru recurrentBias" ] (fun () -> Gru.Forward(x, wide [ 4; 15 ], wide [ 5; 15 ], null, wide [ 5 ]))
              refuses invalid [ "Gru form" ] (fun () -> Gru.Forward(x, wide [ 4; 15 ], wide [ 5; 15 ], form = enum<GruForm> 7))
              refuses shape [ "Gru.Backward dOutput" ] (fun () ->
                  Gru.Backward(Gru.Forward(x, wide [ 4; 15 ], wide [ 5; 15 ]), wide [ 2; 3; 4 ]))
              refuses shape [ "Rnn hidden" ] (fun () -> Rnn.Forward(x, wide [ 4; 5 ], wide [ 5; 5 ], null, wide [ 2; 4 ]))
              refuses invalid [ "Rnn.Backward dHidden" ] (fun () ->
                  Rnn.Backward(Rnn.Forward(x, wide [ 4; 5 ], wide [ 5; 5 ]), null, zeros ElementType.Float32 [ 2; 5 ]))
              refuses shape [ "ReverseTime" ] (fun () -> ReverseTime.Forward(wide [ 2 ]))
              refuses invalid [ "ReverseTime lengths[1]"; "4" ] (fun () -> ReverseTime.Forward(x, [| 0; 4 |]))
              refuses shape [ "Shape" ] (fun () -> RecurrentShape(-1, 1, 1, 1))
              refuses shape [ "Lstm saved" ] (fun () ->
                  let one: float[] = Array.zeroCreate 1
                  let four: float[] = Array.zeroCreate 4

                  Lstm.Forward<float>(
                      RecurrentShape(1, 1, 1, 1),
                      one,
                      four,
                      four,
                      four,
                      one,
                      one,
                      Span<float> one,
                      Span<float> one,
                      Span<float> one,
                      Span<float> one
                  )) ])

/// The laws of this file.
let laws: Law list = [ rnn; lstm; gru GruForm.ResetBefore; gru GruForm.ResetAfter; refusals ]

/// Operations over spans: input gradients are overwritten, parameter gradients are added to.
module DL.Properties.Ops.Spans

open System
open DL.Core
open DL.Core.Ops
open DL.Laws
open DL.Properties.Cases

let private rows = 5
let private array (t: Tensor) = t.ToArray<float>()

/// Runs a backward that writes dx and adds to parameter gradients, from nothing and from something.
let private prefilled subject (sizes: int -> int * int list) (run: Vector -> float[] -> float[][] -> unit) =
    law subject "a prefilled gradient becomes itself plus the fresh one; dx is overwritten" Positive [ Ordinary; Kinks ] (fun v ->
        let input, parameters = sizes v.Length
        let fresh = parameters |> List.map Array.zeroCreate |> Array.ofList
        // What is there before must not be read: NaN would spread.
        let dx, again = Array.create input nan, Array.create input nan
        run v dx fresh
        let before = parameters |> List.mapi (fun i n -> array (Numbers.tensor Ordinary (v.Seed + uint64 i) [ n ])) |> Array.ofList
        let filled = before |> Array.map Array.copy
        run v again filled

        let error =
            Array.map3 (Array.map3 (fun (b: float) (f: float) (g: float) -> abs (b + f - g) / (1.0 + abs b + abs f))) before fresh filled
            |> Array.concat
            |> Array.fold Evidence.worse 0.0

        Evidence.worst
            [ Evidence.exact "dx is overwritten" (dx = again && Array.forall Double.IsFinite dx)
              Evidence.within "prefill plus fresh" 1e-13 error ])

let private linear =
    prefilled "Linear" (fun n -> rows * n, [ n * 4; 4 ]) (fun v dx gradients ->
        let x, dz = array (matrix v 0 rows), array (matrix { v with Length = 4 } 1 rows)
        let w = array (matrix { v with Length = 4 } 2 v.Length)
        Linear.BackwardInput<float>(ReadOnlySpan<float> dz, ReadOnlySpan<float> w, rows, Span<float> dx)

        Linear.BackwardParameters<float>(
            ReadOnlySpan<float> x,
            ReadOnlySpan<float> dz,
            rows,
            Span<float> gradients[0],
            Span<float> gradients[1]
        ))

let private layerNorm =
    prefilled "LayerNorm" (fun n -> rows * n, [ n; n ]) (fun v dx gradients ->
        let x, dy, gamma = array (matrix v 0 rows), array (matrix v 1 rows), array (vector v 2)
        let y, mean, rstd = Array.zeroCreate (rows * v.Length), Array.zeroCreate rows, Array.zeroCreate rows

        LayerNorm.Forward<float>(
            ReadOnlySpan<float> x,
            ReadOnlySpan<float> gamma,
            ReadOnlySpan<float> gamma,
            1e-5,
            Span<float> y,
            Span<float> mean,
            Span<float> rstd
        )

        LayerNorm.Backward<float>(
            ReadOnlySpan<float> dy,
            ReadOnlySpan<float> x,
            ReadOnlySpan<float> gamma,
            ReadOnlySpan<float> mean,
            ReadOnlySpan<float> rstd,
            Span<float> dx,
            Span<float> gradients[0],
            Span<float> gradients[1]
        ))

let private rmsNorm =
    prefilled "RmsNorm" (fun n -> rows * n, [ n ]) (fun v dx gradients ->
        let x, dy, gamma = array (matrix v 0 rows), array (matrix v 1 rows), array (vector v 2)
        let y, rrms = Array.zeroCreate (rows * v.Length), Array.zeroCreate rows
        RmsNorm.Forward<float>(ReadOnlySpan<float> x, ReadOnlySpan<float> gamma, 1e-6, Span<float> y, Span<float> rrms)

        RmsNorm.Backward<float>(
            ReadOnlySpan<float> dy,
            ReadOnlySpan<float> x,
            ReadOnlySpan<float> gamma,
            ReadOnlySpan<float> rrms,
            Span<float> dx,
            Span<float> gradients[0]
        ))

let private aligned: Law =
    law "Relu" "any alignment gives the same bits" Free [ Ordinary; Kinks ] (fun v ->
        let x = numbers (vector v 0) |> Array.map float32
        let plain = Array.create x.Length nanf
        Relu.Forward<float32>(ReadOnlySpan<float32> x, Span<float32> plain)

        Evidence.worst
            [ for offset in 1..3 do
                  let from, to' = Array.append (Array.zeroCreate offset) x, Array.create (x.Length + offset) nanf
                  Relu.Forward<float32>(ReadOnlySpan<float32>(from, offset, x.Length), Span<float32>(to', offset, x.Length))
                  Evidence.exact $"at offset {offset}" (Array.skip offset to' = plain && Array.forall Single.IsNaN to'[.. offset - 1]) ])

// What is read or written beyond a span is somebody else's.
let private lengths =
    Law.fact "lengths that do not fit are refused" "Linear" (fun () ->
        let numbers n = Array.zeroCreate<float> n

        let refuses (run: unit -> unit) =
            try
                run ()
                false
            with :? DLException ->
                true

        let forward x weight bias rows y () =
            Linear.Forward<float>(
                ReadOnlySpan(numbers x),
                ReadOnlySpan(numbers weight),
                ReadOnlySpan(numbers bias),
                Activation.Identity,
                rows,
                Span(numbers y)
            )

        let backward x dz rows weight bias () =
            Linear.BackwardParameters<float>(
                ReadOnlySpan(numbers x),
                ReadOnlySpan(numbers dz),
                rows,
                Span(numbers weight),
                Span(numbers bias)
            )

        Evidence.worst
            [ Evidence.exact
                  "what fits"
                  (not (refuses (forward 6 6 3 3 9) || refuses (backward 6 9 3 6 3) || refuses (backward 0 0 0 0 3)))
              for name, run in
                  [ "bias", forward 6 6 4 3 9
                    "outputs without rows", forward 0 0 0 0 9
                    "inputs without rows", forward 4 0 0 0 0
                    "weight", forward 6 5 3 3 9
                    "gradient of the bias", backward 6 9 3 6 64
                    "gradient of the weight", backward 6 9 3 5 3
                    "gradients without rows", backward 0 9 0 0 3 ] do
                  Evidence.exact name (refuses run) ])

/// The laws of this file.
let laws: Law list = [ linear; lengths; layerNorm; rmsNorm; aligned ]

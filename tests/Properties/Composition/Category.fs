/// Chains and forks: the laws a reader may calculate with.
module DL.Properties.Composition.Category

open DL
open DL.Core
open DL.Laws
open DL.Properties.Composition.Nets

let private exact = Sameness.exact
let private renamed = { Sameness.strict with Names = true }
let private zeros (like: Tensor) : Tensor = Tensor.Zeros(like.ElementType, like.Shape)

/// f and, beside it, g whose output nobody looks at.
let private firstOfFork =
    law 2 "fork f g --> first = f" (fun nets trial ->
        let f, g = nets[0], nets[1]
        let forked = fork f g --> first
        let nf = f.Slots.Length

        Evidence.worst
            [ let probe = Probe.make Train forked trial
              let cells = f.Cells.Length

              let alone =
                  { Layer = f
                    Mode = Train
                    Params = Array.take nf probe.Params
                    State = Array.take cells probe.State
                    Input = probe.Input }

              let a, b = probe.Run, alone.Run
              let dy = Probe.upstream trial 0 a.Output
              let struct (dxa, dpa) = a.Pullback dy
              let struct (dxb, dpb) = b.Pullback dy
              let near s t = Probe.distance s t = 0.0
              Evidence.exact "the same output" (Probe.sameBits (Batch.tensors a.Output) (Batch.tensors b.Output))
              Evidence.exact "the same input gradient" (near (Batch.tensors dxa) (Batch.tensors dxb))
              Evidence.exact "the same gradients of f" (Probe.sameBits (Array.take nf dpa) dpb)
              Evidence.exact "no gradient for g" (near (Array.skip nf dpa) (Array.skip nf dpa |> Array.map zeros)) ])

let private distributes =
    law 3 "h --> fork f g = fork (h --> f) (h --> g)" (fun nets trial ->
        let h, f, g = nets[0], nets[1], nets[2]

        // Two copies of h would draw two masks.
        if not h.Cells.IsEmpty || not f.Cells.IsEmpty || not g.Cells.IsEmpty then
            Evidence.fine
        else
            let nh, nf = h.Slots.Length, f.Slots.Length
            let twice (p: Tensor[]) = Array.concat [ Array.take (nh + nf) p; Array.take nh p; Array.skip (nh + nf) p ]

            let merge (d: Tensor[]) =
                let add (a: Tensor) (b: Tensor) = Probe.ofNumbers a (Array.map2 (+) (Probe.numbers a) (Probe.numbers b))
                Array.concat [ Array.map2 add (Array.take nh d) (Array.sub d (nh + nf) nh); Array.sub d nh nf; Array.skip (2 * nh + nf) d ]

            let allowance = { renamed with Params = twice; Grads = merge; Rounding = 1e-9 }

            Sameness.within allowance (h --> fork f g) (fork (h --> f) (h --> g)) trial)

/// The laws of this file.
let laws: Law list =
    [ law 3 "(f --> g) --> h = f --> (g --> h)" (fun nets -> exact ((nets[0] --> nets[1]) --> nets[2]) (nets[0] --> (nets[1] --> nets[2])))
      law 1 "identity --> f = f" (fun nets -> exact (identity --> nets[0]) nets[0])
      law 1 "f --> identity = f" (fun nets -> exact (nets[0] --> identity) nets[0])
      law 2 "dup --> both f g = fork f g" (fun nets -> exact (dup --> both nets[0] nets[1]) (fork nets[0] nets[1]))
      law 1 "swap --> swap = identity" (fun nets -> exact (fork nets[0] identity --> swap --> swap) (fork nets[0] identity))
      firstOfFork
      distributes ]

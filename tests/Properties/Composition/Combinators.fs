/// What follows from chains and forks: branches, repetition, names, frozen and shared parameters.
module DL.Properties.Composition.Combinators

open DL
open DL.Core
open DL.Core.Ops
open DL.Laws
open DL.Properties.Composition.Nets

let private exact = Sameness.exact
let private strict = Sameness.strict
let private renamed = { strict with Names = true }

let private plus (a: Tensor) (b: Tensor) : Tensor = Probe.ofNumbers a (Array.map2 (+) (Probe.numbers a) (Probe.numbers b))

/// Exchanges the first n of an array with the rest.
let private exchange n (items: 'a[]) = Array.append (Array.skip n items) (Array.take n items)

/// A net that gives back a vector of the width it takes.
let private square (trial: Trial<Vec>) f = f --> dense (Shape.features trial.Shape)

let private addCommutes =
    law 2 "add f g = add g f" (fun nets trial ->
        let f, g = square trial nets[0], square trial nets[1]

        if not f.Cells.IsEmpty || not g.Cells.IsEmpty then
            Evidence.fine
        else
            let allowance =
                { renamed with
                    Params = exchange f.Slots.Length
                    Grads = exchange g.Slots.Length }

            Sameness.within allowance (add f g) (add g f) trial)

let private nothing: Layer<Vec, Vec> =
    let zero = Batch.map (fun (t: Tensor) -> Tensor.Zeros(t.ElementType, t.Shape))
    Layer.pure' "nothing" id (fun (x: Batch<Vec>) -> struct (zero x, zero))

let private concatAssociates =
    law 3 "concat [ concat [ f; g ]; h ] = concat [ f; g; h ]" (fun nets ->
        Sameness.within { renamed with Rounding = 1e-9 } (concat [ concat nets[..1]; nets[2] ]) (concat nets))

let private sharedSums =
    law 1 "shared n f = repeat n f with equal parameters, gradients summed" (fun nets trial ->
        let f = square trial nets[0]
        let n, k = 3, f.Slots.Length
        let sums (d: Tensor[]) = Array.init k (fun i -> Seq.init n (fun copy -> d[copy * k + i]) |> Seq.reduce plus)

        let allowance =
            { renamed with
                Params = fun p -> Array.concat (Array.replicate n p)
                Grads = sums
                Rounding = 1e-12 }

        Sameness.within allowance (shared n f) (repeat n f) trial)

let private frozenOf (f: Layer<Vec, Vec>) trial =
    let k = f.Slots.Length
    let probe = Probe.make Train f trial

    let still =
        { probe with
            Layer = frozen f
            Params = [||]
            State = Array.append (probe.Params |> Array.map Statistic) probe.State }

    let a, b = probe.Run, still.Run
    let dy = Probe.upstream trial 0 a.Output
    let struct (dxa, _) = a.Pullback dy
    let struct (dxb, dpb) = b.Pullback dy

    Evidence.worst
        [ Evidence.exact "no slots" (Layer.slots (frozen f) |> List.isEmpty && Array.isEmpty dpb)
          Evidence.exact "the same output" (Probe.sameBits (Batch.tensors a.Output) (Batch.tensors b.Output))
          Evidence.exact "the same input gradient" (Probe.sameBits (Batch.tensors dxa) (Batch.tensors dxb))
          Evidence.exact "the parameters stay in the state" (Probe.sameState (Array.take k b.State) (Array.take k still.State)) ]

let private scaled (c: float) (f: Layer<Vec, Vec>) =
    let by (ts: Tensor[]) : Tensor[] = ts |> Array.map (fun t -> Scale.Forward(t, c))
    reparam (Layer.slots f) id (fun ps -> struct (by ps, by)) f

let private halt =
    law 1 "stopGradient passes forward and nothing back" (fun nets trial ->
        let f = nets[0] --> stopGradient
        let a, b = (Probe.make Train f trial).Run, (Probe.make Train nets[0] trial).Run
        let struct (dx, dp) = a.Pullback(Probe.upstream trial 0 a.Output)
        let none = Seq.append (Batch.tensors dx) dp |> Seq.forall (Probe.numbers >> Array.forall ((=) 0.0))

        Evidence.worst
            [ Evidence.exact "the same output" (Probe.sameBits (Batch.tensors a.Output) (Batch.tensors b.Output))
              Evidence.exact "gradients that are exactly zero" none ])

let private fused =
    [ "relu", relu; "sigmoid", sigmoid; "tanh", tanh ]
    |> List.map (fun (name, activation) ->
        law 1 $"dense --> {name} in one kernel = in two" (fun nets ->
            Sameness.exact (nets[0] --> dense 5 --> activation) (unfused (nets[0] --> dense 5) activation)))

let private normalized =
    law 1 "batchNorm --> relu in one kernel = in two" (fun nets ->
        Sameness.exact (nets[0] --> dense 5 --> batchNorm --> relu) (unfused (unfused (nets[0] --> dense 5) batchNorm) relu))

/// What ends in a sum, from a part that gives back the width it takes.
let private sums: (string * (Layer<Vec, Vec> -> Layer<Vec, Vec>)) list =
    [ "add", (fun f -> add f f)
      "residual", residual
      "named residual", (fun f -> named "part" (residual f))
      "highway", (fun f -> highway f f)
      "residual of residual", (fun f -> residual (residual f)) ]

let private summed =
    [ for name, make in sums do
          law 1 $"{name} --> relu in one kernel = in two" (fun nets trial ->
              let f = make (square trial nets[0])
              Sameness.exact (f --> relu) (unfused f relu) trial) ]

/// The laws of this file.
let laws: Law list =
    [ yield! fused
      normalized
      yield! summed
      addCommutes
      concatAssociates
      sharedSums
      halt
      law 1 "residual of nothing = identity" (fun nets ->
          Sameness.within { renamed with ZeroSigns = true } (nets[0] --> residual nothing) nets[0])
      law 1 "repeat (2 + 1) f = repeat 2 f --> repeat 1 f" (fun nets trial ->
          let f = square trial nets[0]
          exact (repeat 3 f) (repeat 2 f --> repeat 1 f) trial)
      law 1 "repeat 0 f = identity" (fun nets -> exact (repeat 0 nets[0]) identity)
      law 1 "repeat 1 f = f" (fun nets trial ->
          let f = square trial nets[0]
          exact (repeat 1 f) f trial)
      law 1 "named changes names only" (fun nets -> Sameness.within renamed (named "part" nets[0]) nets[0])
      law 1 "named puts its name before every name" (fun nets _ ->
          let before = Layer.slots nets[0] @ Layer.cells nets[0]
          let after = Layer.slots (named "part" nets[0]) @ Layer.cells (named "part" nets[0])
          Evidence.exact "part. before every name" (after = List.map (fun name -> $"part.{name}") before))
      law 1 "frozen keeps output and input gradient" (fun nets -> frozenOf nets[0])
      law 1 "reparam composes" (fun nets -> Sameness.within renamed (scaled 2.0 (scaled 0.5 nets[0])) nets[0])
      law 1 "a chain begins where it would begin alone" (fun nets trial ->
          let key = Key.ofSeed (int trial.Seed)
          let f, g = nets[0], nets[0]
          let a = f.Init key trial.Shape
          let whole = (f --> g).Init key trial.Shape
          let b = g.Init (Key.skip (f.Slots.Length + f.Cells.Length) key) a.Shape
          Evidence.exact "initial parameters of the parts" (Probe.sameBits whole.Params (Array.append a.Params b.Params))) ]

/// Layers lifted to sequences, and recurrence.
module DL.Properties.Composition.Sequences

open FsCheck
open FsCheck.FSharp
open DL
open DL.Core
open DL.Laws

let private time, width = 5, 3

[<NoComparison>]
type private Case =
    { Nets: Architecture list
      Trial: Trial<Seq> }

    override this.ToString() =
        let nets = this.Nets |> List.map string |> String.concat " | "
        $"{nets}; {this.Trial}"

let private law count name (evidence: Layer<Vec, Vec> list -> Trial<Seq> -> Evidence) : Law =
    let generate =
        Gen.map3
            (fun nets examples seed ->
                { Nets = nets
                  Trial =
                    { Shape = Shape.seq (time, width)
                      Examples = examples
                      Numbers = Ordinary
                      Seed = seed } })
            (Gen.listOfLength count (Architecture.generate 2))
            (Gen.choose (1, 4))
            Generators.seed

    let shrink case =
        seq {
            for i in 0 .. count - 1 do
                for smaller in Architecture.shrink case.Nets[i] do
                    { case with Nets = List.updateAt i smaller case.Nets }
        }

    Law.create name "composition" (Arb.fromGenShrink (generate, shrink)) (fun case ->
        evidence (case.Nets |> List.map Architecture.build) case.Trial)

let private cell (f: Layer<Vec, Vec>) : Layer<Vec * Vec, Vec * Vec> = cat --> f --> dense 4 --> tanh --> dup

let private steps (from: int) (count: int) (x: Batch<Seq>) : Batch<Seq> =
    let t = Batch.tensor x
    Batch.seq (Ops.Slice.Forward(t, 1, from, count))

/// Running over all steps is running over some, and from there over the rest.
let private scanSplits =
    law 1 "scan over t1 ++ t2 = scan t2 from the state after t1" (fun nets trial ->
        let layer = scanFrom (cell nets[0])

        let pairTrial =
            { Shape = Shape.pair (Shape.vec 4) trial.Shape
              Examples = trial.Examples
              Numbers = Ordinary
              Seed = trial.Seed }

        let probe = Probe.make Train layer pairTrial
        let struct (h, x) = Batch.split probe.Input
        let whole = probe.Run
        let one = { probe with Input = Batch.pair h (steps 0 2 x) }.Run
        let struct (between, firstOutputs) = Batch.split one.Output

        let two =
            { probe with
                Input = Batch.pair between (steps 2 (time - 2) x)
                State = one.State }
                .Run

        let struct (last, outputs) = Batch.split whole.Output
        let struct (lastInParts, secondOutputs) = Batch.split two.Output
        let same (a: Batch<'a>) (b: Batch<'a>) = Probe.sameBits (Batch.tensors a) (Batch.tensors b)

        Evidence.worst
            [ Evidence.exact "the same last state" (same last lastInParts)
              Evidence.exact "the same first outputs" (same (steps 0 2 outputs) firstOutputs)
              Evidence.exact "the same later outputs" (same (steps 2 (time - 2) outputs) secondOutputs)
              Evidence.exact "the same random state" (Probe.sameState whole.State two.State) ])

/// The laws of this file.
let laws: Law list =
    [ law 2 "perToken (f --> g) = perToken f --> perToken g" (fun nets ->
          Sameness.exact (perToken (nets[0] --> nets[1])) (perToken nets[0] --> perToken nets[1]))
      law 0 "perToken identity = identity" (fun _ -> Sameness.exact (perToken identity) identity)
      scanSplits ]

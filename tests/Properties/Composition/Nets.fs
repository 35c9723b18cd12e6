/// Random networks as cases of the laws of composition.
module DL.Properties.Composition.Nets

open FsCheck
open FsCheck.FSharp
open DL
open DL.Laws

/// Some networks, and the input they are compared on.
[<NoComparison>]
type Case =
    { Nets: Architecture list
      Trial: Trial<Vec> }

    override this.ToString() =
        let nets = this.Nets |> List.map string |> String.concat " | "
        $"{nets}; {this.Trial}"

let private shrink (case: Case) =
    seq {
        for i in 0 .. case.Nets.Length - 1 do
            for smaller in Architecture.shrink case.Nets[i] do
                { case with Nets = List.updateAt i smaller case.Nets }

        for n in 1 .. Shape.features case.Trial.Shape - 1 do
            { case with Trial = { case.Trial with Shape = Shape.vec n } }
    }

/// So many networks of up to a depth.
let cases count depth : Arbitrary<Case> =
    let generate =
        Gen.map4
            (fun nets width examples seed ->
                { Nets = nets
                  Trial =
                    { Shape = Shape.vec width
                      Examples = examples
                      Numbers = Ordinary
                      Seed = seed } })
            (Gen.listOfLength count (Architecture.generate depth))
            (Gen.choose (1, 5))
            (Gen.choose (1, 5))
            Generators.seed

    Arb.fromGenShrink (generate, shrink)

/// A law about so many networks.
let law count name (evidence: Layer<Vec, Vec> list -> Trial<Vec> -> Evidence) : Law =
    Law.create name "composition" (cases count 2) (fun case -> evidence (case.Nets |> List.map Architecture.build) case.Trial)

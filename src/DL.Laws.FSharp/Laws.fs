namespace DL.Laws

open System
open System.Text
open FsCheck
open FsCheck.FSharp
open DL
open DL.Core

/// <summary>What a layer claims of itself; each claim takes a law away or adds one.</summary>
type Claims =
    {
        /// <summary>Examples of one batch influence each other, as in batch norm.</summary>
        MixesExamples: bool
        /// <summary>The pullback is meant to differ from the derivative, as in <c>stopGradient</c>.</summary>
        StopsGradient: bool
    }

/// <summary>Claims of layers.</summary>
[<RequireQualifiedAccess>]
module Claims =
    /// <summary>Examples are apart and the pullback is the derivative.</summary>
    let none: Claims = { MixesExamples = false; StopsGradient = false }

/// <summary>What all laws of a layer came to.</summary>
[<NoEquality; NoComparison>]
type Report =
    {
        /// <summary>The layer.</summary>
        Subject: string
        /// <summary>The settings of the run.</summary>
        Settings: Settings
        /// <summary>Every law with its verdict.</summary>
        Verdicts: (Law * Verdict) list
    }

    /// <summary>Whether every law holds.</summary>
    member this.Holds =
        this.Verdicts
        |> List.forall (fun (_, verdict) ->
            match verdict with
            | Holds _ -> true
            | Fails _ -> false)

    /// <summary>The laws that do not hold, with their counter-examples.</summary>
    member this.Broken =
        this.Verdicts
        |> List.choose (fun (law, verdict) ->
            match verdict with
            | Holds _ -> None
            | Fails counter -> Some(law, counter))

    /// <summary>A table of laws, cases and worst errors, and the counter-examples below it.</summary>
    override this.ToString() =
        let width = this.Verdicts |> List.map (fun (law, _) -> law.Name.Length) |> List.fold max 3
        let text = StringBuilder()
        let line (a: string) (b: string) (c: string) = text.AppendLine($"{a.PadRight width}  {b, 6}  {c}") |> ignore
        text.AppendLine($"{this.Subject}: {this.Settings.Cases} cases a law, seed {this.Settings.Seed}") |> ignore
        line "law" "cases" "worst error"

        for law, verdict in this.Verdicts do
            match verdict with
            | Holds(cases, worst) -> line law.Name (string cases) (if worst = 0.0 then "exact" else Evidence.number worst)
            | Fails counter -> line law.Name (string counter.Cases) "BROKEN"

        for law, counter in this.Broken do
            text.AppendLine().AppendLine(Law.explain law counter) |> ignore

        text.ToString().TrimEnd()

/// <summary>The front door: hold a layer to every law.</summary>
/// <remarks><c>Laws.check layer</c> throws with a counter-example; <c>Laws.report layer</c> gives a table. The number of cases and the seed come
/// from <c>DL_CASES</c> and <c>DL_SEED</c>, 100 and 1 by default.</remarks>
[<RequireQualifiedAccess>]
module Laws =
    let private examples = [ 1; 2; 3; 5; 8; 9 ]

    /// What a layer may be tried on: shapes, the first the simplest.
    let private trials (shapes: Shape<'x> list) (allowed: Numbers list) : Arbitrary<Trial<'x>> =
        let generate =
            Gen.map4
                (fun shape examples numbers seed -> { Shape = shape; Examples = examples; Numbers = numbers; Seed = seed })
                (Gen.elements shapes)
                (Gen.elements examples)
                (Generators.numbers allowed)
                Generators.seed

        let shrink (t: Trial<'x>) =
            seq {
                for shape in shapes |> Seq.takeWhile ((<>) t.Shape) do
                    { t with Shape = shape }

                for n in examples |> Seq.takeWhile ((<>) t.Examples) do
                    { t with Examples = n }

                for numbers in Generators.simplerNumbers allowed t.Numbers do
                    { t with Numbers = numbers }
            }

        Arb.fromGenShrink (generate, shrink)

    // Differences need a neighbourhood without kinks; what is compared bit for bit meets kinks and ties too.
    let private smooth = [ Ordinary; EqualRows ]
    let private any = [ Ordinary; Kinks; Ties; EqualRows; ConstantRows ]

    /// Laws whose claims are met, as a name, the numbers it is tried on, and its evidence.
    let private table (claims: Claims) : (string * Numbers list * (Layer<'x, 'y> -> Trial<'x> -> Evidence)) list =
        [ "Init's shapes are Apply's shapes", any, Conduct.shapes
          if not claims.StopsGradient then
              "pullback is the derivative (differences)", smooth, LayerLaws.derivative
          "pullback is linear", any, LayerLaws.linear
          "pullback of zero is zero", any, LayerLaws.zero
          "twice the same", any, Conduct.repeatable
          "nothing read is changed", any, Conduct.untouched
          "prediction keeps the state", any, Conduct.predictionKeepsState
          "prediction alone is Apply's output", any, Conduct.prediction
          "every parameter gets a gradient", [ Ordinary ], LayerLaws.parametersLive
          "float32 is float64, rounded", [ Ordinary ], Conduct.precision
          "workspace and heap agree", any, Conduct.workspace
          "going on along a sequence is one pass", [ Ordinary ], SequenceLaws.continued
          "going on beside what is constant is one pass", [ Ordinary ], SequenceLaws.beside
          if not claims.MixesExamples then
              "padding reaches nothing", any, SequenceLaws.padding
              "a padded sequence is a shorter one", [ Ordinary ], SequenceLaws.shorter
              "examples are apart", any, LayerLaws.examplesApart
              "parameter gradients add over examples", [ Ordinary ], LayerLaws.gradientsAdd ]

    /// Whether Init takes a shape; only a shape that does not fit is a no.
    let private takes (layer: Layer<'x, 'y>) (shape: Shape<'x>) =
        try
            layer.Init (Key.ofSeed 0) shape |> ignore
            true
        with :? ShapeException ->
            false

    let private over (claims: Claims) (subject: string) (shapes: Shape<'x> list) (layer: Layer<'x, 'y>) : Law list =
        // One or two features have no variance to speak of: what a norm makes of them is rounding.
        let wide = shapes |> List.filter (fun s -> not (List.contains (string s) [ "1"; "2" ]))

        table claims
        |> List.map (fun (name, numbers, evidence) ->
            let from = if numbers = [ Ordinary ] && not wide.IsEmpty then wide else shapes
            Law.create name subject (trials from numbers) (evidence layer))

    /// <summary>All laws of a layer at one shape of its input, whatever its kind.</summary>
    /// <param name="claims">What the layer claims of itself.</param>
    /// <param name="shape">The shape of one example.</param>
    /// <param name="layer">The layer.</param>
    let all (claims: Claims) (shape: Shape<'x>) (layer: Layer<'x, 'y>) : Law list =
        over claims $"{layer.About.Written} on {shape}" [ shape ] layer

    /// <summary>All laws of a layer over vectors, at every width from 1 to 33 it takes.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">It takes no such width.</exception>
    let allOfVectors (claims: Claims) (layer: Layer<Vec, Vec>) : Law list =
        let widths = [ 1; 2; 3; 5; 7; 8; 9; 15; 16; 17; 24; 31; 33 ]
        let others = [ 1..64 ] |> List.except widths
        let fitting candidates = candidates |> List.map Shape.vec |> List.filter (takes layer)

        match fitting widths with
        | [] ->
            match fitting others with
            | [] ->
                raise (
                    InvalidArgumentException(
                        "Laws.check",
                        "a layer that takes vectors of some width up to 64",
                        $"{layer.About}",
                        "Give the shape: Laws.checkAt (Shape.vec n) layer."
                    )
                )
            | shapes -> over claims layer.About.Written shapes layer
        | shapes -> over claims layer.About.Written shapes layer

    /// <summary>Tries laws and gathers their verdicts.</summary>
    let run (settings: Settings) (subject: string) (laws: Law list) : Report =
        { Subject = subject
          Settings = settings
          Verdicts = laws |> List.map (fun law -> law, law.Check settings) }

    /// <summary>The report of a layer over vectors.</summary>
    let report (layer: Layer<Vec, Vec>) : Report = allOfVectors Claims.none layer |> run (Settings.fromEnvironment ()) layer.About.Written

    /// <summary>The report of a layer of any kind at one shape of its input.</summary>
    let reportAt (shape: Shape<'x>) (layer: Layer<'x, 'y>) : Report =
        all Claims.none shape layer |> run (Settings.fromEnvironment ()) $"{layer.About.Written} on {shape}"

    /// <summary>Throws unless every law in a report holds.</summary>
    /// <exception cref="T:DL.Laws.LawBrokenException">A law does not hold; the message is the report.</exception>
    let demand (report: Report) : unit =
        if not report.Holds then
            raise (LawBrokenException(string report))

    /// <summary>Holds a layer over vectors to every law, at all widths it takes.</summary>
    /// <exception cref="T:DL.Laws.LawBrokenException">A law does not hold; the message shows the counter-example and how to replay it.</exception>
    /// <exception cref="T:DL.Core.InvalidArgumentException">The layer takes no width up to 64.</exception>
    let check (layer: Layer<Vec, Vec>) : unit = demand (report layer)

    /// <summary>Holds a layer of any kind to every law at one shape of its input: <c>Laws.checkAt (Shape.image (3, 8, 8)) layer</c>.</summary>
    /// <exception cref="T:DL.Laws.LawBrokenException">A law does not hold; the message shows the counter-example and how to replay it.</exception>
    let checkAt (shape: Shape<'x>) (layer: Layer<'x, 'y>) : unit = demand (reportAt shape layer)

    /// <summary>As <c>checkAt</c>, for a layer with claims of its own.</summary>
    /// <exception cref="T:DL.Laws.LawBrokenException">A law does not hold; the message shows the counter-example and how to replay it.</exception>
    let checkWith (claims: Claims) (shape: Shape<'x>) (layer: Layer<'x, 'y>) : unit =
        all claims shape layer |> run (Settings.fromEnvironment ()) $"{layer.About.Written} on {shape}" |> demand

    // A random network may well cut a parameter off, and sum up roundings without bound.
    let private fitForRandom claims : (string * Numbers list * (Layer<'x, 'y> -> Trial<'x> -> Evidence)) list =
        table claims
        |> List.filter (fun (name, _, _) -> name <> "every parameter gets a gradient" && name <> "float32 is float64, rounded")

    let private ofRandom subject claims cases (build: 'a -> Layer<'x, 'y>) =
        fitForRandom claims
        |> List.map (fun (name, _, evidence) ->
            Law.create name subject cases (fun struct (architecture, trial) -> evidence (build architecture) trial))

    let private smallerTrials (trial: Trial<'x>) =
        seq {
            for n in 1 .. trial.Examples - 1 do
                { trial with Examples = n }
        }

    let private cases generate (shrink: 'a -> 'a seq) (smaller: Trial<'x> -> Trial<'x> seq) =
        let all =
            Gen.map4 (fun architecture shape examples seed ->
                struct (architecture,
                        { Shape = shape
                          Examples = examples
                          Numbers = Ordinary
                          Seed = seed }))

        let less (struct (architecture, trial)) =
            seq {
                for simpler in shrink architecture do
                    struct (simpler, trial)

                for trial in Seq.append (smaller trial) (smallerTrials trial) do
                    struct (architecture, trial)
            }

        fun shapes -> Arb.fromGenShrink (all generate shapes (Gen.choose (1, 5)) Generators.seed, less)

    /// <summary>The laws of random networks up to depth 4: a shrinking, printable network in every case.</summary>
    let ofArchitectures: Law list =
        let narrower (trial: Trial<Vec>) =
            seq {
                for n in 1 .. Shape.features trial.Shape - 1 do
                    { trial with Shape = Shape.vec n }
            }

        let cases = cases (Architecture.generate 4) Architecture.shrink narrower (Gen.map Shape.vec (Gen.choose (1, 5)))
        ofRandom "random networks" { Claims.none with MixesExamples = true } cases Architecture.build

    /// <summary>The laws of random networks over sequences, recurrent and of attention, up to three parts deep; padding reaches nothing in any of them.</summary>
    let ofSequenceArchitectures: Law list =
        let shorter (trial: Trial<Seq>) =
            seq {
                for time in 1 .. (Shape.extents trial.Shape).Head - 1 do
                    { trial with Shape = SequenceArchitecture.shape time }
            }

        let shapes = Gen.map SequenceArchitecture.shape (Gen.choose (1, 6))
        let cases = cases (SequenceArchitecture.generate 3) SequenceArchitecture.shrink shorter shapes
        ofRandom "random networks over sequences" Claims.none cases SequenceArchitecture.build

namespace DL.Laws

open System
open System.Globalization
open FsCheck
open FsCheck.FSharp
open DL.Core

/// <summary>How many cases a law is tried on, and the seed they are drawn from.</summary>
type Settings =
    {
        /// <summary>The number of cases.</summary>
        Cases: int
        /// <summary>The seed: the same seed tries the same cases.</summary>
        Seed: uint64
    }

/// <summary>Settings of a run.</summary>
[<RequireQualifiedAccess>]
module Settings =
    let private parse (setting: string -> string | null) (name: string) (fallback: uint64) (least: uint64) (most: uint64) =
        match setting name with
        | null
        | "" -> fallback
        | text ->
            match UInt64.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture) with
            | true, n when n >= least && n <= most -> n
            | _ -> raise (InvalidArgumentException(name, $"a whole number from {least} to {most}", $"'{text}'"))

    /// <summary>100 cases from seed 1.</summary>
    let defaults: Settings = { Cases = 100; Seed = 1UL }

    /// The defaults, with what a lookup gives for DL_CASES and DL_SEED in their place.
    let internal from (setting: string -> string | null) : Settings =
        { Cases = int (parse setting "DL_CASES" (uint64 defaults.Cases) 1UL 1_000_000UL)
          Seed = parse setting "DL_SEED" defaults.Seed 0UL UInt64.MaxValue }

    /// <summary>The defaults, with <c>DL_CASES</c> and <c>DL_SEED</c> of the environment in their place where they are set.</summary>
    /// <exception cref="T:DL.Core.InvalidArgumentException">One of them is not a whole number.</exception>
    let fromEnvironment () : Settings = from Environment.GetEnvironmentVariable

/// <summary>The case a law does not hold in, made as small as it goes.</summary>
type CounterExample =
    {
        /// <summary>The smallest case found.</summary>
        Case: string
        /// <summary>What was compared there, and how far apart it lies.</summary>
        Detail: string
        /// <summary>The case as it was first met.</summary>
        First: string
        /// <summary>The number of cases up to and including that one.</summary>
        Cases: int
        /// <summary>The number of steps from the first case to the smallest.</summary>
        Shrinks: int
        /// <summary>The seed all cases came from.</summary>
        Seed: uint64
    }

/// <summary>What a law's cases came to.</summary>
type Verdict =
    /// <summary>The law held in every case; the worst error is the largest met.</summary>
    | Holds of cases: int * worstError: float
    /// <summary>The law does not hold.</summary>
    | Fails of CounterExample

/// <summary>A law as a value: what it is about, and how to try it.</summary>
[<NoEquality; NoComparison>]
type Law =
    {
        /// <summary>The law, such as <c>pullback is linear</c>.</summary>
        Name: string
        /// <summary>What is held to it, such as <c>dense 3</c>.</summary>
        Subject: string
        /// <summary>Tries the law.</summary>
        Check: Settings -> Verdict
    }

/// <summary>A law does not hold; the message shows the counter-example and how to see it again.</summary>
type LawBrokenException(message: string) =
    inherit Exception(message)

/// Keeps what FsCheck found instead of printing it.
type private Keeper() =
    member val Result: TestResult voption = ValueNone with get, set

    interface IRunner with
        member _.OnStartFixture _ = ()
        member _.OnArguments(_, _, _) = ()
        member _.OnShrink(_, _) = ()
        member this.OnFinished(_, result) = this.Result <- ValueSome result

/// <summary>Making laws and trying them.</summary>
[<RequireQualifiedAccess>]
module Law =
    let private attempt evidence case =
        try
            evidence case
        with error ->
            Evidence.thrown error

    let private shown (arguments: obj list) = arguments |> List.map string |> String.concat " "

    let private run (cases: Arbitrary<'case>) (evidence: 'case -> Evidence) (settings: Settings) : Verdict =
        let keeper = Keeper()
        let mutable worst = 0.0

        let property case =
            let e = attempt evidence case

            if Evidence.holds e then
                worst <- max worst e.Error

            Evidence.holds e

        let config =
            Config.Quick.WithMaxTest(settings.Cases).WithReplay(Some { Rnd = Rnd settings.Seed; Size = None }).WithRunner(keeper)

        Check.One(config, Prop.forAll cases property)

        match keeper.Result with
        | ValueSome(TestResult.Failed(data, first, smallest, _, _, _, _)) ->
            Fails
                { Case = shown smallest
                  Detail = (attempt evidence (unbox<'case> smallest.Head)).Detail()
                  First = shown first
                  Cases = data.NumberOfTests
                  Shrinks = data.NumberOfShrinks
                  Seed = settings.Seed }
        | _ -> Holds(settings.Cases, worst)

    /// <summary>A law over generated cases.</summary>
    /// <param name="name">The law.</param>
    /// <param name="subject">What is held to it.</param>
    /// <param name="cases">The cases, with their shrinker; a case's <c>ToString</c> is what a counter-example shows.</param>
    /// <param name="evidence">What one case says. An exception counts against the law.</param>
    let create (name: string) (subject: string) (cases: Arbitrary<'case>) (evidence: 'case -> Evidence) : Law =
        { Name = name; Subject = subject; Check = run cases evidence }

    /// <summary>A law of a single case.</summary>
    /// <param name="name">The law.</param>
    /// <param name="subject">What is held to it.</param>
    /// <param name="evidence">What the case says.</param>
    let fact (name: string) (subject: string) (evidence: unit -> Evidence) : Law =
        let check (settings: Settings) =
            let e = attempt evidence ()

            if Evidence.holds e then
                Holds(1, e.Error)
            else
                Fails
                    { Case = "the only one"
                      Detail = e.Detail()
                      First = "the only one"
                      Cases = 1
                      Shrinks = 0
                      Seed = settings.Seed }

        { Name = name; Subject = subject; Check = check }

    /// <summary>The subject and the law: <c>dense 3: pullback is linear</c>.</summary>
    let title (law: Law) : string = $"{law.Subject}: {law.Name}"

    /// <summary>What a broken law looks like on a page: the law, the smallest case, the error, and how to see it again.</summary>
    let explain (law: Law) (counter: CounterExample) : string =
        [ $"Law broken: {title law}"
          $"  case    {counter.Case}"
          $"  found   {counter.Detail}"
          if counter.First <> counter.Case then
              $"  first   {counter.First} (case {counter.Cases}, {counter.Shrinks} steps to the smallest)"
          $"  replay  DL_SEED={counter.Seed} (all cases are drawn from it)" ]
        |> String.concat "\n"

    /// <summary>Tries a law and throws when it does not hold.</summary>
    /// <exception cref="T:DL.Laws.LawBrokenException">The law does not hold.</exception>
    let demand (settings: Settings) (law: Law) : unit =
        match law.Check settings with
        | Holds _ -> ()
        | Fails counter -> raise (LawBrokenException(explain law counter))

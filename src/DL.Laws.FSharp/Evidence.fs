namespace DL.Laws

open System.Globalization

/// <summary>What one case says about a law: an error, the bound it must keep, and what was compared.</summary>
/// <remarks>The law holds in the case when the error is at most the bound; an error that is not a number breaks it.</remarks>
[<NoEquality; NoComparison>]
type Evidence =
    {
        /// <summary>The error that was found; 0 is perfect.</summary>
        Error: float
        /// <summary>The largest error the law allows; 0 for laws that hold bit for bit.</summary>
        Bound: float
        /// <summary>What was compared, said only when it is asked for.</summary>
        Detail: unit -> string
    }

/// <summary>Making and joining evidence.</summary>
[<RequireQualifiedAccess>]
module Evidence =
    let internal number (x: float) = x.ToString("0.#e+0", CultureInfo.InvariantCulture)

    /// The larger error; one that is not a number is the largest of all.
    let internal worse (a: float) (b: float) = if System.Double.IsNaN a || b <= a then a else b

    /// <summary>Whether the law holds in the case.</summary>
    let holds (evidence: Evidence) : bool = evidence.Error <= evidence.Bound

    /// <summary>Evidence of nothing wrong.</summary>
    let fine: Evidence = { Error = 0.0; Bound = 0.0; Detail = fun () -> "nothing to object" }

    /// <summary>An error under a bound.</summary>
    /// <param name="what">What is compared with what.</param>
    /// <param name="bound">The largest error allowed.</param>
    /// <param name="error">The error found; its sign does not count.</param>
    let within (what: string) (bound: float) (error: float) : Evidence =
        let error = abs error

        { Error = error
          Bound = bound
          Detail = fun () -> $"{what}: error {number error}, at most {number bound} allowed" }

    /// <summary>A law that holds exactly or not at all.</summary>
    /// <param name="what">What must hold.</param>
    /// <param name="holds">Whether it does.</param>
    let exact (what: string) (holds: bool) : Evidence =
        if holds then
            fine
        else
            { Error = infinity
              Bound = 0.0
              Detail = fun () -> $"not so: {what}" }

    /// <summary>Evidence that an exception was thrown where none belongs.</summary>
    let thrown (error: exn) : Evidence =
        { Error = infinity
          Bound = 0.0
          Detail = fun () -> $"{error.GetType().Name}: {error.Message}" }

    // How far past its bound: comparable between laws of different bounds.
    let private badness (e: Evidence) =
        if not (holds e) then infinity
        elif e.Bound = 0.0 then 0.0
        else e.Error / e.Bound

    /// <summary>The worst of several pieces of evidence: the first that breaks the law, else the one nearest its bound.</summary>
    let worst (all: Evidence seq) : Evidence = all |> Seq.fold (fun kept next -> if badness next > badness kept then next else kept) fine

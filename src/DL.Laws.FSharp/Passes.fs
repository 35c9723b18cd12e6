namespace DL.Laws

open DL
open DL.Core

/// What the laws of layers share.
[<AutoOpen>]
module internal Passes =
    let tensorsOf (dx: Batch<'x>) (dp: Grads) = (Batch.parts dx |> List.filter Probe.isReal) @ List.ofArray dp

    let back (pass: Pass<'x, 'y>) dy =
        let struct (dx, dp) = pass.Pullback dy
        tensorsOf dx dp

    let inModes (evidence: Mode -> Evidence) = Evidence.worst [ evidence Train; evidence Predict ]

    // A number within rounding of a kink breaks a law of differences about once in a million draws; a mistake breaks it in nearly all.
    let confirmed (evidence: Trial<'x> -> Evidence) (trial: Trial<'x>) =
        let first = evidence trial

        if Evidence.holds first then
            first
        else
            [ 1UL; 2UL ]
            |> List.map (fun k -> evidence { trial with Seed = trial.Seed + 7919UL * k })
            |> List.tryFind (Evidence.holds >> not)
            |> function
                | Some _ -> first
                | None -> Evidence.fine

    let everything (probe: Probe<'x, 'y>) trial =
        let pass = probe.Run
        let dy = Probe.upstream trial 0 pass.Output
        Batch.parts pass.Output, back pass dy

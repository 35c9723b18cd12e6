/// The law kit under laws of its own: how laws are tried, shrunk, replayed and told.
module DL.Properties.Kit.Running

open System
open System.Text.Json
open DL
open DL.Core
open DL.Laws
open DL.Properties.Cases

let private fact name check = Law.fact name "the law kit" check
let private hundred = Settings.defaults

let private counter (law: Law) settings =
    match law.Check settings with
    | Fails counter -> Some counter
    | Holds _ -> None

/// A law that fails from a length on.
let private short limit = law "a vector" "is short" Positive [ Ordinary ] (fun v -> Evidence.exact "short" (v.Length < limit))

let private throws (kind: Type) (action: unit -> unit) =
    try
        action ()
        Evidence.exact $"{kind.Name} is thrown" false
    with error ->
        Evidence.exact $"{kind.Name} is thrown, not {error.GetType().Name}" (kind.IsInstanceOfType error)

let private wrong: Layer<Vec, Vec> =
    Layer.pure' "wrong" id (fun (x: Batch<Vec>) ->
        let twice = Batch.map (fun t -> Ops.Scale.Forward(t, 2.0))
        struct (twice x, id))

let private entry held =
    { Subject = "a"
      Law = "|b|"
      Cases = 3
      Seed = 5UL
      WorstError = (if held then 1e-9 else nan)
      Held = held }

/// The settings where the environment holds one variable.
let private set name value () = Settings.from (fun asked -> if asked = name then value else null)

/// The laws of this file.
let laws: Law list =
    [ fact "a counter-example is the smallest" (fun () ->
          match counter (short 8) hundred with
          | Some c -> Evidence.exact $"length 8 in {c.Case}" (c.Case.StartsWith "length 8,")
          | None -> Evidence.exact "a counter-example" false)
      fact "the same seed finds the same counter-example" (fun () ->
          let find seed = counter (short 30) { hundred with Seed = seed } |> Option.map _.First
          Evidence.exact "the same first case" (find 3UL = find 3UL && find 3UL <> find 4UL))
      fact "an error that is not a number breaks a law" (fun () ->
          let law = law "a number" "is small" Positive [ Ordinary ] (fun _ -> Evidence.within "it" 1.0 nan)
          Evidence.exact "broken" (counter law hundred).IsSome)
      fact "an error counts by its size" (fun () ->
          Evidence.worst
              [ for error in [ -2.0; 2.0 ] ->
                    Evidence.exact $"{error} is no error of at most 1" (not (Evidence.holds (Evidence.within "it" 1.0 error))) ])
      fact "an exception breaks a law and is told" (fun () ->
          let law = law "a number" "is there" Positive [ Ordinary ] (fun _ -> failwith "gone")
          Evidence.exact "broken, and why" (counter law hundred |> Option.exists (fun c -> c.Detail.Contains "gone")))
      fact "a broken law tells the case, the error and the seed" (fun () ->
          let text = Laws.allOfVectors Claims.none wrong |> Laws.run hundred "wrong" |> string
          let said = [ "pullback is the derivative"; "DL_SEED=1"; "input 1"; "BROKEN" ]
          Evidence.exact $"all of it in {text}" (said |> List.forall text.Contains))
      fact "check throws for a wrong layer and returns for a right one" (fun () ->
          Laws.check tanh
          throws typeof<LawBrokenException> (fun () -> Laws.check wrong))
      fact "check says so when a layer takes no width" (fun () ->
          let picky: Layer<Vec, Vec> =
              Layer.pure' "picky" (fun s -> raise (ShapeException("picky", "another shape", $"{s}"))) (fun x -> struct (x, id))

          throws typeof<InvalidArgumentException> (fun () -> Laws.check picky))
      fact "layers of every kind can be checked" (fun () ->
          Laws.checkAt (Shape.image (2, 3, 4)) flatten
          Laws.checkAt (Shape.seq (4, 3)) (perToken (dense 2))
          Laws.checkAt (Shape.pair (Shape.vec 3) (Shape.vec 3)) sum
          Laws.checkWith { Claims.none with MixesExamples = true } (Shape.vec 4) batchNorm
          Evidence.fine)
      fact "settings come from the environment and are refused when they are no numbers" (fun () ->
          Evidence.worst
              [ Evidence.exact "cases" ((set "DL_CASES" "7" ()).Cases = 7)
                Evidence.exact "seed" ((set "DL_SEED" "9" ()).Seed = 9UL)
                throws typeof<InvalidArgumentException> (set "DL_CASES" "many" >> ignore)
                throws typeof<InvalidArgumentException> (set "DL_CASES" "0" >> ignore) ])
      fact "a certificate is a table and a document" (fun () ->
          let entries = [ entry true; entry false ]
          let text = Certificate.markdown [ "managed" ] (fun _ -> Some "left") entries
          use document = JsonDocument.Parse(Certificate.json [ "managed" ] (fun _ -> None) entries)
          let held = [ for e in document.RootElement.GetProperty("laws").EnumerateArray() -> e.GetProperty("held").GetBoolean() ]

          Evidence.worst
              [ Evidence.exact "both laws" (held = [ true; false ])
                Evidence.exact
                    "bars, kinks and verdicts"
                    ([ @"\|b\|"; "At its kinks: left"; "BROKEN"; "1.0e-9"; "1 of 2 laws" ] |> List.forall text.Contains) ]) ]

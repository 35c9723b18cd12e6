/// By reflection: no operation, loss, optimizer or layer escapes the laws.
module DL.Properties.Structure.Coverage

open System
open System.Reflection
open DL
open DL.Core
open DL.Laws

let private core = typeof<Tensor>.Assembly
let private language = typeof<Mode>.Assembly

let private isStatic (t: Type) = t.IsAbstract && t.IsSealed
let private methods (t: Type) = t.GetMethods(BindingFlags.Public ||| BindingFlags.Static)

let private staticClasses space (has: string -> bool) =
    core.GetExportedTypes()
    |> Array.filter (fun t -> t.Namespace = space && isStatic t && methods t |> Array.exists (fun m -> has m.Name))
    |> Array.map _.Name
    |> List.ofArray

let private all what (wanted: string list) (known: string list) =
    let missing = List.except known wanted

    Evidence.worst
        [ Evidence.exact $"some {what} found" (not wanted.IsEmpty)
          Evidence.exact $"""laws for every {what}; none for {String.concat ", " missing}""" missing.IsEmpty ]

let private sourceName (m: MemberInfo) =
    match m.GetCustomAttribute<CompilationSourceNameAttribute>() with
    | null -> if m.Name = "op_MinusMinusGreater" then "-->" else m.Name
    | named -> named.SourceName

let private isLayer (t: Type) = t.IsGenericType && t.GetGenericTypeDefinition() = typedefof<Layer<_, _>>

/// The names of all public functions and values that give a layer.
let layers: string list =
    [ for t in language.GetExportedTypes() do
          if isStatic t && t.Namespace = "DL" then
              for m in methods t do
                  if isLayer m.ReturnType then
                      if m.IsSpecialName && m.Name.StartsWith "get_" then m.Name.Substring 4 else sourceName m ]
    |> List.distinct

let private networks =
    language.GetExportedTypes()
    |> Array.filter (fun t -> isStatic t && t.Namespace = "DL.Models")
    |> Array.map _.Name
    |> List.ofArray

/// The laws of this file.
let laws (operations: string list) (optimizers: string list) (specimens: string list) (zoo: string list) : Law list =
    let fact name check = Law.fact name "the suite" check

    [ fact "every operation with a Backward has laws" (fun () ->
          all "operation" (staticClasses "DL.Core.Ops" _.StartsWith("Backward")) operations)
      fact "every loss has laws" (fun () -> all "loss" (staticClasses "DL.Core.Losses" ((=) "Evaluate")) operations)
      fact "every optimizer has laws" (fun () ->
          all "optimizer" (staticClasses "DL.Core.Optimizers" (fun name -> name = "Step" || name = "Apply")) optimizers)
      fact "every layer of the language has laws" (fun () -> all "layer" layers specimens)
      fact "every network is trained" (fun () -> all "network" networks zoo) ]

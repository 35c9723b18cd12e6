/// Every public member says what it does.
module DL.Properties.Structure.Documentation

open System
open System.IO
open System.Reflection
open System.Xml.Linq
open DL
open DL.Core
open DL.Laws

/// The ids of all members with a summary that says something.
let private documented (assembly: Assembly) : Set<string> =
    let document = XDocument.Load(string (Path.ChangeExtension(assembly.Location, ".xml")))

    set
        [ for m in document.Descendants(XName.Get "member") do
              let said = not (Seq.isEmpty (m.Elements(XName.Get "inheritdoc")))

              let summary = m.Elements(XName.Get "summary") |> Seq.exists (fun s -> s.Value.Trim() <> "" || s.HasElements)

              if said || summary then
                  match m.Attribute(XName.Get "name") with
                  | null -> ()
                  | name -> name.Value ]

let private own = BindingFlags.Public ||| BindingFlags.Static ||| BindingFlags.Instance ||| BindingFlags.DeclaredOnly
let private path (t: Type) = (string t.FullName).Replace('+', '.')

/// The id of a method, property or field, up to its parameters.
let private ids (t: Type) : string list =
    [ for m in t.GetMethods own do
          if not (m.Name.StartsWith "get_" || m.Name.StartsWith "set_") then
              m.Name
      for p in t.GetProperties own do
          p.Name
      for f in t.GetFields own do
          f.Name ]

// What the compilers add to records, unions, enumerations and delegates has no source to be documented.
let private added =
    set
        [ yield!
              [ "Equals"
                "GetHashCode"
                "CompareTo"
                "ToString"
                "Tag"
                "Deconstruct"
                "op_Equality"
                "op_Inequality"
                "Item" ]
          yield! [ "<Clone>$"; "value__"; "Invoke"; "BeginInvoke"; "EndInvoke" ] ]

let private isUnion (t: Type) = FSharp.Reflection.FSharpType.IsUnion t

/// The cases of unions and what tells them apart; their parts are documented with the case.
let private isOfUnion (t: Type) (name: string) =
    let inCase =
        match t.DeclaringType with
        | null -> false
        | outer -> isUnion outer

    inCase || isUnion t && (name.StartsWith "Is" || name.StartsWith "New")

let private isAdded (t: Type) (name: string) =
    added.Contains name
    || name.Contains '@'
    || isOfUnion t name
    // The properties of a positional record are documented as its parameters.
    || t.GetMethods(BindingFlags.NonPublic ||| BindingFlags.Instance)
       |> Array.exists (fun m -> m.Name = "PrintMembers")

let private missing (assembly: Assembly) =
    let known = documented assembly |> Set.map (fun id -> id.Substring 2)
    let says (name: string) = known.Contains name || known |> Set.exists (fun k -> k.StartsWith $"{name}(" || k.StartsWith $"{name}``")

    [ for t in assembly.GetExportedTypes() do
          if t.Name <> "Tags" then
              if not (says (path t)) then
                  path t

              for name in ids t do
                  if not (isAdded t name) && not (says $"{path t}.{name}") then
                      $"{path t}.{name}" ]
    |> List.distinct

let private law (assembly: Assembly) =
    Law.fact "every public member has a summary" (string (assembly.GetName().Name)) (fun () ->
        let silent = missing assembly
        let shown = String.concat ", " (List.truncate 20 silent)
        Evidence.exact $"all documented; {silent.Length} are not: {shown}" silent.IsEmpty)

/// The laws of this file.
let laws: Law list = [ typeof<Tensor>.Assembly; typeof<Mode>.Assembly; typeof<Law>.Assembly ] |> List.map law

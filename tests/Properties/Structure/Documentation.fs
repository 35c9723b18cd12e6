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

/// The id of a type, method, property or field up to its parameters.
let private ids (t: Type) : (string * string) list =
    let kinds =
        [ for m in t.GetMethods own do
              if not m.IsSpecialName || m.Name.StartsWith "op_" then
                  "M", m.Name
          for p in t.GetProperties own do
              "P", p.Name
          for f in t.GetFields own do
              if not f.IsSpecialName then
                  "F", f.Name ]

    kinds |> List.map (fun (kind, name) -> kind, $"{path t}.{name}")

// What the compilers make for records, unions and enumerations has no source to be documented.
let private made (t: Type) =
    typeof<Exception>.IsAssignableFrom t |> ignore

    set
        [ "Equals"
          "GetHashCode"
          "CompareTo"
          "ToString"
          "Tag"
          "Deconstruct"
          "op_Equality"
          "op_Inequality"
          "Item"
          "Item1"
          "Item2"
          "Item3"
          "<Clone>$"
          "EqualityContract"
          "PrintMembers"
          "value__"
          "Invoke"
          "BeginInvoke"
          "EndInvoke" ]

let private isMade (t: Type) (name: string) =
    let last = name.Substring(name.LastIndexOf '.' + 1)

    (made t).Contains last
    || last.StartsWith "New"
    || last.StartsWith "Is"
    || t.Name = "Tags"
    // The constructor parameters of a record are documented as its properties.
    || not (isNull (t.GetMethod("<Clone>$")))

let private missing (assembly: Assembly) =
    let known = documented assembly

    let says (kind: string) (name: string) =
        let plain = $"{kind}:{name}"
        known.Contains plain || known |> Set.exists (fun k -> k.StartsWith($"{plain}(") || k.StartsWith($"{plain}``"))

    [ for t in assembly.GetExportedTypes() do
          if t.IsNested && t.Name = "Tags" then
              ()
          else
              if not (says "T" (path t)) then
                  path t

              for kind, name in ids t do
                  if not (says kind name) && not (isMade t name) then
                      name ]
    |> List.distinct

let private law (assembly: Assembly) =
    Law.fact "every public member has a summary" (string (assembly.GetName().Name)) (fun () ->
        let silent = missing assembly
        let shown = String.concat ", " (List.truncate 20 silent)
        Evidence.exact $"all documented; {silent.Length} are not: {shown}" silent.IsEmpty)

/// The laws of this file.
let laws: Law list = [ typeof<Tensor>.Assembly; typeof<Mode>.Assembly; typeof<Law>.Assembly ] |> List.map law

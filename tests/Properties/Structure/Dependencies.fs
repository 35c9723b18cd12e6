/// Who uses whom, read from the instructions of the built assemblies.
module DL.Properties.Structure.Dependencies

open System
open System.Collections.Generic
open System.Reflection
open System.Reflection.Emit
open DL
open DL.Core
open DL.Laws

let private everything =
    BindingFlags.Public
    ||| BindingFlags.NonPublic
    ||| BindingFlags.Static
    ||| BindingFlags.Instance
    ||| BindingFlags.DeclaredOnly

let private opcodes =
    dict
        [ for field in typeof<OpCodes>.GetFields(BindingFlags.Public ||| BindingFlags.Static) do
              match field.GetValue null with
              | :? OpCode as code -> int (uint16 code.Value), code.OperandType
              | _ -> () ]

/// The metadata tokens among a body's operands.
let private tokens (il: byte[]) : int list =
    let found = List<int>()
    let mutable at = 0

    while at < il.Length do
        let wide = il[at] = 0xFEuy
        let code = if wide then 0xFE00 ||| int il[at + 1] else int il[at]
        at <- at + (if wide then 2 else 1)

        match opcodes[code] with
        | OperandType.InlineNone -> ()
        | OperandType.ShortInlineBrTarget
        | OperandType.ShortInlineI
        | OperandType.ShortInlineVar -> at <- at + 1
        | OperandType.InlineVar -> at <- at + 2
        | OperandType.InlineI8
        | OperandType.InlineR -> at <- at + 8
        | OperandType.InlineSwitch -> at <- at + 4 + 4 * BitConverter.ToInt32(il, at)
        | OperandType.InlineField
        | OperandType.InlineMethod
        | OperandType.InlineTok
        | OperandType.InlineType ->
            found.Add(BitConverter.ToInt32(il, at))
            at <- at + 4
        | _ -> at <- at + 4

    List.ofSeq found

/// A type and the types it is made of.
let rec private parts (t: Type | null) : Type list =
    match t with
    | null -> []
    | t when t.HasElementType -> parts (t.GetElementType())
    | t when t.IsGenericParameter -> []
    | t when t.IsGenericType -> t.GetGenericTypeDefinition() :: (t.GetGenericArguments() |> List.ofArray |> List.collect parts)
    | t -> [ t ]

let private generics (m: MethodBase) =
    let ofType =
        match m.DeclaringType with
        | null -> [||]
        | t -> t.GetGenericArguments()

    struct (ofType, (if m.IsGenericMethod then m.GetGenericArguments() else [||]))

let private named (m: MethodBase) (token: int) : Type list =
    let struct (ofType, ofMethod) = generics m

    match m.Module.ResolveMember(token, ofType, ofMethod) with
    | :? Type as t -> parts t
    | :? MethodInfo as callee when callee.IsGenericMethod ->
        parts callee.DeclaringType @ (callee.GetGenericArguments() |> List.ofArray |> List.collect parts)
    | null -> []
    | callee -> parts callee.DeclaringType

let private ofBody (m: MethodBase) : Type list =
    match m.GetMethodBody() with
    | null -> []
    | body ->
        let il =
            match body.GetILAsByteArray() with
            | null -> [||]
            | bytes -> bytes

        let locals = body.LocalVariables |> List.ofSeq |> List.collect (fun v -> parts v.LocalType)
        locals @ (tokens il |> List.collect (named m))

/// The type around a nested one: what the compiler makes belongs to whoever it was made for.
let rec private outermost (t: Type) =
    match t.DeclaringType with
    | null -> t
    | outer -> outermost outer

/// The types that the instructions, fields and signatures of a type name.
let private uses (t: Type) : Type list =
    let methods =
        t.GetMethods everything
        |> Seq.cast<MethodBase>
        |> Seq.append (t.GetConstructors everything |> Seq.cast<MethodBase>)

    [ yield! parts t.BaseType
      for f in t.GetFields everything do
          yield! parts f.FieldType
      for m in methods do
          for p in m.GetParameters() do
              yield! parts p.ParameterType

          yield! ofBody m ]
    |> List.map outermost
    |> List.distinct

/// The arrows of an assembly: (from, to) as types, within the library only.
let private arrows (assembly: Assembly) : (Type * Type) list =
    [ for t in assembly.GetTypes() do
          for used in uses t do
              let from = outermost t

              if from <> used && (string used.Namespace).StartsWith "DL" then
                  from, used ]
    |> List.distinct

let private core = lazy (arrows typeof<Tensor>.Assembly)
let private language = lazy (arrows typeof<Mode>.Assembly)

/// What each part of the core may use beside itself.
let private allowed =
    dict
        [ "DL.Core", [ "DL.Core.Kernels" ]
          "DL.Core.Random", [ "DL.Core"; "DL.Core.Kernels" ]
          "DL.Core.Ops", [ "DL.Core"; "DL.Core.Kernels"; "DL.Core.Random" ]
          "DL.Core.Losses", [ "DL.Core"; "DL.Core.Kernels"; "DL.Core.Ops" ]
          "DL.Core.Optimizers", [ "DL.Core"; "DL.Core.Kernels"; "DL.Core.Ops" ]
          "DL.Core.Metrics", [ "DL.Core" ]
          "DL.Core.Data", [ "DL.Core"; "DL.Core.Formats"; "DL.Core.Random" ]
          "DL.Core.Augmentation", [ "DL.Core"; "DL.Core.Data"; "DL.Core.Random" ]
          "DL.Core.Formats", [ "DL.Core" ]
          "DL.Core.Generation", [ "DL.Core"; "DL.Core.Random" ] ]

let private none what (wrong: (Type * Type) list) =
    let shown = wrong |> List.map (fun (a, b) -> $"{a.FullName} uses {b.FullName}") |> String.concat "; "
    Evidence.exact $"{what}, but: {shown}" wrong.IsEmpty

// Words the kernels share with what stands above them: exceptions, the engine's report, the name of a fused activation,
// how an axis cuts a shape, and, where a mask is drawn in the pass that uses it, the random numbers of a key.
let private words =
    set
        [ yield! [ "DLException"; "ShapeException"; "InvalidArgumentException"; "DataFormatException"; "NativeException" ]
          yield! [ "Native"; "NativeReport"; "NativeAttempt"; "Activation"; "AxisView"; "Key"; "PhiloxVector" ] ]

let private coreArrows () =
    core.Value
    |> List.filter (fun (from, used) ->
        match string from.Namespace, string used.Namespace with
        | a, b when a = b -> false
        | "DL.Core.Kernels", _ -> not (words.Contains used.Name)
        | a, b ->
            match allowed.TryGetValue a with
            | true, others -> not (List.contains b others)
            | _ -> false)
    |> none "every part uses only what lies below it"

let private languageArrows () =
    language.Value
    |> List.filter (fun (_, used) -> used.Namespace = "DL.Core.Kernels")
    |> none "the language knows no kernels"

let private oracleArrows () =
    let judges = [ "Dual"; "DualModule"; "Reference" ]

    arrows typeof<Dual>.Assembly
    |> List.filter (fun (from, used) -> List.contains from.Name judges && used.Assembly <> typeof<Dual>.Assembly)
    |> none "the dual numbers and the formulas use nothing of the library"

/// The laws of this file.
let laws: Law list =
    [ Law.fact "every part of the core uses only what lies below it" "the house" coreArrows
      Law.fact "the language uses operations, never kernels" "the house" languageArrows
      Law.fact "an oracle uses nothing it judges" "the house" oracleArrows ]

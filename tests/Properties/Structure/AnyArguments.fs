/// By reflection: whatever arguments the public functions of the core get, they answer, or refuse with an exception of the library, and change no tensor.
module DL.Properties.Structure.AnyArguments

open System
open System.Linq.Expressions
open System.Reflection
open DL.Core
open DL.Laws

let private spaces = [ "Ops"; "Losses"; "Metrics"; "Data"; "Augmentation"; "Generation" ]
let private calls = 100

/// The arguments of one call: sizes that fit each other more often than not, and numbers that are extreme now and then.
type private Arguments(seed: int) =
    let random = Random seed
    let one (choices: 'a list) = choices[random.Next choices.Length]
    let often n = random.Next n > 0
    let size () = one [ 0; 1; 1; 2; 2; 3; 3; 4; 5; 8; 16; 17; 33 ]
    let sizes = Array.init (random.Next(1, 5)) (fun _ -> size ())
    let element = one [ ElementType.Float32; ElementType.Float64 ]
    let wild = not (often 3)

    let shape () =
        let rank = if often 8 then sizes.Length else random.Next 6
        Shape(Array.init rank (fun i -> if i < sizes.Length && often 6 then sizes[i] else size ()))

    let number () =
        if wild && not (often 10) then one [ nan; infinity; -infinity; 0.0; -0.0; 1e300; 1e-300; -3e9 ]
        elif often 3 then 2.0 * random.NextDouble() - 1.0
        else float (random.Next(-3, 4))

    let integer () =
        if often 3 then one (List.ofArray sizes)
        elif often 20 then one [ -1; 0; 1; 1; 2; 3; 4; 5; 7; 16; 33; 100 ]
        else one [ Int32.MinValue; Int32.MaxValue ]

    let id () = if often 12 then random.Next 4 else one [ -1; 1000; Int32.MinValue; Int32.MaxValue ]

    let count () =
        let product = sizes |> Array.fold (fun n size -> if often 2 then n * int64 size else n) 1L
        int (min 20_000L (if often 6 then product else (shape ()).Count))

    let tensor (wanted: Type) : Tensor =
        let s = shape ()

        if wanted = typeof<Tensor<int>> || wanted = typeof<Tensor> && not (often 10) then
            Tensor.Of<int>(Array.init s.Count (fun _ -> id ()), Array.init s.Rank (fun i -> s[i]))
        else
            let wide: Tensor = Tensor.Of<float>(Array.init s.Count (fun _ -> number ()), Array.init s.Rank (fun i -> s[i]))

            wide.To(
                if wanted = typeof<Tensor<float>> then ElementType.Float64
                elif wanted = typeof<Tensor<float32>> then ElementType.Float32
                else element
            )

    /// The type that a generic function is tried with.
    member _.Number = if element = ElementType.Float32 then typeof<float32> else typeof<float>

    /// An argument of a type, or none where the type is not known here.
    member this.Of(t: Type) : (obj | null) option =
        let array (item: Type) length =
            let items = Array.CreateInstance(item, int length)
            let drawn = [ for _ in 1 .. items.Length -> this.Of item ]

            if List.forall Option.isSome drawn then
                drawn |> List.iteri (fun i value -> items.SetValue(Option.get value, i))
                Some(items :> obj)
            else
                None

        if typeof<Tensor>.IsAssignableFrom t then
            Some(tensor t)
        elif t = typeof<int> then
            Some(integer ())
        elif t = typeof<float> then
            Some(one [ -1.0; 0.0; 0.1; 0.5; 0.9; 1.0; 2.0; nan; infinity; 1e300; 1e-8 ])
        elif t = typeof<float32> then
            Some(float32 (number ()))
        elif t = typeof<bool> then
            Some(often 2)
        elif t = typeof<string> then
            Some(one [ ""; "a"; "hello world"; "über 😀" ])
        elif t = typeof<Shape> then
            Some(shape ())
        elif t = typeof<Random.Key> then
            Some(Random.Key().At(uint64 seed))
        elif t.IsEnum then
            Some(one (List.ofSeq (Seq.cast<obj>(Enum.GetValues t))))
        elif t = typeof<float[]> then
            Some(Array.init (count ()) (fun _ -> number ()))
        elif t = typeof<float32[]> then
            Some(Array.init (count ()) (fun _ -> float32 (number ())))
        elif t = typeof<int[]> then
            Some(Array.init (if often 2 then count () else random.Next 5) (fun _ -> id ()))
        elif t.IsArray && t.GetArrayRank() = 1 then
            array (nonNull (t.GetElementType())) (random.Next 5)
        elif t.IsByRefLike then
            this.Of((t.GetGenericArguments()[0]).MakeArrayType())
        elif t.IsGenericType && t.GetGenericTypeDefinition() = typedefof<Nullable<_>> then
            if often 2 then this.Of(t.GetGenericArguments()[0]) else Some null
        elif t = typeof<Ops.Window> then
            let window = Ops.Window(integer (), integer ())
            Some(if often 2 then window else Ops.Window.Square(integer (), integer (), integer ()))
        elif t = typeof<Ops.AttentionSettings> then
            Some(Ops.AttentionSettings(integer (), Causal = often 2, Dropout = one [ 0.0; 0.0; 0.5; 1.0 ]))
        else
            None

/// One compiled call, for reflection cannot pass spans.
let private invoker (m: MethodInfo) =
    let arguments = Expression.Parameter typeof<obj[]>

    let argument i (p: ParameterInfo) : Expression =
        let item = Expression.ArrayIndex(arguments, Expression.Constant i)

        if p.ParameterType.IsByRefLike then
            let array = (p.ParameterType.GetGenericArguments()[0]).MakeArrayType()
            let convert = p.ParameterType.GetMethod("op_Implicit", [| array |]) |> nonNull
            Expression.Call(convert, Expression.Convert(item, array))
        else
            Expression.Convert(item, p.ParameterType)

    let call = Expression.Call(m, m.GetParameters() |> Array.mapi argument)
    Expression.Lambda<Action<(obj | null)[]>>(Expression.Block(typeof<Void>, call), arguments).Compile()

let private describe (argument: obj | null) =
    match argument with
    | null -> "null"
    | :? Tensor as t -> $"{t.ElementType}{t.Shape}"
    | :? Array as items -> $"{items.GetType().Name} of {items.Length}"
    | other -> string other

/// What is wrong with one call, if anything.
let private tried (call: Action<(obj | null)[]>) (arguments: (obj | null)[]) =
    let tensors =
        arguments
        |> Array.choose (function
            | :? Tensor as t -> Some(t, t.To t.ElementType)
            | _ -> None)

    let fault =
        try
            call.Invoke arguments
            None
        with
        | :? DLException -> None
        // Numbers may ask for more than there is.
        | :? OutOfMemoryException -> None
        | error -> Some $"{error.GetType().Name}: {error.Message}"

    match fault with
    | None when tensors |> Array.exists (fun (now, before) -> not (now.SameBits before)) -> Some "a tensor was changed"
    | other -> other

/// No file is opened.
let private takes (p: ParameterInfo) = not p.ParameterType.IsByRef && p.Name <> "path" && p.Name <> "folder"

let private functions space =
    [ for t in typeof<Tensor>.Assembly.GetExportedTypes() do
          if t.Namespace = $"DL.Core.{space}" then
              for m in t.GetMethods(BindingFlags.Public ||| BindingFlags.Static ||| BindingFlags.DeclaredOnly) do
                  if not m.IsSpecialName && not m.ReturnType.IsByRefLike && m.GetParameters() |> Array.forall takes then
                      m ]

/// The faults of a function in some calls, or none where an argument of it is not known here.
let private faults (m: MethodInfo) : string list option =
    let name = $"{(nonNull m.DeclaringType).Name}.{m.Name}"
    // The same draws in every process.
    let seed = string m |> Seq.fold (fun h c -> (h * 31 + int c) &&& 0xFFFFFF) name.Length

    let compiled =
        [ for number in [ typeof<float32>; typeof<float> ] ->
              let closed =
                  if m.IsGenericMethodDefinition then
                      m.MakeGenericMethod(Array.map (fun _ -> number) (m.GetGenericArguments()))
                  else
                      m

              number, (closed.GetParameters(), lazy invoker closed) ]
        |> dict

    let attempt i =
        let drawn = Arguments(seed + i)
        let parameters, call = compiled[drawn.Number]
        let arguments = parameters |> Array.map (fun p -> drawn.Of p.ParameterType)

        if Array.forall Option.isSome arguments then
            let arguments = Array.map Option.get arguments
            let shown () = arguments |> Array.map describe |> String.concat "; "
            Some(tried call.Value arguments |> Option.map (fun fault -> $"{name}({shown ()}): {fault}"))
        else
            None

    let attempts = List.init calls attempt
    if List.exists Option.isNone attempts then None else Some(List.choose Option.flatten attempts)

/// The laws of this file.
let laws: Law list =
    [ for space in spaces ->
          Law.fact "any arguments get an answer or a refusal, and no tensor is changed" space (fun () ->
              let tried = functions space |> List.choose faults
              let found = List.concat tried

              Evidence.worst
                  [ Evidence.exact "some functions are tried" (tried.Length >= 5)
                    Evidence.exact $"""{found.Length} faults: {String.concat " | " (List.truncate 3 found)}""" found.IsEmpty ]) ]

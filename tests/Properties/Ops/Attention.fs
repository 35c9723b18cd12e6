/// Attention under the direct loops of its formula.
module DL.Properties.Ops.Attention

open System
open DL.Core
open DL.Core.Ops
open DL.Core.Random
open DL.Laws

/// What is limited in a variant.
type Limits =
    { Heads: int
      Causal: bool
      Lengths: bool
      Visible: bool
      Offset: int option
      Dot: bool
      Dropout: float }

/// Heads that see everything.
let plain heads =
    { Heads = heads
      Causal = false
      Lengths = false
      Visible = false
      Offset = None
      Dot = false
      Dropout = 0.0 }

/// The sizes of a case: examples, queries, keys, and the widths of a head.
type Sizes = { N: int; Queries: int; Keys: int; KeyWidth: int; ValueWidth: int }

/// The sizes of a case.
let sizesOf (case: OperationCase) =
    match case.Sizes with
    | [ n; queries; keys; dk; dv ] ->
        { N = n
          Queries = queries
          Keys = keys
          KeyWidth = dk
          ValueWidth = dv }
    | [ n; positions; d ] ->
        { N = n
          Queries = positions
          Keys = positions
          KeyWidth = d
          ValueWidth = d }
    | other -> failwith $"no attention has sizes {other}"

/// Lengths of a case: full, empty and in between.
let private lengths (case: OperationCase) salt n most =
    let draw = (Draw case.Seed).Branch salt

    Array.init n (fun _ ->
        match draw.Below 4 with
        | 0 -> most
        | 1 when draw.Below 3 = 0 -> 0
        | _ -> draw.Below(most + 1))

/// Whether all examples are told the same.
let private shared (case: OperationCase) = case.Seed % 2UL = 0UL

let private visible (case: OperationCase) (s: Sizes) : float[] =
    let draw = (Draw case.Seed).Branch 811
    let each = if shared case then 1 else s.N
    Array.init (each * s.Queries * s.Keys) (fun _ -> float (min 1 (draw.Below 3)))

let private key (case: OperationCase) = Key(case.Seed, 5u, 2u)

/// The settings of a case.
let settings (limits: Limits) (case: OperationCase) : AttentionSettings =
    let s = sizesOf case

    let seen: Tensor | null =
        if not limits.Visible then
            null
        else
            let extents = if shared case then [| s.Queries; s.Keys |] else [| s.N; s.Queries; s.Keys |]
            let wide = Tensor.Of<float>(ReadOnlySpan<float>(visible case s), Shape extents)
            wide.To(if case.Seed % 3UL = 0UL then ElementType.Int32 else ElementType.Float32)

    AttentionSettings(
        limits.Heads,
        Causal = limits.Causal,
        KeyLengths = (if limits.Lengths then lengths case 801 s.N s.Keys else null),
        QueryLengths = (if limits.Lengths then lengths case 802 s.N s.Queries else null),
        Offset = Option.toNullable limits.Offset,
        Visible = seen,
        Scale = (if limits.Dot then Nullable 1.0 else Nullable()),
        Dropout = limits.Dropout,
        Key = key case
    )

/// Whether query i of example n sees key j, in words of the settings.
let sees (limits: Limits) (case: OperationCase) : int -> int -> int -> bool =
    let s = sizesOf case
    let keys = if limits.Lengths then lengths case 801 s.N s.Keys else Array.create s.N s.Keys
    let queries = if limits.Lengths then lengths case 802 s.N s.Queries else Array.create s.N s.Queries
    let seen = if limits.Visible then visible case s else [||]
    let offset = defaultArg limits.Offset (s.Keys - s.Queries)

    fun n i j ->
        let place = (i * s.Keys + j) + (if shared case then 0 else n * s.Queries * s.Keys)

        i < queries[n]
        && j < keys[n]
        && (not limits.Causal || j <= i + offset)
        && (not limits.Visible || seen[place] <> 0.0)

/// What a weight is multiplied by, from the example and head, the query and the key.
let kept (limits: Limits) (case: OperationCase) : int -> int -> int -> float =
    if limits.Dropout = 0.0 then
        fun _ _ _ -> 1.0
    else
        let s = sizesOf case
        let ones: Tensor = Tensor.Filled(ElementType.Float64, Shape [| s.N * limits.Heads; s.Keys; s.Queries |], 1.0)
        let mask = (Dropout.Forward(ones, limits.Dropout, key case)).ToArray<float>()
        fun head i j -> mask[(head * s.Keys + j) * s.Queries + i]

/// The formula, from an element of each input.
let private formula (limits: Limits) (case: OperationCase) (q: int -> int -> int -> Dual) k v : Dual[] =
    let s = sizesOf case
    let sees, kept = sees limits case, kept limits case
    let scale = if limits.Dot then 1.0 else 1.0 / sqrt (float s.KeyWidth)
    let y = Array.create (s.N * s.Queries * limits.Heads * s.ValueWidth) (Dual.Constant 0.0)

    for n in 0 .. s.N - 1 do
        for h in 0 .. limits.Heads - 1 do
            for i in 0 .. s.Queries - 1 do
                let js =
                    [| for j in 0 .. s.Keys - 1 do
                           if sees n i j then
                               j |]

                let score j = scale * Dual.sum (Array.init s.KeyWidth (fun c -> q n i (h * s.KeyWidth + c) * k n j (h * s.KeyWidth + c)))
                let weights = Reference.softmax (Array.map score js)

                for c in 0 .. s.ValueWidth - 1 do
                    let at = h * s.ValueWidth + c

                    y[(n * s.Queries + i) * limits.Heads * s.ValueWidth + at] <-
                        Array.map2 (fun j w -> kept (n * limits.Heads + h) i j * w * v n j at) js weights |> Dual.sum

    y

let private element (x: Dual[]) positions width n i c = x[(n * positions + i) * width + c]

let private operation variant limits sizes numbers : Operation =
    let heads = limits.Heads

    { Name = "Attention"
      Variant = variant
      Sizes = sizes
      Numbers = numbers
      Inputs =
        fun sizes ->
            let n, queries, keys, dk, dv = sizes[0], sizes[1], sizes[2], sizes[3], sizes[4]
            [ [ n; queries; heads * dk ]; [ n; keys; heads * dk ]; [ n; keys; heads * dv ] ]
      Domain = fun _ x -> x
      Forward =
        fun case x ->
            let struct (y, _) = Attention.Forward(x[0], x[1], x[2], settings limits case)
            [| y |]
      Backward =
        fun case x _ dy ->
            let struct (_, statistics) = Attention.Forward(x[0], x[1], x[2], settings limits case)
            let struct (dq, dk, dv) = Attention.Backward(dy[0], x[0], x[1], x[2], statistics, settings limits case)
            [| dq; dk; dv |]
      Formula =
        fun case x ->
            let s = sizesOf case

            [| formula
                   limits
                   case
                   (element x[0] s.Queries (heads * s.KeyWidth))
                   (element x[1] s.Keys (heads * s.KeyWidth))
                   (element x[2] s.Keys (heads * s.ValueWidth)) |]
      Homogeneous = 2 }

let private fused variant limits sizes : Operation =
    let heads = limits.Heads

    { Name = "Attention"
      Variant = $"fused, {variant}"
      Sizes = sizes
      Numbers = [ Ordinary; Kinks; UnequalRows ]
      Inputs = fun sizes -> [ [ sizes[0]; sizes[1]; 3 * heads * sizes[2] ] ]
      Domain = fun _ x -> x
      Forward =
        fun case x ->
            let struct (y, _) = Attention.ForwardFused(x[0], settings limits case)
            [| y |]
      Backward =
        fun case x _ dy ->
            let struct (_, statistics) = Attention.ForwardFused(x[0], settings limits case)
            [| Attention.BackwardFused(dy[0], x[0], statistics, settings limits case) |]
      Formula =
        fun case x ->
            let s = sizesOf case
            let width = heads * s.KeyWidth
            let part p n i c = element x[0] s.Queries (3 * width) n i (p * width + c)
            [| formula limits case (part 0) (part 1) (part 2) |]
      Homogeneous = -1 }

let private few = OneOf [ 1; 2; 0 ]
let private short = OneOf [ 1; 2; 3; 5; 8; 9; 17 ]
let private broken = OneOf [ 1; 3; 7; 8; 15; 16; 17; 33 ]
let private narrow = OneOf [ 1; 2; 5; 8 ]
let private causal heads = { plain heads with Causal = true }
let private padded heads = { plain heads with Lengths = true }

/// The operations of this file.
let operations: Operation list =
    [ operation "one head" (plain 1) [ few; short; short; broken; broken ] Numbers.all
      operation "3 heads, dot" { plain 3 with Dot = true } [ few; short; short; narrow; narrow ] Numbers.all
      operation "2 heads, causal" (causal 2) [ few; short; short; narrow; narrow ] [ Ordinary; EqualRows; Large ]
      operation
          "1 head, causal across tiles"
          (causal 1)
          [ OneOf [ 1 ]; OneOf [ 1; 31; 32; 63; 65; 70 ]; OneOf [ 1; 33; 64; 75 ]; OneOf [ 1; 2 ]; OneOf [ 1; 3 ] ]
          [ Ordinary ]
      operation
          "1 head across tiles"
          (plain 1)
          [ OneOf [ 1 ]; OneOf [ 1; 64; 66 ]; OneOf [ 1; 257; 300 ]; OneOf [ 1 ]; OneOf [ 1 ] ]
          [ Ordinary ]
      operation "2 heads, lengths" (padded 2) [ OneOf [ 3; 1 ]; short; short; narrow; narrow ] [ Ordinary; UnequalRows ]
      operation
          "2 heads, causal, lengths"
          { padded 2 with Causal = true }
          [ OneOf [ 3; 1 ]; short; short; narrow; narrow ]
          [ Ordinary; Ties ]
      operation "1 head, causal from 2" { causal 1 with Offset = Some 2 } [ few; short; short; narrow; narrow ] [ Ordinary ]
      operation "2 heads, told key by key" { plain 2 with Visible = true } [ few; short; short; narrow; narrow ] [ Ordinary; Kinks ]
      operation "1 head, all limits" { padded 1 with Causal = true; Visible = true } [ few; short; short; narrow; narrow ] [ Ordinary ]
      operation "2 heads, dropout" { plain 2 with Dropout = 0.3 } [ few; short; short; narrow; narrow ] [ Ordinary ]
      operation
          "1 head, causal, dropout across tiles"
          { causal 1 with Dropout = 0.5 }
          [ OneOf [ 1; 2 ]; OneOf [ 1; 65; 67 ]; OneOf [ 2; 66 ]; OneOf [ 1; 2 ]; OneOf [ 1 ] ]
          [ Ordinary ]
      fused "2 heads" (plain 2) [ few; short; broken ]
      fused "3 heads, causal, lengths" { padded 3 with Causal = true } [ few; short; narrow ] ]

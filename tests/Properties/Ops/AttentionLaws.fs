/// What attention does beside its formula: symmetries, masks bit for bit, and caches.
module DL.Properties.Ops.AttentionLaws

open System
open DL.Core
open DL.Core.Ops
open DL.Laws
open DL.Properties.Cases

let private law name = law "Attention" name (OneOf [ 1; 2; 8; 17; 64 ]) [ Ordinary; Kinks ]

/// Some numbers [n; positions; width] of a case.
let private batch (v: Vector) salt n positions width : Tensor =
    Numbers.tensor v.Numbers ((Draw v.Seed).Branch(salt).Bits()) [ n; positions; width ]

let private forward q k v settings : Tensor =
    let struct (y, _) = Attention.Forward(q, k, v, settings)
    y

/// The output and the gradients of q, k and v.
let private both (q: Tensor) k v (dy: Tensor) (settings: AttentionSettings) : Tensor list =
    let struct (y, statistics) = Attention.Forward(q, k, v, settings)
    let struct (dq, dk, dv) = Attention.Backward(dy, q, k, v, statistics, settings)
    [ y; dq; dk; dv ]

let private names = [ "y"; "dq"; "dk"; "dv" ]
let private plain heads = AttentionSettings(heads)
let private rows (order: int[]) (x: Tensor) : Tensor = Concat.Forward(1, [| for i in order -> Slice.Forward(x, 1, i, 1) |])
let private columns at width (x: Tensor) : Tensor = Slice.Forward(x, 2, at, width)

/// Other numbers in the rows of a batch that a test names.
let private replaced (hidden: int -> int -> bool) (value: int -> float) (x: Tensor) : Tensor =
    let n, width = x.Shape[1], x.Shape[2]

    x
    |> numbers
    |> Array.mapi (fun at old -> if hidden (at / width / n) (at / width % n) then value at else old)
    |> like x

let private poison at = [| nan; infinity; -infinity; 1e30 |][at % 4]

let private isZero (hidden: int -> int -> bool) (x: Tensor) =
    let n, width = x.Shape[1], x.Shape[2]

    x
    |> numbers
    |> Seq.indexed
    |> Seq.forall (fun (at, v) -> not (hidden (at / width / n) (at / width % n)) || v = 0.0)

let private symmetries: Law list =
    [ law "permuting keys with their values changes nothing, queries permute outputs" (fun v ->
          let d = v.Length
          let q, k, x = batch v 0 2 5 d, batch v 1 2 7 d, batch v 2 2 7 d
          let y = forward q k x (plain 1)
          let order = [| 3; 0; 6; 2; 5; 1; 4 |]

          Evidence.worst
              [ close "keys permuted" 1e-12 (forward q (rows order k) (rows order x) (plain 1)) y
                Evidence.exact
                    "queries permuted"
                    ((forward (rows [| 4; 2; 0; 1; 3 |] q) k x (plain 1)).SameBits(rows [| 4; 2; 0; 1; 3 |] y)) ])
      law "heads attend by themselves" (fun v ->
          let d = v.Length
          let q, k, x, dy = batch v 0 2 9 (3 * d), batch v 1 2 7 (3 * d), batch v 2 2 7 (3 * d), batch v 3 2 9 (3 * d)
          let whole = both q k x dy (plain 3)

          Evidence.worst
              [ for h in 0..2 do
                    let part = columns (h * d) d
                    let alone = both (part q) (part k) (part x) (part dy) (plain 1)
                    for name, a, b in List.zip3 names alone whole -> Evidence.exact $"{name} of head {h}" (a.SameBits(part b)) ])
      law "side by side is the same as apart" (fun v ->
          let d = 2 * v.Length
          let qkv, dy = batch v 0 2 9 (3 * d), batch v 1 2 9 d
          let settings = AttentionSettings(2, Causal = true, KeyLengths = [| 9; 4 |])
          let struct (y, statistics) = Attention.ForwardFused(qkv, settings)
          let gradient = Attention.BackwardFused(dy, qkv, statistics, settings)
          let apart = both (columns 0 d qkv) (columns d d qkv) (columns (2 * d) d qkv) dy settings
          let fused = [ y; columns 0 d gradient; columns d d gradient; columns (2 * d) d gradient ]
          Evidence.worst [ for name, a, b in List.zip3 names apart fused -> Evidence.exact name (a.SameBits b) ])
      law "equal scores give the mean, a score far above the others its value" (fun v ->
          let d = v.Length
          let x = batch v 2 1 6 d
          let zeros: Tensor = Tensor.Zeros(ElementType.Float64, Shape [| 1; 3; d |])
          let mean = Mean.Forward(x, 1).Reshape(1, 1, d)
          let hot = batch v 1 1 6 d |> replaced (fun _ j -> j = 4) (fun _ -> 1e4) |> replaced (fun _ j -> j <> 4) (fun _ -> -1e4)
          let ones: Tensor = Tensor.Filled(ElementType.Float64, Shape [| 1; 3; d |], 1.0)

          Evidence.worst
              [ distance (forward zeros (batch v 1 1 6 d) x (plain 1)) (rows [| 0; 0; 0 |] mean) / largest x
                |> Evidence.within "the mean" 1e-14
                Evidence.exact "the value" ((forward ones hot x (plain 1)).SameBits(rows [| 4; 4; 4 |] x)) ]) ]

let private masks: Law list =
    [ law "weights sum to 1 and are exactly 0 where hidden" (fun v ->
          let q, k = batch v 0 2 6 (2 * v.Length), batch v 1 2 8 (2 * v.Length)
          let settings = AttentionSettings(2, Causal = true, Offset = 1, KeyLengths = [| 8; 0 |])
          let w = numbers (Attention.Weights(q, k, settings))
          let row r = Array.sub w (r * 8) 8

          Evidence.worst
              [ for r in 0..23 do
                    if r < 12 then
                        Evidence.within "the sum" 1e-14 (abs (Array.sum (row r) - 1.0))
                        Evidence.exact "the future" (row r |> Array.skip (min 8 (r % 6 + 2)) |> Array.forall ((=) 0.0))
                    else
                        Evidence.exact "nothing to see" (Array.forall ((=) 0.0) (row r)) ])
      law "what is hidden reaches nothing, whatever it is, and has no gradient" (fun v ->
          let d = v.Length
          let q, k, x, dy = batch v 0 2 7 d, batch v 1 2 9 d, batch v 2 2 9 d, batch v 3 2 7 d
          let keys, queries = [| 5; 0 |], [| 7; 3 |]
          let noKey n j = j >= keys[n]
          let noQuery n i = i >= queries[n]

          Evidence.worst
              [ for causal in [ false; true ] do
                    let settings = AttentionSettings(1, Causal = causal, KeyLengths = keys, QueryLengths = queries)
                    let clean = both q k x dy settings

                    let spoilt =
                        both
                            (replaced noQuery poison q)
                            (replaced noKey poison k)
                            (replaced noKey poison x)
                            (replaced noQuery poison dy)
                            settings

                    for name, a, b in List.zip3 names clean spoilt do
                        Evidence.exact name (a.SameBits b)

                    Evidence.exact "gradients of keys" (isZero noKey spoilt[2] && isZero noKey spoilt[3])
                    Evidence.exact "gradients of queries" (isZero noQuery spoilt[1])
                    Evidence.exact "outputs" (isZero (fun n i -> noQuery n i || keys[n] = 0) spoilt[0]) ])
      law "no bit of the past depends on the future" (fun v ->
          let d, t = v.Length, 70
          let q, k, x, dy = batch v 0 1 t d, batch v 1 1 t d, batch v 2 1 t d, batch v 3 1 t d
          let now = int (v.Seed % 69UL)
          let settings = AttentionSettings(1, Causal = true)
          let later _ i = i > now
          let spoil = replaced later poison
          let a, b = both q k x dy settings, both (spoil q) (spoil k) (spoil x) dy settings
          let past (x: Tensor) = Slice.Forward(x, 1, 0, now + 1)

          let toThePast = both q k x (replaced later (fun _ -> 0.0) dy) settings

          Evidence.worst
              [ Evidence.exact "y" ((past a[0]).SameBits(past b[0]))
                Evidence.exact "dq" ((past a[1]).SameBits(past b[1]))
                Evidence.exact "the past's gradients of later keys and values" (isZero later toThePast[2] && isZero later toThePast[3]) ])
      law "a key hidden one by one is as good as not there" (fun v ->
          let d = v.Length
          let q, k, x, dy = batch v 0 1 5 d, batch v 1 1 6 d, batch v 2 1 6 d, batch v 3 1 5 d

          let seen =
              Tensor.Of<int>(
                  [| for _ in 1..5 do
                         yield! [ 1; 1; 0; 1; 0; 1 ] |],
                  5,
                  6
              )

          let there = [| 0; 1; 3; 5 |]
          let hidden _ j = j = 2 || j = 4
          let spoil = replaced hidden poison
          let a = both q (spoil k) (spoil x) dy (AttentionSettings(1, Visible = seen))
          let b = both q (rows there k) (rows there x) dy (plain 1)

          Evidence.worst
              [ close "y" 1e-12 a[0] b[0]
                close "dq" 1e-11 a[1] b[1]
                close "dk" 1e-11 (rows there a[2]) b[2]
                close "dv" 1e-12 (rows there a[3]) b[3]
                Evidence.exact "hidden" (isZero hidden a[2] && isZero hidden a[3]) ]) ]

let private caches: Law list =
    [ law "a query over a buffer of keys is the last of all queries" (fun v ->
          let d, count, capacity = 2 * v.Length, 1 + int (v.Seed % 40UL), 48
          let q, k, x = batch v 0 2 count d, batch v 1 2 capacity d, batch v 2 2 capacity d
          let part at (x: Tensor) = Slice.Forward(x, 1, at, count - at)
          let whole = forward q (part 0 k) (part 0 x) (AttentionSettings(2, Causal = true))
          let spoil = replaced (fun _ j -> j >= count) poison
          let filled = [| count; count |]
          let last = max 0 (count - 5)
          let one = forward (part (count - 1) q) (spoil k) (spoil x) (AttentionSettings(2, KeyLengths = filled))

          let some =
              forward (part last q) (spoil k) (spoil x) (AttentionSettings(2, Causal = true, Offset = last, KeyLengths = filled))

          Evidence.worst [ close "one query" 1e-13 one (part (count - 1) whole); close "the last five" 1e-13 some (part last whole) ])
      law "a cache is its keys and values, however many continue it" (fun v ->
          let d, n = 2 * v.Length, 1 + int (v.Seed % 3UL)
          let sizes = [| 1; 2; 31; 32; 33; 70 |]
          let size i = sizes[int ((Draw v.Seed).Branch(i).Bits() % uint64 sizes.Length)]
          let pieces = [ for i in 1..5 -> batch v i n (size i) d, batch v (10 + i) n (size i) d ]

          // Another one continues every cache before, and one after, the cache that is looked at does.
          let append (cache: KeyValueCache) (k: Tensor, x: Tensor) =
              cache.Append(x, k) |> ignore
              let next = cache.Append(k, x)
              cache.Append(Scale.Forward(k, 2.0), x) |> ignore
              next

          let cache = (KeyValueCache.Of(fst pieces.Head, snd pieces.Head), pieces.Tail) ||> List.fold append

          let keys, values =
              Concat.Forward(1, Array.ofList (List.map fst pieces)), Concat.Forward(1, Array.ofList (List.map snd pieces))

          let agree queries (settings: AttentionSettings) =
              let q = batch v 20 n queries d
              Evidence.exact $"{queries} queries" ((Attention.Forward(q, cache, settings)).SameBits(forward q keys values settings))

          let visible queries = Tensor.Of<int>(Array.init (queries * cache.Count) (fun i -> i % 3), queries, cache.Count)

          Evidence.worst
              [ Evidence.exact "count" (cache.Count = keys.Shape[1])
                Evidence.exact "keys" (cache.Keys.SameBits keys)
                Evidence.exact "values" (cache.Values.SameBits values)
                for queries in 1 .. min 5 cache.Count do
                    agree queries (plain 2)
                    agree queries (AttentionSettings(1, Causal = true))
                    agree queries (AttentionSettings(2, KeyLengths = Array.init n (fun i -> cache.Count - min i (cache.Count - 1))))
                    agree queries (AttentionSettings(1, Dropout = 0.3))
                    agree queries (AttentionSettings(1, Visible = visible queries)) ]) ]

/// Queries are worked on some at a time, fewer where keys are many: each must come out as if it were alone.
let private long: Law =
    Law.fact "a query among many keys comes out as if alone" "Attention" (fun () ->
        let v = { Length = 2; Numbers = Ordinary; Seed = 3UL }

        let q, k, x, dy = batch v 0 1 40 2, batch v 1 1 4200 2, batch v 2 1 4200 2, batch v 3 1 40 2
        let from (i: int) = Nullable(4000 + i)
        let settings i n = AttentionSettings(1, Causal = true, Offset = from i, QueryLengths = [| n |])
        let whole = both q k x dy (settings 0 40)
        let row i (x: Tensor) = Slice.Forward(x, 1, i, 1)
        let alone = [ for i in 0..39 -> both (row i q) k x (row i dy) (settings i 1) ]
        let joined part = Concat.Forward(1, alone |> List.map (List.item part) |> Array.ofList)
        let summed part = alone |> List.map (List.item part) |> List.reduce (fun a b -> Add.Forward(a, b))

        Evidence.worst
            [ close "y" 1e-12 whole[0] (joined 0)
              close "dq" 1e-11 whole[1] (joined 1)
              close "dk" 1e-11 whole[2] (summed 2)
              close "dv" 1e-12 whole[3] (summed 3) ])

let private rejects (name: string) (run: unit -> obj) =
    try
        run () |> ignore
        Evidence.exact $"{name} is refused" false
    with :? DLException as e ->
        Evidence.exact $"{name} is named: {e.Message}" (e.Message.Contains name)

let private errors: Law =
    Law.fact "wrong arguments are named" "Attention" (fun () ->
        let zeros (extents: int list) : Tensor = Tensor.Zeros(ElementType.Float32, Shape(List.toArray extents))
        let q, k, x = zeros [ 2; 3; 12 ], zeros [ 2; 4; 12 ], zeros [ 2; 4; 6 ]
        let attend settings () = Attention.Forward(q, k, x, settings) :> obj

        Evidence.worst
            [ rejects "heads" (attend (plain 5))
              rejects "Heads" (attend (plain 0))
              rejects "Attention q" (fun () -> Attention.Forward(zeros [ 3; 12 ], k, x, plain 1))
              rejects "Attention k" (fun () -> Attention.Forward(q, zeros [ 2; 4; 10 ], x, plain 1))
              rejects "Attention v" (fun () -> Attention.Forward(q, k, zeros [ 2; 3; 6 ], plain 1))
              rejects "KeyLengths" (attend (AttentionSettings(1, KeyLengths = [| 1 |])))
              rejects "KeyLengths[1]" (attend (AttentionSettings(1, KeyLengths = [| 1; 5 |])))
              rejects "QueryLengths[0]" (attend (AttentionSettings(1, QueryLengths = [| -1; 1 |])))
              rejects "Scale" (attend (AttentionSettings(1, Scale = Nullable 0.0)))
              rejects "Dropout" (attend (AttentionSettings(1, Dropout = 1.0)))
              rejects "Visible" (attend (AttentionSettings(1, Visible = zeros [ 4; 3 ])))
              rejects "Attention k" (fun () -> Attention.Forward(zeros [ 2; 1; 10 ], KeyValueCache.Of(k, x), plain 1))
              rejects "Attention k" (fun () -> Attention.Forward(zeros [ 1; 1; 12 ], KeyValueCache.Of(k, x), plain 1))
              rejects "Heads" (fun () -> Attention.Forward(zeros [ 2; 1; 12 ], KeyValueCache.Of(k, x), plain 0))
              rejects "KeyValueCache.Append" (fun () -> (KeyValueCache.Of(k, x)).Append(zeros [ 2; 1; 11 ], zeros [ 2; 1; 6 ]))
              rejects "KeyValueCache.Append" (fun () -> (KeyValueCache.Of(k, x)).Append(zeros [ 1; 1; 12 ], zeros [ 1; 1; 6 ]))
              rejects "KeyValueCache.Append, values" (fun () -> (KeyValueCache.Of(k, x)).Append(zeros [ 2; 1; 12 ], zeros [ 2; 2; 6 ]))
              rejects "qkv" (fun () -> Attention.ForwardFused(zeros [ 2; 3; 10 ], plain 1))
              // Outputs of more than 2^31 numbers, whose count as an int would be 0.
              rejects "65536; 65536" (fun () ->
                  let one, many, statistics, none = [| 1.0f |], Array.zeroCreate<float32> 65536, Array.zeroCreate 131072, Array.empty
                  Attention.Forward<float32>(many, one, many, 1, 65536, 1, plain 1, Span none, Span statistics)
                  one)
              rejects "65536; 65536" (fun () ->
                  let many, w, y, none = Array.zeroCreate<float32> 65536, [| 1.0f |], Array.zeroCreate 65536, Array.empty
                  AdditiveAttention.Forward<float32>(many, many, many, w, 1, 65536, 65536, null, null, Span y, Span none)
                  w)
              rejects "dy" (fun () -> Attention.Backward(q, q, k, x, zeros [ 2; 2; 1; 3 ], plain 1))
              rejects "statistics" (fun () -> Attention.Backward(zeros [ 2; 3; 6 ], q, k, x, zeros [ 2; 2; 1; 2 ], plain 1)) ])

/// The laws of this file.
let laws: Law list = errors :: long :: symmetries @ masks @ caches

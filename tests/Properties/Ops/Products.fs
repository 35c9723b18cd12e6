/// What is not finite goes through a matrix product as it goes through the sums that define it.
module DL.Properties.Ops.Products

open System
open DL.Core
open DL.Core.Ops
open DL.Laws

/// Rows, columns and steps around the widths of vectors and tiles.
let private sizes =
    [ 1, 1, 1; 1, 17, 33; 2, 1, 64; 3, 5, 7; 4, 40, 50; 7, 33, 1; 13, 15, 17; 16, 16, 16; 31, 65, 12; 70, 34, 9 ]

let private specials = [ nan; infinity; -infinity ]

/// Numbers of at least 1, one of them replaced.
let private numbers (seed: uint64) count (replaced: (int * float) option) =
    let x = (Numbers.tensor Ordinary seed [ count ]).ToArray<float>() |> Array.map (fun v -> 1.0 + abs v)
    replaced |> Option.iter (fun (at, value) -> x[at % count] <- value)
    x

let private tensor (element: ElementType) rows columns (x: float[]) =
    (Tensor.Of<float>(ReadOnlySpan<float> x, Shape(ReadOnlySpan<int> [| rows; columns |]))).To element

let private turned rows columns (x: float[]) = Array.init x.Length (fun i -> x[i % rows * columns + i / rows])

let private sums m n k (a: float[]) (b: float[]) =
    Array.init (m * n) (fun i -> Seq.sum (seq { for p in 0 .. k - 1 -> a[i / n * k + p] * b[p * n + i % n] }))

/// The product of a and b in each of its three forms.
let private forms element m n k (a: float[]) (b: float[]) =
    let t = tensor element

    [ "a b", Linear.Forward(t m k a, t k n b)
      "a b^T", Linear.BackwardInput(t m k a, t n k (turned k n b))
      "a^T b", Linear.BackwardWeight(t k m (turned m k a), t k n b, t m n (Array.zeroCreate (m * n))) ]

let private alike (expected: float) (got: float) =
    if Double.IsFinite expected then Double.IsFinite got
    elif Double.IsNaN expected then Double.IsNaN got
    else got = expected

let private case element (m, n, k) special at inLeft =
    let put here = if here then Some(at, special) else None
    let a, b = numbers 1UL (m * k) (put inLeft), numbers 2UL (k * n) (put (not inLeft))
    let expected = sums m n k a b

    Evidence.worst
        [ for form, product in forms element m n k a b do
              let got = product.ToArray<float>()
              let where = $"{form} of {m} x {k} and {k} x {n} in {element}, {special} at {at}"
              Evidence.exact where (Array.forall2 alike expected got) ]

/// Products without outputs or without terms, as often as makes an engine look for a kernel of their own.
let private empty () =
    [ for m, n, k in [ 0, 4, 3; 4, 0, 3; 4, 3, 0 ] do
          for _ in 1..150 do
              for form, y in forms ElementType.Float64 m n k (Array.zeroCreate (m * k)) (Array.zeroCreate (k * n)) do
                  Evidence.exact $"{form} of {m} x {n} over {k} is zeros" (y.ToArray<float>() |> Array.forall ((=) 0.0)) ]
    |> Evidence.worst

/// Right factors beyond the caches, with lines that end within a strip, over several blocks of steps; few rows, and many.
let private large =
    [ 1, 1100, 301
      2, 1100, 300
      5, 517, 523
      7, 300, 1003
      8, 1025, 261
      17, 1100, 300
      33, 70, 4100
      24, 2083, 257
      300, 600, 520 ]

/// The sums in float64, a block of neighbouring rows of b at a time.
let private exactly m n k (a: float[]) (b: float[]) =
    let y = Array.zeroCreate<float>(m * n)

    for i in 0 .. m - 1 do
        for p in 0 .. k - 1 do
            let x = a[i * k + p]

            for j in 0 .. n - 1 do
                y[i * n + j] <- y[i * n + j] + x * b[p * n + j]

    y

let private largeProduct element (m, n, k) =
    let rounded seed count = (tensor element 1 count (numbers seed count None)).ToArray<float>()
    let a, b = rounded 3UL (m * k), rounded 4UL (k * n)
    let expected = exactly m n k a b
    // Every factor is positive, so that the sum is the sum of the sizes.
    let bound = float k * (if element = ElementType.Float32 then 6e-8 else 1.2e-16)
    let where form = $"{form} of {m} x {k} and {k} x {n} in {element}"

    Evidence.worst
        [ for form, product in forms element m n k a b do
              let got = product.ToArray<float>()
              Evidence.within (where form) bound (Array.map2 (fun e g -> abs (g - e) / e) expected got |> Array.max)

          // Weights that are used again are kept in another layout.
          let x, weights = tensor element m k a, tensor element k n b
          let first = Linear.Forward(x, weights)

          for again in 1..3 do
              Evidence.exact (where $"product {again} more") ((Linear.Forward(x, weights)).SameBits first) ]

/// The laws of this file.
let laws: Law list =
    [ Law.fact "a factor beyond the caches gives the sums, however often it is used" "matrix product" (fun () ->
          Evidence.worst
              [ for element in [ ElementType.Float32; ElementType.Float64 ] do
                    for size in large do
                        largeProduct element size ])
      Law.fact "products of nothing end, and are zeros" "matrix product" empty
      Law.fact "what is not finite reaches the sums it belongs to and no other" "matrix product" (fun () ->
          Evidence.worst
              [ for element in [ ElementType.Float32; ElementType.Float64 ] do
                    for size in sizes do
                        for special in specials do
                            for at in [ 0; 5; 101; 9999 ] do
                                case element size special at true
                                case element size special at false ]) ]

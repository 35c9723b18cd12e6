/// Operations that move numbers and change none, under their formulas.
module DL.Properties.Ops.Shapes

open DL.Core
open DL.Core.Ops
open DL.Laws

let private axisSizes axis extra = List.init 3 (fun i -> if i = axis then Positive else Free) @ extra

/// One input, and settings read from the sizes behind its extents.
let private settled name variant sizes (forward: int list -> Tensor -> Tensor) backward formula : Operation =
    { Name = name
      Variant = variant
      Sizes = sizes
      Numbers = [ Ordinary; Kinks; UnequalRows; Small; Huge ]
      Inputs = fun sizes -> [ List.take 3 sizes ]
      Domain = fun _ x -> x
      Forward = fun case x -> [| forward case.Sizes x[0] |]
      Backward = fun case x _ dy -> [| backward case.Sizes x[0] dy[0] |]
      Formula = fun case x -> [| formula case.Sizes x[0] |]
      Homogeneous = 0 }

/// The part an extra size points at: from the middle on, at most that long.
let private part axis (sizes: int list) =
    let n = sizes[axis]
    let from = n / 2
    struct (from, min sizes[3] (n - from))

let private slice axis =
    settled
        "Slice"
        $"of axis {axis}"
        (axisSizes axis [ OneOf [ 1; 2; 5 ] ])
        (fun sizes x ->
            let struct (from, length) = part axis sizes
            Slice.Forward(x, axis, from, length))
        (fun sizes x dy ->
            let struct (from, _) = part axis sizes
            Slice.Backward(dy, x.Shape, axis, from))
        (fun sizes ->
            let struct (from, length) = part axis sizes
            Reference.along (List.take 3 sizes) axis (fun run -> Array.sub run from length))

let private pad axis =
    settled
        "Pad"
        $"of axis {axis}"
        (axisSizes axis [ OneOf [ 0; 1; 3 ]; OneOf [ 0; 2 ] ])
        (fun sizes x -> Pad.Forward(x, axis, sizes[3], sizes[4]))
        (fun sizes _ dy -> Pad.Backward(dy, axis, sizes[3], sizes[4]))
        (fun sizes ->
            let zeros n = Array.create n (Dual.Constant 0.0)
            Reference.along (List.take 3 sizes) axis (fun run -> Array.concat [ zeros sizes[3]; run; zeros sizes[4] ]))

let private transposed (axes: int list) (extents: int list) (x: 'a[]) =
    let to' = axes |> List.map (fun a -> extents[a])
    let strides = List.init 3 (fun i -> List.skip (i + 1) extents |> List.fold (*) 1)

    [| for i in 0 .. to'[0] - 1 do
           for j in 0 .. to'[1] - 1 do
               for k in 0 .. to'[2] - 1 do
                   x[i * strides[axes[0]] + j * strides[axes[1]] + k * strides[axes[2]]] |]

let private transpose (axes: int list) =
    let order = List.toArray axes

    settled
        "Transpose"
        $"to {axes}"
        [ Free; Free; Free ]
        (fun _ x -> Transpose.Forward(x, order))
        (fun _ _ dy -> Transpose.Backward(dy, order))
        (fun sizes -> transposed axes (List.take 3 sizes))

/// Rows with repetition: an id past the middle is met twice.
let private chosen (sizes: int list) = Array.init (sizes[0] + 2) (fun i -> (i * 5 + 1) % sizes[0])

let private rows =
    settled
        "Rows"
        "with repetition"
        (axisSizes 0 [])
        (fun sizes x -> Rows.Forward(x, chosen sizes))
        (fun sizes _ dy -> Rows.Backward(dy, chosen sizes, sizes[0]))
        (fun sizes x ->
            let n = sizes[1] * sizes[2]
            chosen sizes |> Array.collect (fun r -> Array.sub x (r * n) n))

let private concat axis : Operation =
    let extents (sizes: int list) = [ List.updateAt axis sizes[axis] (List.take 3 sizes); List.updateAt axis sizes[3] (List.take 3 sizes) ]

    { Name = "Concat"
      Variant = $"along axis {axis}"
      Sizes = [ Free; Free; Free; Free ]
      Numbers = [ Ordinary; Kinks; Huge ]
      Inputs = extents
      Domain = fun _ x -> x
      Forward = fun _ x -> [| Concat.Forward(axis, x) |]
      Backward = fun case _ _ dy -> Concat.Backward(dy[0], axis, [| case.Sizes[axis]; case.Sizes[3] |])
      Formula =
        fun case x ->
            let joined = List.updateAt axis (case.Sizes[axis] + case.Sizes[3]) (List.take 3 case.Sizes)
            let inner = List.skip (axis + 1) joined |> List.fold (*) 1
            let outer = List.take axis joined |> List.fold (*) 1
            let run (a: Dual[]) n o = Array.sub a (o * n * inner) (n * inner)

            [| Array.concat
                   [ for o in 0 .. outer - 1 do
                         run x[0] case.Sizes[axis] o
                         run x[1] case.Sizes[3] o ] |]
      Homogeneous = -1 }

let private split axis : Operation =
    let sizes (case: OperationCase) =
        let n = case.Sizes[axis]
        [| n / 3; n - n / 3 |]

    let cut (case: OperationCase) from length = Reference.along case.Sizes axis (fun run -> Array.sub run from length)

    { Name = "Split"
      Variant = $"along axis {axis}"
      Sizes = axisSizes axis []
      Numbers = [ Ordinary; Kinks; Huge ]
      Inputs = List.singleton
      Domain = fun _ x -> x
      Forward = fun case x -> Split.Forward(x[0], axis, sizes case)
      Backward = fun _ _ _ dy -> [| Split.Backward(axis, dy) |]
      Formula =
        fun case x ->
            let s = sizes case
            [| cut case 0 s[0] x[0]; cut case s[0] s[1] x[0] |]
      Homogeneous = 0 }

/// The operations of this file.
let operations: Operation list =
    [ for axis in 0..2 do
          slice axis
          pad axis
          concat axis
          split axis
      for axes in [ [ 0; 2; 1 ]; [ 1; 2; 0 ]; [ 2; 0; 1 ]; [ 1; 0; 2 ]; [ 2; 1; 0 ]; [ 0; 1; 2 ] ] do
          transpose axes
      rows ]

/// The recurrences as they are written in books, over dual numbers, one step and one example at a time.
module DL.Properties.Ops.RecurrentCells

open System
open DL.Core
open DL.Laws

/// The matrices of a recurrent operation: input weights, recurrent weights, bias and recurrent bias, the last two perhaps empty.
type Weights =
    { Input: Dual[]
      Recurrent: Dual[]
      Bias: Dual[]
      RecurrentBias: Dual[] }

/// Element k of a row times a matrix of so many columns.
let private product (row: Dual[]) (matrix: Dual[]) columns k = Dual.sum (Array.mapi (fun i v -> v * matrix[i * columns + k]) row)

let private at (bias: Dual[]) k = if bias.Length = 0 then Dual.Constant 0.0 else bias[k]

/// x W + b + h R + bh, one column.
let private affine w columns (x: Dual[]) (h: Dual[]) k =
    product x w.Input columns k + at w.Bias k + product h w.Recurrent columns k + at w.RecurrentBias k

/// From weights, a step's input, the state and the cell to the next state and cell.
type Cell = Weights -> Dual[] -> Dual[] -> Dual[] -> struct (Dual[] * Dual[])

/// h = tanh(x W + h R + b).
let rnn: Cell =
    fun w x h c ->
        let n = h.Length
        struct (Array.init n (affine w n x h >> Reference.tanh), c)

/// Gates i, f, g, o.
let lstm: Cell =
    fun w x h c ->
        let n = h.Length
        let gate k j = affine w (4 * n) x h (k * n + j)

        let next =
            Array.init n (fun j -> Reference.sigmoid (gate 1 j) * c[j] + Reference.sigmoid (gate 0 j) * Reference.tanh (gate 2 j))

        struct (Array.init n (fun j -> Reference.sigmoid (gate 3 j) * Reference.tanh next[j]), next)

let private one = Dual.Constant 1.0

/// Gates r, z, n; the state is reset before the product.
let gruBefore: Cell =
    fun w x h c ->
        let n = h.Length
        let r = Array.init n (affine w (3 * n) x h >> Reference.sigmoid)
        let reset = Array.map2 (*) r h

        let next =
            Array.init n (fun j ->
                let z = Reference.sigmoid (affine w (3 * n) x h (n + j))
                let candidate = Reference.tanh (affine w (3 * n) x reset (2 * n + j))
                (one - z) * h[j] + z * candidate)

        struct (next, c)

/// Gates r, z, n; what the state gives to the candidate is reset after the product.
let gruAfter: Cell =
    fun w x h c ->
        let n = h.Length

        let next =
            Array.init n (fun j ->
                let r = Reference.sigmoid (affine w (3 * n) x h j)
                let z = Reference.sigmoid (affine w (3 * n) x h (n + j))
                let k = 2 * n + j
                let given = product x w.Input (3 * n) k + at w.Bias k
                let candidate = Reference.tanh (given + r * (product h w.Recurrent (3 * n) k + at w.RecurrentBias k))
                (one - z) * candidate + z * h[j])

        struct (next, c)

/// Outputs, last states and last cells of a batch, from lengths and initial states.
let run (cell: Cell) (w: Weights) time inputs hidden (lengths: int[]) (x: Dual[]) (h: Dual[]) (c: Dual[]) =
    let zeros = Array.create hidden (Dual.Constant 0.0)

    let example n =
        let first (state: Dual[]) = if state.Length = 0 then zeros else state[n * hidden .. n * hidden + hidden - 1]
        let mutable h, c = first h, first c

        let outputs =
            [| for t in 0 .. time - 1 do
                   if t < lengths[n] then
                       let from = (n * time + t) * inputs
                       let struct (nextH, nextC) = cell w x[from .. from + inputs - 1] h c
                       h <- nextH
                       c <- nextC
                       h
                   else
                       zeros |]

        struct (Array.concat outputs, h, c)

    let all = Array.init lengths.Length example

    [| for struct (y, _, _) in all -> y |] |> Array.concat,
    [| for struct (_, h, _) in all -> h |] |> Array.concat,
    [| for struct (_, _, c) in all -> c |] |> Array.concat

/// The lengths of a case's examples, from nothing to all of the sequence.
let lengthsOf (case: OperationCase) : int[] =
    let n, time = case.Sizes[0], case.Sizes[1]
    Array.init n (fun i -> int ((case.Seed / 3UL + 7UL * uint64 i * (case.Seed % 5UL + 1UL)) % uint64 (time + 1)))

/// Batches, steps, inputs and states: single ones, more than four examples (whose weights are packed), and lengths around a vector register.
let sizes: Extent list =
    [ OneOf [ 1; 2; 3; 5; 17 ]
      OneOf [ 1; 2; 3; 5; 0 ]
      OneOf [ 1; 3; 16; 0 ]
      OneOf [ 1; 2; 7; 8; 15; 16; 17; 33 ] ]

/// A gradient or state by its place, or null where the variant has none.
let orNull (all: Tensor[]) (place: int) : Tensor | null = if place < 0 then null else all[place]

/// Wrong Backwards of recurrent operations.
module DL.Properties.Mutants.Recurrent

open System
open DL.Core
open DL.Core.Ops
open DL.Laws
open DL.Properties.Ops

let private find name variant = Recurrent.operations |> List.find (fun o -> o.Name = name && o.Variant = variant)

let private like (t: Tensor) (x: float[]) : Tensor = (Tensor.Of<float>(ReadOnlySpan<float> x, t.Shape)).To t.ElementType

/// The right operation, and one with another Backward, made from the right one.
let private spoilt name variant (change: Operation -> OperationCase -> Tensor[] -> Tensor[] -> Tensor[]) =
    let right = find name variant

    right, { right with Backward = fun case x _ dy -> change right case x dy }

let private right (operation: Operation) case x dy = operation.Backward case x [||] dy

/// The gradient of one input replaced.
let private instead place (change: Tensor[] -> Tensor -> Tensor) name variant =
    spoilt name variant (fun operation case x dy ->
        let g = right operation case x dy
        g |> Array.mapi (fun i t -> if i = place then change g t else t))

let private zeros (t: Tensor) : Tensor = Tensor.Zeros(t.ElementType, t.Shape)

/// Two of the blocks of columns exchanged that gates have in weights and biases.
let private exchanged gates a b (t: Tensor) : Tensor =
    let width = t.Shape.Last / gates

    let place j =
        if j / width = a then b * width + j % width
        elif j / width = b then a * width + j % width
        else j

    let row (values: float[]) = Array.init values.Length (fun j -> values[place j])
    like t (t.ToArray<float>() |> Array.chunkBySize (max 1 t.Shape.Last) |> Array.collect row)

/// The way back takes two gates for each other.
let private order gates a b name variant =
    spoilt name variant (fun operation case x dy ->
        let turn = Array.mapi (fun i t -> if i >= 1 && i <= 3 then exchanged gates a b t else t)
        right operation case (turn x) dy |> turn)

/// The way back of another form.
let private form other name variant = spoilt name variant (fun _ case x dy -> right (find name other) case x dy)

/// The way back of a batch of other lengths.
let private lengths name variant =
    spoilt name variant (fun operation case x dy -> right operation { case with Seed = case.Seed + 3UL } x dy)

/// The padding of the output's gradient is taken to come first.
let private side name variant =
    spoilt name variant (fun operation case x dy ->
        let time, width, from = case.Sizes[1], case.Sizes[3], dy[0].ToArray<float>()
        let lengths = RecurrentCells.lengthsOf case

        let moved =
            Array.init from.Length (fun at ->
                let example = at / width / time
                let t = at / width % time + time - lengths[example]
                if t < time then from[(example * time + t) * width + at % width] else 0.0)

        right operation case x (Array.append [| like dy[0] moved |] dy[1..]))

/// The recurrent weights of the way back are not transposed.
let private untransposed name variant =
    spoilt name variant (fun operation case x dy ->
        let turn = Array.mapi (fun i (t: Tensor) -> if i = 2 then Transpose.Forward(t, 1, 0) else t)
        right operation case (turn x) dy |> turn)

/// An LSTM's way back one step after the other, with what of the states' gradients goes from a step to the one before.
let private stepwise carryHidden carryCell (case: OperationCase) (x: Tensor[]) (dy: Tensor[]) : Tensor[] =
    let n, time = case.Sizes[0], case.Sizes[1]
    let lengths = RecurrentCells.lengthsOf case
    let running t = Array.init n (fun i -> if t < lengths[i] then 1 else 0)
    let at t (sequence: Tensor) = Slice.Forward(sequence, 1, t, 1)
    let step (h, c) t = Lstm.Forward(at t x[0], x[1], x[2], x[3], h, c, running t)

    let passes =
        [| 0 .. time - 1 |]
        |> Array.scan
            (fun (_, (h: Tensor, c: Tensor)) t -> let pass = step (h, c) t in Some pass, (pass.Hidden, pass.Cell))
            (None, (x[4], x[5]))
        |> Array.choose fst

    let mutable dh, dc = dy[1], dy[2]
    let mutable dx = []
    let mutable sums = [| zeros x[1]; zeros x[2]; zeros x[3] |]

    for t in time - 1 .. -1 .. 0 do
        let g = Lstm.Backward(passes[t], at t dy[0], dh, dc)
        dx <- g.Input() :: dx
        sums <- Array.map2 (fun (a: Tensor) b -> Add.Forward(a, b)) sums [| g.Weight; g.Recurrent; Option.get (Option.ofObj g.Bias) |]
        dh <- if carryHidden then g.Hidden else zeros g.Hidden
        dc <- if carryCell then Option.get (Option.ofObj g.Cell) else zeros g.Hidden

    [| (if dx.IsEmpty then zeros x[0] else Concat.Forward(1, Array.ofList dx)); yield! sums; dh; dc |]

let private steps carryHidden carryCell = spoilt "Lstm" "" (fun _ -> stepwise carryHidden carryCell)

/// The way back that two mutants are made from: with all it needs it is right.
let laws: Law list = OperationLaws.all { snd (steps true true) with Variant = "back step by step" }

/// What is wrong, the right operation, the wrong one.
let mutants: (string * Operation * Operation) list =
    [ "Lstm: dh from the future forgotten", steps false true
      "Lstm: dc not carried", steps true false
      "Lstm: input and forget gate exchanged", order 4 0 1 "Lstm" ""
      "Lstm: candidate and output gate exchanged", order 4 2 3 "Lstm" ""
      "Lstm: the lengths of another batch", lengths "Lstm" "to the last state"
      "Lstm: padding on the wrong side", side "Lstm" ""
      "Lstm: the initial cell takes the state's gradient", instead 5 (fun g _ -> g[4]) "Lstm" ""
      "Gru: the reset gate taken after the product", form "reset after" "Gru" "reset before"
      "Gru: the reset gate taken before the product", form "reset before" "Gru" "reset after"
      "Gru: reset and update gate exchanged", order 3 0 1 "Gru" "reset before from zero states"
      "Gru: both biases take one gradient", instead 4 (fun g _ -> g[3]) "Gru" "reset after"
      "Gru: padding on the wrong side", side "Gru" "reset after"
      "Rnn: the initial state's gradient forgotten", instead 4 (fun _ t -> zeros t) "Rnn" ""
      "Rnn: recurrent weights not transposed", untransposed "Rnn" ""
      "Rnn: the lengths of another batch", lengths "Rnn" ""
      "ReverseTime: not reversed again", spoilt "ReverseTime" "" (fun _ _ _ dy -> dy)
      "ReverseTime: padding reversed with the rest", spoilt "ReverseTime" "padded" (fun _ _ _ dy -> [| ReverseTime.Backward dy[0] |]) ]
    |> List.map (fun (fault, (right, wrong)) -> fault, right, wrong)

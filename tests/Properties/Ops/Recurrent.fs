/// Recurrent operations under their recurrences: states given or not, padding, gradients from the outputs, from the last states, and from both.
module DL.Properties.Ops.Recurrent

open System
open DL.Core
open DL.Core.Ops
open DL.Laws
open DL.Properties.Ops.RecurrentCells

/// What of a recurrent operation is tried.
type private Form =
    { Bias: bool
      RecurrentBias: bool
      States: bool
      Padded: bool
      Output: bool
      Last: bool }

let private everything =
    { Bias = true
      RecurrentBias = false
      States = true
      Padded = true
      Output = true
      Last = true }

let private forms =
    [ "", everything
      "from zero states", { everything with States = false; Last = false }
      "without bias or padding", { everything with Bias = false; Padded = false }
      "to the last state", { everything with Output = false }
      "output only", { everything with Last = false; Padded = false } ]

/// Where each input of a form lies among all, -1 for what is left out.
type private Places = { B: int; Rb: int; H: int; C: int; Count: int }

let private placesOf (states: int) form =
    let b = if form.Bias then 3 else -1
    let rb = if form.RecurrentBias then 3 + Convert.ToInt32 form.Bias else -1
    let next = 3 + Convert.ToInt32 form.Bias + Convert.ToInt32 form.RecurrentBias
    let h = if form.States then next else -1
    let c = if form.States && states > 1 then next + 1 else -1

    { B = b
      Rb = rb
      H = h
      C = c
      Count = next + (if form.States then states else 0) }

/// One way through an operation: from inputs by their places and lengths to outputs, and back from the gradients of outputs that may be missing.
type private Way =
    { Forward: Tensor[] -> Places -> int[] | null -> Tensor[]
      Backward: Tensor[] -> Places -> int[] | null -> (Tensor | null)[] -> (Tensor | null)[] }

let private chosen form (outputs: 'a[]) : 'a[] =
    [| if form.Output then
           outputs[0]
       if form.Last then
           yield! outputs[1..] |]

let private spread form states (dy: Tensor[]) : (Tensor | null)[] =
    let first = if form.Output then 0 else -1
    let last k = if form.Last then first + 1 + k else -1
    Array.append [| orNull dy first |] (Array.init states (last >> orNull dy))

let private operation name gates states cell (way: Way) (variant, form) : Operation =
    let places = placesOf states form
    let lengths (case: OperationCase) : int[] | null = if form.Padded then lengthsOf case else null

    { Name = name
      Variant = variant
      Sizes = sizes
      Numbers = [ Ordinary; Kinks; Ties; EqualRows; ConstantRows; UnequalRows; Large; Small ]
      Inputs =
        fun sizes ->
            let n, time, inputs, hidden = sizes[0], sizes[1], sizes[2], sizes[3]

            [ [ n; time; inputs ]
              [ inputs; gates * hidden ]
              [ hidden; gates * hidden ]
              if form.Bias then
                  [ gates * hidden ]
              if form.RecurrentBias then
                  [ gates * hidden ]
              if form.States then
                  yield! List.replicate states [ n; hidden ] ]
      Domain = fun _ x -> x
      Forward = fun case x -> way.Forward x places (lengths case) |> chosen form
      Backward =
        fun case x _ dy ->
            way.Backward x places (lengths case) (spread form states dy)
            |> Array.choose Option.ofObj
            |> Array.truncate places.Count
      Formula =
        fun case x ->
            let part place = if place < 0 then [||] else x[place]

            let weights =
                { Input = x[1]
                  Recurrent = x[2]
                  Bias = part places.B
                  RecurrentBias = part places.Rb }

            let time, inputs, hidden = case.Sizes[1], case.Sizes[2], case.Sizes[3]
            let lengths = if form.Padded then lengthsOf case else Array.create case.Sizes[0] time
            let y, h, c = run cell weights time inputs hidden lengths x[0] (part places.H) (part places.C)
            (if states > 1 then [| y; h; c |] else [| y; h |]) |> chosen form
      Homogeneous = -1 }

let private lstmWay =
    let forward (x: Tensor[]) places lengths =
        Lstm.Forward(x[0], x[1], x[2], orNull x places.B, orNull x places.H, orNull x places.C, lengths)

    { Forward =
        fun x places lengths ->
            let pass = forward x places lengths
            [| pass.Output; pass.Hidden; pass.Cell |]
      Backward =
        fun x places lengths dy ->
            let g = Lstm.Backward(forward x places lengths, dy[0], dy[1], dy[2])
            [| g.Input(); g.Weight; g.Recurrent; g.Bias; g.Hidden; g.Cell |] }

let private rnnWay =
    let forward (x: Tensor[]) places lengths = Rnn.Forward(x[0], x[1], x[2], orNull x places.B, orNull x places.H, lengths)

    { Forward =
        fun x places lengths ->
            let pass = forward x places lengths
            [| pass.Output; pass.Hidden |]
      Backward =
        fun x places lengths dy ->
            let g = Rnn.Backward(forward x places lengths, dy[0], dy[1])
            [| g.Input(); g.Weight; g.Recurrent; g.Bias; g.Hidden |] }

let private gruWay reset =
    let forward (x: Tensor[]) places lengths =
        Gru.Forward(x[0], x[1], x[2], orNull x places.B, orNull x places.Rb, orNull x places.H, lengths, reset)

    { Forward =
        fun x places lengths ->
            let pass = forward x places lengths
            [| pass.Output; pass.Hidden |]
      Backward =
        fun x places lengths dy ->
            let g = Gru.Backward(forward x places lengths, dy[0], dy[1])
            [| g.Input(); g.Weight; g.Recurrent; g.Bias; g.RecurrentBias; g.Hidden |] }

let private gruForms =
    [ for variant, form in forms do
          yield variant, { form with RecurrentBias = form.Last && form.Bias }
      yield "with the recurrent bias alone", { everything with Bias = false; RecurrentBias = true } ]

let private gru (name: string) reset cell =
    [ for variant, form in gruForms -> operation "Gru" 3 1 cell (gruWay reset) ((name + " " + variant).Trim(), form) ]

let private reverseTime padded : Operation =
    let lengths (case: OperationCase) : int[] | null = if padded then lengthsOf case else null

    { Operation.unary "ReverseTime" id (fun _ _ dy -> dy) (fun _ x -> x) with
        Variant = if padded then "padded" else ""
        Sizes = [ OneOf [ 1; 2; 3; 17; 0 ]; Free; OneOf [ 1; 3; 16; 0 ] ]
        Forward = fun case x -> [| ReverseTime.Forward(x[0], lengths case) |]
        Backward = fun case _ _ dy -> [| ReverseTime.Backward(dy[0], lengths case) |]
        Formula =
            fun case x ->
                let n, time, width = case.Sizes[0], case.Sizes[1], case.Sizes[2]
                let lengths = if padded then lengthsOf case else Array.create n time
                let place i t = if t < lengths[i] then lengths[i] - 1 - t else t

                [| [| for i in 0 .. n - 1 do
                          for t in 0 .. time - 1 do
                              for j in 0 .. width - 1 -> x[0][(i * time + place i t) * width + j] |] |]
        Homogeneous = 0 }

/// The operations of this file.
let operations: Operation list =
    [ yield! forms |> List.map (operation "Rnn" 1 1 rnn rnnWay)
      yield! forms |> List.map (operation "Lstm" 4 2 lstm lstmWay)
      yield! gru "reset before" GruForm.ResetBefore gruBefore
      yield! gru "reset after" GruForm.ResetAfter gruAfter
      reverseTime false
      reverseTime true ]

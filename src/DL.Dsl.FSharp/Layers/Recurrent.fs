namespace DL

open System
open DL.Core
open DL.Core.Ops

/// <summary>The settings of recurrent layers: <c>lstmWith { Recurrent.defaults with ForgetBias = 1.0 } 256</c>.</summary>
[<NoEquality; NoComparison>]
type RecurrentSettings =
    {
        /// <summary>Whether a bias is added.</summary>
        Bias: bool
        /// <summary>Whether a second bias goes with the recurrent weights, as in torch.</summary>
        RecurrentBias: bool
        /// <summary>What is added to the initial bias of an LSTM's forget gate.</summary>
        ForgetBias: float
        /// <summary>The form of a GRU.</summary>
        Form: GruForm
        /// <summary>The initial weights of the input, each gate's drawn by itself; without any, all is uniform within <c>1 / sqrt hidden</c>, as in torch.</summary>
        Weights: Initializer option
        /// <summary>The initial weights of the state, likewise: <c>Some Initializer.orthogonal</c> makes those of each gate orthogonal.</summary>
        RecurrentWeights: Initializer option
    }

/// <summary>Settings of recurrent layers.</summary>
[<RequireQualifiedAccess>]
module Recurrent =
    /// <summary>One bias; a GRU resets before the product.</summary>
    let defaults =
        { Bias = true
          RecurrentBias = false
          ForgetBias = 0.0
          Form = GruForm.ResetBefore
          Weights = None
          RecurrentWeights = None }

    /// <summary>Two biases, a GRU that resets after the product: torch's forms, for weights that come from there.</summary>
    let torch = { defaults with RecurrentBias = true; Form = GruForm.ResetAfter }

/// One run of a recurrent operation, whichever it is.
[<NoEquality; NoComparison>]
type internal RecurrentRun =
    { Steps: Tensor
      States: Tensor[]
      Back: (Tensor | null) -> Tensor[] -> RecurrentGradients }

/// A recurrent operation: its name, its gates, its states, and how it runs over x with parameters, initial states (or none) and lengths, with a way back
/// or, where nobody goes back, to the steps and the states alone.
[<NoEquality; NoComparison>]
type internal RecurrentCell =
    { Called: string
      Gates: int
      Memories: int
      Forget: int voption
      Run: Params -> Tensor -> Tensor[] -> (int[] | null) -> RecurrentRun
      Predict: Params -> Tensor -> Tensor[] -> (int[] | null) -> struct (Tensor * Tensor[]) }

/// <summary>Recurrent layers. Padding leaves their state where it is and gives zeros.</summary>
[<AutoOpen>]
module RecurrentLayers =
    let private orNull i (items: Tensor[]) : Tensor | null = if i < items.Length then items[i] else null

    /// The two biases as one; their gradients are the same.
    let private bias (ps: Params) : Tensor | null =
        match ps.Length with
        | 2 -> null
        | 3 -> ps[2]
        | _ -> Add.Forward(ps[2], ps[3])

    let private rnnCell: RecurrentCell =
        { Called = "rnn"
          Gates = 1
          Memories = 1
          Forget = ValueNone
          Run =
            fun ps x states lengths ->
                let pass = Rnn.Forward(x, ps[0], ps[1], bias ps, orNull 0 states, lengths)

                { Steps = pass.Output
                  States = [| pass.Hidden |]
                  Back = fun dy dstates -> Rnn.Backward(pass, dy, orNull 0 dstates) }
          Predict =
            fun ps x states lengths ->
                let struct (y, hidden) = Rnn.Predict(x, ps[0], ps[1], bias ps, orNull 0 states, lengths)
                struct (y, [| hidden |]) }

    let private lstmCell: RecurrentCell =
        { Called = "lstm"
          Gates = 4
          Memories = 2
          Forget = ValueSome 1
          Run =
            fun ps x states lengths ->
                let pass = Lstm.Forward(x, ps[0], ps[1], bias ps, orNull 0 states, orNull 1 states, lengths)

                { Steps = pass.Output
                  States = [| pass.Hidden; pass.Cell |]
                  Back = fun dy dstates -> Lstm.Backward(pass, dy, orNull 0 dstates, orNull 1 dstates) }
          Predict =
            fun ps x states lengths ->
                let struct (y, hidden, cell) = Lstm.Predict(x, ps[0], ps[1], bias ps, orNull 0 states, orNull 1 states, lengths)
                struct (y, [| hidden; cell |]) }

    let private gruCell (form: GruForm) : RecurrentCell =
        { Called = "gru"
          Gates = 3
          Memories = 1
          Forget = ValueNone
          Run =
            fun ps x states lengths ->
                let pass = Gru.Forward(x, ps[0], ps[1], orNull 2 ps, orNull 3 ps, orNull 0 states, lengths, form)

                { Steps = pass.Output
                  States = [| pass.Hidden |]
                  Back = fun dy dstates -> Gru.Backward(pass, dy, orNull 0 dstates) }
          Predict =
            fun ps x states lengths ->
                let struct (y, hidden) = Gru.Predict(x, ps[0], ps[1], orNull 2 ps, orNull 3 ps, orNull 0 states, lengths, form)
                struct (y, [| hidden |]) }

    let private gradients (ps: Params) (cell: RecurrentCell) (g: RecurrentGradients) : Grads =
        [| g.Weight
           g.Recurrent
           if ps.Length > 2 then
               Unchecked.nonNull g.Bias
           if ps.Length > 3 then
               Unchecked.nonNull (if cell.Called = "gru" then g.RecurrentBias else g.Bias) |]

    let private slots (options: RecurrentSettings) =
        let slot layout name = { Stage = 0; Name = name; Layout = layout }

        [ slot Transposed "weight_ih_l0"
          slot Transposed "weight_hh_l0"
          if options.Bias then
              slot Plain "bias_ih_l0"
          if options.Bias && options.RecurrentBias then
              slot Plain "bias_hh_l0" ]

    // As torch, unless asked: everything uniform within 1 / sqrt(hidden).
    let private draw (options: RecurrentSettings) cell hidden inputs (key: Random.Key) : Params =
        let bound = 1.0 / Math.Sqrt(float hidden)
        let width = cell.Gates * hidden

        let within i (shape: int[]) = (Initializer.uniform -bound bound).Draw (key.Skip i) (Shape shape) 1 1

        let weights i rows (chosen: Initializer option) : Tensor =
            match chosen with
            | None -> within i [| rows; width |]
            | Some initializer ->
                let keys = Array.scan (fun (k: Random.Key) _ -> k.Next) (key.Skip i) [| 2 .. cell.Gates |]
                Concat.Forward(1, keys |> Array.map (fun k -> initializer.Draw k (Shape [| rows; hidden |]) rows hidden))

        let forgetting (b: Tensor) =
            match cell.Forget with
            | ValueSome gate when options.ForgetBias <> 0.0 ->
                let moved = b.ToArray<float>() |> Array.mapi (fun i v -> if i / hidden = gate then v + options.ForgetBias else v)
                Tensor.Of<float>(moved, width) :> Tensor
            | _ -> b

        [| weights 0 inputs options.Weights
           weights 1 hidden options.RecurrentWeights
           if options.Bias then
               forgetting (within 2 [| width |])
           if options.Bias && options.RecurrentBias then
               within 3 [| width |] |]

    let private settings (options: RecurrentSettings) cell hidden =
        [ string hidden
          if not options.Bias then
              "without bias"
          if options.Bias && options.RecurrentBias then
              "two biases"
          if cell.Called = "gru" && options.Form = GruForm.ResetAfter then
              "reset after" ]

    let private check (cell: RecurrentCell) hidden =
        if hidden < 1 then
            raise (InvalidArgumentException(cell.Called, "at least 1 hidden unit", $"{hidden}"))

    let private setup (options: RecurrentSettings) cell hidden about key (xs: Shape<Seq>) (shape: Shape<'y>) : Setup<'y> =
        let extents = Shape.core xs

        if extents[0] < 1 then
            raise (ShapeException(cell.Called, "a sequence of at least one step", $"{xs}"))

        let ps = draw options cell hidden extents[1] key
        let perStep = ps |> Array.filter (fun p -> p.Shape.Rank = 2) |> Layer.parameters
        Layer.setup about shape ps [||] |> Layer.multiplying (int64 extents[0] * perStep)

    let private overSteps (options: RecurrentSettings) (cell: RecurrentCell) (hidden: int) : Layer<Seq, Seq> =
        check cell hidden
        let about = Layer.about cell.Called (settings options cell hidden)

        let remembered (memory: Remembered[]) =
            memory
            |> Array.choose (function
                | Held t -> Some t
                | _ -> None)

        { About = about
          Stages = 1
          HandsOn = false
          Slots = slots options
          Cells = []
          Init = fun key shape -> setup options cell hidden about key shape (Shape.seq ((Shape.core shape)[0], hidden))
          Apply =
            fun _ ps state input ->
                let run = cell.Run ps (Batch.held input) [||] (Padded.orNull input)

                { Output = Batch.ofTensor run.Steps
                  State = state
                  Pullback =
                    fun dy ->
                        let g = run.Back (Batch.held dy) [||]
                        struct (Batch.delayed g.Input, gradients ps cell g) }
          Answer =
            ValueSome(fun ps _ input ->
                let struct (y, _) = cell.Predict ps (Batch.held input) [||] (Padded.orNull input)
                Batch.ofTensor y)
          Continue =
            Ok
                { Fresh = Array.create cell.Memories Unseen
                  Extend =
                    fun ps _ memory input ->
                        let struct (y, states) = cell.Predict ps (Batch.held input) (remembered memory) null
                        struct (Batch.ofTensor y, Array.map Held states) }
          Beside = ValueNone
          Fuse = Layer.noFuse
          Head = Layer.noHead }

    let private fromState
        (options: RecurrentSettings)
        (cell: RecurrentCell)
        (hidden: int)
        (expected: Shape<'h>)
        (states: Batch<'h> -> Tensor[])
        (ofStates: Tensor[] -> Batch<'h>)
        : Layer<'h * Seq, 'h * Seq> =
        check cell hidden
        let about = Layer.about $"{cell.Called}From" (settings options cell hidden)

        { About = about
          Stages = 1
          HandsOn = false
          Slots = slots options
          Cells = []
          Init =
            fun key shape ->
                let struct (h, xs) = Shape.split shape

                if h <> expected then
                    raise (ShapeException(string about, $"an initial state of shape {expected}", $"{h}"))

                setup options cell hidden about key xs (Shape.pair h (Shape.seq ((Shape.core xs)[0], hidden)))
          Apply =
            fun _ ps state input ->
                let struct (h, xs) = Batch.split input
                let run = cell.Run ps (Batch.held xs) (states h) (Padded.orNull xs)

                { Output = Batch.pair (ofStates run.States) (Padded.like xs (Batch.ofTensor run.Steps))
                  State = state
                  Pullback =
                    fun dout ->
                        let struct (dh, dys) = Batch.split dout
                        let g = run.Back (Batch.held dys) (states dh)

                        let dstates =
                            [| g.Hidden
                               if cell.Memories > 1 then
                                   Unchecked.nonNull g.Cell |]

                        struct (Batch.pair (ofStates dstates) (Batch.delayed g.Input), gradients ps cell g) }
          Answer =
            ValueSome(fun ps _ input ->
                let struct (h, xs) = Batch.split input
                let struct (y, last) = cell.Predict ps (Batch.held xs) (states h) (Padded.orNull xs)
                Batch.pair (ofStates last) (Padded.like xs (Batch.ofTensor y)))
          Continue = Error about
          Beside = ValueNone
          Fuse = Layer.noFuse
          Head = Layer.noHead }
        |> Standing.recurrence

    let private one (h: Batch<Vec>) = [| Batch.held h |]
    let private ofOne (states: Tensor[]) : Batch<Vec> = Batch.ofTensor states[0]

    let private two (h: Batch<Vec * Vec>) =
        let struct (hidden, cell) = Batch.split h
        [| Batch.held hidden; Batch.held cell |]

    let private ofTwo (states: Tensor[]) : Batch<Vec * Vec> = Batch.pair (Batch.ofTensor states[0]) (Batch.ofTensor states[1])

    /// <summary>A plain recurrent layer with settings of your own: from <c>[T; d]</c> to <c>[T; hidden]</c>, see <c>rnn</c>.</summary>
    /// <param name="options">Biases.</param>
    /// <param name="hidden">The size of h.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no hidden unit.</exception>
    /// <exception cref="T:DL.Core.ShapeException">In Init: the sequence is empty.</exception>
    let rnnWith (options: RecurrentSettings) (hidden: int) : Layer<Seq, Seq> = overSteps options rnnCell hidden

    /// <summary><c>h_t = tanh(W x_t + R h_(t-1) + b)</c> along a sequence, from an h of zeros; puts out every h.</summary>
    /// <remarks>Parameters and their order are torch's. J. Elman, Finding structure in time, 1990.</remarks>
    /// <param name="hidden">The size of h.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no hidden unit.</exception>
    /// <exception cref="T:DL.Core.ShapeException">In Init: the sequence is empty.</exception>
    let rnn (hidden: int) : Layer<Seq, Seq> = rnnWith Recurrent.defaults hidden

    /// <summary>A plain recurrent layer from a given h: from (<c>[hidden]</c>, <c>[T; d]</c>) to the last h and <c>[T; hidden]</c>, see <c>rnn</c>.</summary>
    /// <param name="options">Biases.</param>
    /// <param name="hidden">The size of h.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no hidden unit.</exception>
    /// <exception cref="T:DL.Core.ShapeException">In Init: h is of another size, or the sequence is empty.</exception>
    let rnnFrom (options: RecurrentSettings) (hidden: int) : Layer<Vec * Seq, Vec * Seq> =
        fromState options rnnCell hidden (Shape.vec hidden) one ofOne

    /// <summary>A long short-term memory with settings of your own: from <c>[T; d]</c> to <c>[T; hidden]</c>, see <c>lstm</c>.</summary>
    /// <param name="options">Biases, and what is added to the forget gate's.</param>
    /// <param name="hidden">The size of h and c.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no hidden unit.</exception>
    /// <exception cref="T:DL.Core.ShapeException">In Init: the sequence is empty.</exception>
    let lstmWith (options: RecurrentSettings) (hidden: int) : Layer<Seq, Seq> = overSteps options lstmCell hidden

    /// <summary>A long short-term memory along a sequence, from zeros; puts out every h.</summary>
    /// <remarks><c>i, f, o = sigmoid(a)</c>, <c>g = tanh(a)</c>, <c>c_t = f c_(t-1) + i g</c>, <c>h_t = o tanh(c_t)</c> with an affine map a of
    /// x_t and h_(t-1) for every gate; gates in torch's order i, f, g, o. S. Hochreiter, J. Schmidhuber, 1997; F. Gers et al., 2000.</remarks>
    /// <param name="hidden">The size of h and c.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no hidden unit.</exception>
    /// <exception cref="T:DL.Core.ShapeException">In Init: the sequence is empty.</exception>
    let lstm (hidden: int) : Layer<Seq, Seq> = lstmWith Recurrent.defaults hidden

    /// <summary>A long short-term memory from a given (h, c): from that and <c>[T; d]</c> to the last (h, c) and <c>[T; hidden]</c>, see <c>lstm</c>.</summary>
    /// <param name="options">Biases, and what is added to the forget gate's.</param>
    /// <param name="hidden">The size of h and c.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no hidden unit.</exception>
    /// <exception cref="T:DL.Core.ShapeException">In Init: h or c is of another size, or the sequence is empty.</exception>
    let lstmFrom (options: RecurrentSettings) (hidden: int) : Layer<(Vec * Vec) * Seq, (Vec * Vec) * Seq> =
        fromState options lstmCell hidden (Shape.pair (Shape.vec hidden) (Shape.vec hidden)) two ofTwo

    /// <summary>A gated recurrent unit with settings of your own: from <c>[T; d]</c> to <c>[T; hidden]</c>, see <c>gru</c>.</summary>
    /// <param name="options">Biases, and the form.</param>
    /// <param name="hidden">The size of h.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no hidden unit.</exception>
    /// <exception cref="T:DL.Core.ShapeException">In Init: the sequence is empty.</exception>
    let gruWith (options: RecurrentSettings) (hidden: int) : Layer<Seq, Seq> = overSteps options (gruCell options.Form) hidden

    /// <summary>A gated recurrent unit along a sequence, from an h of zeros; puts out every h.</summary>
    /// <remarks><c>z, r = sigmoid(..)</c>, <c>g = tanh(W x_t + R (r h_(t-1)) + b)</c>, <c>h_t = (1 - z) h_(t-1) + z g</c>; torch resets after
    /// the product and gives z the other sense: <c>Recurrent.torch</c>. Gates are stored r, z, n. K. Cho et al., 2014.</remarks>
    /// <param name="hidden">The size of h.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no hidden unit.</exception>
    /// <exception cref="T:DL.Core.ShapeException">In Init: the sequence is empty.</exception>
    let gru (hidden: int) : Layer<Seq, Seq> = gruWith Recurrent.defaults hidden

    /// <summary>A gated recurrent unit from a given h: from (<c>[hidden]</c>, <c>[T; d]</c>) to the last h and <c>[T; hidden]</c>, see <c>gru</c>.</summary>
    /// <param name="options">Biases, and the form.</param>
    /// <param name="hidden">The size of h.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no hidden unit.</exception>
    /// <exception cref="T:DL.Core.ShapeException">In Init: h is of another size, or the sequence is empty.</exception>
    let gruFrom (options: RecurrentSettings) (hidden: int) : Layer<Vec * Seq, Vec * Seq> =
        fromState options (gruCell options.Form) hidden (Shape.vec hidden) one ofOne

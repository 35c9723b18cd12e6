namespace DL

open DL.Core
open DL.Core.Ops

/// <summary>Recurrence over a cell of your own.</summary>
[<AutoOpen>]
module ScanLayers =
    let private step (x: Tensor) t : Batch<Vec> = Batch.ofTensor (Slice.Forward(x, 1, t, 1).Reshape(x.Shape[0], x.Shape[2]))

    let private stack (steps: Tensor[]) : Tensor =
        let apart = steps |> Array.map (fun s -> s.Reshape(s.Shape[0], 1, s.Shape[1]))
        Concat.Forward(1, apart)

    /// For every example whether step t counts: lengths of one step, or none; null where all count.
    let private counting (lengths: int[] | null) t : struct ((int[] | null) * (int[] | null)) =
        match lengths with
        | null -> struct (null, null)
        | lengths when lengths |> Array.forall (fun n -> n > t) -> struct (null, null)
        | lengths -> struct (lengths |> Array.map (fun n -> if n > t then 1 else 0), lengths |> Array.map (fun n -> if n > t then 0 else 1))

    /// The parts of the examples that are counted, and zeros for the others.
    let private only (chosen: int[] | null) (t: Tensor) : Tensor =
        match chosen with
        | null -> t
        | chosen -> MaskTime.Forward(t.Reshape(t.Shape.Tail().Prepend(1).Prepend(t.Shape[0])), chosen).Reshape t.Shape

    /// Where a step counts what is next, elsewhere what was before.
    let private choose (struct (counts, rests)) (next: Batch<'h>) (before: Batch<'h>) : Batch<'h> =
        match counts with
        | null -> next
        | _ -> Batch.map2 (fun a b -> Add.Forward(only counts a, only rests b)) next before

    let private addAll (a: Grads) (b: Grads) = Array.map2 Wiring.add a b

    let private forward (cell: Layer<'h * Vec, 'h * Vec>) mode ps state h0 lengths (x: Tensor) =
        let mutable h, state = h0, state

        let passes =
            Array.init x.Shape[1] (fun t ->
                let pass = cell.Apply mode ps state (Batch.pair h (step x t))
                let struct (next, y) = Batch.split pass.Output
                let here = counting lengths t
                let struct (counts, _) = here
                h <- choose here next h
                state <- pass.State
                struct (pass.Pullback, only counts (Batch.held y)))

        struct (passes, h, state)

    let private backward (passes: struct (Pullback<'h * Vec, 'h * Vec> * Tensor)[]) (dhn: Batch<'h>) lengths (dy: Tensor) =
        let mutable dh = dhn
        let mutable dp: Grads = [||]
        let dxs = Array.zeroCreate passes.Length

        for t in passes.Length - 1 .. -1 .. 0 do
            let struct (back, _) = passes[t]
            let struct (counts, rests) = counting lengths t
            let dyt = Batch.map (only counts) (step dy t)
            let struct (dhx, dpt) = back (Batch.pair (Batch.map (only counts) dh) dyt)
            let struct (dhPrevious, dx) = Batch.split dhx

            dh <-
                match counts with
                | null -> dhPrevious
                | _ -> Batch.map2 (fun a b -> Add.Forward(a, only rests b)) dhPrevious dh

            dxs[t] <- Batch.held dx
            dp <- if t = passes.Length - 1 then dpt else addAll dp dpt

        struct (dh, dxs, dp)

    /// <summary>Runs a cell (h, x_t) -&gt; (h, y_t) along a sequence from a given h, and gives the last h: every step shares the parameters.</summary>
    /// <remarks>Running over t1 steps and then, from the h reached, over t2 more equals running over all of them.</remarks>
    /// <exception cref="T:DL.Core.ShapeException">In Init: the cell does not give back an h of the shape it takes, or the sequence is empty.</exception>
    let scanFrom (cell: Layer<'h * Vec, 'h * Vec>) : Layer<'h * Seq, 'h * Seq> =
        { About = { Name = "scan"; Settings = []; Children = [ cell.About ] }
          Stages = 1
          HandsOn = false
          Slots = Wiring.under "" cell.Stages cell.Slots
          Cells = Wiring.under "" cell.Stages cell.Cells
          Init =
            fun key shape ->
                let struct (h, xs) = Shape.split shape
                let extents = Shape.core xs

                if extents[0] < 1 then
                    raise (ShapeException("scan", "a sequence of at least one step", $"{xs}"))

                let s = Wiring.located (Wiring.below "0.scan") (fun () -> cell.Init key (Shape.pair h (Shape.vec extents[1])))
                let struct (next, y) = Shape.split s.Shape

                if next <> h then
                    raise (ShapeException("scan", $"a cell that gives back an h of shape {h}", $"{next}"))

                { Shape = Shape.pair h (Shape.seq (extents[0], Shape.features y))
                  Params = s.Params
                  State = s.State
                  Rows = Wiring.rowsUnder "" cell.Stages s.Rows |> Layer.times extents[0] }
          Apply =
            fun mode ps state input ->
                let struct (h0, xs) = Batch.split input
                let lengths = Padded.orNull xs
                let x = Padded.zeroed lengths (Batch.held xs)
                let struct (passes, hn, next) = forward cell mode ps state h0 lengths x
                let ys: Batch<Seq> = Batch.ofTensor (stack (passes |> Array.map (fun struct (_, y) -> y)))

                { Output = Batch.pair hn (Padded.like xs ys)
                  State = next
                  Pullback =
                    fun dout ->
                        let struct (dhn, dys) = Batch.split dout
                        let struct (dh, dxs, dp) = backward passes dhn lengths (Batch.held dys)
                        struct (Batch.pair dh (Batch.delayed (fun () -> Padded.zeroed lengths (stack dxs))), dp) }
          Answer = ValueNone
          Continue = Error { Name = "scanFrom"; Settings = []; Children = [] }
          Beside = ValueNone
          Fuse = Layer.noFuse
          Head = Layer.noHead }
        |> Standing.recurrence

    let private zeros (like: Tensor) hidden : Batch<Vec> = Batch.zerosLike like (Shape [| like.Shape[0]; hidden |])

    /// <summary>Puts a vector of zeros beside a sequence: the state a recurrence starts from.</summary>
    /// <param name="hidden">The size of the vector.</param>
    let fromZero (hidden: int) : Layer<Seq, Vec * Seq> =
        { Layer.pure' "fromZero" (fun s -> Shape.pair (Shape.vec hidden) s) (fun (x: Batch<Seq>) ->
              struct (Batch.pair (zeros (Batch.held x) hidden) x,
                      fun d ->
                          let struct (_, dx) = Batch.split d
                          dx)) with
            Stages = 0
            Init =
                fun _ s ->
                    { Shape = Shape.pair (Shape.vec hidden) s
                      Params = [||]
                      State = [||]
                      Rows = [] } }

    /// <summary>Runs a cell (h, x_t) -&gt; (h, y_t) along a sequence, from an h of zeros.</summary>
    /// <param name="hidden">The size of h.</param>
    /// <param name="cell">The cell.</param>
    /// <exception cref="T:DL.Core.ShapeException">In Init: as <c>scanFrom</c>.</exception>
    let scan (hidden: int) (cell: Layer<Vec * Vec, Vec * Vec>) : Layer<Seq, Seq> =
        let along = scanFrom cell

        let extend ps state memory (x: Batch<Seq>) =
            let h =
                match memory with
                | [| Held h |] -> Batch.ofTensor h
                | _ -> zeros (Batch.held x) hidden

            let struct (last, y) = Batch.split (along.Apply Predict ps state (Batch.pair h x)).Output
            struct (y, [| Held(Batch.held last) |])

        { (fromZero hidden --> along --> second) with
            Continue = Ok { Fresh = [| Unseen |]; Extend = extend } }

    let rec private leaves tree =
        match tree with
        | Leaf s -> [ s ]
        | Node(a, b) -> leaves a @ leaves b

    let private tensorOf cell =
        match cell with
        | Statistic t -> t
        | Draws key -> raise (InvalidArgumentException("carried", "a tensor in the state", $"{key}"))

    /// <summary>Starts every batch from the state the last one reached, which is kept as state of the model: truncated backpropagation through time.</summary>
    /// <remarks>For long texts in windows, one batch after the other, example i of each going on where that of the one before stopped. No gradient goes
    /// from batch to batch. A batch of another number of examples starts from zeros and leaves the state; so does prediction, step by step as well.
    /// P. Werbos, Backpropagation through time, 1990; R. Williams, J. Peng, 1990.</remarks>
    /// <param name="examples">The examples of a batch.</param>
    /// <param name="state">The shape of the layer's state: <c>Shape.vec 64</c>, for an LSTM a pair of them.</param>
    /// <param name="f">A layer from a state and steps to the last state and steps, such as <c>gruFrom Recurrent.defaults 64</c>.</param>
    /// <exception cref="T:DL.Core.ShapeException">In Init: the layer does not give back a state of the shape it takes.</exception>
    let carried (examples: int) (state: Shape<'h>) (f: Layer<'h * Seq, 'h * Seq>) : Layer<Seq, Seq> =
        let parts = leaves state.Tree
        let k = parts.Length
        let cell i = { Stage = 0; Name = $"state.{i}"; Layout = Plain }
        let zerosFor n (like: Tensor) : Batch<'h> = Batch.ofParts state.Tree (parts |> List.map (fun s -> like.ZerosOf(s.Prepend n)))

        let extend (along: Accompanied<'h * Seq, 'h * Seq>) ps (cells: State) memory (input: Batch<Seq>) =
            let struct (_, own) = Wiring.split k cells.Length cells
            let x = Batch.held input
            let start = Batch.pair (zerosFor x.Shape[0] x) input
            let struct (_, on) = along.Settle ps own start
            let struct (output, next) = on memory start
            let struct (_, y) = Batch.split output
            struct (y, next)

        { About =
            { Name = "carried"
              Settings = [ string examples ]
              Children = [ f.About ] }
          Stages = 1
          HandsOn = false
          Slots = Wiring.under "" f.Stages f.Slots
          Cells = List.init k cell @ Wiring.under "" f.Stages f.Cells
          Init =
            fun key shape ->
                let s = Wiring.located (Wiring.below "0.carried") (fun () -> f.Init key (Shape.pair state shape))
                let struct (last, y) = Shape.split s.Shape

                if last <> state then
                    raise (ShapeException("carried", $"a layer that gives back a state of shape {state}", $"{last}"))

                let zeros = parts |> List.map (fun s -> Statistic(Tensor.Zeros(ElementType.Float64, s.Prepend examples))) |> Array.ofList

                { Shape = y
                  Params = s.Params
                  State = Wiring.append zeros s.State
                  Rows = Wiring.rowsUnder "" f.Stages s.Rows }
          Apply =
            fun mode ps cells input ->
                let struct (held, own) = Wiring.split k cells.Length cells
                let x = Batch.held input
                let goesOn = mode = Train && x.Shape[0] = examples

                let h =
                    if goesOn then
                        held |> Array.map tensorOf |> List.ofArray |> Batch.ofParts state.Tree
                    else
                        zerosFor x.Shape[0] x

                let pass = f.Apply mode ps own (Batch.pair h input)
                let struct (last, y) = Batch.split pass.Output
                let kept = if goesOn then Batch.parts last |> List.map Statistic |> Array.ofList else held

                { Output = y
                  State = Wiring.append kept pass.State
                  Pullback =
                    fun dy ->
                        let struct (dhx, dp) = pass.Pullback(Batch.pair (zerosFor x.Shape[0] x) dy)
                        let struct (_, dx) = Batch.split dhx
                        struct (dx, dp) }
          Answer = ValueNone
          Continue =
            Standing.along (Flow.Pair(Flow.Constant, Flow.Steps)) f
            |> Result.bind (fun along ->
                match Standing.parts along.Out with
                | struct (_, Flow.Steps) -> Ok { Fresh = along.Fresh; Extend = extend along }
                | _ -> Error f.About)
          Beside = ValueNone
          Fuse = Layer.noFuse
          Head = Layer.noHead }

    /// <summary>The steps of every example in reverse order; padding stays at the end.</summary>
    let reverseTime: Layer<Seq, Seq> =
        Layer.pure' "reverseTime" id (fun (x: Batch<Seq>) ->
            let lengths = Padded.orNull x
            let reverse = Batch.map (fun t -> ReverseTime.Forward(t, lengths))
            struct (reverse x, reverse))

    /// <summary>One layer along a sequence and another against it, their features side by side: <c>bidirectional (lstm 64) (lstm 64)</c>.</summary>
    /// <remarks>M. Schuster, K. Paliwal, Bidirectional recurrent neural networks, 1997.</remarks>
    /// <param name="forward">What runs from the first step to the last.</param>
    /// <param name="backward">What runs from the last step to the first.</param>
    let bidirectional (forward: Layer<Seq, Seq>) (backward: Layer<Seq, Seq>) : Layer<Seq, Seq> =
        concat [ forward; reverseTime --> backward --> reverseTime ]

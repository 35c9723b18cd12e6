namespace DL

open DL.Core
open DL.Core.Ops

/// <summary>Layers over sequences made from layers over vectors.</summary>
[<AutoOpen>]
module SequenceLayers =
    let private lift name (shape: Shape<Seq>) (init: Shape<Vec> -> Setup<Vec>) : Setup<Seq> =
        let extents = Shape.core shape
        let s = Wiring.located (Wiring.below name) (fun () -> init (Shape.vec extents[1]))

        { Shape = Shape.seq (extents[0], Shape.features s.Shape)
          Params = s.Params
          State = s.State
          Rows = s.Rows |> List.map (fun r -> { r with Output = $"{extents[0]}x{r.Output}" }) }

    /// <summary>The same layer at every position of a sequence.</summary>
    /// <remarks>A functor: <c>perToken (f --&gt; g) = perToken f --&gt; perToken g</c>. Batch norm and dropout see all positions as one batch.</remarks>
    let perToken (f: Layer<Vec, Vec>) : Layer<Seq, Seq> =
        let merge (t: Tensor) = t.Reshape(t.Shape.Rows, t.Shape.Last)
        let apart (like: Tensor) (t: Tensor) = t.Reshape(like.Shape[0], like.Shape[1], t.Shape.Last)

        { About = { Name = "perToken"; Settings = []; Children = [ f.About ] }
          Stages = f.Stages
          Slots = f.Slots
          Cells = f.Cells
          Init = fun key shape -> lift "0.perToken" shape (f.Init key)
          Apply =
            fun mode ps state input ->
                let x = Batch.held input
                let pass = f.Apply mode ps state (Batch.ofTensor (merge x))
                let back = pass.Pullback

                { Output = Batch.ofTensor (apart x (Batch.held pass.Output))
                  State = pass.State
                  Pullback =
                    fun dy ->
                        let struct (dx, dp) = back (Batch.ofTensor (merge (Batch.held dy)))
                        struct (Batch.delayed (fun () -> apart x (Batch.held dx)), dp) }
          Answer = ValueNone
          Fuse = Layer.noFuse
          Head = Layer.noHead }

    let private step (x: Tensor) t : Batch<Vec> = Batch.ofTensor (Slice.Forward(x, 1, t, 1).Reshape(x.Shape[0], x.Shape[2]))

    let private stack (steps: Tensor[]) : Tensor =
        let apart = steps |> Array.map (fun s -> s.Reshape(s.Shape[0], 1, s.Shape[1]))
        Concat.Forward(1, apart)

    let private addAll (a: Grads) (b: Grads) = Array.map2 Wiring.add a b

    let private forward (cell: Layer<'h * Vec, 'h * Vec>) mode ps state h0 (x: Tensor) =
        let mutable h, state = h0, state

        let passes =
            Array.init x.Shape[1] (fun t ->
                let pass = cell.Apply mode ps state (Batch.pair h (step x t))
                let struct (next, y) = Batch.split pass.Output
                h <- next
                state <- pass.State
                struct (pass.Pullback, Batch.held y))

        struct (passes, h, state)

    let private backward (passes: struct (Pullback<'h * Vec, 'h * Vec> * Tensor)[]) (dhn: Batch<'h>) (dy: Tensor) =
        let mutable dh = dhn
        let mutable dp: Grads = [||]
        let dxs = Array.zeroCreate passes.Length

        for t in passes.Length - 1 .. -1 .. 0 do
            let struct (back, _) = passes[t]
            let struct (dhx, dpt) = back (Batch.pair dh (step dy t))
            let struct (dhPrevious, dx) = Batch.split dhx
            dh <- dhPrevious
            dxs[t] <- Batch.held dx
            dp <- if t = passes.Length - 1 then dpt else addAll dp dpt

        struct (dh, dxs, dp)

    /// <summary>Runs a cell (h, x_t) -&gt; (h, y_t) along a sequence from a given h, and gives the last h: every step shares the parameters.</summary>
    /// <remarks>Running over t1 steps and then, from the h reached, over t2 more equals running over all of them.</remarks>
    /// <exception cref="T:DL.Core.ShapeException">In Init: the cell does not give back an h of the shape it takes, or the sequence is empty.</exception>
    let scanFrom (cell: Layer<'h * Vec, 'h * Vec>) : Layer<'h * Seq, 'h * Seq> =
        { About = { Name = "scan"; Settings = []; Children = [ cell.About ] }
          Stages = 1
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
                  Rows = Wiring.rowsUnder "" cell.Stages s.Rows }
          Apply =
            fun mode ps state input ->
                let struct (h0, xs) = Batch.split input
                let x = Batch.held xs
                let struct (passes, hn, next) = forward cell mode ps state h0 x

                { Output = Batch.pair hn (Batch.ofTensor (stack (passes |> Array.map (fun struct (_, y) -> y))))
                  State = next
                  Pullback =
                    fun dout ->
                        let struct (dhn, dys) = Batch.split dout
                        let struct (dh, dxs, dp) = backward passes dhn (Batch.held dys)
                        struct (Batch.pair dh (Batch.delayed (fun () -> stack dxs)), dp) }
          Answer = ValueNone
          Fuse = Layer.noFuse
          Head = Layer.noHead }

    /// Puts an h of zeros beside a sequence.
    let private fromZero hidden : Layer<Seq, Vec * Seq> =
        { Layer.pure' "fromZero" (fun s -> Shape.pair (Shape.vec hidden) s) (fun (x: Batch<Seq>) ->
              let t = Batch.held x
              let shape = Shape [| t.Shape[0]; hidden |]
              let h: Batch<Vec> = Batch.zerosLike t shape

              struct (Batch.pair h x,
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
    let scan (hidden: int) (cell: Layer<Vec * Vec, Vec * Vec>) : Layer<Seq, Seq> = fromZero hidden --> scanFrom cell --> second

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
          Rows = s.Rows |> List.map (fun r -> { r with Output = $"{extents[0]}x{r.Output}" }) |> Layer.times extents[0] }

    /// <summary>The same layer at every position of a sequence.</summary>
    /// <remarks>A functor: <c>perToken (f --&gt; g) = perToken f --&gt; perToken g</c>. Batch norm and dropout see all positions as one batch.</remarks>
    let perToken (f: Layer<Vec, Vec>) : Layer<Seq, Seq> =
        let merge (t: Tensor) = t.Reshape(t.Shape.Rows, t.Shape.Last)
        let apart (like: Tensor) (t: Tensor) = t.Reshape(like.Shape[0], like.Shape[1], t.Shape.Last)

        let answer ps state (input: Batch<Seq>) : Batch<Seq> =
            let x = Batch.held input
            Batch.ofTensor (apart x (Batch.held (Layer.answer f ps state (Batch.ofTensor (merge x)))))

        { About = { Name = "perToken"; Settings = []; Children = [ f.About ] }
          Stages = f.Stages
          HandsOn = false
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
          Answer = ValueSome answer
          Continue =
            Ok
                { Fresh = [||]
                  Extend = fun ps state _ x -> struct (answer ps state x, [||]) }
          Beside = ValueNone
          Fuse = Layer.noFuse
          Head = Layer.noHead }

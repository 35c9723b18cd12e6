namespace DL

open DL.Core
open DL.Core.Ops

/// <summary>What tells the steps of a sequence apart.</summary>
[<AutoOpen>]
module PositionLayers =
    let private seen (memory: Remembered[]) =
        match memory with
        | [| Seen n |] -> n
        | _ -> 0

    /// Adds a row [steps; features] to the steps of every example.
    let private addSteps (x: Tensor) (steps: Tensor) : Tensor =
        let width = x.Shape[1] * x.Shape[2]
        AddBias.Forward(x.Reshape(x.Shape[0], width), steps.Reshape width).Reshape x.Shape

    let private checkSteps name from count most =
        if from + count > most then
            raise (ShapeException(name, $"at most {most} steps, as many as there are positions", $"{from + count}"))

    /// <summary>Adds a learned vector of its own to every step, drawn from the normal distribution of the given variance.</summary>
    /// <param name="variance">The variance of the initial vectors.</param>
    /// <param name="positions">The most steps of a sequence.</param>
    /// <exception cref="T:DL.Core.ShapeException">A sequence has more steps than there are positions.</exception>
    let learnedPositionsWith (variance: float) (positions: int) : Layer<Seq, Seq> =
        if positions < 1 then
            raise (InvalidArgumentException("learnedPositions", "at least 1 position", $"{positions}"))

        let rows (ps: Params) from count : Tensor =
            checkSteps "learnedPositions" from count positions
            Slice.Forward(ps[0], 0, from, count)

        let layer =
            Layer.create
                "learnedPositions"
                [ "weight" ]
                []
                (fun key shape ->
                    let s = Shape.core shape
                    checkSteps "learnedPositions" 0 s[0] positions
                    let weight = (Initializer.gaussian 0.0 variance).Draw key (Shape [| positions; s[1] |]) positions s[1]
                    struct (shape, [| weight |], [||]))
                (fun _ ps state input ->
                    let x = Batch.held input
                    let time, features = x.Shape[1], x.Shape[2]

                    let gradient (dy: Tensor) : Tensor =
                        let sum = (AddBias.Backward(dy.Reshape(x.Shape[0], time * features))).Reshape(time, features)
                        if time = positions then sum else Pad.Forward(sum, 0, 0, positions - time)

                    { Output = Batch.ofTensor (addSteps x (rows ps 0 time))
                      State = state
                      Pullback = fun dy -> struct (dy, [| gradient (Batch.held dy) |]) })

        { Layer.withSettings [ string positions ] layer with
            Continue =
                Ok
                    { Fresh = [| Seen 0 |]
                      Extend =
                        fun ps _ memory input ->
                            let x, from = Batch.held input, seen memory
                            struct (Batch.ofTensor (addSteps x (rows ps from x.Shape[1])), [| Seen(from + x.Shape[1]) |]) } }

    /// <summary>Adds a learned vector of its own to every step.</summary>
    /// <param name="positions">The most steps of a sequence.</param>
    /// <exception cref="T:DL.Core.ShapeException">A sequence has more steps than there are positions.</exception>
    let learnedPositions (positions: int) : Layer<Seq, Seq> = learnedPositionsWith 1.0 positions

    /// <summary>Adds <c>sin(t / 10000^(2i/d))</c> to feature <c>2i</c> of step t, and the cosine to feature <c>2i + 1</c>.</summary>
    /// <remarks>A. Vaswani et al., Attention is all you need, 2017. Any number of steps.</remarks>
    let sinusoidalPositions: Layer<Seq, Seq> =
        let table (x: Tensor) from = SinusoidalPositions.Table(x.Shape[1], x.Shape[2], from, x.ElementType)

        let layer =
            Layer.pure' "sinusoidalPositions" id (fun (input: Batch<Seq>) ->
                let x = Batch.held input
                struct (Batch.ofTensor (addSteps x (table x 0)), id))

        { layer with
            Continue =
                Ok
                    { Fresh = [| Seen 0 |]
                      Extend =
                        fun _ _ memory input ->
                            let x, from = Batch.held input, seen memory
                            struct (Batch.ofTensor (addSteps x (table x from)), [| Seen(from + x.Shape[1]) |]) } }

    /// <summary>Learned steps, the same for every example, as wide as those of the input: a class token is <c>fork (learnedSteps 1) identity --&gt; catTime</c>.</summary>
    /// <param name="count">The number of steps.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no step.</exception>
    let learnedSteps (count: int) : Layer<Seq, Seq> =
        if count < 1 then
            raise (InvalidArgumentException("learnedSteps", "at least 1 step", $"{count}"))

        Layer.create
            "learnedSteps"
            [ "weight" ]
            []
            (fun key shape ->
                let width = (Shape.core shape)[1]
                let weight = (Initializer.gaussian 0.0 (0.02 * 0.02)).Draw key (Shape [| count; width |]) count width
                struct (Shape.seq (count, width), [| weight |], [||]))
            (fun _ ps state input ->
                Padded.refuse "learnedSteps" input
                let x, weight = Batch.held input, ps[0]
                let n, width = x.Shape[0], weight.Count
                let nothing = x.ZerosOf(Shape [| n; width |])

                { Output = Batch.ofTensor ((AddBias.Forward(nothing, weight.Reshape width)).Reshape(n, count, weight.Shape[1]))
                  State = state
                  Pullback =
                    fun dy ->
                        let gradient = (AddBias.Backward((Batch.held dy).Reshape(n, width))).Reshape weight.Shape
                        struct (Batch.delayed (fun () -> x.ZerosOf x.Shape), [| gradient |]) })
        |> Layer.withSettings [ string count ]

namespace DL

open DL.Core
open DL.Core.Ops

/// <summary>From ids to vectors.</summary>
[<AutoOpen>]
module EmbeddingLayers =
    let private atLeastOne name what n =
        if n < 1 then
            raise (InvalidArgumentException(name, $"at least 1 {what}", $"{n}"))

    /// Ids have no gradient.
    let private none (ids: Tensor) : Batch<Tokens> = Batch.delayed (fun () -> Tensor.Zeros(ElementType.Int32, ids.Shape))

    /// <summary>An embedding with initial vectors of your own.</summary>
    /// <param name="weights">The initial vectors.</param>
    /// <param name="vocabulary">The number of ids.</param>
    /// <param name="features">The numbers of a vector.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no id or no feature; in a pass: an id is out of range, which the message names with its place.</exception>
    let embeddingWith (weights: Initializer) (vocabulary: int) (features: int) : Layer<Tokens, Seq> =
        atLeastOne "embedding" "id" vocabulary
        atLeastOne "embedding" "feature" features

        Layer.create
            "embedding"
            [ "weight" ]
            []
            (fun key shape ->
                let weight = weights.Draw key (Shape [| vocabulary; features |]) vocabulary features
                struct (Shape.seq ((Shape.core shape)[0], features), [| weight |], [||]))
            (fun _ ps state input ->
                let ids, lengths, weight = Batch.held input, Padded.orNull input, ps[0]

                { Output = Batch.ofTensor (Embedding.Forward(ids, weight, lengths))
                  State = state
                  Pullback = fun dy -> struct (none ids, [| Embedding.Backward(ids, Batch.held dy, weight, lengths) |]) })
        |> Layer.pointwise
        |> Layer.withSettings [ string vocabulary; string features ]

    /// <summary>A vector for every id: row <c>id</c> of <c>weight</c>, drawn from the normal distribution. Padding gives zeros.</summary>
    /// <remarks>The gradient is zero but for the rows of the ids that occur; gradient descent and <c>Optimizer.lazyAdam</c> move no other row.</remarks>
    /// <param name="vocabulary">The number of ids.</param>
    /// <param name="features">The numbers of a vector.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no id or no feature; in a pass: an id is out of range, which the message names with its place.</exception>
    let embedding (vocabulary: int) (features: int) : Layer<Tokens, Seq> = embeddingWith (Initializer.gaussian 0.0 1.0) vocabulary features

    let private rows (t: Tensor) : Tensor = t.Reshape(t.Shape.Rows, t.Shape.Last)
    let private stepsOf (like: Tensor) (t: Tensor) : Tensor = t.Reshape(like.Shape[0], like.Shape[1], t.Shape.Last)

    /// The scores of every id by its vector, <c>h W^T</c>.
    let private scores (h: Tensor) (weight: Tensor) : Tensor = stepsOf h (Linear.BackwardInput(rows h, weight))

    /// From the gradient of the scores to that of the steps.
    let private ofSteps (dlogits: Tensor) (weight: Tensor) : Tensor = stepsOf dlogits (Linear.Forward(rows dlogits, weight))

    /// From the gradient of the scores to that of the vectors.
    let private ofVectors (dlogits: Tensor) (h: Tensor) (weight: Tensor) : Tensor = Linear.BackwardWeight(rows dlogits, rows h, weight)

    /// <summary>Embedding, body and the scores of every id by the same vectors: <c>y = body (W[ids]) W^T</c>.</summary>
    /// <remarks>Input and output share <c>weight</c>, whose gradients add. O. Press, L. Wolf, Using the output embedding to improve language models, 2017.</remarks>
    /// <param name="weights">The initial vectors.</param>
    /// <param name="vocabulary">The number of ids.</param>
    /// <param name="features">The numbers of a vector.</param>
    /// <param name="body">What lies between; it gives as many features as it takes.</param>
    /// <exception cref="T:DL.Core.ShapeException">In Init: the body changes the number of features.</exception>
    let tiedEmbedding (weights: Initializer) (vocabulary: int) (features: int) (body: Layer<Seq, Seq>) : Layer<Tokens, Seq> =
        let table = embeddingWith weights vocabulary features
        let inner = named "body" body
        let whole = table --> inner

        let apply mode (ps: Params) (state: State) (input: Batch<Tokens>) : Pass<Tokens, Seq> =
            let ids, lengths, weight = Batch.held input, Padded.orNull input, ps[0]
            let x = Embedding.Forward(ids, weight, lengths)
            let pass = inner.Apply mode ps[1..] state (Padded.like input (Batch.ofTensor x))
            let h, backward = Batch.held pass.Output, pass.Pullback

            let pullback dy : struct (Batch<Tokens> * Grads) =
                let dlogits = Batch.held dy
                let dweight = ofVectors dlogits h weight
                let struct (dx, dp) = backward (Batch.ofTensor (ofSteps dlogits weight))
                Embedding.AddBackward(ids, Batch.held dx, dweight, lengths)
                struct (none ids, Array.append [| dweight |] dp)

            { Output = Padded.like input (Batch.ofTensor (scores h weight))
              State = pass.State
              Pullback = pullback }

        { whole with
            About =
                { Name = "tiedEmbedding"
                  Settings = [ string vocabulary; string features ]
                  Children = [ body.About ] }
            Stages = 1
            Slots = { table.Slots.Head with Stage = 0 } :: Wiring.shift 0 inner.Slots
            Cells = inner.Cells
            Init =
                fun key shape ->
                    let s = Wiring.located (fun path -> path.Replace("1.body", "body")) (fun () -> whole.Init key shape)
                    let time = (Shape.core s.Shape)[0]

                    if s.Shape <> Shape.seq (time, features) then
                        raise (ShapeException("tiedEmbedding", $"a body that gives {features} features", $"{s.Shape}"))

                    { s with
                        Shape = Shape.seq (time, vocabulary)
                        Rows = s.Rows |> List.map (fun r -> { r with Stage = 0 }) }
                    |> Layer.multiplying (int64 time * int64 vocabulary * int64 features)
            Apply = apply
            Answer =
                ValueSome(fun ps state x ->
                    let h = Batch.held (Layer.answer whole ps state x)
                    Padded.like x (Batch.ofTensor (scores h ps[0])))
            Continue =
                whole
                |> Layer.continuing (fun extend ps state memory x ->
                    let struct (h, next) = extend ps state memory x
                    struct (Batch.ofTensor (scores (Batch.held h) ps[0]), next)) }

    let private checkTable (ps: Params) (features: int) =
        match Array.tryHead ps with
        | Some table when table.Shape.Rank = 2 && table.Shape[1] = features -> table.Shape[0]
        | found ->
            let got = found |> Option.map (fun t -> $"{t.Shape}") |> Option.defaultValue "none"

            raise (
                ShapeException("tiedScores", $"a network whose first parameter has vectors of {features} numbers, as its steps have", got)
            )

    /// <summary>The scores of every id at every step, by the vectors a network's first embedding has: <c>y = f x W^T + b</c>.</summary>
    /// <remarks><c>W</c> is the first parameter of f, whose gradients add; <c>b</c> is <c>bias</c>, at first zeros. Unlike <c>tiedEmbedding</c> it takes any
    /// input, such as ids and segments. O. Press, L. Wolf, Using the output embedding to improve language models, 2017.</remarks>
    /// <param name="f">A network that begins with an embedding and gives as many features as that.</param>
    /// <exception cref="T:DL.Core.ShapeException">In Init: the first parameter is no table of vectors as wide as what f gives.</exception>
    let tiedScores (f: Layer<'x, Seq>) : Layer<'x, Seq> =
        let k = f.Slots.Length

        let about = { Name = "tiedScores"; Settings = []; Children = [ f.About ] }

        let scored (ps: Params) (steps: Batch<Seq>) : Batch<Seq> =
            let h = Batch.held steps
            let y = scores h ps[0]
            Padded.like steps (Batch.ofTensor (stepsOf h (AddBias.Forward(rows y, ps[k]))))

        { About = about
          Stages = f.Stages + 1
          HandsOn = true
          Slots = f.Slots @ [ { Stage = f.Stages; Name = "bias"; Layout = Plain } ]
          Cells = f.Cells
          Init =
            fun key shape ->
                let s = Wiring.located (Wiring.at 0) (fun () -> f.Init key shape)
                let extents = Shape.core s.Shape
                let vocabulary = checkTable s.Params extents[1]
                let bias = Tensor.Zeros(ElementType.Float64, Shape [| vocabulary |])

                let own =
                    Layer.setup (Layer.about about.Name []) (Shape.seq (extents[0], vocabulary)) [| bias |] [||]
                    |> Layer.multiplying (int64 (Shape.elements s.Shape) * int64 vocabulary)

                { own with
                    Params = Wiring.append s.Params own.Params
                    State = s.State
                    Rows = s.Rows @ Wiring.shiftRows f.Stages own.Rows }
          Apply =
            fun mode ps state x ->
                let pass = f.Apply mode ps[.. k - 1] state x
                let steps = Wiring.carry f x pass.Output
                let h, backward = Batch.held steps, pass.Pullback

                let pullback dy : struct (Batch<'x> * Grads) =
                    let dlogits = Batch.held dy
                    let struct (dx, dp) = backward (Batch.ofTensor (ofSteps dlogits ps[0]))
                    let dweight = Wiring.add dp[0] (ofVectors dlogits h ps[0])
                    struct (dx, [| dweight; yield! dp[1..]; Linear.BackwardBias(rows dlogits, ps[k]) |])

                { Output = scored ps steps; State = pass.State; Pullback = pullback }
          Answer = ValueSome(fun ps state x -> scored ps (Wiring.carry f x (Layer.answer f ps[.. k - 1] state x)))
          Continue =
            f
            |> Layer.continuing (fun extend ps state memory x ->
                let struct (steps, next) = extend ps[.. k - 1] state memory x
                struct (scored ps steps, next))
          Beside = ValueNone
          Fuse = Layer.noFuse
          Head = Layer.noHead }

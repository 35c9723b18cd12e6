namespace DL

open DL.Core
open DL.Core.Ops

/// <summary>Attention. Padding is not seen; a step that sees nothing gets zeros.</summary>
[<AutoOpen>]
module AttentionLayers =
    let private rows (t: Tensor) : Tensor = t.Reshape(t.Shape.Rows, t.Shape.Last)
    let private stepsOf (like: Tensor) (t: Tensor) : Tensor = t.Reshape(like.Shape[0], like.Shape[1], t.Shape.Last)

    let private divided (about: Description) (shape: Shape<Seq>) heads =
        let features = (Shape.core shape)[1]

        if features % heads <> 0 then
            let below = features - features % heads

            raise (
                ShapeException(
                    string about,
                    $"features that {heads} heads divide",
                    $"{features}",
                    $"Take {max heads below} or {below + heads} features, or another number of heads."
                )
            )

        features

    let private check name heads (dropout: float) =
        if heads < 1 then
            raise (InvalidArgumentException(name, "at least 1 head", $"{heads}"))

        if not (dropout >= 0.0 && dropout < 1.0) then
            raise (InvalidArgumentException($"{name}, Dropout", "a probability from 0 to below 1", $"{dropout}"))

    let private settings (options: AttendSettings) heads =
        [ string heads
          if options.Causal then
              "causal"
          if options.Visible.IsSome then
              "masked"
          if not options.Bias then
              "without bias"
          if options.Rotary then
              "rotary"
          if options.Dropout > 0.0 then
              $"dropout {options.Dropout}" ]

    let private drawing (options: AttendSettings) mode (state: State) : struct (float * Random.Key * State) =
        match mode, state with
        | Train, [| Draws key |] when options.Dropout > 0.0 -> struct (options.Dropout, key, [| Draws key.Next |])
        | _ -> struct (0.0, Random.Key(), state)

    let private cells (options: AttendSettings) = if options.Dropout > 0.0 then [ { Stage = 0; Name = "key"; Layout = Plain } ] else []

    let private stateOf (options: AttendSettings) (key: Random.Key) slots : State =
        if options.Dropout > 0.0 then [| Draws(key.Skip slots) |] else [||]

    /// The settings of the operation for one pass.
    let private operation
        (options: AttendSettings)
        heads
        (mask: Tensor | null)
        (lengths: int[] | null)
        (queryLengths: int[] | null)
        dropout
        key
        =
        AttentionSettings(
            heads,
            Causal = options.Causal,
            Visible = mask,
            KeyLengths = lengths,
            QueryLengths = queryLengths,
            Dropout = dropout,
            Key = key
        )

    let private slots (options: AttendSettings) : Slot list =
        let slot layout name = { Stage = 0; Name = name; Layout = layout }

        [ slot Transposed "in_proj_weight"
          if options.Bias then
              slot Plain "in_proj_bias"
          slot Transposed "out_proj.weight"
          if options.Bias then
              slot Plain "out_proj.bias" ]

    let private zeros n = Tensor.Zeros(ElementType.Float64, Shape [| n |])

    let private drawSelf (options: AttendSettings) features (key: Random.Key) : Params =
        let draw i outputs = options.Weights.Draw (key.Skip i) (Shape [| features; outputs |]) features outputs

        [| draw 0 (3 * features)
           if options.Bias then
               zeros (3 * features)
           draw 2 features
           if options.Bias then
               zeros features |]

    /// Projection in, its bias, projection out, its bias.
    let private parts (ps: Params) : struct (Tensor * (Tensor | null) * Tensor * (Tensor | null)) =
        if ps.Length = 4 then struct (ps[0], ps[1], ps[2], ps[3]) else struct (ps[0], null, ps[1], null)

    let private threeOf (qkv: Tensor) =
        let d = qkv.Shape.Last / 3
        let cut = Split.Forward(qkv, -1, d, d, d)
        struct (cut[0], cut[1], cut[2])

    /// From queries, keys and values side by side to the context, and the way back.
    let private attendFused (options: AttendSettings) heads (op: AttentionSettings) (qkv: Tensor) : struct (Tensor * (Tensor -> Tensor)) =
        if options.Rotary then
            let struct (q, k, v) = threeOf qkv
            let q, k = RotaryPositions.Forward(q, heads), RotaryPositions.Forward(k, heads)
            let struct (y, statistics) = Attention.Forward(q, k, v, op)

            let back dy : Tensor =
                let struct (dq, dk, dv) = Attention.Backward(dy, q, k, v, statistics, op)
                Concat.Forward(-1, RotaryPositions.Backward(dq, heads), RotaryPositions.Backward(dk, heads), dv)

            struct (y, back)
        else
            let struct (y, statistics) = Attention.ForwardFused(qkv, op)
            struct (y, (fun dy -> Attention.BackwardFused(dy, qkv, statistics, op)))

    let private applySelf
        (options: AttendSettings)
        (masks: int -> Tensor | null)
        heads
        mode
        (ps: Params)
        (state: State)
        (input: Batch<Seq>)
        : Pass<Seq, Seq> =
        let x, lengths = Batch.held input, Padded.orNull input
        let struct (dropout, key, next) = drawing options mode state
        let struct (weightIn, biasIn, weightOut, biasOut) = parts ps
        let op = operation options heads (masks x.Shape[1]) lengths lengths dropout key
        let qkv = stepsOf x (Linear.Forward(rows x, weightIn, biasIn))
        let struct (context, back) = attendFused options heads op qkv

        let pullback dy : struct (Batch<Seq> * Grads) =
            let dy = rows (Batch.held dy)
            let dweightOut = Linear.BackwardWeight(rows context, dy, weightOut)
            let dqkv = rows (back (stepsOf x (Linear.BackwardInput(dy, weightOut))))
            let dweightIn = Linear.BackwardWeight(rows x, dqkv, weightIn)

            let gradients =
                match biasIn, biasOut with
                | NonNull biasIn, NonNull biasOut ->
                    [| dweightIn; Linear.BackwardBias(dqkv, biasIn); dweightOut; Linear.BackwardBias(dy, biasOut) |]
                | _ -> [| dweightIn; dweightOut |]

            struct (Batch.delayed (fun () -> stepsOf x (Linear.BackwardInput(dqkv, weightIn))), gradients)

        { Output = Batch.ofTensor (stepsOf x (Linear.Forward(rows context, weightOut, biasOut)))
          State = next
          Pullback = pullback }

    /// The weights of every head, [N; heads; T; T], by the parameters of self attention.
    let internal selfWeights (options: AttendSettings) heads (ps: Params) (input: Batch<Seq>) : Tensor =
        let x, lengths = Batch.held input, Padded.orNull input
        let struct (weightIn, biasIn, _, _) = parts ps
        let struct (q, k, _) = threeOf (stepsOf x (Linear.Forward(rows x, weightIn, biasIn)))
        let turned (t: Tensor) : Tensor = if options.Rotary then RotaryPositions.Forward(t, heads) else t
        let mask = options |> Sight.from 0 x.Shape[1] x.Shape[1]
        Attention.Weights(turned q, turned k, operation options heads mask lengths lengths 0.0 (Random.Key()))

    /// The next steps against all that were seen.
    let private extendSelf (options: AttendSettings) heads (ps: Params) (memory: Remembered[]) (input: Batch<Seq>) =
        let x = Batch.held input
        let struct (weightIn, biasIn, weightOut, biasOut) = parts ps
        let struct (q, k, v) = threeOf (stepsOf x (Linear.Forward(rows x, weightIn, biasIn)))

        let from =
            match memory with
            | [| Cached cache |] -> cache.Count
            | _ -> 0

        let turned (t: Tensor) : Tensor = if options.Rotary then RotaryPositions.Forward(t, heads, from) else t

        let cache =
            match memory with
            | [| Cached cache |] -> cache.Append(turned k, v)
            | _ -> KeyValueCache.Of(turned k, v)

        let mask = options |> Sight.from from x.Shape[1] cache.Count
        let op = operation options heads mask null null 0.0 (Random.Key())
        let context = Attention.Forward(turned q, cache, op)
        let y = stepsOf x (Linear.Forward(rows context, weightOut, biasOut))
        struct ((Batch.ofTensor y: Batch<Seq>), [| Cached cache |])

    /// The layer with its multiplications counted.
    let private counting (products: Shape<'x> -> int64) (layer: Layer<'x, 'y>) : Layer<'x, 'y> =
        { layer with
            Init = fun key shape -> layer.Init key shape |> Layer.multiplying (products shape) }

    /// <summary>Self attention with settings of your own.</summary>
    let selfAttentionWith (options: AttendSettings) (heads: int) : Layer<Seq, Seq> =
        check "selfAttention" heads options.Dropout
        let about = Layer.about "selfAttention" (settings options heads)
        let slots, masks = slots options, Sight.kept options

        { About = about
          Stages = 1
          HandsOn = false
          Slots = slots
          Cells = cells options
          Init =
            fun key shape ->
                let features = divided about shape heads

                if options.Rotary && features / heads % 2 <> 0 then
                    raise (ShapeException(string about, "heads of an even width, to turn its numbers in pairs", $"{features / heads}"))

                let setup = Layer.setup about shape (drawSelf options features key) (stateOf options key slots.Length)
                let time = List.head (Shape.extents shape)
                let projections = setup.Params |> Array.filter (fun p -> p.Shape.Rank = 2) |> Layer.parameters
                // Scores and sums, over what a step may see.
                setup |> Layer.multiplying (int64 time * projections + 2L * Sight.pairs options time * int64 features)
          Apply = applySelf options masks heads
          Answer = ValueNone
          Continue =
            if options.Causal then
                Ok
                    { Fresh = [| Unseen |]
                      Extend = fun ps _ memory x -> extendSelf options heads ps memory x }
            else
                Error about
          Beside = ValueNone
          Fuse = Layer.noFuse
          Head = Layer.noHead }

    /// <summary>Every step attends to every step: <c>y = softmax(Q K^T / sqrt(d)) V</c> in each head, with Q, K, V and the result projected.</summary>
    /// <remarks>Parameters are those of torch's <c>MultiheadAttention</c>. A. Vaswani et al., Attention is all you need, 2017.</remarks>
    /// <param name="heads">The number of heads, which divides the features.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no head.</exception>
    /// <exception cref="T:DL.Core.ShapeException">In Init: the heads do not divide the features.</exception>
    let selfAttention (heads: int) : Layer<Seq, Seq> = selfAttentionWith Attend.defaults heads

    /// <summary>As <c>selfAttention</c>, where no step sees a later one; in decoding keys and values are kept.</summary>
    /// <param name="heads">The number of heads, which divides the features.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no head.</exception>
    /// <exception cref="T:DL.Core.ShapeException">In Init: the heads do not divide the features.</exception>
    let causalSelfAttention (heads: int) : Layer<Seq, Seq> = selfAttentionWith Attend.causal heads

    /// <summary>Attention alone, from queries to keys with their values, all projected already: <c>softmax(Q K^T / sqrt(d)) V</c> in each head.</summary>
    /// <param name="heads">The number of heads, which divides the features of all three.</param>
    /// <exception cref="T:DL.Core.ShapeException">In Init: the heads do not divide the features, or the parts do not fit.</exception>
    let attend (heads: int) : Layer<Seq * (Seq * Seq), Seq> =
        check "attend" heads 0.0
        let about = Layer.about "attend" [ string heads ]

        let fits shape =
            let struct (queries, rest) = Shape.split shape
            let struct (keys, values) = Shape.split rest
            let q, k, v = Shape.core queries, Shape.core keys, Shape.core values
            divided about queries heads |> ignore
            divided about values heads |> ignore

            if q[1] <> k[1] || k[0] <> v[0] then
                raise (ShapeException(string about, $"keys of {q[1]} features, and as many values as keys", $"{shape}"))

            Shape.seq (q[0], v[1])

        Layer.pure' "attend" fits (fun input ->
            let struct (queries, rest) = Batch.split input
            let struct (keys, values) = Batch.split rest
            let q, k, v = Batch.held queries, Batch.held keys, Batch.held values
            let op = operation Attend.defaults heads null (Padded.orNull keys) (Padded.orNull queries) 0.0 (Random.Key())
            let struct (y, statistics) = Attention.Forward(q, k, v, op)

            let back dy : Batch<Seq * (Seq * Seq)> =
                let struct (dq, dk, dv) = Attention.Backward(Batch.held dy, q, k, v, statistics, op)
                Batch.pair (Batch.ofTensor dq) (Batch.pair (Batch.ofTensor dk) (Batch.ofTensor dv))

            struct (Padded.like queries (Batch.ofTensor y), back))
        |> Layer.withSettings [ string heads ]
        |> counting (fun shape ->
            let struct (queries, rest) = Shape.split shape
            let struct (keys, values) = Shape.split rest
            let q, k, v = Shape.core queries, Shape.core keys, Shape.core values
            int64 q[0] * int64 k[0] * int64 (q[1] + v[1]))
        |> Standing.pointwiseFirst

    /// <summary>The first sequence of a pair attends to the second: queries from the one, keys and values from the other, all projected to <c>features</c>.</summary>
    /// <param name="features">The features of queries, keys, values and result.</param>
    /// <param name="heads">The number of heads, which divides the features.</param>
    /// <exception cref="T:DL.Core.ShapeException">In Init: the heads do not divide the features.</exception>
    let crossAttention (features: int) (heads: int) : Layer<Seq * Seq, Seq> =
        check "crossAttention" heads 0.0
        let project name : Layer<Seq, Seq> = named name (perToken (dense features))
        both (project "q_proj") (fork (project "k_proj") (project "v_proj")) --> attend heads --> project "out_proj"

    /// <summary>Additive attention from the first sequence of a pair to the second: scores <c>v^T tanh(W q + U k)</c>, and the weighted sum of the second.</summary>
    /// <remarks>D. Bahdanau, K. Cho, Y. Bengio, Neural machine translation by jointly learning to align and translate, 2015.</remarks>
    /// <param name="features">The features that queries and keys are projected to.</param>
    let additiveAttention (features: int) : Layer<Seq * Seq, Seq> =
        let project name : Layer<Seq, Seq> = named name (perToken (denseWith { Dense.defaults with Bias = false } features))

        let scored: Layer<Seq * (Seq * Seq), Seq> =
            Layer.create
                "additiveScores"
                [ "weight" ]
                []
                (fun key shape ->
                    let struct (queries, rest) = Shape.split shape
                    let struct (_, values) = Shape.split rest
                    let weight = Initializer.xavierUniform.Draw key (Shape [| features |]) features 1
                    struct (Shape.seq ((Shape.core queries)[0], (Shape.core values)[1]), [| weight |], [||]))
                (fun _ ps state input ->
                    let struct (queries, rest) = Batch.split input
                    let struct (keys, values) = Batch.split rest
                    let q, k, v, w = Batch.held queries, Batch.held keys, Batch.held values, ps[0]
                    let lengths = Padded.orNull keys
                    let struct (y, weights) = AdditiveAttention.Forward(q, k, v, w, lengths, Padded.orNull queries)

                    let back dy : struct (Batch<Seq * (Seq * Seq)> * Grads) =
                        let struct (dq, dk, dv, dw) =
                            AdditiveAttention.Backward(Batch.held dy, q, k, v, w, weights, lengths, Padded.orNull queries)

                        struct (Batch.pair (Batch.ofTensor dq) (Batch.pair (Batch.ofTensor dk) (Batch.ofTensor dv)), [| dw |])

                    { Output = Padded.like queries (Batch.ofTensor y)
                      State = state
                      Pullback = back })
            |> Standing.pointwiseFirst

        both (project "query") (fork (project "key") identity) --> scored

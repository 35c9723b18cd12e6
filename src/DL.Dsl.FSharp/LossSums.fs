namespace DL

open System
open DL.Core
open DL.Core.Losses
open LossForms

/// Losses made of losses.
module internal LossSums =
    let private checkWeights name (weights: float list) =
        if weights.IsEmpty then
            raise (InvalidArgumentException(name, "at least one part", "none"))

        weights |> List.iteri (fun i weight -> atLeast0 $"{name} weight {i}" weight)

    /// Values and gradients of the same predictions, added up.
    let private total (parts: struct (float * Batch<'y>) list) : struct (float * Batch<'y>) =
        parts |> List.reduce (fun (struct (v, g)) (struct (w, h)) -> struct (v + w, add g h))

    let weighted (parts: (float * Loss<'y, 't>) list) : Loss<'y, 't> =
        checkWeights "Loss.weighted" (List.map fst parts)
        let term weight (struct (value: float, gradient)) = struct (weight * value, scaled weight gradient)

        { Name =
            parts
            |> List.map (fun (weight, loss) -> FormattableString.Invariant $"{weight} {loss.Name}")
            |> String.concat " + "
          Check = fun shape target -> parts |> List.iter (fun (_, loss) -> loss.Check shape target)
          Evaluate = fun y t -> parts |> List.map (fun (weight, loss) -> term weight (loss.Evaluate y t)) |> total
          Sum = fun y t -> parts |> List.map (fun (weight, loss) -> term weight (loss.Sum y t)) |> total
          InParts =
            fun targets ->
                let parts = parts |> List.map (fun (weight, loss) -> weight, loss.InParts targets)
                fun y t -> parts |> List.map (fun (weight, evaluate) -> term weight (evaluate y t)) |> total }

    let both (first: Loss<'y, 't>) (second: Loss<'z, 'u>) : Loss<'y * 'z, 't * 'u> =
        let evaluate one other (y: Batch<'y * 'z>) (t: Batch<'t * 'u>) =
            let struct (a, b) = Batch.split y
            let struct (s, r) = Batch.split t
            let struct (v: float, da: Batch<'y>) = one a s
            let struct (w, db: Batch<'z>) = other b r
            struct (v + w, Batch.pair da db)

        { Name = $"({first.Name}, {second.Name})"
          Check =
            fun shape target ->
                let struct (a, b) = Shape.split shape
                let struct (s, r) = Batch.split target
                first.Check a s
                second.Check b r
          Evaluate = evaluate first.Evaluate second.Evaluate
          Sum = evaluate first.Sum second.Sum
          InParts =
            fun targets ->
                let pairs = targets |> Seq.map Batch.split
                let ofFirst = first.InParts(pairs |> Seq.map (fun struct (t, _) -> t))
                evaluate ofFirst (second.InParts(pairs |> Seq.map (fun struct (_, t) -> t))) }

    let first (loss: Loss<'y, 't>) : Loss<'y * 'z, 't> =
        let evaluate inner (y: Batch<'y * 'z>) t =
            let struct (a, b) = Batch.split y
            let struct (value: float, gradient: Batch<'y>) = inner a t
            struct (value, Batch.pair gradient (zeros b))

        { Name = loss.Name
          Check =
            fun shape target ->
                let struct (a, _) = Shape.split shape
                loss.Check a target
          Evaluate = evaluate loss.Evaluate
          Sum = evaluate loss.Sum
          InParts = loss.InParts >> evaluate }

    let second (loss: Loss<'y, 't>) : Loss<'z * 'y, 't> =
        let evaluate inner (y: Batch<'z * 'y>) t =
            let struct (a, b) = Batch.split y
            let struct (value: float, gradient: Batch<'y>) = inner b t
            struct (value, Batch.pair (zeros a) gradient)

        { Name = loss.Name
          Check =
            fun shape target ->
                let struct (_, b) = Shape.split shape
                loss.Check b target
          Evaluate = evaluate loss.Evaluate
          Sum = evaluate loss.Sum
          InParts = loss.InParts >> evaluate }

    let each (loss: Loss<'y, 't>) (predictions: Batch<'y>) (targets: Batch<'t>) : float[] =
        let n = Batch.count predictions

        if Batch.count targets <> n then
            raise (ShapeException("Loss.each", $"targets of {n} examples", $"{Batch.count targets}"))

        loss.Check (Batch.shape predictions) targets

        Array.init n (fun i ->
            let struct (value, _) = loss.Evaluate (Batch.take [| i |] predictions) (Batch.take [| i |] targets)
            value)

    let private checkParts (parts: (float * Model<'y, 'y>) list) =
        checkWeights "Loss.perceptual" (List.map fst parts)

        if parts |> List.forall (fun (weight, _) -> weight = 0.0) then
            raise (InvalidArgumentException("Loss.perceptual weights", "one above 0", "none"))

        for (_, before), (_, after) in List.pairwise parts do
            if before.Output <> after.Input || before.Precision <> after.Precision then
                let told (shape: Shape<'y>) (precision: Precision) = $"shape {shape} in {precision}"
                raise (ShapeException("Loss.perceptual parts", told before.Output before.Precision, told after.Input after.Precision))

    /// The losses of the pieces from here on and their gradient by y, if any is read: forward on the way down, back on the way up.
    let rec private descend
        reduction
        (parts: (float * Model<'y, 'y>) list)
        (y: Batch<'y>)
        (t: Batch<'y>)
        : struct (float * Batch<'y> list) =
        match parts with
        | [] -> struct (0.0, [])
        | (weight, model) :: rest ->
            let pass = Model.forward Predict model y
            let seen = (Model.forward Predict model t).Output
            let struct (later, behind) = descend reduction rest pass.Output seen

            let struct (own, gradients) =
                if weight = 0.0 then
                    struct (0.0, behind)
                else
                    let struct (value, gradient) = MeanSquaredError.Evaluate(Batch.held pass.Output, Batch.held seen, reduction)
                    struct (weight * value, scaled weight (Batch.ofTensor gradient) :: behind)

            match gradients with
            | [] -> struct (own + later, [])
            | _ ->
                let struct (dy, _) = pass.Pullback(List.reduce add gradients)
                struct (own + later, [ dy ])

    let perceptual (parts: (float * Model<'y, 'y>) list) : Loss<'y, 'y> =
        checkParts parts
        let input = (snd parts.Head).Input

        create
            "perceptual"
            (fun shape target ->
                if shape <> input then
                    raise (ShapeException("perceptual predictions", $"shape {input}, as the network takes", $"{shape}"))

                sameShape "perceptual" shape target)
            (fun reduction y t ->
                let struct (value, gradients) = descend reduction parts y t
                let element = (Batch.held y).ElementType
                // The network may compute in another precision.
                let own (g: Tensor) = if g.ElementType = element then g else g.To element
                struct (value, Batch.map own gradients.Head))

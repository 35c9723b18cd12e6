namespace DL

open System
open DL.Core
open DL.Core.Losses
open DL.Core.Ops

/// <summary>A loss: from predictions and targets to its mean over the batch and the gradient of the predictions, in one pass.</summary>
[<NoEquality; NoComparison>]
type Loss<'y, 't> =
    {
        /// <summary>Its name.</summary>
        Name: string
        /// <summary>Fails unless the targets fit predictions of the given shape; nothing is computed before.</summary>
        Check: Shape<'y> -> Batch<'t> -> unit
        /// <summary>The value and the gradient of the predictions.</summary>
        Evaluate: Batch<'y> -> Batch<'t> -> struct (float * Batch<'y>)
        /// <summary>The same with the sum of the terms in place of their mean; see <c>Loss.sum</c>.</summary>
        Sum: Batch<'y> -> Batch<'t> -> struct (float * Batch<'y>)
        /// <summary>From the targets of all parts of a batch to the value and the gradient that one part has in it: over the parts they add up to those of the whole.</summary>
        InParts: Batch<'t> seq -> Batch<'y> -> Batch<'t> -> struct (float * Batch<'y>)
    }

/// <summary>The settings of cross entropy: <c>Loss.crossEntropyWith { Entropy.defaults with Smoothing = 0.1 }</c>.</summary>
type CrossEntropySettings =
    {
        /// <summary>A weight of at least 0 for every class, by which its examples count; none for all alike. See <c>Loss.balanced</c>.</summary>
        ClassWeights: float list
        /// <summary>The share, from 0 to 1, of the target that is spread evenly over all classes.</summary>
        Smoothing: float
        /// <summary>An id that says its example counts nowhere.</summary>
        Ignored: int option
    }

/// <summary>Settings of cross entropy.</summary>
[<RequireQualifiedAccess>]
module Entropy =
    /// <summary>All classes alike, nothing smoothed, no id ignored.</summary>
    let defaults = { ClassWeights = []; Smoothing = 0.0; Ignored = None }

/// What the losses of the language are made of.
module internal LossForms =
    let refuse place expected (got: float) =
        raise (InvalidArgumentException(place, expected, String.Format(Globalization.CultureInfo.InvariantCulture, "{0}", got)))

    let atLeast0 place (value: float) =
        if not (value >= 0.0 && Double.IsFinite value) then
            refuse place "a finite number of at least 0" value

    let above0 place (value: float) =
        if not (value > 0.0 && Double.IsFinite value) then
            refuse place "a finite number above 0" value

    let from0To1 place (value: float) =
        if not (value >= 0.0 && value <= 1.0) then
            refuse place "a number from 0 to 1" value

    let classWeights name (weights: float list) = weights |> List.iteri (fun c weight -> atLeast0 $"{name} weights, class {c}" weight)

    /// Weights of classes as a tensor of another's type, made once; null for none.
    let weightsOf (weights: float list) : Tensor -> Tensor | null =
        if weights.IsEmpty then
            fun _ -> null
        else
            let wide = Tensor.Of<float>(Array.ofList weights)
            let single = wide.To ElementType.Float32
            fun like -> if like.ElementType = ElementType.Float64 then wide else single

    let sameShape name (output: Shape<'y>) (target: Batch<'y>) =
        if Batch.shape target <> output then
            raise (ShapeException($"{name} targets", $"shape {output}, as the predictions", $"{Batch.shape target}"))

    let between name (target: Batch<'y>) =
        for t in Batch.parts target do
            for i in 0 .. t.Count - 1 do
                from0To1 $"{name} target {i}" (t.At i)

    let scaled (weight: float) (gradient: Batch<'y>) : Batch<'y> =
        if weight = 1.0 then gradient else Batch.map (fun g -> Scale.Forward(g, weight)) gradient

    /// 1 / total, and 0 for nothing, whose mean is 0.
    let private inverse (total: float) = if total = 0.0 then 0.0 else 1.0 / total

    let private times (factor: float) (struct (value: float, gradient: Batch<'y>)) = struct (factor * value, scaled factor gradient)

    /// A loss from one evaluation under both reductions, whose mean counts every example alike.
    let create name check (evaluate: Reduction -> Batch<'y> -> Batch<'t> -> struct (float * Batch<'y>)) : Loss<'y, 't> =
        { Name = name
          Check = check
          Evaluate = evaluate Reduction.Mean
          Sum = evaluate Reduction.Sum
          InParts =
            fun targets ->
                let examples = targets |> Seq.sumBy Batch.count |> float
                fun y t -> evaluate Reduction.Mean y t |> times (float (Batch.count t) * inverse examples) }

    /// A loss whose mean is its sum divided by a number that the targets tell, 0 for no terms.
    let divided divisor name check (evaluate: Reduction -> Batch<'y> -> Batch<'t> -> struct (float * Batch<'y>)) : Loss<'y, 't> =
        { create name check evaluate with
            InParts =
                fun targets ->
                    let factor = inverse (divisor targets)
                    fun y t -> evaluate Reduction.Sum y t |> times factor }

    /// The weights of the ids that count, added up over all targets; an id that is none is left for the loss to refuse.
    let totalWeight (weights: float list) (counts: int -> bool) (idsOf: Batch<'t> -> Tensor) (targets: Batch<'t> seq) : float =
        let weights = Array.ofList weights

        let weight id =
            if not (counts id) then 0.0
            elif weights.Length = 0 then 1.0
            else weights |> Array.tryItem id |> Option.defaultValue 0.0

        targets |> Seq.sumBy (fun t -> (idsOf t).ToArray<int>() |> Array.sumBy weight)

    let evaluated (struct (value: float, gradient: Tensor)) : struct (float * Batch<'y>) = struct (value, Batch.ofTensor gradient)

    /// A loss whose targets are of the kind and shape of its predictions.
    let pairwise name check (evaluate: Reduction -> Tensor -> Tensor -> struct (float * Tensor)) : Loss<'y, 'y> =
        create
            name
            (fun shape target ->
                sameShape name shape target
                check name target)
            (fun reduction y t -> evaluated (evaluate reduction (Batch.held y) (Batch.held t)))

    /// Fails unless there is a weight for every class, if any.
    let checkCount name classes (weights: float list) =
        if not weights.IsEmpty && weights.Length <> classes then
            raise (ShapeException($"{name} weights", $"a weight for each of {classes} classes", $"{weights.Length}"))

    /// Fails unless every id is a class or one of those left out; the place of the first that is not is named.
    let checkIds (place: int -> string) classes (left: int list) (ids: int[]) =
        ids
        |> Array.iteri (fun i id ->
            if (id < 0 || id >= classes) && not (List.contains id left) then
                let others = left |> List.map (fun id -> $", or {id} where none counts") |> String.concat ""
                raise (InvalidArgumentException(place i, $"a class id from 0 to {classes - 1}{others}", $"{id}")))

    /// Fails unless two parts of the predictions are of one shape.
    let checkAlike name (first: Shape<Vec>) (second: Shape<Vec>) =
        if first <> second then
            raise (ShapeException($"{name} predictions", $"parts of shape {first}", $"{second}"))

    let checkSettings name (settings: CrossEntropySettings) =
        classWeights name settings.ClassWeights
        from0To1 $"{name} smoothing" settings.Smoothing

    let add (a: Batch<'y>) (b: Batch<'y>) : Batch<'y> = Batch.map2 (fun a b -> Add.Forward(a, b)) a b

    let zeros (batch: Batch<'y>) : Batch<'y> = Batch.map (fun t -> t.ZerosOf t.Shape) batch

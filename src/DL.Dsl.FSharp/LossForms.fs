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

    /// A loss from one evaluation under both reductions.
    let create name check (evaluate: Reduction -> Batch<'y> -> Batch<'t> -> struct (float * Batch<'y>)) : Loss<'y, 't> =
        { Name = name
          Check = check
          Evaluate = evaluate Reduction.Mean
          Sum = evaluate Reduction.Sum }

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

    let scaled (weight: float) (gradient: Batch<'y>) : Batch<'y> =
        if weight = 1.0 then gradient else Batch.map (fun g -> Scale.Forward(g, weight)) gradient

    let add (a: Batch<'y>) (b: Batch<'y>) : Batch<'y> = Batch.map2 (fun a b -> Add.Forward(a, b)) a b

    let zeros (batch: Batch<'y>) : Batch<'y> = Batch.map (fun t -> t.ZerosOf t.Shape) batch

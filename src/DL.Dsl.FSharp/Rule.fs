namespace DL

open System
open DL.Core

/// <summary>What one training step needs besides the model. Make one by <c>Rule.create</c>, or change a trainer's.</summary>
[<NoEquality; NoComparison>]
type Rule<'y, 't> =
    {
        /// <summary>The loss.</summary>
        Loss: Loss<'y, 't>
        /// <summary>The optimizer.</summary>
        Optimizer: Optimizer
        /// <summary>From the number of the step, counted from 0, to the learning rate; the optimizer's own rate by default.</summary>
        Schedule: Schedule option
        /// <summary>Penalties on parameters: their gradients are added to those of the loss, before clipping. The loss that is reported is without them.</summary>
        Penalties: Penalty list
        /// <summary>The largest magnitude of an element of the gradients, if they are clipped by value.</summary>
        ClipValue: float option
        /// <summary>The largest global norm of the gradients, if they are clipped by norm; after clipping by value.</summary>
        ClipNorm: float option
        /// <summary>The decay of an exponential average of the parameters, if one is kept: <c>average = decay average + (1 - decay) w</c> after every step.</summary>
        Average: float option
        /// <summary>The most examples computed at once. Larger batches are taken in parts whose gradients are added up: the same step in less memory.</summary>
        /// <remarks>The parts add up to the batch whatever the reduction, class weights, ignored ids or padding. Batch norm and dropout see each part by itself.</remarks>
        MicroBatch: int option
    }

/// <summary>Rules of training.</summary>
[<RequireQualifiedAccess>]
module Rule =
    /// <summary>A rule of a loss and an optimizer, without schedule, penalties, clipping and averaging.</summary>
    let create (loss: Loss<'y, 't>) (optimizer: Optimizer) : Rule<'y, 't> =
        { Loss = loss
          Optimizer = optimizer
          Schedule = None
          Penalties = []
          ClipValue = None
          ClipNorm = None
          Average = None
          MicroBatch = None }

    /// Fails unless every setting is in its range.
    let internal check (rule: Rule<'y, 't>) =
        let positive what (limit: float option) =
            match limit with
            | Some value when not (value > 0.0) -> raise (InvalidArgumentException($"Rule.{what}", "a positive number", $"{value}"))
            | _ -> ()

        positive "ClipValue" rule.ClipValue
        positive "ClipNorm" rule.ClipNorm

        match rule.Average with
        | Some decay when not (decay >= 0.0 && decay < 1.0) ->
            raise (InvalidArgumentException("Rule.Average", "a decay from 0 to below 1", $"{decay}"))
        | _ -> ()

        match rule.MicroBatch with
        | Some size when size < 1 -> raise (InvalidArgumentException("Rule.MicroBatch", "at least 1 example", $"{size}"))
        | _ -> ()

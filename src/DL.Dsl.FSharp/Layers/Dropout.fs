namespace DL

open DL.Core
open DL.Core.Ops

/// <summary>Dropout.</summary>
[<AutoOpen>]
module DropoutLayer =
    /// <summary>In training every number is zeroed with probability p and the others are divided by <c>1 - p</c>; in prediction nothing happens.</summary>
    /// <remarks>The key of the next mask is state: the same key gives the same mask. N. Srivastava et al., Dropout, 2014.</remarks>
    /// <param name="p">The probability to drop, from 0 to 1.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">p is not a probability.</exception>
    let dropout (p: float) : Layer<'x, 'x> =
        if not (p >= 0.0 && p <= 1.0) then
            raise (InvalidArgumentException("dropout", "a probability from 0 to 1", $"{p}"))

        Layer.create "dropout" [] [ "key" ] (fun key shape -> struct (shape, [||], [| Draws key |])) (fun mode _ state x ->
            match mode, state with
            | Train, [| Draws key |] when p > 0.0 ->
                { Output = Batch.map (fun t -> Dropout.Forward(t, p, key)) x
                  State = [| Draws key.Next |]
                  Pullback = fun dy -> struct (Batch.map (fun t -> Dropout.Backward(t, p, key)) dy, [||]) }
            | _ -> { Output = x; State = state; Pullback = fun dy -> struct (dy, [||]) })
        |> Layer.withSettings [ string p ]

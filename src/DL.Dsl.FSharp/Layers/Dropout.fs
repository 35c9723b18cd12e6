namespace DL

open DL.Core
open DL.Core.Ops

/// <summary>Dropout.</summary>
[<AutoOpen>]
module DropoutLayer =
    /// From an input and a key to the output and the way back.
    let private dropping
        name
        (p: float)
        (masked: Batch<'x> -> Random.Key -> struct (Batch<'x> * (Batch<'x> -> Batch<'x>)))
        : Layer<'x, 'x> =
        if not (p >= 0.0 && p <= 1.0) then
            raise (InvalidArgumentException(name, "a probability from 0 to 1", $"{p}"))

        Layer.create name [] [ "key" ] (fun key shape -> struct (shape, [||], [| Draws key |])) (fun mode _ state x ->
            match mode, state with
            | Train, [| Draws key |] when p > 0.0 ->
                let struct (y, back) = masked x key

                { Output = y
                  State = [| Draws key.Next |]
                  Pullback = fun dy -> struct (back dy, [||]) }
            | _ -> { Output = x; State = state; Pullback = fun dy -> struct (dy, [||]) })
        |> Layer.pointwise
        |> Layer.withSettings [ string p ]

    /// <summary>In training every number is zeroed with probability p and the others are divided by <c>1 - p</c>; in prediction nothing happens.</summary>
    /// <remarks>The key of the next mask is state: the same key gives the same mask. N. Srivastava et al., Dropout, 2014.</remarks>
    /// <param name="p">The probability to drop, from 0 to 1.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">p is not a probability.</exception>
    let dropout (p: float) : Layer<'x, 'x> =
        dropping "dropout" p (fun x key ->
            let kept = Batch.map (fun t -> Dropout.DrawBits(t, p, key)) x
            let keep = fun values -> Batch.map2 (fun t bits -> Dropout.KeepBits(t, p, bits)) values kept
            struct (keep x, keep))

    /// <summary>In training whole channels of every image are zeroed with probability p and the others are divided by <c>1 - p</c>; in prediction nothing happens.</summary>
    /// <remarks>J. Tompson et al., Efficient object localization using convolutional networks, 2014.</remarks>
    /// <param name="p">The probability to drop a channel, from 0 to 1.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">p is not a probability.</exception>
    let spatialDropout (p: float) : Layer<Image, Image> =
        dropping "spatialDropout" p (fun x key ->
            let masked = Batch.map (fun t -> ChannelDropout.Forward(t, p, key))
            struct (masked x, masked))

namespace DL

open DL.Core
open DL.Core.Ops

/// <summary>Dropout.</summary>
[<AutoOpen>]
module DropoutLayer =
    let private dropping name (p: float) (forward: Tensor -> Random.Key -> Tensor) : Layer<'x, 'x> =
        if not (p >= 0.0 && p <= 1.0) then
            raise (InvalidArgumentException(name, "a probability from 0 to 1", $"{p}"))

        Layer.create name [] [ "key" ] (fun key shape -> struct (shape, [||], [| Draws key |])) (fun mode _ state x ->
            match mode, state with
            | Train, [| Draws key |] when p > 0.0 ->
                let masked = Batch.map (fun t -> forward t key)

                { Output = masked x
                  State = [| Draws key.Next |]
                  Pullback = fun dy -> struct (masked dy, [||]) }
            | _ -> { Output = x; State = state; Pullback = fun dy -> struct (dy, [||]) })
        |> Layer.pointwise
        |> Layer.withSettings [ string p ]

    /// <summary>In training every number is zeroed with probability p and the others are divided by <c>1 - p</c>; in prediction nothing happens.</summary>
    /// <remarks>The key of the next mask is state: the same key gives the same mask. N. Srivastava et al., Dropout, 2014.</remarks>
    /// <param name="p">The probability to drop, from 0 to 1.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">p is not a probability.</exception>
    let dropout (p: float) : Layer<'x, 'x> = dropping "dropout" p (fun t key -> Dropout.Forward(t, p, key))

    /// <summary>In training whole channels of every image are zeroed with probability p and the others are divided by <c>1 - p</c>; in prediction nothing happens.</summary>
    /// <remarks>J. Tompson et al., Efficient object localization using convolutional networks, 2014.</remarks>
    /// <param name="p">The probability to drop a channel, from 0 to 1.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">p is not a probability.</exception>
    let spatialDropout (p: float) : Layer<Image, Image> = dropping "spatialDropout" p (fun t key -> ChannelDropout.Forward(t, p, key))

/// Style transfer: each loss against its formula and its gradient against central differences, and what a picture keeps.
module DL.Properties.Training.Style

open DL
open DL.Core
open DL.Laws

let private shapes = [ [ 1; 1; 1; 1 ]; [ 1; 3; 1; 4 ]; [ 2; 5; 4; 3 ]; [ 3; 2; 5; 1 ]; [ 1; 17; 3; 2 ] ]

let private numbers seed (extents: int list) = (Numbers.tensor Ordinary seed extents).ToArray<float>()

let private picture (extents: int list) (x: float[]) : Batch<Image> = Batch.image (Tensor.Of<float>(x, Array.ofList extents))

let private shown (batch: Batch<Image>) = (Batch.tensor batch).ToArray<float>()

/// The largest error of a gradient by central differences, element by element, beside the largest slope.
let private slopes extents (x: float[]) (evaluate: Batch<Image> -> struct (float * Batch<Image>)) =
    let h = 1e-5
    let struct (_, gradient) = evaluate (picture extents x)

    let at i step =
        let moved = Array.copy x
        moved[i] <- moved[i] + step
        let struct (loss, _) = evaluate (picture extents moved)
        loss

    let expected = Array.init x.Length (fun i -> (at i h - at i -h) / (2.0 * h))
    let largest = expected |> Array.fold (fun m d -> max m (abs d)) 1e-3
    Array.map2 (fun a b -> abs (a - b) / largest) expected (shown gradient) |> Array.max

let private each what bound (evidence: uint64 -> int list -> float) =
    Evidence.worst
        [ for extents in shapes do
              for seed in 1UL .. 5UL do
                  Evidence.within $"{what} of {extents}" bound (evidence seed extents) ]

let private content =
    Law.fact "the gradient is the slope" "Style.contentLoss" (fun () ->
        each "the slope" 1e-7 (fun seed extents ->
            slopes extents (numbers seed extents) (Style.contentLoss (picture extents (numbers (seed + 9UL) extents)))))

let private gramOf seed (extents: int list) = Style.gram (picture extents (numbers seed extents))

let private style =
    Law.fact "the gradient is the slope" "Style.styleLoss" (fun () ->
        each "the slope" 1e-6 (fun seed extents -> slopes extents (numbers seed extents) (Style.styleLoss (gramOf (seed + 9UL) extents))))

let private variation =
    Law.fact "the gradient is the slope" "Style.totalVariation" (fun () ->
        each "the slope" 1e-6 (fun seed extents ->
            // Neighbours well apart: at a difference of 0 there is no slope.
            let apart = numbers seed extents |> Array.mapi (fun i x -> 0.01 * x + float (i * 7919 % 31))
            slopes extents apart Style.totalVariation))

let private wrong =
    Law.fact "differences tell a gradient that is wrong" "Style.styleLoss" (fun () ->
        let extents = [ 2; 5; 4; 3 ]

        // D f in place of (D + D') f: half of the slope.
        let halved x =
            let struct (loss, gradient) = Style.styleLoss (gramOf 9UL extents) x
            struct (loss, Batch.map (fun g -> Ops.Scale.Forward(g, 0.5)) gradient)

        Evidence.exact "the error is large" (slopes extents (numbers 1UL extents) halved > 0.1))

let private formula =
    Law.fact "G = F F' / (C H W), entry by entry, and symmetric" "Style.gram" (fun () ->
        each "the entries" 1e-13 (fun seed extents ->
            let n, c, size = extents[0], extents[1], extents[2] * extents[3]
            let f, g = numbers seed extents, (gramOf seed extents).ToArray<float>()
            let row n channel = Array.sub f ((n * c + channel) * size) size

            seq {
                for i in 0 .. n - 1 do
                    for a in 0 .. c - 1 do
                        for b in 0 .. c - 1 do
                            let expected = Array.fold2 (fun s x y -> s + x * y) 0.0 (row i a) (row i b) / float (c * size)
                            abs (g[(i * c + a) * c + b] - expected)
            }
            |> Seq.max))

let private anywhere =
    Law.fact "permuting the pixels changes nothing" "Style.gram" (fun () ->
        each "the entries" 1e-13 (fun seed extents ->
            let size = extents[2] * extents[3]
            let f = numbers seed extents
            let turned = Array.init f.Length (fun i -> f[i / size * size + (size - 1 - i % size)])
            let a, b = (gramOf seed extents).ToArray<float>(), (Style.gram (picture extents turned)).ToArray<float>()
            Array.map2 (fun x y -> abs (x - y)) a b |> Array.max))

let private total =
    Law.fact "a constant picture has none, a slope of 1 has half for each direction it runs in" "Style.totalVariation" (fun () ->
        let loss extents x = let struct (v, _) = Style.totalVariation (picture extents x) in v

        Evidence.worst
            [ for extents in shapes do
                  let count = List.fold (*) 1 extents
                  let ramp = Array.init count (fun i -> float (i % extents[3]))
                  let expected = if extents[3] > 1 then 0.5 else 0.0
                  Evidence.exact $"constant {extents}" (loss extents (Array.create count 0.7) = 0.0)
                  Evidence.within $"ramp {extents}" 1e-13 (abs (loss extents ramp - expected)) ])

let private trunk = conv2d 4 (kernel 3 |> same) --> tanh
let private rest = conv2d 5 (kernel 2 |> stride 2) --> tanh

/// Two parts of a network; both are read, one of them for style alone.
let private parts precision =
    let net = trunk --> rest |> Model.init precision (Key.ofSeed 2) (Shape.image (2, 6, 4))
    let struct (first, second) = net |> Model.cut trunk rest

    [ { Model = first; Content = 0.0; Style = 3.0 }; { Model = second; Content = 2.0; Style = 1.5 } ]

let private extents = [ 2; 2; 6; 4 ]

let private settings = { Variation = 0.1; Optimizer = Optimizer.adam 0.02; Steps = 60 }

let private whole =
    Law.fact "the gradient by the pixels is the slope of the three losses together" "StyleTransfer" (fun () ->
        let first = numbers 4UL extents
        let second = numbers 5UL extents
        let evaluate = StyleTransfer.objective settings (parts Double) (picture extents first) (picture extents second)

        let total x =
            let struct (losses, gradient) = evaluate x
            struct (losses.Total, gradient)

        let apart = numbers 6UL extents |> Array.mapi (fun i x -> 0.1 * x + float (i * 7919 % 31) / 31.0)
        Evidence.within "the slope" 1e-6 (slopes extents apart total))

let private falls =
    Law.fact "the loss falls, the network stays, the same arguments give the same bits" "StyleTransfer" (fun () ->
        let parts = parts Single
        let before = parts |> List.map (fun p -> p.Model.Params |> Array.map (fun t -> t.To t.ElementType))
        let content, style = picture extents (numbers 4UL extents), picture extents (numbers 5UL extents)
        let run () = StyleTransfer.run settings parts content style
        let first, again = run (), run ()
        let totals = first.History |> List.map _.Total

        Evidence.worst
            [ Evidence.exact "a loss for every step and the last" (totals.Length = settings.Steps + 1)
              Evidence.exact "the last loss below the first" (List.last totals < totals.Head)
              Evidence.exact "content is 0 at first" (first.History.Head.Content = 0.0)
              Evidence.exact "the network" (List.forall2 (fun (p: StylePart) b -> Probe.sameBits p.Model.Params b) parts before)
              Evidence.exact "the same bits" ((Batch.tensor first.Picture).SameBits(Batch.tensor again.Picture)) ])

let private reached =
    Law.fact "style alone, which the style's own picture has, is reached" "StyleTransfer" (fun () ->
        let alone = parts Double |> List.map (fun p -> { p with Content = 0.0 })
        let free = { settings with Variation = 0.0; Steps = 400 }
        let result = StyleTransfer.run free alone (picture extents (numbers 4UL extents)) (picture extents (numbers 5UL extents))
        let totals = result.History |> List.map _.Total
        Evidence.within "the last loss, of the first" 0.01 (List.last totals / totals.Head))

let private refusals =
    Law.fact "what cannot be done is refused" "StyleTransfer" (fun () ->
        let good = picture extents (numbers 4UL extents)
        let other = picture [ 2; 2; 4; 6 ] (numbers 4UL extents)
        let parts = parts Double
        let heavy = parts |> List.map (fun p -> { p with Style = 1e9 })

        let refused what settings parts content style =
            let caught =
                try
                    StyleTransfer.run settings parts content style |> ignore
                    false
                with :? DLException ->
                    true

            Evidence.exact $"{what} is refused" caught

        Evidence.worst
            [ refused "no part" settings [] good good
              refused "parts in another order" settings (List.rev parts) good good
              refused "a picture of another shape" settings parts good other
              refused "a negative weight" { settings with Variation = -1.0 } parts good good
              refused
                  "a rate that is too large"
                  { settings with Optimizer = Optimizer.sgd 1e308 }
                  heavy
                  good
                  (picture extents (numbers 5UL extents))
              refused "no pixel" settings parts (picture [ 0; 2; 6; 4 ] [||]) (picture [ 0; 2; 6; 4 ] [||])
              refused "a pixel that is not finite" settings parts good (picture extents (Array.create 96 nan)) ])

/// The laws of this file.
let laws: Law list = [ content; style; variation; wrong; formula; anywhere; total; whole; falls; reached; refusals ]

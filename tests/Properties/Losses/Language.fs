/// The losses of the language: gradients by differences, sums, parts, weights, and losses over frozen networks.
module DL.Properties.Losses.Language

open DL
open DL.Core
open DL.Core.Ops
open DL.Laws
open DL.Properties.Cases

let private rows = 3
let private value (struct (value: float, _: Batch<'y>)) = value
let private gradient (struct (_: float, gradient: Batch<'y>)) = gradient
let private near (a: float) (b: float) = if a = b then 0.0 else abs (a - b) / (1.0 + abs a + abs b)

let private vec (v: Vector) n : Batch<Vec> = Batch.vec (matrix v n rows)
let private pairOf (v: Vector) n : Batch<Vec * Vec> = Batch.pair (vec v n) (vec v (n + 1))
let private deep (v: Vector) n : Batch<Vec * (Vec * Vec)> = Batch.pair (vec v n) (pairOf v (n + 1))
let private seqOf (v: Vector) n : Batch<Seq> = Batch.seq ((matrix v n (rows * 4)).Reshape(rows, 4, v.Length))

/// From [N; H; W; C] as it lies.
let private image (v: Vector) n : Batch<Image> = Batch.ofTensor ((matrix v n (rows * 4)).Reshape(rows, 2, 2, v.Length))

let private below (v: Vector) n classes count = Array.init count (fun i -> ((Draw v.Seed).Branch(n + i)).Below classes)
let private labels (v: Vector) classes = Batch.labels (below v 40 classes rows)
let private unit (v: Vector) n : Batch<Vec> = Batch.map Sigmoid.Forward (vec v n)

/// Sum and mean alike: the tensors of the gradient against the difference of values along a direction.
let private slope (loss: Loss<'y, 't>) (y: Batch<'y>) (t: Batch<'t>) =
    loss.Check (Batch.shape y) t
    let draw = (Draw 5UL).Branch 3
    let parts = Batch.parts y
    let directions = parts |> List.map (fun p -> like p (Array.init p.Count (fun _ -> draw.Normal())))
    let mutable place = -1

    let moved h =
        place <- -1

        y
        |> Batch.map (fun p ->
            place <- place + 1
            Add.Forward(p, Scale.Forward(directions[place], h)))

    let h = 1e-6

    let one what evaluate =
        let along =
            List.map2 (fun g d -> Array.map2 (*) (numbers g) (numbers d) |> Array.sum) (Batch.parts (gradient (evaluate y t))) directions
            |> List.sum

        let difference = (value (evaluate (moved h) t) - value (evaluate (moved -h) t)) / (2.0 * h)
        Evidence.within $"{loss.Name}, {what}: {along} along the gradient, {difference} by differences" 1e-6 (near along difference)

    Evidence.worst [ one "mean" loss.Evaluate; one "sum" loss.Sum; one "Loss.sum" (Loss.sum loss).Evaluate ]

let private network precision features (seed: int) : Model<Vec, Vec> =
    dense 6 --> tanh --> dense features |> Model.init precision (Key.ofSeed seed) (Shape.vec features)

let private pieces (v: Vector) = [ 0.5, network Double v.Length 3; 0.0, network Double v.Length 4; 1.5, network Double v.Length 5 ]

let private settings (v: Vector) =
    { ClassWeights = List.init v.Length (fun c -> 0.5 + float (c % 3))
      Smoothing = 0.2
      Ignored = Some 0 }

/// What is asked of every loss.
type private Judge =
    abstract Of: Loss<'y, 't> * Batch<'y> * Batch<'t> -> Evidence

/// Every loss on a case, judged by one function.
let private everywhere (judge: Judge) (v: Vector) : Evidence list =
    let slope loss y t = judge.Of(loss, y, t)
    let classes = v.Length

    let tokens: Batch<Tokens> =
        Batch.tokens (Tensor.Of<int>(below v 60 classes (rows * 4), rows, 4)) |> Padded.withLengths [| 4; 1; 0 |]

    let mask: Batch<Mask> = Batch.mask (Tensor.Of<int>(below v 80 classes (rows * 4), rows, 2, 2))
    let two = labels v 2

    [ slope Loss.meanSquaredError (vec v 0) (vec v 1)
      slope Loss.meanAbsoluteError (image v 0) (image v 1)
      slope (Loss.huber 0.8) (seqOf v 0) (seqOf v 1)
      slope Loss.crossEntropy (vec v 0) (labels v classes)
      slope (Loss.crossEntropyWith (settings v)) (vec v 0) (labels v classes)
      slope (Loss.pixelCrossEntropyWith (settings v).ClassWeights) (image v 0) mask
      slope Loss.tokenCrossEntropy (seqOf v 0) tokens
      slope (Loss.tokenCrossEntropyWith (settings v)) (seqOf v 0) tokens
      slope Loss.softCrossEntropy (vec v 0) (unit v 1)
      slope Loss.binaryCrossEntropyWithLogits (vec v 0) (unit v 1)
      slope (Loss.focal 2.0) (vec v 0) (labels v classes)
      slope (Loss.focalWith 1.5 (settings v).ClassWeights) (vec v 0) (labels v classes)
      slope (Loss.binaryFocal 2.0) (vec v 0) (unit v 1)
      slope (Loss.binaryFocalWith 0.5 0.25) (image v 0) (Batch.map Sigmoid.Forward (image v 1))
      slope (Loss.contrastive 6.0) (pairOf v 0) two
      slope (Loss.triplet 1.0) (deep v 0) two
      slope Loss.unitNormal (pairOf v 0) two
      slope (Loss.perceptual (pieces v)) (vec v 0) (vec v 1)
      slope (Loss.weighted [ 0.7, Loss.huber 0.3; 0.3, Loss.meanSquaredError ]) (vec v 0) (vec v 1)
      slope (Loss.both (Loss.focal 2.0) (Loss.huber 1.0)) (pairOf v 0) (Batch.pair (labels v classes) (vec v 5))
      slope (Loss.weighted [ 1.0, Loss.first Loss.meanSquaredError; 0.1, Loss.second Loss.unitNormal ]) (deep v 0) (vec v 5) ]

let private gradients: Law =
    law "losses of the language" "the gradient is that of the value, by differences" Positive [ Ordinary ] (fun v ->
        let slopes =
            { new Judge with
                member _.Of(loss, y, t) = slope loss y t }

        everywhere slopes v |> Evidence.worst)

/// The parts of a batch against the whole: values and gradients, under the mean, the sum, and both at once.
let private partsOf (loss: Loss<'y, 't>) (y: Batch<'y>) (t: Batch<'t>) : Evidence =
    let n = Batch.count y

    Evidence.worst
        [ for form in [ loss; Loss.sum loss; Loss.weighted [ 0.3, loss; 0.7, Loss.sum loss ] ] do
              let whole = form.Evaluate y t

              for size in 1..n do
                  let rows = Array.chunkBySize size [| 0 .. n - 1 |] |> List.ofArray
                  let inParts = form.InParts(rows |> Seq.map (fun part -> Batch.take part t))
                  let found = rows |> List.map (fun part -> inParts (Batch.take part y) (Batch.take part t))
                  let joined = found |> List.map gradient |> Batch.append
                  let scale = 1.0 + Probe.largest (Batch.parts (gradient whole))

                  Evidence.within $"{form.Name} by {size}: the value" 1e-12 (near (value whole) (found |> List.sumBy value))

                  Evidence.within
                      $"{form.Name} by {size}: the gradient"
                      1e-12
                      (Probe.distance (Batch.parts (gradient whole)) (Batch.parts joined) / scale) ]

/// A detector's predictions and targets: one example has no box at all.
let private detections (v: Vector) =
    let width = 1 + v.Length + 4
    let y = (matrix { v with Length = width } 0 (rows * 5)).Reshape(rows, 5, width)
    let labels = below v 50 (v.Length + 1) (rows * 5) |> Array.mapi (fun i label -> if i < 5 then 0 else label)
    let offsets = (Draw v.Seed).Branch 51

    let target =
        labels
        |> Array.collect (fun label -> Array.append [| float label |] (Array.init 4 (fun _ -> offsets.Normal())))

    struct (Batch.seq y, Batch.seq ((Tensor.Of<float>(target, rows, 5, 5)).To y.ElementType))

let private inParts: Law =
    law "losses of the language" "the parts of a batch add up to the batch" Positive [ Ordinary; Ties ] (fun v ->
        let judge =
            { new Judge with
                member _.Of(loss, y, t) = partsOf loss y t }

        let struct (y, t) = detections v
        let nothing = Batch.labels (Array.create rows -7)
        let one = Batch.labels [| -7; -7; 0 |]
        let loss = Loss.crossEntropyWith { settings v with Ignored = Some -7 }

        let masked: Batch<Tokens> = Batch.tokens (Tensor.Of<int>(Array.init (rows * 4) (fun i -> if i < 5 then -1 else 0), rows, 4))

        let own: Loss<Vec, Label> =
            Loss.createWeighted
                (fun t -> Seq.sum (Seq.map float ((Batch.tensor t).ToArray<int>())))
                "own"
                (fun _ _ -> ())
                (fun reduction y t ->
                    let x, ids = numbers (Batch.tensor y), (Batch.tensor t).ToArray<int>()
                    let total = ids |> Array.sumBy float

                    let factor =
                        if reduction = Losses.Reduction.Sum then 1.0
                        elif total = 0.0 then 0.0
                        else 1.0 / total

                    let weight i = factor * float ids[i / v.Length]
                    let value = x |> Array.mapi (fun i e -> weight i * e * e / 2.0) |> Array.sum
                    struct (value, Batch.vec (like (Batch.tensor y) (x |> Array.mapi (fun i e -> weight i * e)))))

        Evidence.worst
            [ yield! everywhere judge v
              partsOf Loss.multiBox y t
              partsOf loss (vec v 0) nothing
              partsOf loss (vec v 0) one
              partsOf Loss.tokenCrossEntropy (seqOf v 0) masked
              partsOf own (vec v 0) (labels v 4)
              partsOf own (vec v 0) (Batch.labels [| 0; 0; 0 |]) ])

let private counts (name: string) (loss: Loss<'y, 't>) (y: Batch<'y>) (t: Batch<'t>) terms =
    let mean, sum, each = value (loss.Evaluate y t), value (loss.Sum y t), Loss.each loss y t

    Evidence.worst
        [ Evidence.within $"{name}: the sum is the mean of {terms} terms, times their number" 1e-13 (near sum (terms * mean))
          Evidence.within $"{name}: the mean of the examples" 1e-13 (near mean (Array.average each))
          Evidence.exact "a value for every example" (each.Length = Batch.count y) ]

let private reductions: Law =
    law "losses of the language" "the mean is the sum over n, and the mean of the examples alone" Positive [ Ordinary; Ties ] (fun v ->
        let classes, n = v.Length, float (rows * v.Length)
        let mask: Batch<Mask> = Batch.mask (Tensor.Of<int>(below v 80 classes (rows * 4), rows, 2, 2))

        Evidence.worst
            [ counts "meanAbsoluteError" Loss.meanAbsoluteError (vec v 0) (vec v 1) n
              counts "huber" (Loss.huber 0.5) (image v 0) (image v 1) (4.0 * n)
              counts "crossEntropy" Loss.crossEntropy (vec v 0) (labels v classes) (float rows)
              counts "pixelCrossEntropy" Loss.pixelCrossEntropy (image v 0) mask (4.0 * float rows)
              counts "focal" (Loss.focal 2.0) (vec v 0) (labels v classes) (float rows)
              counts "binaryFocal" (Loss.binaryFocal 2.0) (vec v 0) (unit v 1) n
              counts "contrastive" (Loss.contrastive 4.0) (pairOf v 0) (labels v 2) (float rows)
              counts "triplet" (Loss.triplet 0.5) (deep v 0) (labels v 2) (float rows)
              counts "unitNormal" Loss.unitNormal (pairOf v 0) (vec v 4) (float rows)
              counts "perceptual" (Loss.perceptual [ 2.0, network Double v.Length 3 ]) (vec v 0) (vec v 1) n ])

let private together: Law =
    law "losses of the language" "weights, parts and pairs add up" Positive [ Ordinary ] (fun v ->
        let y, t, ids = vec v 0, vec v 1, labels v v.Length
        let a, b = Loss.huber 0.5, Loss.meanSquaredError
        let at (loss: Loss<'p, 'q>) p q = value (loss.Evaluate p q)
        let struct (_, dy) = (Loss.first a).Evaluate (Batch.pair y (vec v 3)) t
        let struct (_, behind) = Batch.split dy

        Evidence.worst
            [ Evidence.within "0.7 a + 0.3 b" 1e-15 (near (at (Loss.weighted [ 0.7, a; 0.3, b ]) y t) (0.7 * at a y t + 0.3 * at b y t))
              Evidence.within
                  "a and b"
                  1e-15
                  (near
                      (at (Loss.both a (Loss.focal 1.0)) (Batch.pair y (vec v 3)) (Batch.pair t ids))
                      (at a y t + at (Loss.focal 1.0) (vec v 3) ids))
              Evidence.exact "the first alone" (at (Loss.first a) (Batch.pair y (vec v 3)) t = at a y t)
              Evidence.exact "the second alone" (at (Loss.second a) (Batch.pair (vec v 3) y) t = at a y t)
              Evidence.exact "no gradient in the other part" (numbers (Batch.tensor behind) |> Array.forall ((=) 0.0)) ])

let private frozen: Law =
    law "losses of the language" "perceptual is the distance of features, and leaves the network alone" Positive [ Ordinary ] (fun v ->
        let parts = pieces v
        let y, t = vec v 0, vec v 1
        let before = parts |> List.map (fun (_, m) -> m.Params |> Array.map (fun p -> p.To p.ElementType))
        let loss = Loss.perceptual parts
        let struct (found, _) = loss.Evaluate y t
        let seen x = parts |> List.scan (fun x (_, m) -> Model.predict m x) x |> List.tail |> List.map (Batch.tensor >> numbers)
        let apart (a: float[]) b = Array.map2 (fun p q -> (p - q) * (p - q)) a b |> Array.average
        let expected = List.map3 (fun (weight, _) a b -> weight * apart a b) parts (seen y) (seen t) |> List.sum
        let struct (nothing, dy) = loss.Evaluate y y
        let single = Loss.perceptual [ 1.0, network Single v.Length 3 ]
        let struct (_, wide) = single.Evaluate y t

        Evidence.worst
            [ Evidence.within "its formula" 1e-12 (near found expected)
              Evidence.exact "0 at equality" (nothing = 0.0 && numbers (Batch.tensor dy) |> Array.forall ((=) 0.0))
              Evidence.exact "the gradient in the precision of the predictions" ((Batch.tensor wide).ElementType = ElementType.Float64)
              Evidence.exact
                  "the parameters"
                  (List.forall2
                      (fun (a: Tensor[]) (_, m: Model<Vec, Vec>) -> Array.forall2 (fun (p: Tensor) q -> p.SameBits q) a m.Params)
                      before
                      parts) ])

/// A step of a session, in memory of its own, gives the loss and lowers it.
let private descends (what: string) (loss: Loss<'y, 't>) (net: Layer<Vec, 'y>) (t: Batch<'t>) =
    let x = Batch.vec (Numbers.tensor Ordinary 8UL [ Batch.count t; 4 ])
    let model = net |> Model.init Double (Key.ofSeed 2) (Shape.vec 4)
    let expected = value (loss.Evaluate (Model.predict model x) t)

    let session =
        Session((Trainer.create loss (Optimizer.adam 1e-2)).Rule, Trainer.start (Trainer.create loss (Optimizer.adam 1e-2)).Rule model)

    let first = session.Step(x, t)

    for _ in 1..30 do
        session.Step(x, t) |> ignore

    Evidence.worst
        [ Evidence.within $"{what}: the loss of a step" 1e-12 (near first expected)
          Evidence.exact $"{what} falls" (session.Step(x, t) < first) ]

let private trained: Law =
    Law.fact "are trained on in a session" "losses of the language" (fun () ->
        let n = 12
        let target = Batch.vec (Numbers.tensor Ordinary 9UL [ n; 3 ])
        let ids k = Batch.labels (Array.init n (fun i -> i % k))
        let encoder = dense 6 --> tanh
        let two = fork (encoder --> dense 3) (encoder --> dense 3)

        Evidence.worst
            [ descends "perceptual" (Loss.perceptual [ 1.0, network Double 3 7; 1.0, network Double 3 8 ]) (encoder --> dense 3) target
              descends "a sum of losses" (Loss.weighted [ 0.7, Loss.huber 1.0; 0.3, Loss.meanAbsoluteError ]) (encoder --> dense 3) target
              descends "contrastive" (Loss.contrastive 1.0) two (ids 2)
              descends "contrastive of one network" (Loss.contrastive 1.0) (fork (dense 4) (dense 4 --> tanh) --> siamese encoder) (ids 2)
              descends "triplet" (Loss.triplet 1.0) (fork (encoder --> dense 3) two) (ids 2)
              descends
                  "a picture and its distribution"
                  (Loss.weighted [ 1.0, Loss.first Loss.meanSquaredError; 0.1, Loss.second Loss.unitNormal ])
                  (fork (encoder --> dense 3) two)
                  target
              descends "both parts" (Loss.both Loss.crossEntropy (Loss.focal 2.0)) two (Batch.pair (ids 3) (ids 2))
              descends
                  "smoothed"
                  (Loss.crossEntropyWith { Entropy.defaults with Smoothing = 0.1; Ignored = Some 2 })
                  (encoder --> dense 2)
                  (ids 3)
              descends
                  "balanced"
                  (Loss.crossEntropyWith { Entropy.defaults with ClassWeights = Loss.balanced 3 (ids 3) })
                  (encoder --> dense 3)
                  (ids 3) ])

let private refused (part: string) (act: unit -> 'a) =
    try
        act () |> ignore
        Evidence.exact $"refused: {part}" false
    with :? DLException as e ->
        Evidence.exact $"'{part}' in: {e.Message}" (e.Message.Contains part)

let private refusals: Law =
    Law.fact "bad input is refused before anything is computed" "losses of the language" (fun () ->
        let shape = Shape.vec 3
        let x = Batch.vec (Tensor.Zeros(ElementType.Float64, DL.Core.Shape [| 2; 3 |]))
        let other = Batch.vec (Tensor.Zeros(ElementType.Float64, DL.Core.Shape [| 2; 4 |]))
        let pair a b = Shape.pair (Shape.vec a) (Shape.vec b)
        let labels (ids: int list) = Batch.labels (Array.ofList ids)
        let mse: Loss<Vec, Vec> = Loss.meanSquaredError

        Evidence.worst
            [ refused "4" (fun () -> (Loss.huber 1.0).Check shape other)
              refused "label[1]" (fun () -> Loss.crossEntropy.Check shape (labels [ 0; 3 ]))
              refused "label[0]" (fun () -> (Loss.focal 2.0).Check shape (labels [ -1; 0 ]))
              refused "label[1]" (fun () -> (Loss.contrastive 1.0).Check (pair 3 3) (labels [ 1; 2 ]))
              refused "4" (fun () -> (Loss.contrastive 1.0).Check (pair 3 4) (labels [ 1; 1 ]))
              refused "4" (fun () -> (Loss.triplet 1.0).Check (Shape.pair shape (pair 3 4)) x)
              refused "4" (fun () -> Loss.unitNormal.Check (pair 3 4) x)
              refused "delta" (fun () -> (Loss.huber 0.0: Loss<Vec, Vec>))
              refused "gamma" (fun () -> Loss.focal -1.0)
              refused "gamma" (fun () -> (Loss.binaryFocal nan: Loss<Vec, Vec>))
              refused "alpha" (fun () -> (Loss.binaryFocalWith 2.0 1.5: Loss<Vec, Vec>))
              refused "margin" (fun () -> Loss.contrastive 0.0)
              refused "margin" (fun () -> (Loss.triplet infinity: Loss<_, Vec>))
              refused "class 1" (fun () -> Loss.focalWith 2.0 [ 1.0; -1.0 ])
              refused "class 0" (fun () -> Loss.crossEntropyWith { Entropy.defaults with ClassWeights = [ nan; 1.0 ] })
              refused "smoothing" (fun () -> Loss.tokenCrossEntropyWith { Entropy.defaults with Smoothing = -0.1 })
              refused "3 classes" (fun () -> (Loss.focalWith 2.0 [ 1.0; 1.0 ]).Check shape (labels [ 0; 1 ]))
              refused "at least one" (fun () -> Loss.weighted ([]: (float * Loss<Vec, Vec>) list))
              refused "weight 1" (fun () -> Loss.weighted [ 1.0, mse; -1.0, mse ])
              refused "at least one" (fun () -> Loss.perceptual ([]: (float * Model<Vec, Vec>) list))
              refused "above 0" (fun () -> Loss.perceptual [ 0.0, network Double 3 1 ])
              refused "shape 4" (fun () -> Loss.perceptual [ 1.0, network Double 3 1; 1.0, network Double 4 1 ])
              refused "shape 3" (fun () -> (Loss.perceptual [ 1.0, network Double 3 1 ]).Check (Shape.vec 4) other)
              refused "2 examples" (fun () -> Loss.each mse x (Batch.take [| 0 |] x))
              refused "class 2" (fun () -> Loss.balanced 3 (labels [ 0; 1; 1 ])) ])

let private ignoring: Law =
    law "losses of the language" "what is ignored counts nowhere, and nothing at all is 0" Positive [ Ordinary ] (fun v ->
        let classes = v.Length
        let y, ids = vec v 0, below v 40 classes rows
        let outside = ids |> Array.mapi (fun i id -> if i = 1 then -7 else id)
        let loss = Loss.crossEntropyWith { settings v with Ignored = Some -7 }
        let kept = [| 0; 2 |]
        let all = loss.Evaluate y (Batch.labels outside)
        let alone = loss.Evaluate (Batch.take kept y) (Batch.labels (kept |> Array.map (fun i -> ids[i])))
        let none = loss.Evaluate y (Batch.labels (Array.create rows -7))

        let steps = below v 60 classes (rows * 4)
        let tokens (ids: int[]) : Batch<Tokens> = Batch.tokens (Tensor.Of<int>(ids, rows, 4))
        let named = Loss.tokenCrossEntropyWith { settings v with Ignored = Some 0 }
        let byId = named.Evaluate (seqOf v 3) (tokens steps)
        let bySign = named.Evaluate (seqOf v 3) (tokens (steps |> Array.map (fun id -> if id = 0 then -1 else id)))

        let padded =
            (Loss.tokenCrossEntropyWith Entropy.defaults).Evaluate (seqOf v 3) (tokens steps |> Padded.withLengths [| 4; 1; 0 |])

        let counted = Batch.vec (Rows.Forward((Batch.tensor (seqOf v 3)).Reshape(rows * 4, classes), [| 0..4 |]))
        let rest = Loss.crossEntropy.Evaluate counted (Batch.labels steps[..4])

        Evidence.worst
            [ Evidence.within "the value of the others" 1e-13 (near (value all) (value alone))
              close "the gradient of the others" 1e-13 (Batch.tensor (Batch.take kept (gradient all))) (Batch.tensor (gradient alone))
              Evidence.exact "an id left out is -1" (value byId = value bySign)
              Evidence.within "the steps before the padding" 1e-13 (near (value padded) (value rest))
              Evidence.exact "0 with none left" (value none = 0.0 && numbers (Batch.tensor (gradient none)) |> Array.forall ((=) 0.0)) ])

/// The laws of this file.
let laws: Law list = [ gradients; inParts; reductions; together; frozen; trained; refusals; ignoring ]

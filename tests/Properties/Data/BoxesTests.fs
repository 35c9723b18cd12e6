module DL.Properties.Data.BoxesTests

open System
open FsCheck.FSharp
open Xunit
open DL.Core.Metrics
open DL.Properties.Data.Support
open DL.Properties.Data.BoxCases
open type DL.Properties.Data.BoxCases.Calls

[<Fact>]
let ``overlap is its definition, symmetric, a share, and 1 for equal boxes with an area`` () =
    forAll (Gen.zip any any) (fun (a, b) ->
        let share = iou a b

        close 1e-12 share (overlap a b)
        && share = iou b a
        && share >= 0.0
        && share <= 1.0
        && iou a a = (if a.Area > 0.0 then 1.0 else 0.0))

[<Fact>]
let ``overlap stays when both boxes are moved or scaled`` () =
    forAll (Gen.zip (Gen.zip fine fine) (Gen.zip (number -5.0 5.0) (number 0.1 9.0))) (fun ((a, b), (shift, factor)) ->
        let moved (box: Box) = Box(box.Left + shift, box.Top - shift, box.Right + shift, box.Bottom - shift)

        close 1e-9 (iou (moved a) (moved b)) (iou a b)
        && close 1e-9 (iou (a.Scale(factor, 2.0)) (b.Scale(factor, 2.0))) (iou a b))

    let far, tiny = Box(-8e307, -8e307, 8e307, 8e307), Box(0.0, 0.0, 1e-200, 1e-200)
    Assert.Equal(1.0, iou far far)
    Assert.Equal(1.0, iou tiny tiny)
    Assert.Equal(0.0, iou far tiny)

[<Fact>]
let ``the matrix of overlaps is that of the pairs`` () =
    forAll (Gen.zip (listOf 0 6 any) (listOf 0 6 any)) (fun (a, b) ->
        Boxes.IntersectionOverUnion(ReadOnlySpan<Box> a, ReadOnlySpan<Box> b) = Array2D.init a.Length b.Length (fun i j -> iou a[i] b[j]))

[<Fact>]
let ``centres and corners tell the same box, and what is clipped lies inside`` () =
    forAll (Gen.zip any any) (fun (box, frame) ->
        let again = Box.FromCenter(box.CenterX, box.CenterY, box.Width, box.Height)
        let inside = box.Clip frame

        near 1e-14 again box
        && inside.Clip frame = inside
        && inside.Left >= frame.Left
        && inside.Right <= frame.Right
        && inside.Top >= frame.Top
        && inside.Bottom <= frame.Bottom
        && close
            1e-12
            inside.Area
            (max 0.0 (min box.Right frame.Right - max box.Left frame.Left)
             * max 0.0 (min box.Bottom frame.Bottom - max box.Top frame.Top)))

/// Boxes with scores of few values and classes.
let private scored =
    listOf 0 12 (Gen.zip coarse (Gen.zip (Gen.map (fun i -> float i / 4.0) (Gen.choose (-1, 4))) (Gen.choose (0, 2))))
    |> Gen.map (fun all -> Array.map fst all, Array.map (snd >> fst) all, Array.map (snd >> snd) all)

/// Takes the surest of what is left, and throws out what overlaps it.
let rec private suppress (boxes: Box[]) (scores: float[]) (classes: int[]) threshold left =
    match left |> List.sortBy (fun i -> -scores[i], i) with
    | [] -> []
    | best :: rest ->
        let stays i = classes[i] <> classes[best] || iou boxes[i] boxes[best] <= threshold
        best :: suppress boxes scores classes threshold (List.filter stays rest)

[<Fact>]
let ``suppression is that of the naive definition`` () =
    forAll (Gen.zip scored (Gen.zip (number 0.0 1.0) (Gen.choose (0, 5)))) (fun ((boxes, scores, classes), (threshold, most)) ->
        let all = [ 0 .. boxes.Length - 1 ]
        let one = Array.zeroCreate<int> boxes.Length
        let naive = suppress boxes scores classes threshold all |> Array.ofList

        KeepOf(boxes, scores, classes, threshold) = naive
        && Keep(boxes, scores, threshold) = (suppress boxes scores one threshold all |> Array.ofList)
        && KeepOf(boxes, scores, classes, threshold, most) = Array.truncate most naive)

[<Fact>]
let ``anchors have their middles, sizes and ratios`` () =
    let sizes, ratios = [| 0.75; 0.5; 0.25 |], [| 1.0; 2.0; 0.5 |]
    let grid = Grid(2, 3, sizes, ratios, 0.8)
    Assert.Equal(2 * 3 * 5, grid.Length)

    for i in 0..1 do
        for j in 0..2 do
            let pairs = [ 0.75, 1.0; 0.5, 1.0; 0.25, 1.0; 0.75, 2.0; 0.75, 0.5 ]

            for k, (size, ratio) in List.indexed pairs do
                let box = grid[(i * 3 + j) * 5 + k]
                Assert.Equal((float j + 0.5) / 3.0, box.CenterX, 12)
                Assert.Equal((float i + 0.5) / 2.0, box.CenterY, 12)
                Assert.Equal(size * sqrt ratio * 0.8, box.Width, 12)
                Assert.Equal(size / sqrt ratio, box.Height, 12)

/// The whole table of overlaps: the largest pair left is taken until none overlaps, then each anchor's best.
let private naiveMatch (anchors: Box[]) (truths: Box[]) threshold =
    let table = Array2D.init anchors.Length truths.Length (fun i t -> iou anchors[i] truths[t])

    let rec rounds taken =
        let free =
            [ for i in 0 .. anchors.Length - 1 do
                  for t in 0 .. truths.Length - 1 do
                      if table[i, t] > 0.0 && not (List.exists (fun (a, b) -> a = i || b = t) taken) then
                          i, t ]

        if free.IsEmpty then taken else rounds ((free |> List.maxBy (fun (i, t) -> table[i, t])) :: taken)

    let taken = rounds [] |> dict

    [| for i in 0 .. anchors.Length - 1 ->
           match taken.TryGetValue i with
           | true, t -> t
           | _ ->
               let over =
                   [ for t in 0 .. truths.Length - 1 do
                         if table[i, t] >= threshold then
                             t ]

               if over.IsEmpty then -1 else over |> List.maxBy (fun t -> table[i, t]) |]

[<Fact>]
let ``matching is that of the naive definition`` () =
    forAll (Gen.zip (Gen.zip (listOf 0 8 coarse) (listOf 0 5 coarse)) (number 0.05 1.0)) (fun ((anchors, truths), threshold) ->
        Match(anchors, truths, threshold) = naiveMatch anchors truths threshold)

[<Fact>]
let ``every truth on an anchor of its own is matched with it`` () =
    forAll (listOf 1 8 fine) (fun boxes ->
        let distinct = Array.distinct boxes
        Match(distinct, Array.rev distinct) = Array.rev [| 0 .. distinct.Length - 1 |])

[<Fact>]
let ``decoding undoes encoding`` () =
    forAll (listOf 0 5 (Gen.zip fine fine)) (fun pairs ->
        let anchors, boxes = Array.unzip pairs
        let offsets = Encode(anchors, boxes)
        let decoded = Decode(anchors, offsets)
        let back = Encode(anchors, decoded)

        Array.forall2 (near 1e-12) decoded boxes
        && Array.forall2 (close 1e-9) back offsets
        && Array.forall ((=) 0.0) (Encode(anchors, anchors)))

[<Fact>]
let ``offsets are those of the formula`` () =
    let anchor, box = [| Box(0.0, 0.0, 2.0, 4.0) |], [| Box(1.0, 1.0, 5.0, 3.0) |]
    let offsets = Encode(anchor, box)
    let expected = [| 2.0 / 2.0 / 0.1; 0.0; log 2.0 / 0.2; log 0.5 / 0.2 |]
    Assert.True(Array.forall2 (close 1e-14) offsets expected)

[<Fact>]
let ``targets are the matches, their classes from 1 and their offsets`` () =
    let withArea = coarse |> Gen.filter (fun box -> box.Area > 0.0)

    forAll (Gen.zip (listOf 0 8 withArea) (listOf 0 4 (Gen.zip withArea (Gen.choose (0, 3))))) (fun (anchors, labelled) ->
        let truths, classes = Array.unzip labelled
        let targets = Targets(anchors, truths, classes)

        targets.Matches = Match(anchors, truths)
        && targets.Matches
           |> Array.indexed
           |> Array.forall (fun (i, t) ->
               let expected = if t < 0 then Array.zeroCreate 4 else Encode([| anchors[i] |], [| truths[t] |])

               targets.Classes[i] = (if t < 0 then 0 else classes[t] + 1) && targets.Offsets[4 * i .. 4 * i + 3] = expected))

[<Fact>]
let ``a detector that predicts its targets finds the truth`` () =
    let anchors = Grid(4, 4, [| 0.3; 0.5 |], [| 1.0; 2.0 |])
    let truths = [| Box(0.1, 0.1, 0.4, 0.35); Box(0.5, 0.55, 0.95, 0.9); Box(0.52, 0.1, 0.8, 0.3) |]
    let classes = [| 1; 0; 1 |]
    let targets = Targets(anchors, truths, classes)

    let probabilities = targets.Classes |> Array.collect (fun label -> Array.init 3 (fun c -> if c = label then 1.0 else 0.0))

    let found = Detect(anchors, targets.Offsets, probabilities, 2, 7)
    Assert.Equal(3, found.Length)

    for detection in found do
        Assert.Equal(7, detection.Image)
        Assert.Contains(Array.zip truths classes, fun (box, c) -> c = detection.Class && near 1e-12 box detection.Box)

    let labelled = Array.map2 (fun c box -> LabelledBox(7, c, box)) classes truths
    Assert.Equal(1.0, (Precision(found, labelled, 2)).Mean, 12)
    Assert.Empty(Detect(anchors, targets.Offsets, Array.zeroCreate probabilities.Length, 2))
    Assert.Single(Detect(anchors, targets.Offsets, probabilities, 2, most = 1)) |> ignore

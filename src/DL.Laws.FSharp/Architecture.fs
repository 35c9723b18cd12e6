namespace DL.Laws

open FsCheck
open FsCheck.FSharp
open DL

/// <summary>A random network from vectors to vectors, as it would be written; counter-examples print it and shrink it.</summary>
type Architecture =
    /// <summary><c>identity</c>.</summary>
    | Identity
    /// <summary><c>dense n</c>.</summary>
    | Dense of units: int
    /// <summary>An activation, a norm or a softmax, by its name in the language.</summary>
    | Simple of name: string
    /// <summary><c>dropout p</c>.</summary>
    | Dropout of p: float
    /// <summary><c>f --&gt; g</c>.</summary>
    | Chain of Architecture * Architecture
    /// <summary><c>add (f --&gt; dense n) (g --&gt; dense n)</c>.</summary>
    | Add of units: int * Architecture * Architecture
    /// <summary><c>concat [ f; g ]</c>.</summary>
    | Concat of Architecture list
    /// <summary><c>dense n --&gt; residual (f --&gt; dense n)</c>.</summary>
    | Residual of units: int * Architecture
    /// <summary><c>dense n --&gt; highway (dense n --&gt; sigmoid) (f --&gt; dense n)</c>.</summary>
    | Highway of units: int * Architecture
    /// <summary><c>denseConnection f</c>.</summary>
    | DenseConnection of Architecture
    /// <summary><c>repeat n (f --&gt; dense n)</c>.</summary>
    | Repeat of count: int * units: int * Architecture
    /// <summary><c>dense n --&gt; shared count (f --&gt; dense n)</c>.</summary>
    | Shared of count: int * units: int * Architecture
    /// <summary><c>frozen f</c>.</summary>
    | Frozen of Architecture
    /// <summary><c>named "part" f</c>.</summary>
    | Named of Architecture
    /// <summary><c>dense 6 --&gt; toSeq (3, 2) --&gt; perToken (f) --&gt; flattenSeq</c>.</summary>
    | PerToken of Architecture
    /// <summary><c>dense 6 --&gt; toSeq (3, 2) --&gt; scan 2 (cat --&gt; f --&gt; dense 2 --&gt; tanh --&gt; dup) --&gt; flattenSeq</c>: a recurrent network.</summary>
    | Scan of Architecture
    /// <summary><c>dense 18 --&gt; toImage (2, 3, 3) --&gt; .. --&gt; flatten</c>: layers over images, by how they are written.</summary>
    | Images of layers: string list

    /// <summary>The network as it would be written.</summary>
    override this.ToString() =
        let show (a: Architecture) =
            match a with
            | Chain _ -> $"({a})"
            | _ -> string a

        match this with
        | Identity -> "identity"
        | Dense units -> $"dense {units}"
        | Simple name -> name
        | Dropout p -> $"dropout {p}"
        | Chain(f, g) -> $"{show f} --> {show g}"
        | Add(n, f, g) -> $"add ({f} --> dense {n}) ({g} --> dense {n})"
        | Concat parts ->
            let inner = parts |> List.map string |> String.concat "; "
            $"concat [ {inner} ]"
        | Residual(n, f) -> $"dense {n} --> residual ({f} --> dense {n})"
        | Highway(n, f) -> $"dense {n} --> highway (dense {n} --> sigmoid) ({f} --> dense {n})"
        | DenseConnection f -> $"denseConnection ({f})"
        | Repeat(count, n, f) -> $"repeat {count} ({f} --> dense {n})"
        | Shared(count, n, f) -> $"dense {n} --> shared {count} ({f} --> dense {n})"
        | Frozen f -> $"frozen ({f})"
        | Named f -> $"named \"part\" ({f})"
        | PerToken f -> $"dense 6 --> toSeq (3, 2) --> perToken ({f}) --> flattenSeq"
        | Scan f -> $"dense 6 --> toSeq (3, 2) --> scan 2 (cat --> {f} --> dense 2 --> tanh --> dup) --> flattenSeq"
        | Images layers ->
            let inner = layers |> List.map (fun l -> $"{l} --> ") |> String.concat ""
            $"dense 18 --> toImage (2, 3, 3) --> {inner}flatten"

/// <summary>Random networks: generating, shrinking and building them.</summary>
[<RequireQualifiedAccess>]
module Architecture =
    let private simple: (string * Layer<Vec, Vec>) list =
        [ "tanh", tanh
          "sigmoid", sigmoid
          "relu", relu
          "leakyRelu", leakyRelu
          "elu", elu
          "gelu", gelu
          "geluTanh", geluTanh
          "silu", silu
          "softplus", softplus
          "softmax", softmax
          "logSoftmax", logSoftmax
          "layerNorm", layerNorm
          "rmsNorm", rmsNorm
          "batchNorm", batchNorm
          "meanFeatures", meanFeatures
          "logSumExp", logSumExp
          "swiglu 3", swiglu 3
          "pad 1 2", pad 1 2 ]

    let private layers = Map.ofList simple

    // Each takes images of any size and any number of channels.
    let private overImages: (string * Layer<Image, Image>) list =
        [ "conv2d 3 (kernel 3 |> same)", conv2d 3 (kernel 3 |> same)
          "conv2d 4 (kernel 2 |> stride 2 |> same)", conv2d 4 (kernel 2 |> stride 2 |> same)
          "conv2d 2 (kernel 3 |> dilation 2 |> padding 2)", conv2d 2 (kernel 3 |> dilation 2 |> padding 2)
          "conv2d 5 (kernel 1)", conv2d 5 (kernel 1)
          "convTranspose2d 2 (kernel 2 |> stride 2)", convTranspose2d 2 (kernel 2 |> stride 2)
          "maxPool2d (kernel 2 |> stride 1 |> same)", maxPool2d (kernel 2 |> stride 1 |> same)
          "avgPool2d (kernel 3 |> stride 2 |> padding 1)", avgPool2d (kernel 3 |> stride 2 |> padding 1)
          "upsampleNearest 2", upsampleNearest 2
          "upsampleBilinear 2", upsampleBilinear 2
          "batchNorm", batchNorm
          "groupNorm 1", groupNorm 1
          "instanceNorm", instanceNorm
          "relu", relu
          "tanh", tanh
          "spatialDropout 0.3", spatialDropout 0.3
          "residual instanceNorm", residual instanceNorm
          "denseConnection (conv2d 2 (kernel 3 |> same))", denseConnection (conv2d 2 (kernel 3 |> same))
          "add (conv2d 3 (kernel 1)) (conv2d 3 (kernel 3 |> same))", add (conv2d 3 (kernel 1)) (conv2d 3 (kernel 3 |> same))
          "concat [ conv2d 2 (kernel 1); avgPool2d (kernel 3 |> stride 1 |> padding 1) ]",
          concat [ conv2d 2 (kernel 1); avgPool2d (kernel 3 |> stride 1 |> padding 1) ] ]

    let private imageLayers = Map.ofList overImages

    /// <summary>The layer an architecture describes.</summary>
    let rec build (architecture: Architecture) : Layer<Vec, Vec> =
        match architecture with
        | Identity -> identity
        | Dense units -> dense units
        | Simple name -> layers[name]
        | Dropout p -> dropout p
        | Chain(f, g) -> build f --> build g
        | Add(n, f, g) -> add (build f --> dense n) (build g --> dense n)
        | Concat parts -> parts |> List.map build |> concat
        | Residual(n, f) -> dense n --> residual (build f --> dense n)
        | Highway(n, f) -> dense n --> highway (dense n --> sigmoid) (build f --> dense n)
        | DenseConnection f -> denseConnection (build f)
        | Repeat(count, n, f) -> repeat count (build f --> dense n)
        | Shared(count, n, f) -> dense n --> shared count (build f --> dense n)
        | Frozen f -> frozen (build f)
        | Named f -> named "part" (build f)
        | PerToken f -> dense 6 --> toSeq (3, 2) --> perToken (build f) --> flattenSeq
        | Scan f -> dense 6 --> toSeq (3, 2) --> scan 2 (cat --> build f --> dense 2 --> tanh --> dup) --> flattenSeq
        | Images names ->
            let body = names |> List.map (fun name -> imageLayers[name]) |> List.fold (-->) identity
            dense 18 --> toImage (2, 3, 3) --> body --> flatten

    let private units = Gen.choose (1, 5)

    let private leaf: Gen<Architecture> =
        Gen.frequency
            [ 3, units |> Gen.map Dense
              8, simple |> List.map (fst >> Simple) |> Gen.elements
              1, Gen.elements [ 0.0; 0.3; 1.0 ] |> Gen.map Dropout
              1, Gen.constant Identity
              3,
              Gen.choose (1, 3)
              |> Gen.bind (fun n -> Gen.listOfLength n (overImages |> List.map fst |> Gen.elements))
              |> Gen.map Images ]

    let rec private ofDepth depth : Gen<Architecture> =
        if depth = 0 then
            leaf
        else
            let inner = ofDepth (depth - 1)

            Gen.oneof
                [ leaf
                  Gen.map2 (fun f g -> Chain(f, g)) inner inner
                  Gen.map2 (fun f g -> Chain(f, g)) inner inner
                  Gen.map3 (fun n f g -> Add(n, f, g)) units inner inner
                  Gen.map2 (fun f g -> Concat [ f; g ]) inner inner
                  Gen.map2 (fun n f -> Residual(n, f)) units inner
                  Gen.map2 (fun n f -> Highway(n, f)) units inner
                  Gen.map DenseConnection inner
                  Gen.map3 (fun count n f -> Repeat(count, n, f)) (Gen.choose (0, 3)) units inner
                  Gen.map3 (fun count n f -> Shared(count, n, f)) (Gen.choose (1, 3)) units inner
                  Gen.map Frozen inner
                  Gen.map Named inner
                  Gen.map PerToken inner
                  Gen.map Scan inner ]

    /// <summary>A random network of up to the given depth.</summary>
    let generate (depth: int) : Gen<Architecture> = Gen.choose (0, depth) |> Gen.bind ofDepth

    let private narrower n = if n > 1 then [ 1 ] else []

    /// <summary>Smaller networks: a part in place of the whole, then the whole with a smaller part.</summary>
    let rec shrink (architecture: Architecture) : Architecture seq =
        let within (f: Architecture) (whole: Architecture -> Architecture) =
            seq {
                f
                yield! shrink f |> Seq.map whole
            }

        seq {
            if architecture <> Identity then
                Identity

            match architecture with
            | Identity
            | Simple _ -> ()
            | Dense n -> yield! narrower n |> Seq.map Dense
            | Dropout p ->
                if p <> 0.3 then
                    Dropout 0.3
            | Chain(f, g) ->
                yield! within f (fun f -> Chain(f, g))
                yield! within g (fun g -> Chain(f, g))
            | Add(n, f, g) ->
                yield! narrower n |> Seq.map (fun n -> Add(n, f, g))
                yield! within f (fun f -> Add(n, f, g))
                yield! within g (fun g -> Add(n, f, g))
            | Concat parts ->
                yield! parts

                for i in 0 .. parts.Length - 1 do
                    yield! shrink parts[i] |> Seq.map (fun p -> Concat(List.updateAt i p parts))
            | Residual(n, f) ->
                yield! narrower n |> Seq.map (fun n -> Residual(n, f))
                yield! within f (fun f -> Residual(n, f))
            | Highway(n, f) ->
                yield! narrower n |> Seq.map (fun n -> Highway(n, f))
                yield! within f (fun f -> Highway(n, f))
            | Repeat(count, n, f) ->
                if count > 1 then
                    Repeat(count - 1, n, f)

                yield! within f (fun f -> Repeat(count, n, f))
            | Shared(count, n, f) ->
                if count > 1 then
                    Shared(count - 1, n, f)

                yield! within f (fun f -> Shared(count, n, f))
            | DenseConnection f -> yield! within f DenseConnection
            | Frozen f -> yield! within f Frozen
            | Named f -> yield! within f Named
            | Images names ->
                for i in 0 .. names.Length - 1 do
                    Images(List.removeAt i names)
            | PerToken f -> yield! within f PerToken
            | Scan f -> yield! within f Scan
        }

    /// <summary>Whether a part is found anywhere in a network.</summary>
    let rec exists (part: Architecture -> bool) (architecture: Architecture) : bool =
        part architecture
        || match architecture with
           | Identity
           | Simple _
           | Dense _
           | Dropout _
           | Images _ -> false
           | Chain(f, g)
           | Add(_, f, g) -> exists part f || exists part g
           | Concat parts -> List.exists (exists part) parts
           | Residual(_, f)
           | Highway(_, f)
           | DenseConnection f
           | Repeat(_, _, f)
           | Shared(_, _, f)
           | Frozen f
           | Named f
           | PerToken f
           | Scan f -> exists part f

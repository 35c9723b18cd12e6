namespace DL.Laws

open FsCheck
open FsCheck.FSharp
open DL

/// <summary>A part of a random network over sequences; each keeps the number of features.</summary>
[<RequireQualifiedAccess>]
type SequencePart =
    /// <summary>A plain recurrent layer.</summary>
    | Elman
    /// <summary>A long short-term memory.</summary>
    | LongShort
    /// <summary>A gated unit that resets before the product, or after it.</summary>
    | Gated of after: bool
    /// <summary>A recurrent layer in each direction.</summary>
    | TwoWay
    /// <summary>A user's own cell, scanned.</summary>
    | Scanned
    /// <summary>Self attention over a norm, added to what it took.</summary>
    | Attending of heads: int * causal: bool * rotary: bool
    /// <summary>Two dense layers at every step, added to what they took.</summary>
    | Forward
    /// <summary>A convolution along time.</summary>
    | Window
    /// <summary>Attention of the steps to the reversed steps.</summary>
    | Crossed

/// <summary>Random networks over sequences, to try laws on.</summary>
[<RequireQualifiedAccess>]
module SequenceArchitecture =
    let private width = 4

    let private layer (part: SequencePart) : Layer<Seq, Seq> =
        match part with
        | SequencePart.Elman -> rnn width
        | SequencePart.LongShort -> lstm width
        | SequencePart.Gated after -> gruWith (if after then Recurrent.torch else Recurrent.defaults) width
        | SequencePart.TwoWay -> bidirectional (gru 2) (lstm 2)
        | SequencePart.Scanned -> scan 3 (cat --> fork (dense 3 --> tanh) (dense width))
        | SequencePart.Attending(heads, causal, rotary) ->
            residual (layerNorm --> selfAttentionWith { Attend.defaults with Causal = causal; Rotary = rotary } heads)
        | SequencePart.Forward -> residual (perToken (dense 6 --> gelu --> dense width))
        | SequencePart.Window -> conv1d width (kernelOf (1, 3) |> same) --> tanh
        | SequencePart.Crossed -> fork identity (reverseTime --> perToken (dense 3)) --> additiveAttention 3 --> perToken (dense width)

    /// <summary>The network of the parts in their order, from sequences of 4 features to sequences of 4 features.</summary>
    let build (parts: SequencePart list) : Layer<Seq, Seq> = parts |> List.fold (fun net part -> net --> layer part) identity

    /// <summary>A shape it takes, of so many steps.</summary>
    let shape (time: int) : Shape<Seq> = Shape.seq (time, width)

    /// <summary>Up to so many parts.</summary>
    let generate (depth: int) : Gen<SequencePart list> =
        let flag = Gen.elements [ false; true ]

        let part =
            Gen.oneof
                [ Gen.elements
                      [ SequencePart.Elman
                        SequencePart.LongShort
                        SequencePart.TwoWay
                        SequencePart.Scanned
                        SequencePart.Forward
                        SequencePart.Window
                        SequencePart.Crossed ]
                  Gen.map SequencePart.Gated flag
                  Gen.map3 (fun heads causal rotary -> SequencePart.Attending(heads, causal, rotary)) (Gen.elements [ 1; 2 ]) flag flag ]

        Gen.choose (1, depth) |> Gen.bind (fun n -> Gen.listOfLength n part)

    /// <summary>The network without one of its parts.</summary>
    let shrink (parts: SequencePart list) : SequencePart list seq =
        seq {
            if parts.Length > 1 then
                for i in 0 .. parts.Length - 1 do
                    List.removeAt i parts
        }

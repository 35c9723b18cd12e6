/// The fans that layers give their initializers, against counts: with all weights one, an output of ones is the number of inputs it is joined to.
module DL.Properties.Random.Fans

open System
open System.Reflection
open DL
open DL.Core
open DL.Laws
open DL.Properties.Cases

/// An initializer of ones that keeps what it was asked for.
let private spy () =
    let asked = ResizeArray<int list * (int * int)>()

    let draw _ (shape: Shape) fanIn fanOut =
        asked.Add(([ for axis in 0 .. shape.Rank - 1 -> shape[axis] ], (fanIn, fanOut)))
        Tensor.Filled(ElementType.Float64, shape, 1.0)

    { Name = "spy"; Draw = draw }, asked

/// Inputs of an output and outputs of an input, counted where no border is near.
let private counted what (input: Batch<'x>) (build: Initializer -> Layer<'x, 'y>) =
    Law.fact "fans are the inputs of an output and the outputs of an input" $"fans {what}" (fun () ->
        let initializer, asked = spy ()
        let model = Model.init Double (Key.ofSeed 1) (Batch.shape input) (build initializer)
        let pass = Model.forward Train model input
        let y = Batch.held pass.Output
        let struct (dx, _) = pass.Pullback(Batch.ofTensor (Tensor.Filled(y.ElementType, y.Shape, 1.0)))
        let count (t: Tensor) = int (Math.Round(largest t))
        let found = count y, count (Batch.held dx)
        Evidence.exact $"asked {List.ofSeq asked}, counted {found}" (asked.Count = 1 && snd asked[0] = found))

let private recorded what (shape: Shape<'x>) (build: Initializer -> Layer<'x, 'y>) expected =
    Law.fact "fans are those of the matrix that is drawn" $"fans {what}" (fun () ->
        let initializer, asked = spy ()
        Model.init Double (Key.ofSeed 1) shape (build initializer) |> ignore
        Evidence.exact $"asked {List.ofSeq asked}, expected {expected}" (List.ofSeq asked = expected))

let private conv groups weights =
    { Conv.defaults with
        Bias = false
        Groups = groups
        Weights = weights }

let private ones (extents: int list) : Tensor = Tensor.Filled(ElementType.Float64, Shape(ReadOnlySpan<int>(Array.ofList extents)), 1.0)
let private image = Batch.image (ones [ 1; 4; 11; 11 ])
let private steps = Batch.seq (ones [ 1; 11; 4 ])
let private sequence = Shape.seq (11, 4)
let private matrix rows columns = [ rows; columns ], (rows, columns)

let private recurrent gates (cell: RecurrentSettings -> int -> Layer<Seq, Seq>) what =
    recorded
        what
        sequence
        (fun w ->
            cell
                { Recurrent.defaults with
                    Weights = Some w
                    RecurrentWeights = Some w }
                6)
        (List.replicate gates (matrix 4 6) @ List.replicate gates (matrix 6 6))

/// What takes an initializer.
let private takers =
    let language = typeof<Mode>.Assembly
    let takes (t: Type) = t = typeof<Initializer> || t = typeof<Initializer option>

    [ for t in language.GetExportedTypes() do
          if t.GetProperties(BindingFlags.Public ||| BindingFlags.Instance) |> Array.exists (fun p -> takes p.PropertyType) then
              t.Name

          for m in t.GetMethods(BindingFlags.Public ||| BindingFlags.Static) do
              if m.GetParameters() |> Array.exists (fun p -> takes p.ParameterType) then
                  m.Name ]

let private everyone =
    Law.fact "whatever takes an initializer is here" "fans" (fun () ->
        let known = [ "DenseSettings"; "ConvSettings"; "AttendSettings"; "RecurrentSettings"; "embeddingWith"; "tiedEmbedding" ]
        let unknown = takers |> List.except known |> String.concat ", "
        Evidence.worst [ Evidence.exact "some found" (not takers.IsEmpty); Evidence.exact $"no other: {unknown}" (unknown = "") ])

/// The laws of this file.
let laws: Law list =
    [ counted "dense" (Batch.vec (ones [ 1; 5 ])) (fun w -> denseWith { Bias = false; Weights = w } 7)
      counted "conv2d" image (fun w -> conv2dWith (conv 1 w) 6 (kernel 3))
      counted "conv2d of a dilated window" image (fun w -> conv2dWith (conv 1 w) 6 (kernel 3 |> dilation 2))
      counted "conv2d in 2 groups" image (fun w -> conv2dWith (conv 2 w) 6 (kernel 3))
      counted "depthwise" image (fun w -> conv2dWith (conv 4 w) 4 (kernel 3))
      counted "depthwise of 2 each" image (fun w -> conv2dWith (conv 4 w) 8 (kernel 3))
      counted "conv1d" steps (fun w -> conv1dWith (conv 1 w) 6 (kernel 3))
      counted "conv1d in 2 groups" steps (fun w -> conv1dWith (conv 2 w) 6 (kernel 3))
      counted "convTranspose2d" image (fun w -> convTranspose2dWith (conv 1 w) 0 6 (kernel 3))
      counted "convTranspose2d in 2 groups" image (fun w -> convTranspose2dWith (conv 2 w) 0 6 (kernel 3))
      recurrent 1 rnnWith "rnn"
      recurrent 4 lstmWith "lstm"
      recurrent 3 gruWith "gru"
      recorded "embedding" (Shape.tokens 5) (fun w -> embeddingWith w 7 3) [ matrix 7 3 ]
      recorded "tiedEmbedding" (Shape.tokens 5) (fun w -> tiedEmbedding w 7 3 identity) [ matrix 7 3 ]
      recorded "selfAttention" sequence (fun w -> selfAttentionWith { Attend.defaults with Weights = w } 2) [ matrix 4 12; matrix 4 4 ]
      everyone ]

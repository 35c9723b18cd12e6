namespace DL

open System
open System.Collections.Generic
open System.IO
open DL.Core
open DL.Core.Formats
open DL.Core.Ops

/// <summary>Named tensors from files of other libraries: read, renamed, and put into a model by <c>Model.withStateDict</c>.</summary>
/// <remarks>The layouts are torch's, as those of <c>Model.stateDict</c>: only names may differ, and what torch keeps in one tensor.</remarks>
[<RequireQualifiedAccess>]
module Weights =
    // Files on a disk are as large as they are: only what they claim beyond that is refused.
    let internal limits = ReadLimits(MaxBytes = Int64.MaxValue, MaxElements = int64 Shape.MaxCount)

    /// An archive begins with its mark, and a header of safetensors with a brace after 8 bytes.
    let private isArchive (path: string) =
        try
            use file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read)
            let start = Array.zeroCreate<byte> 9
            let count = file.ReadAtLeast(start, start.Length, throwOnEndOfStream = false)
            count >= 2 && start[0] = byte 'P' && start[1] = byte 'K' && start[8] <> byte '{'
        with
        // Who reads it next says what is wrong.
        | :? IOException
        | :? UnauthorizedAccessException
        | :? ArgumentException -> false

    let internal listed (tensors: IReadOnlyDictionary<string, Tensor>) = [ for KeyValue(name, t) in tensors -> name, t ]
    let internal pairs (tensors: (string * Tensor) list) = tensors |> Seq.map KeyValuePair

    /// <summary>Reads a safetensors file, or an npz archive of numpy; which one it is, its first bytes tell.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="T:DL.Core.DataFormatException">There is no such file, or it is neither.</exception>
    let load (path: string) : (string * Tensor) list =
        if isArchive path then
            Npz.Read(path, limits) |> listed
        else
            Safetensors.Read(path, limits).Tensors |> listed

    /// <summary>Writes named tensors to a safetensors file, whole or not at all; <c>Model.stateDict</c> gives those of a model.</summary>
    /// <param name="path">The file; one that is there is replaced.</param>
    /// <param name="weights">The tensors.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">A name is there twice, or the file cannot be written: nothing is changed.</exception>
    let save (path: string) (weights: (string * Tensor) list) : unit = Safetensors.Write(path, pairs weights)

    /// <summary>Other names for tensors.</summary>
    /// <param name="change">From the name in the file to the name in the model.</param>
    /// <param name="weights">The tensors.</param>
    let rename (change: string -> string) (weights: (string * Tensor) list) : (string * Tensor) list =
        weights |> List.map (fun (name, t) -> change name, t)

    /// <summary>Without the tensors of some names.</summary>
    /// <param name="unwanted">Which ones to leave out.</param>
    /// <param name="weights">The tensors.</param>
    let without (unwanted: string -> bool) (weights: (string * Tensor) list) : (string * Tensor) list =
        weights |> List.filter (fst >> unwanted >> not)

    /// <summary>Without torch's counts of batches, <c>num_batches_tracked</c>: batch norm with a momentum does not use them.</summary>
    let withoutCounts (weights: (string * Tensor) list) : (string * Tensor) list =
        weights
        |> without (fun name -> name = "num_batches_tracked" || name.EndsWith(".num_batches_tracked", StringComparison.Ordinal))

    /// <summary>A tensor cut along its first axis into equal parts with names of their own, as torch's <c>in_proj_weight</c> into those of queries, keys and values.</summary>
    /// <param name="name">The name of the tensor.</param>
    /// <param name="parts">The names of the parts, in order.</param>
    /// <param name="weights">The tensors.</param>
    /// <exception cref="T:DL.Core.InvalidArgumentException">There is no tensor of that name.</exception>
    /// <exception cref="T:DL.Core.ShapeException">Its first axis has no such number of equal parts.</exception>
    let split (name: string) (parts: string list) (weights: (string * Tensor) list) : (string * Tensor) list =
        if not (weights |> List.exists (fst >> (=) name)) then
            let known = weights |> List.map fst |> String.concat ", "
            raise (InvalidArgumentException("Weights.split", $"one of {known}", $"'{name}'"))

        let cut (t: Tensor) =
            let rows = if t.Shape.Rank = 0 then 0 else t.Shape[0]

            if parts.IsEmpty || rows % parts.Length <> 0 || rows = 0 then
                raise (ShapeException($"Weights.split '{name}'", $"a first axis of {parts.Length} equal parts", $"{t.Shape}"))

            let size = rows / parts.Length
            parts |> List.mapi (fun i part -> part, Slice.Forward(t, 0, i * size, size))

        weights |> List.collect (fun (known, t) -> if known = name then cut t else [ known, t ])

    /// <summary>Torch's two biases of a recurrent layer as their sum, for layers with one: <c>bias_ih_l0 + bias_hh_l0</c> under the first name.</summary>
    /// <remarks>Right for RNN and LSTM. A GRU of torch resets after the product, where the second bias stays apart: use <c>Recurrent.torch</c>.</remarks>
    /// <exception cref="T:DL.Core.InvalidArgumentException">A second bias stands alone.</exception>
    let sumBiases (weights: (string * Tensor) list) : (string * Tensor) list =
        let isSecond (name: string) = name.Contains("bias_hh_l", StringComparison.Ordinal)
        let firstOf (name: string) = name.Replace("bias_hh_l", "bias_ih_l", StringComparison.Ordinal)
        let second = dict [ for name, t in weights |> List.filter (fst >> isSecond) -> firstOf name, t ]

        for name in second.Keys do
            if not (weights |> List.exists (fst >> (=) name)) then
                raise (InvalidArgumentException("Weights.sumBiases", $"a tensor named '{name}'", "none"))

        [ for name, t in weights do
              if not (isSecond name) then
                  match second.TryGetValue name with
                  | true, other -> name, Add.Forward(t, other)
                  | _ -> name, t ]

namespace DL.Models

open DL

/// <summary>Classifiers of texts of any length up to a batch's.</summary>
[<RequireQualifiedAccess>]
module TextClassifier =
    /// <summary>Vectors of ids, a recurrent layer in both directions, the mean over the steps, and the scores of the classes.</summary>
    /// <remarks>A. Graves, J. Schmidhuber, Framewise phoneme classification with bidirectional LSTM, 2005.</remarks>
    /// <param name="vocabulary">The number of ids.</param>
    /// <param name="features">The numbers of an id's vector.</param>
    /// <param name="layer">The recurrent layer, such as <c>lstm 64</c>; each direction has one of its own.</param>
    /// <param name="classes">The number of classes.</param>
    let recurrent (vocabulary: int) (features: int) (layer: Layer<Seq, Seq>) (classes: int) : Layer<Tokens, Vec> =
        embedding vocabulary features --> bidirectional layer layer --> meanOverTime --> dense classes

    /// <summary>Vectors of ids, windows of several widths over them, the largest answer of each filter, and the scores of the classes.</summary>
    /// <remarks>Y. Kim, Convolutional neural networks for sentence classification, 2014. It has
    /// <c>v d + sum over widths w of f (w d + 1) + c (f widths + 1)</c> parameters.</remarks>
    /// <param name="vocabulary">The number of ids, v.</param>
    /// <param name="features">The numbers of an id's vector, d.</param>
    /// <param name="widths">The widths of the windows, such as 3, 4 and 5.</param>
    /// <param name="filters">The filters of each width, f.</param>
    /// <param name="classes">The number of classes, c.</param>
    let textCnn (vocabulary: int) (features: int) (widths: int list) (filters: int) (classes: int) : Layer<Tokens, Vec> =
        let window width : Layer<Seq, Vec> = conv1d filters (kernelOf (1, width) |> same) --> relu --> maxOverTime
        embedding vocabulary features --> concat (List.map window widths) --> dropout 0.5 --> dense classes

namespace DL.Models

open DL

/// <summary>A highway network of convolutions: at every step a gate says how much of the image is changed and how much is passed on.</summary>
/// <remarks>R. Srivastava, K. Greff, J. Schmidhuber, Training very deep networks, 2015, section 3: gates start nearly closed, by a bias of -2.</remarks>
[<RequireQualifiedAccess>]
module HighwayCnn =
    /// <summary><c>t * relu(conv x) + (1 - t) * x</c> with <c>t = sigmoid(conv x - 2)</c> at first.</summary>
    let block (channels: int) : Layer<Image, Image> =
        let window = kernel 3 |> same
        let gate = conv2dWith { Conv.defaults with InitialBias = -2.0 } channels window --> sigmoid
        highway gate (conv2dWith { Conv.defaults with Weights = Initializer.heNormal } channels window --> relu)

    /// <summary>Stages of so many blocks, halved by max pooling after each; then the mean over all pixels.</summary>
    /// <param name="stages">The channels and the number of blocks of every stage.</param>
    /// <param name="classes">The classes.</param>
    let net (stages: (int * int) list) (classes: int) : Layer<Image, Vec> =
        let stage body (channels, blocks) =
            body
            --> conv2d channels (kernel 3 |> same)
            --> relu
            --> repeat blocks (block channels)
            --> maxPool2d (kernel 2)

        List.fold stage identity stages --> globalAvgPool2d --> dense classes
